"""What the doctor found, for a person: a tick or a cross, what was found, and the way out."""

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from janitor.report.checkup import Check, Checkup, Estimate, Status
from janitor.report.console import printed
from janitor.tokens.duration import spoken_duration
from janitor.tokens.printable import printable
from janitor.tokens.words import counted

_MARKS = {Status.OK: "✓", Status.FAILED: "✗", Status.WARNING: "!", Status.SKIPPED: "–"}  # noqa: RUF001  # a dash
_STYLES = {Status.OK: "green", Status.FAILED: "bold red", Status.WARNING: "yellow", Status.SKIPPED: "dim"}
_CENT = 0.01
_SECONDS_BY = {
    "measured": "by a page of this table that was read just now",
    "usual": "by what a page usually takes; none of this table was read",
    "throughput": "by the read units a second that the table takes",
    "budget": "by the read units a second that it may take",
}


def checkup_table(checkup: Checkup, *, width: int, colour: bool) -> str:
    """A line for each check, longer ones folded; what a run would cost and take; the verdict.

    Args:
        checkup: what was found.
        width: of the terminal, in columns.
        colour: whether it shows colours.
    """
    return printed(lambda console: _print(console, checkup), width=width, colour=colour)


def _print(console: Console, checkup: Checkup) -> None:
    console.print(_grid(checkup))
    console.print()
    if checkup.estimate is not None:
        console.print(Text(_estimated(checkup.command, checkup.estimate)))
    console.print(Text(_verdict(checkup), style="bold"))


def _grid(checkup: Checkup) -> Grid:
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for check in checkup.checks:
        style = _STYLES[check.status]
        said_style = "dim" if check.status is Status.SKIPPED else ""
        grid.add_row(
            Text(_MARKS[check.status], style=style), Text(check.name, style=said_style), Text(_said(check), said_style)
        )
    return grid


def _said(check: Check) -> str:
    return printable(f"{check.found}; {check.way_out}" if check.way_out else check.found)


def _estimated(command: str, estimate: Estimate) -> str:
    rows = counted(estimate.rows, "row")
    units = f"{estimate.read_units:,.1f} read units, {_price(estimate.cost_usd)}"
    segments = counted(estimate.segments, "segment")
    said = (
        f"A {command} reads about {rows}: {units}, {_time(estimate.seconds)} with {segments} "
        f"({_SECONDS_BY[estimate.seconds_by]})."
    )
    if estimate.write_units_per_delete is None:
        return said
    units = f"{estimate.write_units_per_delete:,.0f} write unit{'' if estimate.write_units_per_delete == 1 else 's'}"
    price = _price(estimate.cost_usd_per_1000_deletes or 0)
    return f"{said} Each row that it deletes costs {units}; a thousand cost {price}."


def _price(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= _CENT else "less than a cent"


def _time(seconds: float) -> str:
    return "less than a second" if seconds < 1 else f"about {spoken_duration(round(seconds))}"


def _verdict(checkup: Checkup) -> str:
    missing = sum(check.status is Status.FAILED for check in checkup.checks)
    warnings = sum(check.status is Status.WARNING for check in checkup.checks)
    what = f"janitor {checkup.command}"
    spoken = f"; {counted(warnings, 'warning')}" if warnings else ""
    if missing:
        return f"{counted(missing, 'thing')} {'is' if missing == 1 else 'are'} missing that `{what}` needs{spoken}."
    if checkup.table_was_looked_at:
        return f"All that `{what}` needs is there{spoken}."
    return f"What was looked at is as it should be; no table was{spoken}."
