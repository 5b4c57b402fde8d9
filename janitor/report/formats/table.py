"""`table`: what a person wants at a glance. The counts, then what is due soonest, what just expired, what is odd."""

import io

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from janitor.report.formats.interface import WholeFormat
from janitor.report.model import Finding, Report
from janitor.report.summary import closing_lines, counts_rows, headline
from janitor.report.text import due, label, owner, plain, utc
from janitor.tokens.classify import State
from janitor.tokens.outcome import DeletionOutcome

MOST_PLANNED = 15
MOST_DUE = 15
MOST_EXPIRED = 5
MOST_ODD = 10
_NAME_WIDTH = 26

_STYLES = {
    State.ACTIVE: "green",
    State.EXPIRING: "yellow",
    State.EXPIRED: "red",
    State.STALE: "dim",
    State.PERMANENT: "magenta",
    State.MALFORMED: "bold red",
    State.LEGACY: "magenta",
}
_ODD = (State.MALFORMED, State.LEGACY, State.PERMANENT)


class Table(WholeFormat):
    """Aligned columns, in colour where a terminal reads them."""

    def __init__(self, *, width: int, colour: bool) -> None:
        """Args: the terminal's width in columns, and whether it shows colours."""
        self._width = width
        self._colour = colour

    def tail(self, report: Report) -> bytes:
        """The whole report."""
        console = Console(
            file=io.StringIO(),
            width=self._width,
            force_terminal=self._colour,
            color_system="standard" if self._colour else None,
            no_color=not self._colour,
            highlight=False,
            emoji=False,
            markup=False,
        )
        with console.capture() as captured:
            _print(console, report)
        # Rich fills lines up to the width; nobody wants that in a file.
        return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()).encode()


def _print(console: Console, report: Report) -> None:
    console.print(Text(plain(headline(report)), style="bold"))
    console.print()
    console.print(_counts(report))
    _print_planned(console, report)
    _print_findings(console, report, "Due soonest", (State.EXPIRING,), MOST_DUE)
    _print_findings(console, report, "Just expired", (State.EXPIRED,), MOST_EXPIRED)
    _print_findings(console, report, "Needs a look", _ODD, MOST_ODD)
    lines = list(closing_lines(report))
    if lines:
        console.print()
    for line in lines:
        console.print(Text(line))


def _print_planned(console: Console, report: Report) -> None:
    listed = [finding for finding in report.findings if finding.outcome is not None][:MOST_PLANNED]
    if not listed:
        return
    console.print()
    console.print(Text("Planned for deletion", style="bold"))
    grid = _grid("Expired", "UTC", "Outcome", "Owner", "Name", "Fingerprint", "What it means")
    for finding in listed:
        grid.add_row(due(finding), utc(finding.expires_at), _outcome(finding), *_cells(finding)[1:])
    console.print(_narrowed(grid))
    more = report.deletion.planned - len(listed)
    if more:
        console.print(Text(f"… and {more:,} more; --format json or --report ndjson=PATH lists them", style="dim"))


def _outcome(finding: Finding) -> Text:
    words = "" if finding.outcome is None else finding.outcome.replace("_", " ")
    return Text(words, style="bold red" if finding.outcome is DeletionOutcome.FAILED else "")


def _print_findings(console: Console, report: Report, title: str, states: tuple[State, ...], most: int) -> None:
    listed = [finding for finding in report.findings if finding.state in states][:most]
    if not listed:
        return
    console.print()
    console.print(Text(title, style="bold"))
    console.print(_undated(listed) if states is _ODD else _dated(listed))
    more = sum(getattr(report.counts, state.value) for state in states) - len(listed)
    if more:
        console.print(Text(f"… and {more:,} more; --format json or --report ndjson=PATH lists them", style="dim"))


def _grid(*columns: str) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for column in columns:
        grid.add_column(column, overflow="fold" if column == "What it means" else "ellipsis")
    return grid


def _counts(report: Report) -> Grid:
    grid = _grid("State", "Rows", "What it means")
    grid.columns[1].justify = "right"
    for state, rows, words in counts_rows(report):
        style = _STYLES[State(state)] if rows != "0" else "dim"
        grid.add_row(Text(state, style=style), Text(rows, style=style), Text(words, style="dim" if rows == "0" else ""))
    return grid


def _dated(findings: list[Finding]) -> Grid:
    grid = _grid("Expires", "UTC", "State", "Owner", "Name", "Fingerprint", "What it means")
    for finding in findings:
        grid.add_row(due(finding), utc(finding.expires_at), *_cells(finding))
    return _narrowed(grid)


def _undated(findings: list[Finding]) -> Grid:
    grid = _grid("State", "Owner", "Name", "Fingerprint", "What it means")
    for finding in findings:
        grid.add_row(*_cells(finding))
    return _narrowed(grid)


def _cells(finding: Finding) -> tuple[Text, ...]:
    return (
        Text(finding.state, style=_STYLES[finding.state]),
        Text(owner(finding)),
        Text(label(finding)),
        Text(finding.fingerprint),
        Text(finding.meaning),
    )


def _narrowed(grid: Grid) -> Grid:
    """Keep every column but the last on one line, and names short enough to leave room for what the state means."""
    for column in grid.columns[:-1]:
        column.no_wrap = True
        if column.header in ("Owner", "Name"):
            column.max_width = _NAME_WIDTH
        else:
            column.min_width = len(str(column.header))
    return grid
