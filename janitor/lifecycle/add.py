"""A token, added: looked whether anything stands in its way, written, handed out."""

from dataclasses import dataclass, field
from typing import NoReturn

from janitor.dynamodb.add import Adder, UnknownEndError
from janitor.dynamodb.find import FoundItem
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError, ExitCode, JanitorError, StopRequestedError
from janitor.lifecycle.added_text import added_lines, say
from janitor.lifecycle.grant import grant_for
from janitor.lifecycle.new_token import check_somebody_reads, chosen_life, expiry_of, hand_out, token_of
from janitor.lifecycle.obstacles import check_key_is_free, describe_rows, key_is_taken, rows_of, rows_to_replace
from janitor.lifecycle.replacing import Replacing
from janitor.lifecycle.selection import TableInUse, reached_place
from janitor.logs import get_logger
from janitor.settings.setting import variable
from janitor.settings.table import PolicySettings
from janitor.settings.token_add import AddCommand
from janitor.settings.token_change import ChangeCommand, ChosenSettings
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect
from janitor.tokens.fingerprint import row_name
from janitor.tokens.key import fingerprint_of, key_of
from janitor.tokens.new_row import Grant, new_row
from janitor.tokens.printable import printable
from janitor.tokens.row import row_of
from janitor.wiring.archives import check_archive
from janitor.wiring.confirm import confirm
from janitor.wiring.plan_header import header_of
from janitor.wiring.running import prepared

log = get_logger("janitor.token")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Adding:
    """A token that nothing speaks against, and what has to go first. Nothing was changed yet.

    Attributes:
        token: the bearer token.
        item: its row, as DynamoDB JSON.
        fingerprint: how it is named.
        row_name: what names its row alone, beside which the legacy row of the same token may stand.
        grant: what the row says besides key and expiration; None for a classic one.
        expires: the UNIX second of its expiry; None for never.
        place: how rows are found there, and judged.
        adder: writes it.
        replacing: deletes what has to go.
        to_replace: that.
    """

    token: str = field(repr=False)
    item: bytes = field(repr=False)
    fingerprint: str
    row_name: str
    grant: Grant | None
    expires: int | None
    place: TableInUse
    adder: Adder
    replacing: Replacing
    to_replace: list[FoundItem]


def checked_token(settings: AddCommand) -> str:
    """The token to add, after what can be checked before anybody types one; nothing is asked of AWS yet.

    Raises:
        ConfigurationError: settings are wrong or contradict each other, or the token is none to take.
    """
    chosen_life(settings.life)
    replace = settings.replace
    check_archive(replace)
    if settings.owner.system and replace.replace_expired:
        sentence = "--replace-expired makes room for a person's token: LISA allows a system's beside others"
        raise ConfigurationError(sentence, "go without it, or without --system")
    if not settings.secret.token_stdin and not replace.dry_run:
        check_somebody_reads()
    return token_of(settings.secret)


def added(settings: AddCommand, token: str, run_id: str, stop: Stop) -> int:
    """Add the token, and say so.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: settings are wrong, or a row stands in the way.
        NotConfirmedError: a row would have to go first, and nobody said yes.
        JanitorError: a guard or AWS refused, or the token reached nobody.
    """
    adding = prepared(lambda: _adding(settings, token, run_id, stop), stop)
    if settings.replace.dry_run:
        _say(adding, is_for_show=True)
        return ExitCode.DONE
    if adding.to_replace and not settings.life.yes:
        what = describe_rows(adding.to_replace, adding.place)
        confirm(f"Delete {what} from {adding.place.reached.table.name} first?", "nothing was added or removed", stop)
    kept_in = adding.replacing.make_room(adding.to_replace) if adding.to_replace else None
    try:
        _write(adding)
        log.info(
            "token.added", table=adding.place.reached.table.name, fingerprint=adding.fingerprint, expires=adding.expires
        )
        if not settings.secret.token_stdin:
            _hand_out(adding)
    except JanitorError:
        if kept_in is not None:
            message = f"what was removed for it is in {kept_in}; `janitor restore {kept_in} --all` puts it back"
            say(f"janitor: {message}")
        raise
    _say(adding, is_for_show=False)
    if adding.grant is not None and not adding.grant.is_system:
        _warn_of_others(adding)
    return ExitCode.DONE


def _adding(settings: AddCommand, token: str, run_id: str, stop: Stop) -> _Adding:
    change = ChosenSettings(dry_run=settings.replace.dry_run)
    place = reached_place(ChangeCommand(change, settings.table, settings.policy, settings.protection), stop)
    table = place.reached.table
    _check_dialect(table, settings.policy)
    expires = expiry_of(settings.life, table.dialect, place.now)
    key = key_of(token, table.dialect)
    grant = grant_for(settings, key, table.dialect, place.now)
    check_key_is_free(key, place)
    to_replace = []
    if grant is not None and not grant.is_system:
        to_replace = rows_to_replace(grant.username, place, replaces_expired=settings.replace.replace_expired)
    header = header_of(table, place.policy, run_id, place.now, settings.policy.as_of)
    item, fingerprint = new_row(key, expires, grant), fingerprint_of(token, place.secret)
    return _Adding(
        token=token,
        item=item,
        fingerprint=fingerprint,
        row_name=row_name(row_of(item), fingerprint, place.secret),
        grant=grant,
        expires=expires,
        place=place,
        adder=Adder(place.reached.aws.dynamodb, table.name),
        replacing=Replacing(place, settings.replace, header, stop),
        to_replace=to_replace,
    )


def _check_dialect(table: Table, policy: PolicySettings) -> None:
    """See that the row will be one that LISA's own reading of this table accepts.

    Raises:
        ConfigurationError: a variable says another dialect than the table's looks; typed, it is only warned of.
    """
    looks = Dialect.HASHED if table.has_owner_index else Dialect.CLASSIC
    if table.dialect is looks:
        return
    has = "has" if table.has_owner_index else "has not"
    sentence = f"{table.name} {has} LISA's index username-index, so it looks {looks}, and is said to be {table.dialect}"
    if not policy.typed("dialect"):
        raise ConfigurationError(sentence, f"take {variable('dialect')} away, or give --dialect", "other-dialect")
    say(f"janitor: {sentence}; what is said of the gates goes by the latter")


def _write(adding: _Adding) -> None:
    name, table = adding.row_name, adding.place.reached.table.name
    ways = f"`janitor token show {name}` tells, and `janitor token remove {name}` takes away what nobody has"
    try:
        standing = adding.adder.add(adding.item)
    except UnknownEndError as error:
        raise UnknownEndError(error.sentence, ways) from None
    except JanitorError:
        raise
    except BaseException:
        # A second signal, while the first waits for the end of this.
        say(f"janitor: cut off while token {name} was added to {table}, so it may stand; {ways}")
        raise
    if standing is not None:
        raise key_is_taken(FoundItem(row_of(standing), standing), adding.place)


def _hand_out(adding: _Adding) -> None:
    try:
        hand_out(adding.token)
    except OSError as error:
        _reached_nobody(adding, error)


def _reached_nobody(adding: _Adding, error: OSError) -> NoReturn:
    name = adding.row_name
    sentence = f"the token could not be written to standard output ({error.strerror})"
    if adding.replacing.take_back(FoundItem(row_of(adding.item), adding.item)):
        raise JanitorError(f"{sentence}, so its row {name} was removed again", "run it again", "no-reader") from None
    way_out = f"remove it with `janitor token remove {name}`"
    raise JanitorError(f"{sentence}, and its row {name} still stands: nobody has it", way_out, "no-reader") from None


def _say(adding: _Adding, *, is_for_show: bool) -> None:
    """What was done, or would be, on stderr: standard output is for the token alone."""
    table, now = adding.place.reached.table, adding.place.now
    what = "Would add a token" if is_for_show else f"Added token {adding.fingerprint}"
    lines = [f"{what} to {table.name} ({table.dialect})"]
    if adding.to_replace:
        replaced = "would be removed first" if is_for_show else "was removed first"
        lines.append(f"  replaces    {describe_rows(adding.to_replace, adding.place)}, which {replaced}")
    row = row_of(adding.item)
    lines += added_lines(row, adding.grant, table, expires=adding.expires, now=now, is_for_show=is_for_show)
    say("\n".join(lines))


def _warn_of_others(adding: _Adding) -> None:
    """Say it where somebody has added a token for the same user at the same time: no condition can prevent that."""
    user = adding.grant.username if adding.grant else ""
    own = row_of(adding.item).key
    try:
        others = [found for found in rows_of(user, adding.place) if found.row.key != own]
    except (JanitorError, StopRequestedError) as error:
        log.warning("token.others_not_looked_up", error=type(error).__name__)
        return
    if others:
        message = f"{printable(user)} has another token, added at the same time: {describe_rows(others, adding.place)}"
        say(f"janitor: {message}; LISA accepts both, so remove one")
