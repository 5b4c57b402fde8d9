"""What a format has to do."""

from collections.abc import Sequence
from typing import Protocol

from janitor.report.model import Finding, Report


class Format(Protocol):
    """Turns a report into bytes (UTF-8), piece by piece: `head`, `lines` for findings, `tail`.

    A format either streams, and then sees every finding as it is found, in no order, and the report at the end; or it
    does not, and then says everything in `tail`, from `report.findings`, which are sorted and bounded.
    """

    streams: bool
    tells_the_outcome: bool
    """Whether a reader sees that a run broke off; a report that hides it is better not there."""
    tells_of_each_table: bool
    """Whether a reader sees, in a run of several, which of them broke off; then the others are told all the same."""

    def head(self) -> bytes:
        """What comes before the first finding; empty for a format that does not stream."""

    def lines(self, findings: Sequence[Finding]) -> bytes:
        """Some findings, a line each; never called for a format that does not stream."""

    def tail(self, report: Report) -> bytes:
        """What comes after the last finding, or, for a format that does not stream, everything."""


class WholeFormat:
    """The half of a format that does not stream."""

    streams = False
    tells_the_outcome = True
    tells_of_each_table = True

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def lines(self, findings: Sequence[Finding]) -> bytes:  # noqa: ARG002  # the interface's argument
        """Nothing."""
        return b""
