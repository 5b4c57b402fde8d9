"""What is said of a token that was added, to a person. Never the token."""

import contextlib
from collections.abc import Iterator

import click

from janitor.dynamodb.locate import Table
from janitor.tokens.dialect import Dialect, Gate, accepted_by
from janitor.tokens.new_expiry import time_and_distance
from janitor.tokens.new_row import Grant
from janitor.tokens.printable import printable
from janitor.tokens.row import Row

_HASHED_WORKBENCH = "MCP Workbench does not: it looks for the token itself, and the table holds its sha256"


def say(text: str) -> None:
    """Say it on stderr; a reader that has gone there stops nothing half-way."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def added_lines(
    row: Row, grant: Grant | None, table: Table, *, expires: int | None, now: int, is_for_show: bool
) -> Iterator[str]:
    """A line for each thing that there is to know.

    Args:
        row: the new row.
        grant: what it says besides key and expiration; None for a classic one.
        table: where it is.
        expires: the UNIX second of its expiry; None for never.
        now: the present one.
        is_for_show: whether no such row was written, so that its `tokenUUID` means nothing.
    """
    facts = {}
    if grant is not None:
        facts = {
            "owner": f"{grant.username} (system)" if grant.is_system else grant.username,
            "name": grant.name,
            "groups": ", ".join(grant.groups) or "none",
            "created by": grant.created_by,
            "tokenUUID": "a new one" if is_for_show else grant.token_uuid,
        }
    facts["expires"] = "never" if expires is None else time_and_distance(expires, now)
    facts["gates"] = _gates(row, table.dialect, expires=expires, now=now)
    for name, value in facts.items():
        yield f"  {name:10}  {printable(value)}"


def _gates(row: Row, dialect: Dialect, *, expires: int | None, now: int) -> str:
    """What LISA's gates say to whoever comes with the token."""
    until = "for ever" if expires is None else "until then"
    gates = accepted_by(row, now, dialect)
    if dialect is Dialect.CLASSIC and gates:
        return f"LISA accepts it {until}, its API and MCP Workbench"
    return f"LISA's API accepts it {until}; {_HASHED_WORKBENCH}" if Gate.API in gates else "no gate of LISA accepts it"
