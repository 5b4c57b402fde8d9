"""What `token extend`, `revoke` and `remove` say, `janitor.token-change/v1`. Every key is always present.

Times are UTC, and null beyond the years 1 to 9999.
"""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from janitor.report.encode import Part
from janitor.report.model import Finding, TablePart
from janitor.report.text import owner
from janitor.tokens.printable import printable

Command = Literal["token extend", "token revoke", "token remove"]

SCHEMA = "janitor.token-change/v1"


class ChangeOutcome(StrEnum):
    """What became of a row that somebody named.

    `extended`, `revoked`, `deleted`: it was done. `planned`: it would be. `unchanged`: it is as it is wanted.
    `refused`: a rule is against it. `changed`, `already_gone`: somebody else changed or deleted it in between.
    `failed`: it could not be done, or nobody could tell. `untouched`: the command was stopped before its turn.
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
    """A row as it was seen, and what became of it.

    `new_expires_at` is what was written, or would be; null where nothing was. `why` says what it was before and is now,
    or why nothing was done.
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


def line(change: RowChange, command: Command) -> str:
    """What became of a row, on one line for a person."""
    token = change.token
    is_planned = change.outcome is ChangeOutcome.PLANNED
    outcome = f"would be {_DONE[command]}" if is_planned else change.outcome.replace("_", " ")
    return f"{token.row_name}  {owner(token)}  {outcome}: {printable(change.why)}"
