"""What stands in the way of a new token: a wrong dialect, a row with its key, in LISA 6.1 and later any of its user."""

from collections.abc import Container, Sequence

from janitor.dynamodb.find import StoredItem
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError, ExitCode, JanitorError, StopRequestedError
from janitor.lifecycle.add_messages import print_message
from janitor.lifecycle.selection import TokenTable
from janitor.logs import get_logger
from janitor.report.finding_cells import format_name
from janitor.settings.setting import variable
from janitor.settings.table import PolicySettings
from janitor.settings.token_add import OwnerSettings
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.new_row import read_predecessor
from janitor.tokens.printable import printable
from janitor.tokens.protection import find_protection
from janitor.tokens.words import list_some

log = get_logger("janitor.token")

# A sentence names no more rows of one user.
_MAX_NAMED = 5


class ProtectedError(JanitorError):
    """A row that would have to be deleted is protected."""

    exit_code = ExitCode.REFUSED
    default_code = "protected"


def check_dialect(table: Table, policy: PolicySettings) -> None:
    """Check that LISA reads this table in the dialect that the row is written in.

    Raises:
        ConfigurationError: a variable sets another dialect than the table's shape suggests. For --dialect there is
            only a warning.
    """
    likely = Dialect.HASHED if table.has_owner_index else Dialect.CLASSIC
    if table.dialect is likely:
        return
    shape = f"{'has the' if table.has_owner_index else 'has no'} index username-index"
    sentence = f"{table.name} {shape}, so LISA seems to read it as {likely}, but the dialect is set to {table.dialect}"
    if not policy.given_by_flag("dialect"):
        raise ConfigurationError(sentence, f"unset {variable('dialect')}, or give --dialect", "other-dialect")
    print_message(f"janitor: {sentence}; the gates are described as for {table.dialect}")


def check_key_is_free(key: str, table: TokenTable) -> None:
    """Check that no row has this key.

    Raises:
        ConfigurationError: a row has.
    """
    found = table.finder.find_by_key(key)
    if found is not None:
        raise make_key_taken_error(found, table)


def make_key_taken_error(found: StoredItem, table: TokenTable) -> ConfigurationError:
    """The error to raise when the table already has a row of this token."""
    name = table.finding(found).row_name
    sentence = f"the token is in {table.name} already: {_describe_row(found, table)}"
    return ConfigurationError(sentence, f"see `janitor token extend {name}`, or add another token", "token-exists")


def find_rows_to_replace(user: str, table: TokenTable, *, replaces_expired: bool) -> list[StoredItem]:
    """Find the rows that have to be deleted before the user can have a new token.

    LISA counts every row with the username, also expired ones and system tokens (lambda/api_tokens/handler.py at
    v6.6.0, `_get_user_token`).

    Args:
        user: who is to have the token.
        table: where.
        replaces_expired: whether rows that have expired and that no gate accepts may be deleted.

    Raises:
        ConfigurationError: there are rows that may not be deleted.
        ProtectedError: one of them is protected.
    """
    rows = find_rows_of_user(user, table)
    alive = [each for each in rows if not _is_expired_and_refused(each, table)]
    if alive or (rows and not replaces_expired):
        raise _make_user_has_token_error(user, rows, alive, table, replaces_expired=replaces_expired)
    for each in rows:
        protection = find_protection(each.row, table.policy)
        if protection is not None:
            sentence = f"{_describe_row(each, table)} is protected ({printable(protection)}), so it is not replaced"
            raise ProtectedError(sentence, "remove its janitorHold, or run without the --protect option that fits it")
    return rows


def check_rows_agree(rows: Sequence[StoredItem], owner: OwnerSettings, table: TokenTable) -> None:
    """Check that rows to replace agree in what the new one keeps of them: a person must not get a system's rights.

    Args:
        rows: the rows.
        owner: the options. What they say is not kept.
        table: where the rows are.

    Raises:
        ConfigurationError: they differ in groups, or in whether they are a system's.
    """
    predecessors = [read_predecessor(found.item) for found in rows]
    remove = "remove all but one of them first with `janitor token remove`"
    if not owner.group and len({each.groups and frozenset(each.groups) for each in predecessors}) > 1:
        sentence = f"these rows have different groups: {describe_rows(rows, table)}"
        raise ConfigurationError(sentence, f"give each group with --group, or {remove}", "rows-differ")
    if not owner.personal and len({each.is_system for each in predecessors}) > 1:
        sentence = f"one of these rows is a system's, and another is not: {describe_rows(rows, table)}"
        raise ConfigurationError(sentence, f"give --personal, or {remove}", "rows-differ")


def find_latest(rows: list[StoredItem], table: TokenTable) -> StoredItem:
    """The row that expires last, or of equals the one whose key comes first."""
    return min(rows, key=lambda each: (-_expiry_of(each, table), each.row.key.S or ""))


def _expiry_of(found: StoredItem, table: TokenTable) -> int:
    return classify(found.row, table.now, table.policy).expiry or 0


def find_rows_of_user(user: str, table: TokenTable) -> list[StoredItem]:
    """Find every row of the user, and read each again: the index may still show one that was just deleted."""
    again = [table.finder.find_by_key(each.row.key.S or "") for each in table.finder.find_by_user(user)]
    return [found for found in again if found is not None]


def list_other_rows(user: str, keys: Container[str | None], table: TokenTable) -> list[StoredItem]:
    """List the user's rows without those of these keys, for a warning: none, if they cannot be looked up."""
    try:
        return [found for found in find_rows_of_user(user, table) if found.row.key.S not in keys]
    except (JanitorError, StopRequestedError) as error:
        log.warning("token.others_not_looked_up", error=type(error).__name__)
        return []


def describe_rows(rows: Sequence[StoredItem], table: TokenTable) -> str:
    """Name rows, and say what each of them is."""
    return list_some([_describe_row(each, table) for each in rows[:_MAX_NAMED]], _MAX_NAMED, total=len(rows))


def _describe_row(found: StoredItem, table: TokenTable) -> str:
    finding = table.finding(found)
    return f"{finding.row_name} ({format_name(finding)}, {finding.state}: {printable(finding.meaning)})"


def _is_expired_and_refused(found: StoredItem, table: TokenTable) -> bool:
    """Whether the row has expired and no gate accepts it. A malformed date does not count as expired."""
    verdict = classify(found.row, table.earliest, table.policy)
    return not verdict.accepted_by and verdict.expiry is not None and verdict.expiry <= table.earliest


def _make_user_has_token_error(
    user: str, rows: list[StoredItem], alive: list[StoredItem], table: TokenTable, *, replaces_expired: bool
) -> ConfigurationError:
    sentence = f"{printable(user)} has a token already, and LISA allows one per user: {describe_rows(rows, table)}"
    if alive:
        name = table.finding(alive[0]).row_name
        why = (
            "--replace-expired deletes only what has expired and LISA rejects everywhere; " if replaces_expired else ""
        )
        way_out = f"{why}see `janitor token extend {name}`, or remove it with `janitor token remove {name}`"
    else:
        way_out = "give --replace-expired to have it deleted first"
    return ConfigurationError(sentence, way_out, "user-has-token")
