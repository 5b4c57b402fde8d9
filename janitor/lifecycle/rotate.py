"""`token rotate`: issue a successor to a token, then end the old one, at once or after an overlap.

The old row is changed only after the new one is written and its token was printed, so that no failure leaves the owner
without a token that works. A rotation that fails half-way leaves two.
"""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from janitor.dynamodb.find import StoredItem
from janitor.dynamodb.target import is_same_row
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.lifecycle.add_messages import print_message
from janitor.lifecycle.change import describe_difference, describe_row_expiry, make_expiry_change
from janitor.lifecycle.grant import make_successor_grant
from janitor.lifecycle.issue import NewToken, TokenIssuer
from janitor.lifecycle.new_token import check_output_is_read, choose_lifetime, compute_expiry, make_or_read_token
from janitor.lifecycle.obstacles import check_dialect, check_key_is_free, describe_rows, list_other_rows
from janitor.lifecycle.selection import RowChoice, TokenTable, choose_rows, open_token_table, print_rows
from janitor.report.token_change import ChangeOutcome
from janitor.settings.token_rotate import RotateCommand
from janitor.stopping import Stop
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.fingerprint import key_of
from janitor.tokens.new_expiry import NewExpiry, ends_earlier, format_time_and_distance
from janitor.tokens.printable import printable
from janitor.tokens.row import decode_row
from janitor.tokens.words import format_count
from janitor.wiring.confirm import can_ask, confirm
from janitor.wiring.execution import prepare_or_stop
from janitor.wiring.plans import build_header


class RotationRequest(NamedTuple):
    """Which token is rotated, and the bearer token that succeeds it."""

    choice: RowChoice
    successor: str

    def __repr__(self) -> str:
        return "RotationRequest(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rotation:
    """A rotation that can be done. Nothing has been changed yet.

    Attributes:
        old: the row of the old token.
        old_name: names it.
        new: the new token and its row.
        end: the UNIX second at which the old token is made to end; None if it ends by itself by then.
        table: where both rows are.
        issuer: writes the new row and prints its token.
    """

    old: StoredItem
    old_name: str
    new: NewToken
    end: int | None
    table: TokenTable
    issuer: TokenIssuer

    def print_summary(self, *, is_dry_run: bool) -> None:
        """Print what was added, or would be, on stderr."""
        self.new.print_summary(self.table, {"succeeds": self.old_name}, is_dry_run=is_dry_run)


def choose_rotation(name: str | None, settings: RotateCommand) -> RotationRequest:
    """Check the settings, then generate the successor or read it from standard input. Nothing is asked of AWS yet.

    Args:
        name: what names the old token, from the command line.
        settings: the options.

    Raises:
        ConfigurationError: settings are wrong or contradict each other, or the successor cannot be used.
    """
    choice = choose_rows(name, settings.rotate.user)
    choose_lifetime(settings.life)
    if not settings.token_source.token_stdin and not settings.rotate.dry_run:
        check_output_is_read("token rotate")
    return RotationRequest(choice, make_or_read_token(settings.token_source))


def rotate_token(request: RotationRequest, settings: RotateCommand, run_id: str, stop: Stop) -> int:
    """Issue the successor, end the old token, and print what was done.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: the old token is not there, or LISA does not accept it; or a setting is wrong.
        NotConfirmedError: the old token would end, and nobody said yes.
        JanitorError: somebody changed or ended the old token meanwhile, or AWS refused, or the successor could not be
            handed out. Nothing was changed.
    """
    rotation = prepare_or_stop(lambda: _prepare_rotation(request, settings, run_id, stop), stop)
    if settings.rotate.dry_run:
        rotation.print_summary(is_dry_run=True)
        print_message(f"Token {rotation.old_name} {_describe_end(rotation, 'would end')}")
        return ExitCode.DONE
    if rotation.end is not None and not settings.life.yes:
        if can_ask():
            print_rows([rotation.old], rotation.table)
            rotation.print_summary(is_dry_run=True)
        question = f"Replace this token of {rotation.table.name}, which {_describe_end(rotation, 'ends')}?"
        confirm(question, "nothing was changed", stop)
    prepare_or_stop(lambda: _check_unchanged(rotation), stop)
    rotation.issuer.issue(rotation.new, is_printed=not settings.token_source.token_stdin)
    rotation.print_summary(is_dry_run=False)
    exit_code = _end_old_token(rotation, stop)
    _name_other_tokens(rotation)
    return exit_code


def _prepare_rotation(request: RotationRequest, settings: RotateCommand, run_id: str, stop: Stop) -> _Rotation:
    table = open_token_table(settings, stop, is_dry_run=settings.rotate.dry_run)
    located, now = table.opened.table, table.now
    check_dialect(located, settings.policy)
    expires = compute_expiry(settings.life, located.dialect, now)
    old = _require_one_accepted(request.choice, table)
    old_name = table.finder.row_name_of(old)
    key = key_of(request.successor, located.dialect)
    check_key_is_free(key, table)
    grant = None
    if located.dialect is Dialect.HASHED:
        try:
            grant = make_successor_grant(old, key, now, created_by=settings.rotate.created_by, table=settings.table)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{old_name} cannot be rotated: {error.sentence}", error.way_out, error.code
            ) from None
    end = now + (settings.rotate.overlap or 0)
    return _Rotation(
        old=old,
        old_name=old_name,
        new=NewToken.of(request.successor, key, expires, grant, table),
        end=end if ends_earlier(old.row, end, now, located.dialect) else None,
        table=table,
        issuer=TokenIssuer(table, build_header(located, table.policy, run_id, now, settings.policy.as_of), stop),
    )


def _require_one_accepted(choice: RowChoice, table: TokenTable) -> StoredItem:
    """Find the chosen row that LISA's API accepts: whoever has no working token needs a new one, and not a successor.

    Raises:
        ConfigurationError: there is none, or an owner has several.
    """
    found = choice.find(table)
    accepted = [each for each in found if _is_accepted(each, table.now, table)]
    if len(accepted) == 1:
        return accepted[0]
    print_rows(accepted or found, table)
    if not accepted:
        sentence = "LISA's API accepts none of the tokens above, so there is nothing to rotate"
        way_out = "make a new token with `janitor token add`; --replace-expired replaces one that has expired"
        raise ConfigurationError(sentence, way_out, "not-accepted")
    sentence = f"LISA's API accepts {format_count(len(accepted), 'token')} of {printable(choice.user or '')}"
    raise ConfigurationError(sentence, "give the name of one of those above, its first column", "ambiguous-token")


def _check_unchanged(rotation: _Rotation) -> None:
    """Check that the old row is as it was seen, and still accepted: a question may have waited for long.

    A token that somebody revoked or removed meanwhile must get no successor.

    Raises:
        JanitorError: it is not.
    """
    table = rotation.table
    current = table.finder.find_by_key(rotation.old.row.key.S or "")
    if current is None:
        why = "somebody deleted it in between"
    elif not is_same_row(msgspec.json.decode(current.item), rotation.old.item):
        why = describe_difference(rotation.old.row, current.row, table)
    elif not _is_accepted(current, table.opened.earlier_time(), table):
        why = "it has expired in between"
    else:
        return
    raise JanitorError(f"{rotation.old_name} was not rotated: {why}", code="changed")


def _is_accepted(found: StoredItem, now: int, table: TokenTable) -> bool:
    """Whether LISA's API accepts the row at this UNIX second."""
    return Gate.API in classify(found.row, now, table.policy).accepted_by


def _name_other_tokens(rotation: _Rotation) -> None:
    """Name the owner's other tokens that LISA accepts: one may be of a rotation at the same time.

    No condition can prevent that. A system may have several.
    """
    table, grant = rotation.table, rotation.new.grant
    if grant is None:
        return
    keys = {rotation.old.row.key.S, decode_row(rotation.new.item).key.S}
    others = [each for each in list_other_rows(grant.username, keys, table) if _is_accepted(each, table.now, table)]
    if others:
        sentence = f"{printable(grant.username)} has other tokens that LISA accepts: {describe_rows(others, table)}"
        print_message(f"janitor: {sentence}; if one was made at the same time, remove it")


def _end_old_token(rotation: _Rotation, stop: Stop) -> int:
    """End the old token, and say so; return the exit code."""
    end, name = rotation.end, rotation.old_name
    if end is not None:
        by_hand = f"the new token works; if {name} still does, end it with `janitor token revoke {name}`"
        if stop.is_requested():
            print_message(f"janitor: {stop.reason} before the old token was ended: {by_hand}")
            return stop.exit_code
        end_row = make_expiry_change(
            ChangeOutcome.REVOKED, lambda _: NewExpiry(end), rotation.table, stop, is_dry_run=False
        )
        result = end_row(rotation.old)
        if result.outcome is ChangeOutcome.ALREADY_GONE:
            undo = f"if its owner was to be shut out, `janitor token remove {rotation.new.row_name}` ends the new one"
            print_message(f"janitor: the old token {name} is gone: somebody deleted it in between; {undo}")
            return ExitCode.DONE
        if result.exit_code is not ExitCode.DONE:
            print_message(f"janitor: the old token was not ended: {printable(result.why)}. {by_hand}")
            return ExitCode.FAILED
    print_message(f"Token {name} {_describe_end(rotation, 'ends')}")
    for note in _list_notes(rotation):
        print_message(f"janitor: {note}")
    return ExitCode.DONE


def _describe_end(rotation: _Rotation, ends: str) -> str:
    if rotation.end is None:
        return f"stays as it is, and ends by itself: {describe_row_expiry(rotation.old.row, rotation.table)}"
    if rotation.end <= rotation.table.now:
        return f"{ends} now"
    return f"{ends} {format_time_and_distance(rotation.end, rotation.table.now)}"


def _list_notes(rotation: _Rotation) -> list[str]:
    """What else the owner has to know in LISA 6.1 and later.

    LISA 6.6 keys `rateLimitOverrides` by `token:<tokenUUID>` (rest-api/src/middleware/rate_limit_middleware.py).
    """
    grant = rotation.new.grant
    if grant is None:
        return []
    old_uuid = printable(rotation.table.finding(rotation.old).token_uuid or "")
    limits = f"if LISA's rateLimitOverrides have an entry token:{old_uuid}, move it to token:{grant.token_uuid}"
    remove = f"after it has ended, a sweep deletes it, or `janitor token remove {rotation.old_name}`"
    return [limits, f"the old row stays for now; {remove}"]
