"""What `archive list` says, `janitor.archive-list/v1`. Every key is always present; times are UTC."""

import datetime as dt
from collections.abc import Iterator

from janitor.report.encode import Part
from janitor.report.finding_cells import format_utc
from janitor.report.plan_details import OutcomeCounts, PlannedTable, describe_outcomes
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count

SCHEMA = "janitor.archive-list/v1"

_WHAT_RESTORE_LEAVES_OUT = (
    "Each command only shows what it would put back. In a table of LISA 6.1 or later it leaves out rows whose owners "
    "have other rows by now, and says so; --beside puts those back too."
)


class ArchivePart(Part, frozen=True, kw_only=True):
    """An archive: when and of which table it was made, and what became of its rows.

    A plan among them has rows and no outcomes. `restore` is the command that puts its rows back, as a dry run. `error`
    says why one could not be read; `restore` is null then, and so is what is not known.
    """

    location: str
    table: PlannedTable | None
    run_id: str | None
    created_at: dt.datetime | None
    complete: bool
    rows: int
    outcomes: OutcomeCounts
    restore: str | None
    error: str | None


class ArchiveList(Part, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """The archives of a place, newest first; `omitted` is how many older ones there are."""

    place: str
    archives: list[ArchivePart]
    omitted: int


def render_archives(listed: ArchiveList) -> Iterator[str]:
    """Yield the lines for people: for each archive what is in it, then the command that puts its rows back."""
    if not listed.archives:
        yield f"No archive is in {printable(listed.place)}."
        return
    for each in listed.archives:
        if each.error is not None or each.table is None:
            yield f"not readable: {printable(each.error or each.location)}"
            continue
        cut_off = "" if each.complete else "CUT OFF, "
        rows = format_count(each.rows, "row")
        outcomes = describe_outcomes(each.outcomes) or ("a plan, nothing was deleted by it" if each.rows else "")
        what = f"{cut_off}{rows}{f': {outcomes}' if outcomes else ''}"
        yield printable(f"{format_utc(each.created_at)} UTC  {each.table.name}, {each.table.region}  {what}")
        if each.restore is not None:
            yield f"    {printable(each.restore)}"
    if listed.omitted:
        yield f"… and {format_count(listed.omitted, 'older archive')}; --max-archives lists more"
    if any(each.restore for each in listed.archives):
        yield _WHAT_RESTORE_LEAVES_OUT
