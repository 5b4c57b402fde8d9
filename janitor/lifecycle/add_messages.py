"""What `token add` tells the user, on stderr. Never the token."""

import contextlib

import click

from janitor.dynamodb.locate import Table
from janitor.tokens.dialect import Dialect, Gate, find_accepting_gates
from janitor.tokens.explain import explain_gates
from janitor.tokens.new_expiry import format_time_and_distance
from janitor.tokens.new_row import Grant
from janitor.tokens.row import Row

_NO_HASHED_WORKBENCH = "MCP Workbench does not: it looks for the token itself, and the table holds its sha256"


def print_message(text: str) -> None:
    """Print on stderr. If nobody reads it any more, go on: nothing stops half-way for that."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def describe_new_token(
    row: Row,
    grant: Grant | None,
    table: Table,
    *,
    expires: int | None,
    now: int,
    is_dry_run: bool,
    workbench: str | None = None,
) -> dict[str, str]:
    """Describe a new token: each fact by a word for it.

    Args:
        row: the new row.
        grant: what it says besides key and expiration; None in a classic table.
        table: where it is.
        expires: the UNIX second of its expiry; None for never.
        now: the present UNIX second.
        is_dry_run: whether the row was not written, so that its `tokenUUID` means nothing.
        workbench: why MCP Workbench accepts the token all the same, from `describe_workbench_access`.
    """
    facts = {}
    if grant is not None:
        facts = {
            "owner": f"{grant.username} (system)" if grant.is_system else grant.username,
            "name": grant.name,
            "groups": ", ".join(grant.groups) or "none",
            "created by": grant.created_by,
            "tokenUUID": "a new one" if is_dry_run else grant.token_uuid,
        }
    facts["expires"] = "never" if expires is None else format_time_and_distance(expires, now)
    facts["gates"] = _describe_gates(row, table.dialect, expires=expires, now=now, workbench=workbench)
    return facts


def describe_workbench_access(row: Row, row_name: str, now: int) -> str | None:
    """Say until when MCP Workbench accepts a token by the row of a hashed table whose key is the token itself.

    Args:
        row: that row.
        row_name: its name.
        now: the present UNIX second.

    Returns:
        a sentence without a full stop; None if it does not accept it.
    """
    [workbench] = [each for each in explain_gates(row, now, Dialect.HASHED) if each.gate is Gate.WORKBENCH]
    if not workbench.accepts:
        return None
    until = "for ever" if workbench.until is None else f"until {format_time_and_distance(workbench.until, now)}"
    return f"MCP Workbench accepts it {until}, by the row {row_name}, whose key is the token itself"


def _describe_gates(row: Row, dialect: Dialect, *, expires: int | None, now: int, workbench: str | None) -> str:
    """Describe what LISA's gates answer to whoever presents the token."""
    until = "for ever" if expires is None else "until then"
    gates = find_accepting_gates(row, now, dialect)
    if dialect is Dialect.CLASSIC and gates:
        return f"LISA accepts it {until}, its API and MCP Workbench"
    if Gate.API in gates:
        return f"LISA's API accepts it {until}; {workbench or _NO_HASHED_WORKBENCH}"
    return "LISA rejects it everywhere"
