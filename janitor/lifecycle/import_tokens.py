"""`token import`: give each classic token a row that LISA 6.1 and later reads, so that clients go on with their keys.

old table ──every row──> classic rows ──owners file, rules──> plan ──consent──> PutItem, where none has its key

Nothing is overwritten and nothing is deleted, so an import can be run again: what was written is there already. But
what was removed since is written anew.
"""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from janitor.background import wait_for_answer
from janitor.dynamodb.add_row import RowAdder
from janitor.dynamodb.find import Finder, StoredItem
from janitor.errors import ConfigurationError, JanitorError, StopRequestedError
from janitor.lifecycle.change import NO_ANSWER
from janitor.lifecycle.grant import IS_REVEALING, find_caller_name
from janitor.lifecycle.import_summary import ImportSummary
from janitor.lifecycle.new_token import compute_expiry
from janitor.lifecycle.obstacles import find_rows_of_user
from janitor.lifecycle.owners_file import Owner, read_owners
from janitor.lifecycle.selection import TokenTable, open_token_table
from janitor.logs import get_logger
from janitor.report.token_import import ImportOutcome, ImportReason
from janitor.settings.setting import flag
from janitor.settings.table import TableSettings
from janitor.settings.token_import import ImportCommand
from janitor.stopping import IN_FLIGHT_SECONDS, Stop
from janitor.tokens.dialect import Dialect, Gate, find_accepting_gates, lacks_uuid
from janitor.tokens.expiration import MAX_SECONDS, read_as_lisa
from janitor.tokens.fingerprint import compute_token_digest, is_key_hashed, key_of
from janitor.tokens.new_row import Grant, make_row
from janitor.tokens.policy import Policy
from janitor.tokens.reasons import looks_like_lisa_sdk
from janitor.tokens.redact import reveals_any_token, reveals_token
from janitor.tokens.row import Row, decode_row, text_of
from janitor.tokens.words import format_count
from janitor.wiring.confirm import confirm
from janitor.wiring.execution import prepare_or_stop
from janitor.wiring.open_table import OpenTable, open_table

log = get_logger("janitor.token")

_BYTES_OF_A_WRITE_UNIT = 1_024
_STOPPED = "the command was stopped before its turn"
_CLASSIC = Policy(dialect=Dialect.CLASSIC)


@dataclass(frozen=True, slots=True)
class _Tables:
    """The table that is read, and the one that is written.

    Attributes:
        old: the table that the classic rows come from.
        old_rows: finds its rows.
        present: the table that LISA reads now.
        created_by: who creates the rows.
        default_expiry: the UNIX second at which tokens without an end are to end; None to leave them out.
    """

    old: OpenTable
    old_rows: Finder
    present: TokenTable
    created_by: str
    default_expiry: int | None

    @property
    def are_one(self) -> bool:
        """Whether the classic rows stand in the present table: LISA 6.1 keeps the table of 6.0."""
        return self.old.table.name == self.present.name


class _ClassicRow(NamedTuple):
    """A classic row that a line of the file belongs to.

    Attributes:
        key: its key, which is the token.
        fingerprint: the token's fingerprint.
        owner: whose it is.
        expiry: the UNIX second at which it ends; None if it has no end.
        is_accepted: whether LISA before 6.1 accepts it.
        row_name: the row's own name.
        may_be_management_key: whether it may be LISA's management key, which lisa-sdk leaves in the table of LISA 6.6.
    """

    key: str
    fingerprint: str
    owner: Owner
    expiry: int | None
    is_accepted: bool
    row_name: str
    may_be_management_key: bool

    def __repr__(self) -> str:
        return "_ClassicRow(…)"


class _PlannedRow(NamedTuple):
    """A hashed row that can be written.

    Attributes:
        classic: the classic row of its token.
        key: its own key.
        item: the row as DynamoDB JSON.
        expires: the UNIX second of its expiry.
    """

    classic: _ClassicRow
    key: str
    item: bytes
    expires: int

    def __repr__(self) -> str:
        return "_PlannedRow(…)"


def import_tokens(settings: ImportCommand, stop: Stop) -> int:
    """Import the tokens, or in a dry run only report what would be done.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: settings are wrong, or the file of owners has mistakes; nothing was read.
        NotConfirmedError: nobody said yes; nothing was written.
        AwsError: AWS refused or could not be reached; nothing was written.
    """
    imported = settings.imported
    if imported.from_table is None or imported.owners is None:
        missing = " and ".join(flag(name) for name in ("from_table", "owners") if getattr(imported, name) is None)
        raise ConfigurationError(f"{missing} must be given", "name the old table, and a CSV file of owners", "no-table")
    owners = read_owners(imported.owners)
    tables = prepare_or_stop(lambda: _open_tables(settings, imported.from_table or "", stop), stop)
    summary = ImportSummary(tables.present, tables.old.table, is_dry_run=not imported.writes, form=imported.format)
    rows = prepare_or_stop(lambda: _read_classic_rows(tables, owners, summary), stop)
    planned = prepare_or_stop(lambda: _plan_rows(rows, tables, summary), stop)
    summary.warn_of_management_keys([row.classic.fingerprint for row in planned if row.classic.may_be_management_key])
    if not imported.writes:
        for row in planned:
            summary.note_old_row(row.classic.row_name)
            summary.add_written(row.classic.fingerprint, row.classic.owner, ImportOutcome.PLANNED, row.expires)
        return summary.end(stop)
    if planned and not imported.yes:
        question = f"Write {format_count(len(planned), 'token')} of {tables.old.table.name} into {tables.present.name}?"
        confirm(question, "nothing was written", stop)
    _write_rows(planned, tables, summary, stop)
    return summary.end(stop)


def _open_tables(settings: ImportCommand, from_table: str, stop: Stop) -> _Tables:
    imported = settings.imported
    present = open_token_table(
        settings, stop, is_dry_run=not imported.writes, max_rcu=imported.max_rcu, max_wcu=imported.max_wcu
    )
    if present.policy.dialect is not Dialect.HASHED:
        sentence = f"{present.name} is a classic table, so LISA reads its keys as they are"
        raise ConfigurationError(sentence, "name the table of LISA 6.1 or later with --table or --deployment")
    life = imported.life
    default_expiry = None if life is None else compute_expiry(life, Dialect.HASHED, present.now)
    old_settings: TableSettings = replace(settings.table, table=from_table, deployment=(), ssm_parameter=None)
    old = open_table(old_settings, dialect=Dialect.CLASSIC, max_rcu=imported.max_rcu)
    old_rows = Finder(old.aws.dynamodb, old.table, _CLASSIC, present.fingerprint_key, stop, budgets=old.budgets)
    created_by = imported.created_by or find_caller_name(settings.table)
    return _Tables(old, old_rows, present, created_by, default_expiry)


def _read_classic_rows(tables: _Tables, owners: Mapping[str, Owner], summary: ImportSummary) -> list[_ClassicRow]:
    """Read the old table to its end; return its classic rows with an owner, in the order of the file's lines.

    Raises:
        ConfigurationError: --created-by has one of the tokens in it.
    """
    rows: dict[str, list[_ClassicRow]] = {}
    digests: set[str] = set()
    hashed: set[str] = set()
    for found in tables.old_rows.find_all():
        # The old table may be the present one, whose hashed rows stand beside the classic ones.
        digests.add(compute_token_digest(found.row, Dialect.HASHED))
        if tables.are_one and is_key_hashed(found.row, Dialect.HASHED):
            hashed.add(tables.present.finder.fingerprint_of_item(found))
        is_classic = lacks_uuid(found.row)
        summary.count_scanned(is_classic=is_classic)
        if not is_classic:
            continue
        fingerprint = tables.old_rows.fingerprint_of_item(found)
        owner = owners.get(fingerprint)
        if owner is None or owner.username is None:
            summary.leave_out(fingerprint, None, ImportReason.NO_OWNER)
            continue
        is_accepted = bool(find_accepting_gates(found.row, tables.present.now, Dialect.CLASSIC))
        row = _ClassicRow(
            key=found.row.key.S or "",
            fingerprint=fingerprint,
            owner=owner,
            expiry=_read_end(found.row),
            is_accepted=is_accepted,
            row_name=tables.old_rows.row_name_of(found),
            may_be_management_key=tables.are_one and looks_like_lisa_sdk(found.row),
        )
        rows.setdefault(fingerprint, []).append(row)
    if reveals_any_token(tables.created_by, digests):
        sentence = f"the name of who creates the tokens {IS_REVEALING}"
        raise ConfigurationError(sentence, "give another text with --created-by", "holds-token")
    return list(_choose_rows(owners, rows, hashed, digests, summary))


def _choose_rows(
    owners: Mapping[str, Owner],
    rows: Mapping[str, Sequence[_ClassicRow]],
    hashed: Collection[str],
    digests: Collection[str],
    summary: ImportSummary,
) -> Iterator[_ClassicRow]:
    """Yield the row of each line; lines that have a token in them, or not exactly one row, are counted with the reason.

    Args:
        owners: the lines, by fingerprint.
        rows: the classic rows with an owner, by fingerprint.
        hashed: the fingerprints of the hashed rows, if the old table is the present one: it was listed with them.
        digests: the sha256 of each token of the old table. Any line may have any of them in it, for people fill in the
            file by hand.
        summary: counts what is left out.
    """
    for fingerprint, owner in owners.items():
        if owner.username is None:
            continue
        found = rows.get(fingerprint, ())
        # First of all, for every other reason shows the line's texts.
        if _reveals_token(owner, found, digests):
            summary.leave_out(fingerprint, owner, ImportReason.HOLDS_TOKEN)
        elif not found and fingerprint in hashed:
            summary.add(
                fingerprint,
                owner,
                ImportOutcome.ALREADY_THERE,
                "the token is in the table already, under its sha256, and was left as it is",
            )
        elif not found:
            summary.leave_out(fingerprint, owner, ImportReason.NOT_IN_TABLE)
        elif len(found) > 1:
            summary.leave_out(fingerprint, owner, ImportReason.AMBIGUOUS)
        else:
            yield found[0]


def _reveals_token(owner: Owner, rows: Iterable[_ClassicRow], digests: Collection[str]) -> bool:
    """Whether a text of the line holds a token of the old table; that of its own rows anywhere, inside a word too."""
    texts = (owner.username or "", owner.name or "", *owner.groups)
    keys = [row.key for row in rows]
    return any(reveals_any_token(text, digests) or any(reveals_token(text, key) for key in keys) for text in texts)


def _read_end(row: Row) -> int | None:
    """Read the UNIX second from which on LISA before 6.1 refuses the row; None if it never does, or always did.

    A date that is stored as text counts, because LISA reads it. One in milliseconds is no end that anybody will see.
    """
    second = read_as_lisa(row.expiration) if row.expiration is not None else None
    return second if second is not None and second <= MAX_SECONDS else None


def _plan_rows(rows: Iterable[_ClassicRow], tables: _Tables, summary: ImportSummary) -> list[_PlannedRow]:
    """Decide which rows are written; the others are counted with the reason."""
    planned: list[_PlannedRow] = []
    keys_of_users: dict[str, set[str]] = {}
    for row in rows:
        key = key_of(row.key, Dialect.HASHED)
        standing = tables.present.finder.find_by_key(key)
        if standing is not None:
            reason = _find_fault(standing.row, row.owner, tables.present) if row.is_accepted else None
            summary.add_standing(row.fingerprint, row.owner, tables.present.finder.row_name_of(standing), reason)
            if reason is None:
                summary.note_old_row(row.row_name)
            continue
        grant = _make_grant(row.owner, tables)
        if grant.username not in keys_of_users:
            keys_of_users[grant.username] = _find_keys_of_user(grant.username, tables.present)
        # A classic row in the table that LISA reads now may name its owner: it is no second token.
        others = keys_of_users[grant.username] - {row.key}
        reason = _find_reason(row, grant, owner_has_row=bool(others))
        expires = tables.default_expiry if row.expiry is None else row.expiry
        if reason is not None or expires is None:
            summary.leave_out(row.fingerprint, row.owner, reason or ImportReason.NO_EXPIRY)
            continue
        keys_of_users[grant.username].add(key)
        planned.append(_PlannedRow(row, key, make_row(key, expires, grant), expires))
    return planned


def _find_fault(standing: Row, owner: Owner, table: TokenTable) -> ImportReason | None:
    """Find why a row that stands already does not do what its line wants; None if it does."""
    if Gate.API not in find_accepting_gates(standing, table.now, Dialect.HASHED):
        return ImportReason.STANDS_EXPIRED
    return None if text_of(standing.username) == owner.username else ImportReason.OTHER_OWNER


def _find_keys_of_user(user: str, table: TokenTable) -> set[str]:
    return {found.row.key.S or "" for found in find_rows_of_user(user, table)}


def _make_grant(owner: Owner, tables: _Tables) -> Grant:
    return Grant(
        token_uuid=str(uuid.uuid4()),
        created_date=tables.present.now,
        created_by=tables.created_by,
        username=owner.username or "",
        groups=owner.groups,
        name=owner.name or "",
        is_system=owner.is_system,
    )


def _find_reason(row: _ClassicRow, grant: Grant, *, owner_has_row: bool) -> ImportReason | None:
    """Find the rule that leaves the row out; None for none.

    LISA gives a person no second token: any row of the user counts (lambda/api_tokens/handler.py, `_get_user_token`).
    It does not limit system tokens.
    """
    if not row.is_accepted:
        return ImportReason.EXPIRED
    return ImportReason.USER_HAS_TOKEN if owner_has_row and not grant.is_system else None


def _write_rows(planned: Sequence[_PlannedRow], tables: _Tables, summary: ImportSummary, stop: Stop) -> None:
    """Write the rows one by one. The first failure ends it: the import can be run again."""
    adder, why = RowAdder(tables.present.opened.aws.dynamodb, tables.present.name), ""
    for row in planned:
        fingerprint, owner = row.classic.fingerprint, row.classic.owner
        if not why and stop.is_requested():
            why = _STOPPED
        if why:
            summary.add(fingerprint, owner, ImportOutcome.UNTOUCHED, why)
            continue
        try:
            reason = _find_new_reason(row, tables)
            if reason is not None:
                summary.leave_out(fingerprint, owner, reason)
                continue
            standing = _write_row(row, adder, tables.present, stop)
        except StopRequestedError:
            why = _STOPPED
            summary.add(fingerprint, owner, ImportOutcome.UNTOUCHED, why)
            continue
        except JanitorError as error:
            why = "a row before it could not be written; run it again"
            outcome = ImportOutcome.FAILED
            summary.add(fingerprint, owner, outcome, str(error))
        else:
            if standing is None:
                outcome = ImportOutcome.IMPORTED
                summary.add_written(fingerprint, owner, outcome, row.expires)
                summary.note_old_row(row.classic.row_name)
            else:
                outcome = ImportOutcome.ALREADY_THERE
                fault = _find_fault(standing.row, owner, tables.present)
                summary.add_standing(fingerprint, owner, tables.present.finder.row_name_of(standing), fault)
        log.info("token.imported", table=tables.present.name, fingerprint=fingerprint, outcome=outcome)


def _find_new_reason(row: _PlannedRow, tables: _Tables) -> ImportReason | None:
    """Look again just before a row is written: the question, or the rows before, may have taken long.

    Meanwhile somebody may have revoked or removed the old token, or its owner may have made a new one.
    """
    old, owner = row.classic, row.classic.owner
    current = tables.old_rows.find_by_key(old.key)
    if current is None or _read_end(current.row) != old.expiry:
        return ImportReason.CHANGED
    if not find_accepting_gates(current.row, tables.present.opened.earlier_time(), Dialect.CLASSIC):
        return ImportReason.EXPIRED
    has_other = not owner.is_system and _find_keys_of_user(owner.username or "", tables.present) - {old.key, row.key}
    return ImportReason.USER_HAS_TOKEN if has_other else None


def _write_row(row: _PlannedRow, adder: RowAdder, table: TokenTable, stop: Stop) -> StoredItem | None:
    """Write a row where none has its key; return the one that has, left as it is, or None if this one was written.

    Raises:
        JanitorError: it could not be written, or that is not known.
    """
    budgets = table.opened.budgets
    units = budgets.copies * -(-len(row.item) // _BYTES_OF_A_WRITE_UNIT)

    def write() -> bytes | None:
        # A request to stop ends the wait for units. The row is still written: it was begun.
        budgets.writes.take(units, stop.pause)
        return adder.add(row.item)

    # A tuple, because None says that no answer came.
    answer = wait_for_answer(lambda: (write(),), lambda: stop.has_passed(IN_FLIGHT_SECONDS))
    if answer is None:
        raise JanitorError(NO_ANSWER, code="no-answer")
    [standing] = answer
    return None if standing is None else StoredItem(decode_row(standing), standing)
