"""`token extend` and `token revoke`: rows that were chosen, and the expiry that each gets."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from janitor.dynamodb.find import FoundItem
from janitor.errors import ConfigurationError
from janitor.lifecycle.change import Telling, each_done, expiry_changed
from janitor.lifecycle.selection import TableInUse, choice_of, reached_place, say_rows
from janitor.report.token_change import ChangeOutcome, Command
from janitor.settings.token_change import ChangeCommand, ExtendSettings, RevokeSettings
from janitor.stopping import Stop
from janitor.tokens.new_expiry import Decision, Extension, NewExpiry, ends_earlier, extended, revoked
from janitor.tokens.row import Row
from janitor.tokens.words import counted
from janitor.wiring.confirm import can_ask, confirm
from janitor.wiring.running import prepared


def extended_tokens(name: str | None, extend: ExtendSettings, settings: ChangeCommand, stop: Stop) -> int:
    """Give the chosen rows another expiry, and say what became of each.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: no token is named, or none is there, or several are; or a setting is wrong.
        NotConfirmedError: one would end earlier, and nobody said yes.
        AwsError: AWS refused or could not be reached.
    """
    wish = _wish(extend)

    def decide(place: TableInUse, row: Row) -> Decision:
        return extended(row, place.now, place.policy, wish)

    way = _Way("token extend", ChangeOutcome.EXTENDED, decide, "Shorten the life of", is_confirmed=extend.yes)
    return _changed(way, name, settings, stop)


def revoked_tokens(name: str | None, revoke: RevokeSettings, settings: ChangeCommand, stop: Stop) -> int:
    """End the chosen rows, and say what became of each; as `extended_tokens`."""

    def decide(place: TableInUse, row: Row) -> Decision:
        return revoked(row, place.now, place.policy, revoke.at)

    way = _Way("token revoke", ChangeOutcome.REVOKED, decide, "Revoke", is_confirmed=revoke.yes)
    return _changed(way, name, settings, stop)


class _Way(NamedTuple):
    """A way to change an expiry.

    Attributes:
        command: which.
        outcome: what it is called when it was done.
        decide: what it comes to for a row.
        asked: what is asked before a token ends earlier, without which tokens.
        is_confirmed: whether --yes was given.
    """

    command: Command
    outcome: ChangeOutcome
    decide: Callable[[TableInUse, Row], Decision]
    asked: str
    is_confirmed: bool


def _changed(way: _Way, name: str | None, settings: ChangeCommand, stop: Stop) -> int:
    choice, chosen = choice_of(name, settings.chosen.user), settings.chosen
    place = prepared(lambda: reached_place(settings, stop), stop)
    found = prepared(lambda: choice.find(place), stop)
    telling = Telling(way.command, chosen, place)
    is_listed = telling.list_first(found, choice.user)
    if not chosen.dry_run and not way.is_confirmed:
        _confirm(way, found, place, stop, is_listed=is_listed)
    act = expiry_changed(way.outcome, partial(way.decide, place), place, stop, is_dry_run=chosen.dry_run)
    each_done(found, act, telling, stop)
    return telling.end(stop)


def _confirm(way: _Way, found: list[FoundItem], place: TableInUse, stop: Stop, *, is_listed: bool) -> None:
    """Ask whoever sits at the terminal, where a token that LISA accepts would end earlier than now."""
    ending = [each for each in found if _ends(way.decide(place, each.row), each.row, place)]
    if not ending:
        return
    if can_ask() and not is_listed:
        say_rows(ending, place)
    confirm(f"{way.asked} {counted(len(ending), 'token')} of {place.reached.table.name}?", "nothing was changed", stop)


def _ends(decision: Decision, row: Row, place: TableInUse) -> bool:
    if not isinstance(decision, NewExpiry):
        return False
    return ends_earlier(row, decision.second, place.now, place.policy.dialect)


def _wish(extend: ExtendSettings) -> Extension:
    """What is asked for: exactly one of --by, --to and --expires-in. A flag beats the environment."""
    times = {"by": extend.by, "to": extend.to, "expires_in": extend.expires_in}
    chosen = extend.choose(name for name, value in times.items() if value is not None)
    if not chosen:
        raise ConfigurationError("no new expiry is given", "give --by, --to or --expires-in", "no-expiry")
    if len(chosen) > 1:
        raise ConfigurationError(f"{extend.spell(chosen)} contradict each other", "give one of them")
    [name] = chosen
    return Extension(**{name: times[name]}, revive=extend.revive, shorten=extend.shorten, yes=extend.yes)
