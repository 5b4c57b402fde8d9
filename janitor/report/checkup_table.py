"""What the doctor found, for people: a tick or a cross, what was found, and what to do."""

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from janitor.report.checkup import Check, Checkup, Estimate, Status
from janitor.report.console import render_to_text
from janitor.tokens.duration import format_duration
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count

_MARKS = {Status.OK: "✓", Status.FAILED: "✗", Status.WARNING: "!", Status.SKIPPED: "–"}  # noqa: RUF001  # a dash
_STYLES = {Status.OK: "green", Status.FAILED: "bold red", Status.WARNING: "yellow", Status.SKIPPED: "dim"}
_CENT = 0.01
_SECONDS_BY = {
    "measured": "by a page of this table that was read just now",
    "usual": "by what a page usually takes; none of this table was read",
    "throughput": "by the read units a second that the table takes",
    "budget": "by the read units a second that it may take",
}


def render_checkup(checkup: Checkup, *, width: int, colour: bool) -> str:
    """Render a line for each check, long ones wrapped; what a run would cost; the verdict.

    Args:
        checkup: what was found.
        width: of the terminal, in columns.
        colour: whether it shows colors.
    """
    return render_to_text(lambda console: _print(console, checkup), width=width, colour=colour)


def _print(console: Console, checkup: Checkup) -> None:
    console.print(_grid(checkup))
    console.print()
    if checkup.estimate is not None:
        console.print(Text(_describe_estimate(checkup.command, checkup.estimate)))
    console.print(Text(_describe_verdict(checkup), style="bold"))


def _grid(checkup: Checkup) -> Grid:
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for check in checkup.checks:
        style = _STYLES[check.status]
        text_style = "dim" if check.status is Status.SKIPPED else ""
        grid.add_row(
            Text(_MARKS[check.status], style=style),
            Text(check.name, style=text_style),
            Text(_describe_check(check), text_style),
        )
    return grid


def _describe_check(check: Check) -> str:
    return printable(f"{check.found}; {check.way_out}" if check.way_out else check.found)


def _describe_estimate(command: str, estimate: Estimate) -> str:
    rows = format_count(estimate.rows, "row")
    owners = (
        f", {format_count(estimate.owner_lookups, 'look-up')} of owners among them" if estimate.owner_lookups else ""
    )
    units = f"{estimate.read_units:,.1f} read units{owners}, {_format_price(estimate.cost_usd)}"
    segments = format_count(estimate.segments, "segment")
    text = (
        f"A {command} reads about {rows}: {units}, {_format_time(estimate.seconds)} with {segments} "
        f"({_SECONDS_BY[estimate.seconds_by]})."
    )
    if estimate.owner_lookups is None:
        text += " Looking up owners of expired rows costs half a read unit or more each, for 500 owners at most."
    if estimate.write_units_per_delete is None:
        return text
    units = f"{estimate.write_units_per_delete:,.0f} write unit{'' if estimate.write_units_per_delete == 1 else 's'}"
    price = _format_price(estimate.cost_usd_per_1000_deletes or 0)
    return f"{text} Each row that it deletes costs {units}; a thousand cost {price}."


def _format_price(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= _CENT else "less than a cent"


def _format_time(seconds: float) -> str:
    return "less than a second" if seconds < 1 else f"about {format_duration(round(seconds))}"


def _describe_verdict(checkup: Checkup) -> str:
    missing = sum(check.status is Status.FAILED for check in checkup.checks)
    warnings = sum(check.status is Status.WARNING for check in checkup.checks)
    what = f"janitor {checkup.command}"
    warning_note = f"; {format_count(warnings, 'warning')}" if warnings else ""
    if missing:
        are = "is" if missing == 1 else "are"
        return f"{format_count(missing, 'thing')} {are} missing that `{what}` needs{warning_note}."
    if checkup.has_checked_table:
        return f"All that `{what}` needs is there{warning_note}."
    return f"All checks passed, but no table was named to be checked{warning_note}."
