"""What the run of one table sees of the outlets of several: its findings pass through, and their ends wait."""

from msgspec import structs

from janitor.report.model import Finding, Report
from janitor.run.outlets import Outlets


class OutletsOfTable(Outlets):
    """As `Outlets`, which somebody else opens, finishes and discards.

    Attributes:
        is_complete: whether all of the table was read.
    """

    def __init__(self, shared: Outlets, label: str) -> None:
        """Args: the outlets of all tables, and what the run calls this one."""
        super().__init__([])
        self.is_complete = False
        self._shared = shared
        self._label = label

    @property
    def streams(self) -> bool:
        """As of all."""
        return self._shared.streams

    @property
    def keep(self) -> bool:
        """As of all."""
        return self._shared.keep

    @property
    def is_exhausted(self) -> bool:
        """As of all."""
        return self._shared.is_exhausted

    def open(self) -> None:
        """Nothing: they are open."""

    def lines(self, findings: list[Finding]) -> None:
        """Hand them on, with the table that they are of."""
        self._shared.lines([structs.replace(finding, table=self._label) for finding in findings])

    def finish(self, report: Report, *, is_complete: bool) -> None:  # noqa: ARG002  # the report is not told alone
        """Note whether it was complete."""
        self.is_complete = is_complete

    def pass_over(self, report: Report) -> None:
        """Nothing: the table is left to another run, and its part says so."""

    def discard(self) -> None:
        """Nothing: the other tables go on."""
