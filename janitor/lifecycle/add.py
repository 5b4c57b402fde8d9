"""`token add`: check that nothing stands in the way, write the row, then print the token."""

from dataclasses import dataclass

from janitor.dynamodb.find import StoredItem
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.lifecycle.add_messages import describe_workbench_access, print_message
from janitor.lifecycle.grant import list_kept, make_grant
from janitor.lifecycle.issue import NewToken, TokenIssuer
from janitor.lifecycle.new_token import check_output_is_read, choose_lifetime, compute_expiry, make_or_read_token
from janitor.lifecycle.obstacles import (
    check_dialect,
    check_key_is_free,
    check_rows_agree,
    describe_rows,
    find_latest,
    find_rows_to_replace,
    list_other_rows,
)
from janitor.lifecycle.replacement import RowReplacer
from janitor.lifecycle.selection import TokenTable, open_token_table
from janitor.settings.token_add import AddCommand
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect
from janitor.tokens.fingerprint import key_of
from janitor.tokens.new_row import read_predecessor
from janitor.tokens.printable import printable
from janitor.tokens.row import decode_row
from janitor.wiring.archives import check_archive
from janitor.wiring.confirm import can_ask, confirm
from janitor.wiring.execution import prepare_or_stop
from janitor.wiring.plans import build_header


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addition:
    """A token that can be added, and the rows that have to go first. Nothing has been changed yet.

    Attributes:
        new: the token and its row.
        table: where it is added.
        issuer: writes the row and prints the token.
        replacer: deletes the rows to replace.
        to_replace: the expired rows that have to go first.
        kept: what the row keeps of the latest of them, in words.
    """

    new: NewToken
    table: TokenTable
    issuer: TokenIssuer
    replacer: RowReplacer
    to_replace: list[StoredItem]
    kept: list[str]


def prepare_token(settings: AddCommand) -> str:
    """Check the settings, then generate the token or read it from standard input. Nothing is asked of AWS yet.

    Raises:
        ConfigurationError: settings are wrong or contradict each other, or the token cannot be used.
    """
    choose_lifetime(settings.life)
    replace = settings.replace
    check_archive(replace)
    if settings.owner.system and replace.replace_expired:
        sentence = "--replace-expired and --system exclude each other: LISA does not limit the number of system tokens"
        raise ConfigurationError(sentence, "remove one of them")
    if not settings.token_source.token_stdin and not replace.dry_run:
        check_output_is_read("token add")
    return make_or_read_token(settings.token_source)


def add_token(settings: AddCommand, token: str, run_id: str, stop: Stop) -> int:
    """Add the token, and print what was done.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: settings are wrong, or a row stands in the way.
        NotConfirmedError: a row would have to go first, and nobody said yes.
        JanitorError: a guard or AWS refused, or the token could not be handed out.
    """
    addition = prepare_or_stop(lambda: _prepare_addition(settings, token, run_id, stop), stop)
    if settings.replace.dry_run:
        _print_summary(addition, is_dry_run=True)
        return ExitCode.DONE
    if addition.to_replace and not settings.life.yes:
        if can_ask():
            _print_summary(addition, is_dry_run=True)
        rows = describe_rows(addition.to_replace, addition.table)
        confirm(f"Delete {rows} from {addition.table.name} first?", "nothing was added or removed", stop)
    archive = addition.replacer.make_room(addition.to_replace) if addition.to_replace else None
    try:
        addition.issuer.issue(addition.new, is_printed=not settings.token_source.token_stdin)
    except JanitorError:
        if archive is not None:
            print_message(
                f"janitor: the rows removed for it are in {archive}; `janitor restore {archive} --all` puts them back"
            )
        raise
    _print_summary(addition, is_dry_run=False)
    grant = addition.new.grant
    if grant is not None and not grant.is_system:
        _warn_of_concurrent_tokens(addition.new, grant.username, addition.table)
    return ExitCode.DONE


def _prepare_addition(settings: AddCommand, token: str, run_id: str, stop: Stop) -> _Addition:
    table = open_token_table(settings, stop, is_dry_run=settings.replace.dry_run)
    located = table.opened.table
    check_dialect(located, settings.policy)
    expires = compute_expiry(settings.life, located.dialect, table.now)
    key = key_of(token, located.dialect)
    check_key_is_free(key, table)
    to_replace, user = [], settings.owner.user
    if located.dialect is Dialect.HASHED and user is not None and not settings.owner.system:
        to_replace = find_rows_to_replace(user, table, replaces_expired=settings.replace.replace_expired)
    check_rows_agree(to_replace, settings.owner, table)
    predecessor = read_predecessor(find_latest(to_replace, table).item) if to_replace else None
    old_keys = [found.row.key.S or "" for found in to_replace]
    grant = make_grant(settings, key, located.dialect, table.now, predecessor=predecessor, old_keys=old_keys)
    # No row can have the key of a token that was just generated, and it need not travel.
    workbench = _find_workbench_access(token, table) if settings.token_source.token_stdin else None
    header = build_header(located, table.policy, run_id, table.now, settings.policy.as_of)
    return _Addition(
        new=NewToken.of(token, key, expires, grant, table, workbench=workbench),
        table=table,
        issuer=TokenIssuer(table, header, stop),
        replacer=RowReplacer(table, settings.replace, header, stop),
        to_replace=to_replace,
        kept=list_kept(settings.owner, predecessor) if predecessor else [],
    )


def _find_workbench_access(token: str, table: TokenTable) -> str | None:
    """Find out whether MCP Workbench, which looks up the token itself, finds a row of a hashed table by it."""
    if table.opened.table.dialect is Dialect.CLASSIC:
        return None
    found = table.finder.find_by_key(token)
    return None if found is None else describe_workbench_access(found.row, table.finding(found).row_name, table.now)


def _print_summary(addition: _Addition, *, is_dry_run: bool) -> None:
    facts = {}
    if addition.to_replace:
        replaced = "would be removed first" if is_dry_run else "was removed first"
        facts["replaces"] = f"{describe_rows(addition.to_replace, addition.table)}, which {replaced}"
    if addition.kept:
        facts["keeps"] = f"its {', '.join(addition.kept)}"
    addition.new.print_summary(addition.table, facts, is_dry_run=is_dry_run)


def _warn_of_concurrent_tokens(new: NewToken, user: str, table: TokenTable) -> None:
    """Warn if somebody added a token for the same user at the same time, which no condition can prevent."""
    others = list_other_rows(user, {decode_row(new.item).key.S}, table)
    if others:
        rows = describe_rows(others, table)
        sentence = f"{printable(user)} has another token, added at the same time: {rows}"
        print_message(f"janitor: {sentence}; LISA accepts both, so remove one")
