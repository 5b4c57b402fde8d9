"""What `token import` says, `janitor.token-import/v1`. Every key is always present.

Times are UTC, and null beyond the years 1 to 9999.
"""

import datetime as dt
from enum import StrEnum

from janitor.report.encode import Part
from janitor.report.model import TablePart

SCHEMA = "janitor.token-import/v1"


class ImportOutcome(StrEnum):
    """What became of a classic row, or of a line of the file that no row belongs to.

    `imported`: its hashed row was written. `planned`: it would be. `already_there`: a hashed row of the token stands,
    and was left alone. `left_out`: a rule forbids it. `failed`: it could not be written, or that is not known.
    `untouched`: the command was stopped before its turn.
    """

    IMPORTED = "imported"
    PLANNED = "planned"
    ALREADY_THERE = "already_there"
    LEFT_OUT = "left_out"
    FAILED = "failed"
    UNTOUCHED = "untouched"


class ImportReason(StrEnum):
    """Why a row was left out, or what is wrong with the one that stands already.

    `no-owner`: the file does not say whose it is. `expired`: LISA rejects it already. `no-expiry`: it never ends, and
    LISA 6.1 needs an end. `user-has-token`: LISA allows its owner no second one. `holds-token`: a text of its line
    reveals a token of the old table, so no text of the line is shown. `ambiguous`: another row has the same
    fingerprint. `not-in-table`: no classic row has this fingerprint. `changed`: its classic row was changed
    or deleted while the import ran. `stands-expired`: its row is there already, and LISA rejects it, though LISA before
    6.1 accepts the token. `other-owner`: its row is there already, and names somebody else.
    """

    NO_OWNER = "no-owner"
    EXPIRED = "expired"
    NO_EXPIRY = "no-expiry"
    USER_HAS_TOKEN = "user-has-token"  # noqa: S105  # a word of the report
    HOLDS_TOKEN = "holds-token"  # noqa: S105
    AMBIGUOUS = "ambiguous"
    NOT_IN_TABLE = "not-in-table"
    CHANGED = "changed"
    STANDS_EXPIRED = "stands-expired"
    OTHER_OWNER = "other-owner"


class ImportCounts(Part, frozen=True):
    """Rows by outcome. `scanned` are all rows that were read, `classic` those of them whose key is a token."""

    scanned: int
    classic: int
    imported: int
    planned: int
    already_there: int
    left_out: int
    failed: int
    untouched: int


class ImportedRow(Part, frozen=True):
    """A classic row, and what became of it. `line` is the one that says whose it is; null if none does.

    `expires_at` is what was written, or would be; null if nothing was. `why` says in a sentence what was done.
    """

    fingerprint: str
    line: int | None
    username: str | None
    name: str | None
    groups: list[str]
    system: bool
    outcome: ImportOutcome
    reason: ImportReason | None
    expires_at: dt.datetime | None
    why: str


class TokenImport(Part, frozen=True, tag_field="schema", tag=SCHEMA):
    """What an import did, row by row: at most 10,000 of them, those first that have an owner.

    `plain_text_rows` are the names of the classic rows, at most 10,000, whose token has its hashed row by now, or would
    have: they still hold the key in plain text, until `janitor token remove` takes them.
    """

    dry_run: bool
    table: TablePart
    from_table: TablePart
    now: dt.datetime
    counts: ImportCounts
    rows: list[ImportedRow]
    rows_omitted: int
    plain_text_rows: list[str]
