"""`token add`: check that nothing stands in the way, write the row, then print the token."""

from dataclasses import dataclass, field
from typing import NoReturn

from janitor.dynamodb.add_row import RowAdder, UnknownOutcomeError
from janitor.dynamodb.find import StoredItem
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError, ExitCode, JanitorError, StopRequestedError
from janitor.lifecycle.add_messages import describe_new_token, print_message
from janitor.lifecycle.grant import list_kept, make_grant
from janitor.lifecycle.new_token import (
    check_output_is_read,
    choose_lifetime,
    compute_expiry,
    make_or_read_token,
    print_token,
)
from janitor.lifecycle.obstacles import (
    check_key_is_free,
    describe_rows,
    find_latest,
    find_rows_of_user,
    find_rows_to_replace,
    make_key_taken_error,
)
from janitor.lifecycle.replacement import RowReplacer
from janitor.lifecycle.selection import TokenTable, open_token_table
from janitor.logs import get_logger
from janitor.settings.setting import variable
from janitor.settings.table import PolicySettings
from janitor.settings.token_add import AddCommand
from janitor.settings.token_change import ChangeCommand, SelectionSettings
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect
from janitor.tokens.fingerprint import compute_token_fingerprint, key_of, make_row_name
from janitor.tokens.new_row import Grant, make_row, read_predecessor
from janitor.tokens.printable import printable
from janitor.tokens.row import decode_row
from janitor.wiring.archives import check_archive
from janitor.wiring.confirm import confirm
from janitor.wiring.execution import prepare_or_stop
from janitor.wiring.plans import build_header

log = get_logger("janitor.token")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addition:
    """A token that can be added, and the rows that have to go first. Nothing has been changed yet.

    Attributes:
        token: the bearer token.
        item: its row, as DynamoDB JSON.
        fingerprint: the token's fingerprint.
        row_name: names this row alone; a legacy row of the same token may stand beside it.
        grant: what the row says besides key and expiration; None in a classic table.
        expires: the UNIX second of its expiry; None for never.
        table: where it is added.
        adder: writes it.
        replacer: deletes the rows to replace.
        to_replace: the expired rows that have to go first.
        kept: what the row keeps of the latest of them, in words.
    """

    token: str = field(repr=False)
    item: bytes = field(repr=False)
    fingerprint: str
    row_name: str
    grant: Grant | None
    expires: int | None
    table: TokenTable
    adder: RowAdder
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
        check_output_is_read()
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
        rows = describe_rows(addition.to_replace, addition.table)
        confirm(f"Delete {rows} from {addition.table.name} first?", "nothing was added or removed", stop)
    archive = addition.replacer.make_room(addition.to_replace) if addition.to_replace else None
    try:
        _write(addition)
        log.info("token.added", table=addition.table.name, fingerprint=addition.fingerprint, expires=addition.expires)
        if not settings.token_source.token_stdin:
            _hand_out(addition)
    except JanitorError:
        if archive is not None:
            print_message(
                f"janitor: the rows removed for it are in {archive}; `janitor restore {archive} --all` puts them back"
            )
        raise
    _print_summary(addition, is_dry_run=False)
    if addition.grant is not None and not addition.grant.is_system:
        _warn_of_concurrent_tokens(addition)
    return ExitCode.DONE


def _prepare_addition(settings: AddCommand, token: str, run_id: str, stop: Stop) -> _Addition:
    selection = SelectionSettings(dry_run=settings.replace.dry_run)
    table = open_token_table(ChangeCommand(selection, settings.table, settings.policy, settings.protection), stop)
    located = table.opened.table
    _check_dialect(located, settings.policy)
    expires = compute_expiry(settings.life, located.dialect, table.now)
    key = key_of(token, located.dialect)
    check_key_is_free(key, table)
    to_replace, user = [], settings.owner.user
    if located.dialect is Dialect.HASHED and user is not None and not settings.owner.system:
        to_replace = find_rows_to_replace(user, table, replaces_expired=settings.replace.replace_expired)
    predecessor = read_predecessor(find_latest(to_replace, table).item) if to_replace else None
    grant = make_grant(settings, key, located.dialect, table.now, predecessor)
    header = build_header(located, table.policy, run_id, table.now, settings.policy.as_of)
    item, fingerprint = make_row(key, expires, grant), compute_token_fingerprint(token, table.fingerprint_key)
    return _Addition(
        token=token,
        item=item,
        fingerprint=fingerprint,
        row_name=make_row_name(decode_row(item), fingerprint, table.fingerprint_key),
        grant=grant,
        expires=expires,
        table=table,
        adder=RowAdder(table.opened.aws.dynamodb, table.name),
        replacer=RowReplacer(table, settings.replace, header, stop),
        to_replace=to_replace,
        kept=list_kept(settings.owner, predecessor) if predecessor else [],
    )


def _check_dialect(table: Table, policy: PolicySettings) -> None:
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


def _write(addition: _Addition) -> None:
    name, table = addition.row_name, addition.table.name
    way_out = f"check with `janitor token show {name}`, and remove it with `janitor token remove {name}`"
    try:
        standing = addition.adder.add(addition.item)
    except UnknownOutcomeError as error:
        raise UnknownOutcomeError(error.sentence, way_out) from None
    except JanitorError:
        raise
    except BaseException:
        # A second signal, while the first waits for the end of this.
        print_message(
            f"janitor: interrupted while token {name} was added to {table}, so its row may be there; {way_out}"
        )
        raise
    if standing is not None:
        raise make_key_taken_error(StoredItem(decode_row(standing), standing), addition.table)


def _hand_out(addition: _Addition) -> None:
    try:
        print_token(addition.token)
    except OSError as error:
        _undo_unread(addition, error)


def _undo_unread(addition: _Addition, error: OSError) -> NoReturn:
    """Remove the row again, because nobody got its token; raise what happened."""
    name = addition.row_name
    sentence = f"the token could not be written to standard output ({error.strerror})"
    if addition.replacer.undo_add(StoredItem(decode_row(addition.item), addition.item)):
        raise JanitorError(f"{sentence}, so its row {name} was removed again", "run it again", "no-reader") from None
    way_out = f"remove it with `janitor token remove {name}`"
    raise JanitorError(f"{sentence}, and its row {name} is still in the table", way_out, "no-reader") from None


def _print_summary(addition: _Addition, *, is_dry_run: bool) -> None:
    """Print what was done, or would be, on stderr: standard output is for the token alone."""
    table = addition.table.opened.table
    title = "Would add a token" if is_dry_run else f"Added token {addition.fingerprint}"
    lines = [f"{title} to {table.name} ({table.dialect})"]
    if addition.to_replace:
        replaced = "would be removed first" if is_dry_run else "was removed first"
        lines.append(f"  replaces    {describe_rows(addition.to_replace, addition.table)}, which {replaced}")
    if addition.kept:
        lines.append(f"  keeps       its {', '.join(addition.kept)}")
    row, expires, now = decode_row(addition.item), addition.expires, addition.table.now
    lines += describe_new_token(row, addition.grant, table, expires=expires, now=now, is_dry_run=is_dry_run)
    print_message("\n".join(lines))


def _warn_of_concurrent_tokens(addition: _Addition) -> None:
    """Warn if somebody added a token for the same user at the same time, which no condition can prevent."""
    user = addition.grant.username if addition.grant else ""
    own_key = decode_row(addition.item).key
    try:
        others = [found for found in find_rows_of_user(user, addition.table) if found.row.key != own_key]
    except (JanitorError, StopRequestedError) as error:
        log.warning("token.others_not_looked_up", error=type(error).__name__)
        return
    if others:
        rows = describe_rows(others, addition.table)
        sentence = f"{printable(user)} has another token, added at the same time: {rows}"
        print_message(f"janitor: {sentence}; LISA accepts both, so remove one")
