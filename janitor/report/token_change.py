"""What `token extend`, `revoke` and `remove` say, `janitor.token-change/v1`. Every key is always present.

Times are UTC, and null beyond the years 1 to 9999.
"""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from janitor.report.encode import Part
from janitor.report.finding_cells import format_owner
from janitor.report.model import Finding, TablePart
from janitor.tokens.printable import printable

Command = Literal["token extend", "token revoke", "token remove"]

SCHEMA = "janitor.token-change/v1"


class ChangeOutcome(StrEnum):
    """What became of a row that the user named.

    `extended`, `revoked`, `deleted`: it was done. `planned`: it would be done. `unchanged`: it already is as wanted.
    `refused`: a rule forbids it. `changed`, `already_gone`: somebody else changed or deleted it in between. `failed`:
    it could not be done, or that is not known. `untouched`: the command was stopped before its turn.
    """

    EXTENDED = "extended"
    REVOKED = "revoked"
    DELETED = "deleted"
    PLANNED = "planned"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    CHANGED = "changed"
    ALREADY_GONE = "already_gone"
    FAILED = "failed"
    UNTOUCHED = "untouched"


_DONE: Mapping[Command, ChangeOutcome] = {
    "token extend": ChangeOutcome.EXTENDED,
    "token revoke": ChangeOutcome.REVOKED,
    "token remove": ChangeOutcome.DELETED,
}


class RowChange(Part, frozen=True):
    """A row as it was read, and what became of it.

    `new_expires_at` is the expiry that was written, or would be; null if none was. `why` says what the row was
    before and is now, or why nothing was done.
    """

    token: Finding
    outcome: ChangeOutcome
    new_expires_at: dt.datetime | None
    why: str


class TokenChange(Part, frozen=True, tag_field="schema", tag=SCHEMA):
    """What a command did, row by row. `archive` is where deleted rows are kept, null for nowhere."""

    command: Command
    dry_run: bool
    table: TablePart
    now: dt.datetime
    archive: str | None
    rows: list[RowChange]


def describe_change(change: RowChange, command: Command) -> str:
    """Say what became of a row, on one line for people."""
    token = change.token
    is_planned = change.outcome is ChangeOutcome.PLANNED
    outcome = f"would be {_DONE[command]}" if is_planned else change.outcome.replace("_", " ")
    return f"{token.row_name}  {format_owner(token)}  {outcome}: {printable(change.why)}"
