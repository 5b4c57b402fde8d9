"""What a format of the report has to do."""

from collections.abc import Sequence
from typing import Protocol

from janitor.report.model import Finding, Report


class Format(Protocol):
    """Turns a report into bytes (UTF-8), piece by piece: `head`, `lines` for findings, `tail`.

    A format that streams gets every finding as it is found, in any order, and the report at the end. A format that does
    not stream renders everything in `tail`, from `report.findings`, which are sorted and bounded.
    """

    streams: bool
    shows_outcome: bool
    """Whether the report shows that a run broke off. A report that does not is not written then."""
    shows_each_outcome: bool
    """Whether the report of several tables shows which of them broke off. Then it is written for the others."""

    def head(self) -> bytes:
        """What comes before the first finding; empty for a format that does not stream."""

    def lines(self, findings: Sequence[Finding]) -> bytes:
        """Some findings; never called for a format that does not stream."""

    def tail(self, report: Report) -> bytes:
        """What comes after the last finding, or, for a format that does not stream, everything."""


class WholeFormat:
    """The base class of formats that do not stream; they implement `tail`."""

    streams = False
    shows_outcome = True
    shows_each_outcome = True

    def head(self) -> bytes:
        """Empty."""
        return b""

    def lines(self, findings: Sequence[Finding]) -> bytes:  # noqa: ARG002  # the interface's argument
        """Empty."""
        return b""
