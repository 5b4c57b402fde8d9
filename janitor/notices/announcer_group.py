"""The announcers of one table: one for each destination, a topic or a service of `--notify`.

Each destination has its own notices, marks and lease: what one did not take is tried again there by the next run, and
the others do not hear it twice. The first one also compares the table with the last run.
"""

from collections.abc import Sequence

from msgspec import structs

from janitor.notices.announcer import Announcer
from janitor.readers.interface import JudgedRow
from janitor.report.model import NoticesPart, Remark, TableReport


class AnnouncerGroup:
    """Hands a table's findings to each announcer, and adds up what became of them. For one thread.

    Attributes:
        announcers: in the order of the destinations; at least one.
    """

    def __init__(self, announcers: Sequence[Announcer]) -> None:
        self.announcers = announcers

    @property
    def has_ended(self) -> bool:
        """Whether the table's turn in the run is over."""
        return self.announcers[0].has_ended

    def open(self) -> None:
        """Open the store for each. `remember` reports it if that fails."""
        for announcer in self.announcers:
            announcer.open()

    def add_findings(self, rows: Sequence[JudgedRow]) -> None:
        """Take findings, each once. Never raises: it is called in the middle of deletes."""
        for announcer in self.announcers:
            announcer.add_findings(rows)

    def end(self, report: TableReport, *, is_complete: bool, would_be_refused: bool = False) -> TableReport:
        """Add what changed since the last run, at the end of the table's turn; nothing is announced yet.

        Args:
            report: the table's.
            is_complete: whether the whole table was read.
            would_be_refused: in a dry run, whether a guard would refuse to delete.
        """
        for announcer in self.announcers:
            report = announcer.end(report, is_complete=is_complete, would_be_refused=would_be_refused)
        return report

    def remember(self, report: TableReport) -> TableReport:
        """Remember the run, and add to the table's report what was announced. The last step.

        Args:
            report: the table's, as `end` returned it.
        """
        parts: list[NoticesPart] = []
        for announcer in self.announcers:
            report = announcer.remember(structs.replace(report, notices=None))
            parts += [report.notices] if report.notices is not None else []
        return structs.replace(
            report,
            notices=_add_up(parts) if parts else None,
            errors=_without_repeats(report.errors),
            warnings=_without_repeats(report.warnings),
        )

    def close(self) -> None:
        """Release everything. Never raises."""
        for announcer in self.announcers:
            announcer.close()


def _add_up(parts: Sequence[NoticesPart]) -> NoticesPart:
    """Add up what became of the notices; tokens that are only counted are the same for every destination."""
    return NoticesPart(
        due=sum(part.due for part in parts),
        sent=sum(part.sent for part in parts),
        failed=sum(part.failed for part in parts),
        left=sum(part.left for part in parts),
        long_expired=max(part.long_expired for part in parts),
        state=parts[0].state,
    )


def _without_repeats(remarks: Sequence[Remark]) -> list[Remark]:
    """Each remark once: every destination has the same store, and the same trouble with it."""
    kept: list[Remark] = []
    for remark in remarks:
        if remark not in kept:
            kept.append(remark)
    return kept
