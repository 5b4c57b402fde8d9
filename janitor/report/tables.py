"""The tables of a run of several, one line for each, for every format for people."""

from collections.abc import Iterator, Sequence

from janitor.report.finding_cells import NOTHING
from janitor.report.model import Counts, Report
from janitor.tokens.printable import printable

COLUMNS = ("Table", "Region", "Account", "Dialect", "Ended", "Rows", "Expiring", "Expired", "Stale", "Other")
# From here on columns are numbers.
FIRST_NUMBER = COLUMNS.index("Rows")


def table_rows(report: Report) -> Iterator[Sequence[str]]:
    """The cells of each table's line."""
    for table in report.tables:
        counts = table.counts
        figures = (counts.scanned, counts.expiring, counts.expired, counts.stale, _count_others(counts))
        yield (
            printable(table.label),
            printable(table.region or NOTHING),
            table.account_id or NOTHING,
            table.policy.dialect or NOTHING,
            table.outcome.value,
            *(f"{figure:,}" for figure in figures),
        )


def _count_others(counts: Counts) -> int:
    """Count the rows that need a look: without a date, with a broken date, or from an older LISA."""
    return counts.permanent + counts.malformed + counts.legacy
