"""What `token show` says of a token, for people."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from janitor.report.console import render_to_text
from janitor.report.finding_cells import (
    NOTHING,
    choose_row_names,
    format_due,
    format_groups,
    format_name,
    format_owner,
    format_utc,
)
from janitor.report.model import Finding
from janitor.report.reason_remarks import list_advice
from janitor.report.target_options import format_target
from janitor.report.token_details import AttributePart, RowPart, TokenDetails
from janitor.tokens.dialect import Gate
from janitor.tokens.printable import printable
from janitor.tokens.times import format_second

_GATES = {Gate.API: "LISA's API", Gate.WORKBENCH: "MCP Workbench"}
_LOCKED_OUT = {True: "locked out:", False: "not locked out:", None: NOTHING}
_YES, _NO = "✓", "✗"
# A rule that matches, but is not the first that does.
_TOO_LATE = "(✓)"


def render_token(shown: TokenDetails, *, width: int, colour: bool) -> str:
    """Render the details in sections, long lines wrapped.

    Args:
        shown: the details.
        width: of the terminal, in columns.
        colour: whether it shows colors.
    """
    return render_to_text(lambda console: _print(console, shown), width=width, colour=colour)


def _print(console: Console, shown: TokenDetails) -> None:
    row_name_of = choose_row_names(row.token for row in shown.rows)
    for number, row in enumerate(shown.rows):
        if number:
            console.print()
        _print_row(console, shown, row, row_name_of(row.token))


def _print_row(console: Console, shown: TokenDetails, row: RowPart, row_name_of: str) -> None:
    token = row.token
    console.print(Text(f"{row_name_of} {token.state}: {printable(token.meaning)}", style="bold"))
    table = shown.table
    target = format_target(table.name, table.region, table.endpoint)
    when = f"{'as of ' if shown.policy.as_of else ''}{format_second(shown.now)} UTC"
    console.print(Text(printable(f"in {table.name}, {table.region} ({shown.policy.dialect}), {when}"), style="dim"))
    _print_section(console, "", _fact_rows(token))
    _print_section(console, "State: the first rule that matches", _rule_rows(row))
    gates = ((_mark(gate.accepts), _GATES[gate.gate], printable(gate.why)) for gate in row.gates)
    _print_section(console, "What LISA's gates say", gates)
    _print_section(console, "What to do about it", list_advice(token, f"{row_name_of}{target}"))
    _print_section(console, "What a sweep does", [("now:", printable(row.sweep.why))])
    _print_section(console, "Its owner", [(_LOCKED_OUT[row.owner.locked_out], printable(row.owner.why))])
    _print_section(console, "Attributes, without the key", map(_attribute_row, row.attributes))


def _fact_rows(token: Finding) -> Iterator[tuple[str, str]]:
    yield "Owner", format_owner(token)
    yield "Name", format_name(token)
    yield "Groups", format_groups(token)
    by = f" by {printable(token.created_by)}" if token.created_by else ""
    yield "Created", f"{format_utc(token.created_at)}{' UTC' if token.created_at else ''}{by}"
    yield (
        "Expires",
        f"{format_utc(token.expires_at)} UTC, {format_due(token)}" if token.expires_at else format_due(token),
    )
    yield "Accepted by", ", ".join(_GATES[gate] for gate in token.accepted_by) or "nothing"
    if token.protected_by:
        yield "Protected by", printable(token.protected_by)
    if token.probably_meant:
        yield "Probably", f"meant to expire {format_utc(token.probably_meant)} UTC"


def _rule_rows(row: RowPart) -> Iterator[tuple[str, str, str, str]]:
    is_decided = False
    for rule in row.rules:
        mark = NOTHING if not rule.matches else _TOO_LATE if is_decided else _YES
        is_decided = is_decided or rule.matches
        yield mark, rule.state.value, rule.condition, printable(rule.why)


def _attribute_row(attribute: AttributePart) -> tuple[str, str, str]:
    value = "(binary)" if attribute.value is None else printable(attribute.value)
    return printable(attribute.name), attribute.type, value


def _mark(yes: bool) -> str:  # noqa: FBT001  # it is what is marked
    return _YES if yes else _NO


def _print_section(console: Console, title: str, rows: Iterable[Sequence[str]]) -> None:
    listed = list(rows)
    if not listed:
        return
    console.print()
    if title:
        console.print(Text(title, style="bold"))
    grid = Grid.grid(padding=(0, 2, 0, 0))
    for position in range(len(listed[0])):
        # What explains may take several lines; what it explains may not.
        grid.add_column(overflow="fold", no_wrap=position == 0)
    for row in listed:
        style = "" if row[0] != NOTHING else "dim"
        grid.add_row(*(Text(cell, style=style) for cell in row))
    console.print(grid)
