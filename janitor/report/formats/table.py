"""`table`: an overview for people: the counts, what goes and why, what is due soonest, what just expired, what is odd.

Then whatever else they should know, and at the very end what to do next. Nothing is cut so that a reason or a command
is lost, however narrow the terminal is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from janitor.report.console import render_to_text
from janitor.report.deletion_plan import MAX_LISTED, describe_protection, list_planned, list_protected
from janitor.report.finding_cells import (
    NOTHING,
    choose_row_names,
    format_due,
    format_groups,
    format_name,
    format_owner,
    format_utc,
)
from janitor.report.formats.interface import WholeFormat
from janitor.report.guard_rows import GUARD_COLUMNS, make_guard_rows
from janitor.report.model import Finding, Outcome, Report, StepPart
from janitor.report.next_steps import choose_first_steps, list_all_command
from janitor.report.summary import (
    closing_sections,
    deletion_lines,
    headline_parts,
    listing_line,
    omitted_line,
    run_facts,
    state_rows,
)
from janitor.report.tables import COLUMNS, FIRST_NUMBER, table_rows
from janitor.tokens.classify import State
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.printable import printable
from janitor.tokens.reasons import BREAKING

MAX_DUE = 15
MAX_EXPIRED = 5
MAX_ODD = 10

# A narrow terminal gets fewer columns: first those go that a date, a state or a title makes up for.
_MEDIUM, _WIDE = 110, 150
_GAP = 3
_OWNER_WIDTH = 40
_NAME_WIDTH = 26
_MIN_NAME_WIDTH = 6
_MIN_MEANING_WIDTH = 24
_MAX_WHY_WIDTH = 40
_INDENT = 2

_STYLES = {
    State.ACTIVE: "green",
    State.EXPIRING: "yellow",
    State.EXPIRED: "red",
    State.STALE: "dim",
    State.PERMANENT: "magenta",
    State.MALFORMED: "bold red",
    State.LEGACY: "magenta",
}
_ONLY_WIDE = ("Region", "Account", "Dialect")
_VERDICT_STYLES = {"would refuse": "bold red", "refused": "bold red", "not checked": "dim"}
_ODD = (State.MALFORMED, State.LEGACY, State.PERMANENT)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a section.

    Attributes:
        title: its header.
        cell: renders a finding's cell.
        from_width: how wide a terminal has to be to show it.
        wraps: whether its cells may take several lines.
        shrinks: whether its cells may be shortened.
        right: whether it is aligned to the right.
        is_short: whether its cells are short texts, which get their whole width where the terminal has it.
    """

    title: str
    cell: Callable[[Finding], Text] = lambda _: Text()
    from_width: int = 0
    wraps: bool = False
    shrinks: bool = False
    right: bool = False
    is_short: bool = False


class TableFormat(WholeFormat):
    """Aligned columns, in color on a terminal."""

    def __init__(self, *, width: int, colour: bool) -> None:
        """Args: the terminal's width in columns, and whether it shows colors."""
        self._width = width
        self._colour = colour

    def tail(self, report: Report) -> bytes:
        """The whole report."""
        return render_to_text(lambda console: _print(console, report), width=self._width, colour=self._colour).encode()


def _print(console: Console, report: Report) -> None:
    _print_headline(console, report)
    if report.listing is not None:
        _print_listing(console, report)
    else:
        _print_overview(console, report)
    for section in closing_sections(report):
        _print_title(console, section.title)
        for line in section.lines:
            console.print(Padding(_bullet(line), (0, 0, 0, _INDENT)))
    _print_steps(console, choose_first_steps(report))


def render_plan(findings: Sequence[Finding], *, planned: int, protected: int, width: int, colour: bool) -> str:
    """Render the rows that a sweep would delete, and those that are protected from it, as the report lists them.

    Args:
        findings: the first of both.
        planned: how many rows are planned.
        protected: how many more would be.
        width: of the terminal, in columns.
        colour: whether it shows colors.
    """

    def show(console: Console) -> None:
        _print_planned(console, findings, planned, "")
        _print_protected(console, findings, protected, "")

    return render_to_text(show, width=width, colour=colour)


def _print_overview(console: Console, report: Report) -> None:
    console.print()
    if report.is_of_several:
        _print_tables(console, report)
    console.print(_counts_grid(report))
    if not report.run.only_reads:
        _print_deletion(console, report)
    _print_dated(console, report, "Due soonest", State.EXPIRING, MAX_DUE)
    _print_dated(console, report, "Just expired", State.EXPIRED, MAX_EXPIRED)
    _print_odd(console, report)
    if report.run.only_reads:
        _print_facts(console, report)


def _print_tables(console: Console, report: Report) -> None:
    """A line for each table; on a narrow terminal without region, account and dialect."""
    is_wide = console.width >= _MEDIUM
    shown_columns = [at for at, title in enumerate(COLUMNS) if is_wide or title not in _ONLY_WIDE]
    grid = _grid(*(_Column(COLUMNS[at], wraps=at == 0, right=at >= FIRST_NUMBER) for at in shown_columns))
    for part, row in zip(report.tables, table_rows(report), strict=True):
        style = "" if part.outcome in (Outcome.COMPLETE, Outcome.SKIPPED) else "bold red"
        grid.add_row(*(Text(row[at], style=style) for at in shown_columns))
    console.print(grid)
    console.print()


def _print_headline(console: Console, report: Report) -> None:
    """In one line, or in two where the terminal is narrower."""
    place, ending = map(printable, headline_parts(report))
    in_one_line = Text(f"{place}, {ending}", style="bold")
    fits = in_one_line.cell_len <= console.width
    console.print(in_one_line if fits else Text(f"{place},\n{ending}", style="bold"))


def _print_listing(console: Console, report: Report) -> None:
    """All rows of the listing, in the report's order."""
    console.print(Text(listing_line(report)))
    if report.findings:
        console.print()
        # Who asks for groups wants to see which, however narrow the terminal is.
        groups = replace(_GROUPS, from_width=0) if report.listing and report.listing.groups else _GROUPS
        columns = (_EXPIRES, _UTC, _STATE, _OWNER, _NAME, groups, _fingerprints(report.findings), _MEANING)
        _print_grid(console, columns, report.findings)
    if report.findings_omitted:
        console.print(Text(omitted_line(report, report.findings_omitted).replace("`", ""), style="dim"))


def _counts_grid(report: Report) -> Grid:
    grid = _grid(_Column("State"), _Column("Rows", right=True), _MEANING)
    for state, rows, words in state_rows(report):
        style = _STYLES[State(state)] if rows != "0" else "dim"
        grid.add_row(Text(state, style=style), Text(rows, style=style), Text(words, style="dim" if rows == "0" else ""))
    return grid


def _print_deletion(console: Console, report: Report) -> None:
    """What goes and why, what is protected, and which guards stand."""
    command = list_all_command(report)
    _print_planned(console, report.findings, report.deletion.planned, command)
    _print_protected(console, report.findings, report.deletion.protected, command)
    _print_title(console, "Deletion")
    for line in deletion_lines(report):
        console.print(Text(line))
    rows = list(make_guard_rows(report))
    if rows:
        _print_title(console, "Guards")
        columns = [title for title in GUARD_COLUMNS if title != "Table" or report.is_of_several]
        grid = _grid(*(_Column(title, wraps=True) for title in columns))
        for row in rows:
            grid.add_row(*(Text(cell, style=_VERDICT_STYLES.get(row[-1], "")) for cell in row[-len(columns) :]))
        console.print(grid)
    _print_facts(console, report)


def _print_planned(console: Console, findings: Sequence[Finding], total: int, list_all: str) -> None:
    planned = list_planned(findings)
    outcome = [_OUTCOME] if any(each.outcome is not DeletionOutcome.PLANNED for each in planned) else []
    columns = (*outcome, _OWNER, _WIDE_NAME, _WIDE_UTC, _fingerprints(findings), _WHY)
    _print_section(console, "Planned for deletion", columns, planned[:MAX_LISTED], total, list_all=list_all)


def _print_protected(console: Console, findings: Sequence[Finding], total: int, list_all: str) -> None:
    why = (_WHY, _PROTECTED_BY) if console.width >= _MEDIUM else (_WHY_AND_PROTECTION,)
    columns = (_OWNER, _WIDE_NAME, _WIDE_UTC, _fingerprints(findings), *why)
    listed = list_protected(findings)[:MAX_LISTED]
    _print_section(console, "Would go, but are protected", columns, listed, total, list_all=list_all)


def _print_facts(console: Console, report: Report) -> None:
    facts = list(run_facts(report))
    if facts:
        console.print()
    for title, text in facts:
        if text.startswith("janitor ") or " " not in text:
            # A command, or a place: neither is wrapped, so that it can be copied.
            console.print(Text(f"{title}:", style="bold"))
            _print_command(console, text)
        else:
            console.print(Text.assemble((f"{title}: ", "bold"), text))


def _print_steps(console: Console, steps: Sequence[StepPart]) -> None:
    """The first steps, each with its commands, which are never wrapped, so that they can be copied."""
    if not steps:
        return
    _print_title(console, "What to do next")
    for step in steps:
        console.print(Padding(_bullet(printable(step.advice).replace("`", "")), (0, 0, 0, _INDENT)))
        for command in step.commands:
            _print_command(console, command)


def _print_command(console: Console, command: str) -> None:
    console.print(Text(f"{' ' * 2 * _INDENT}{printable(command)}", style="cyan"), soft_wrap=True)


def _print_title(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold"))


def _bullet(line: str) -> Grid:
    """The line with a dash before it, and its other lines below its first word."""
    grid = Grid.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text("-"), Text(line))
    return grid


def _print_dated(console: Console, report: Report, title: str, state: State, most: int) -> None:
    listed = [finding for finding in report.findings if finding.state is state][:most]
    columns = (_EXPIRES, _UTC, _OWNER, _NAME, _GROUPS, _fingerprints(report.findings), _MEANING)
    _print_section(console, title, columns, listed, getattr(report.counts, state.value))


def _print_odd(console: Console, report: Report) -> None:
    """Rows without a valid date, and rows that make LISA fail: those first that LISA still accepts."""
    odd = [finding for finding in report.findings if finding.state in _ODD]
    breaking = [finding for finding in report.findings if finding.state not in _ODD and _breaks_lisa(finding)]
    odd += breaking
    listed = sorted(odd, key=lambda finding: not finding.accepted_by)[:MAX_ODD]
    is_wide = console.width >= _WIDE
    fingerprints = _fingerprints(report.findings)
    columns = (
        (_STATE, _OWNER, _NAME, _GROUPS, fingerprints, _MEANING)
        if is_wide
        else (_STATE, fingerprints, _WHO_AND_MEANING)
    )
    total = sum(getattr(report.counts, state.value) for state in _ODD) + len(breaking)
    _print_section(console, "Needs a look", columns, listed, total)


def _breaks_lisa(finding: Finding) -> bool:
    return not BREAKING.isdisjoint(finding.reasons)


def _print_section(
    console: Console,
    title: str,
    columns: Sequence[_Column],
    listed: Sequence[Finding],
    total: int,
    *,
    list_all: str | None = None,
) -> None:
    """The first of some rows, how many more there are, and the command that lists all; empty for no command to name."""
    if not total:
        return
    _print_title(console, f"{title} ({total:,})" if list_all is not None else title)
    if listed:
        _print_grid(console, columns, listed)
    more = total - len(listed)
    if more and list_all:
        console.print(Text(f"… and {more:,} more; all of them:", style="dim"))
        _print_command(console, list_all)
    elif more:
        how = "a dry run with --report ndjson=PATH" if list_all == "" else "--report ndjson=PATH"
        console.print(Text(f"… and {more:,} more; {how} lists them all", style="dim"))


def _print_grid(console: Console, columns: Sequence[_Column], listed: Sequence[Finding]) -> None:
    if any(finding.table is not None for finding in listed):
        columns = (*columns, _TABLE)
    shown_columns = [column for column in columns if console.width >= column.from_width]
    cells = [[column.cell(finding) for column in shown_columns] for finding in listed]
    grid = _grid(*shown_columns)
    _limit_name_widths(grid, shown_columns, cells, console.width)
    for row in cells:
        grid.add_row(*row)
    console.print(grid)


def _grid(*columns: _Column) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for column in columns:
        grid.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow="fold" if column.wraps else "ellipsis",
            no_wrap=not column.wraps,
        )
    return grid


def _limit_name_widths(grid: Grid, columns: Sequence[_Column], cells: Sequence[Sequence[Text]], width: int) -> None:
    """Give names what the other columns leave of the width: dates, fingerprints and meanings are never shortened."""
    widest = [
        _MIN_MEANING_WIDTH
        if column.wraps and not column.is_short
        else min(
            max(len(column.title), *(row[position].cell_len for row in cells)),
            _MAX_WHY_WIDTH if column.wraps else width,
        )
        for position, column in enumerate(columns)
    ]
    names = [position for position, column in enumerate(columns) if column.shrinks]
    fixed = sum(widest[position] for position in range(len(columns)) if position not in names)
    left = width - fixed - _GAP * (len(columns) - 1)
    # The first of them, the owner, is what a reader copies, so it gets what the others can do without.
    for rank, position in enumerate(names):
        others = len(names) - rank - 1
        most = _OWNER_WIDTH if rank == 0 else max(_NAME_WIDTH, left // (others + 1))
        given = max(_MIN_NAME_WIDTH, min(widest[position], most, left - others * _MIN_NAME_WIDTH))
        grid.columns[position].max_width = given
        left -= given


def _fingerprints(findings: Sequence[Finding]) -> _Column:
    row_name_of = choose_row_names(findings)
    return _Column("Fingerprint", lambda finding: Text(row_name_of(finding)))


def _outcome(finding: Finding) -> Text:
    words = "" if finding.outcome is None else finding.outcome.replace("_", " ")
    return Text(words, style="bold red" if finding.outcome is DeletionOutcome.FAILED else "")


def _who_and_meaning(finding: Finding) -> Text:
    known = [each for each in (format_owner(finding), format_name(finding)) if each != NOTHING]
    return Text(f"{', '.join(known) or 'no owner, no name'}\n{finding.meaning}")


_EXPIRES = _Column("Expires", lambda finding: Text(format_due(finding)))
_UTC = _Column("UTC", lambda finding: Text(format_utc(finding.expires_at)), from_width=_MEDIUM)
_STATE = _Column("State", lambda finding: Text(finding.state, style=_STYLES[finding.state]))
_OWNER = _Column("Owner", lambda finding: Text(format_owner(finding)), shrinks=True)
_NAME = _Column("Name", lambda finding: Text(format_name(finding)), shrinks=True)
_GROUPS = _Column("Groups", lambda finding: Text(format_groups(finding)), from_width=_MEDIUM, shrinks=True)
_MEANING = _Column("What it means", lambda finding: Text(finding.meaning), wraps=True, from_width=_WIDE)
_TABLE = _Column("Table", lambda finding: Text(printable(finding.table or NOTHING)), wraps=True, is_short=True)
_WIDE_NAME = replace(_NAME, from_width=_MEDIUM)
_WIDE_UTC = replace(_UTC, from_width=_WIDE)
_OUTCOME = _Column("Outcome", _outcome)
_WHY = _Column("Why", lambda finding: Text(finding.why or NOTHING), wraps=True, is_short=True)
_PROTECTED_BY = _Column("Protected by", lambda finding: Text(describe_protection(finding)), wraps=True, is_short=True)
_WHY_AND_PROTECTION = _Column(
    "Why, and what protects it",
    lambda finding: Text(f"{finding.why}\n{describe_protection(finding)}"),
    wraps=True,
    is_short=True,
)
_WHO_AND_MEANING = _Column("Whose it is, and what it means", _who_and_meaning, wraps=True)
