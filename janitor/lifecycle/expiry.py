"""`token extend` and `token revoke`: give the chosen rows another expiry."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from janitor.dynamodb.find import StoredItem
from janitor.errors import ConfigurationError
from janitor.lifecycle.change import ChangeReporter, change_rows, make_expiry_change
from janitor.lifecycle.selection import TokenTable, choose_rows, open_token_table, print_rows
from janitor.report.token_change import ChangeOutcome, Command
from janitor.settings.token_change import ChangeCommand, ExtendSettings, RevokeSettings
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect
from janitor.tokens.new_expiry import Decision, Extension, NewExpiry, decide_extension, decide_revocation, ends_earlier
from janitor.tokens.printable import printable
from janitor.tokens.row import Row
from janitor.tokens.words import format_count, list_some
from janitor.wiring.confirm import can_ask, confirm
from janitor.wiring.execution import prepare_or_stop

# After a revocation these rows stand with an expiry that is over.
_REVOKED = (ChangeOutcome.REVOKED, ChangeOutcome.PLANNED)
_MAX_NAMED = 5


class _ExpiryCommand(NamedTuple):
    """A command that changes expiries.

    Attributes:
        name: what it is called.
        outcome: what a written change is called.
        decide: decides on a row's new expiry.
        question: what is asked before tokens end earlier; how many and where is added to it.
        is_confirmed: whether --yes was given.
    """

    name: Command
    outcome: ChangeOutcome
    decide: Callable[[TokenTable, Row], Decision]
    question: str
    is_confirmed: bool


def extend_tokens(name: str | None, extend: ExtendSettings, settings: ChangeCommand, stop: Stop) -> int:
    """Give the chosen rows another expiry, and report on each.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: no token is named, or it is not there, or the name fits several; or a setting is wrong.
        NotConfirmedError: a token would end earlier, and nobody said yes.
        AwsError: AWS refused or could not be reached.
    """
    extension = _read_extension(extend)

    def decide(table: TokenTable, row: Row) -> Decision:
        return decide_extension(row, table.now, table.policy, extension)

    question = "Shorten the life of"
    command = _ExpiryCommand("token extend", ChangeOutcome.EXTENDED, decide, question, is_confirmed=extend.yes)
    return _change_expiries(command, name, settings, stop)


def revoke_tokens(name: str | None, revoke: RevokeSettings, settings: ChangeCommand, stop: Stop) -> int:
    """End the chosen tokens now, or with --at later, and report on each.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: no token is named, or it is not there, or the name fits several; or a setting is wrong.
        NotConfirmedError: nobody said yes.
        AwsError: AWS refused or could not be reached.
    """

    def decide(table: TokenTable, row: Row) -> Decision:
        return decide_revocation(row, table.now, table.policy, revoke.at)

    command = _ExpiryCommand("token revoke", ChangeOutcome.REVOKED, decide, "Revoke", is_confirmed=revoke.yes)
    return _change_expiries(command, name, settings, stop)


def _change_expiries(command: _ExpiryCommand, name: str | None, settings: ChangeCommand, stop: Stop) -> int:
    choice, chosen = choose_rows(name, settings.chosen.user), settings.chosen
    table = prepare_or_stop(lambda: open_token_table(settings, stop, is_dry_run=settings.chosen.dry_run), stop)
    found = prepare_or_stop(lambda: choice.find(table), stop)
    reporter = ChangeReporter(command.name, chosen, table)
    is_listed = reporter.list_rows(found, choice.user)
    if not chosen.dry_run and not command.is_confirmed:
        _confirm_shortening(command, found, table, stop, is_listed=is_listed)
    decide = partial(command.decide, table)
    change_row = make_expiry_change(command.outcome, decide, table, stop, is_dry_run=chosen.dry_run)
    change_rows(found, change_row, reporter, stop)
    if command.outcome is ChangeOutcome.REVOKED and table.policy.dialect is Dialect.HASHED:
        reporter.print_note(_describe_lockout(reporter.list_owners(_REVOKED), is_dry_run=chosen.dry_run))
    return reporter.end(stop)


def _describe_lockout(owners: Sequence[str], *, is_dry_run: bool) -> str:
    """Say that revoked rows keep their owners from a new token, and what changes that; empty for no owners.

    LISA gives no new token to a user who has a row, expired or not (lambda/api_tokens/handler.py at v6.6.0,
    `_get_user_token`).
    """
    if not owners:
        return ""
    names = list_some([printable(owner) for owner in owners[:_MAX_NAMED]], _MAX_NAMED, total=len(owners))
    return (
        f"a revoked row {'would still keep' if is_dry_run else 'still keeps'} {names} from a new token in LISA; "
        "`janitor token remove` deletes it, `janitor token add --replace-expired` puts a new token in its place"
    )


def _confirm_shortening(
    command: _ExpiryCommand, found: list[StoredItem], table: TokenTable, stop: Stop, *, is_listed: bool
) -> None:
    """Ask whoever sits at the terminal if a token that LISA accepts would end earlier than it does now."""
    shortened = [each for each in found if _is_shortened(command.decide(table, each.row), each.row, table)]
    if not shortened:
        return
    if can_ask() and not is_listed:
        print_rows(shortened, table)
    confirm(f"{command.question} {format_count(len(shortened), 'token')} of {table.name}?", "nothing was changed", stop)


def _is_shortened(decision: Decision, row: Row, table: TokenTable) -> bool:
    if not isinstance(decision, NewExpiry):
        return False
    return ends_earlier(row, decision.second, table.now, table.policy.dialect)


def _read_extension(extend: ExtendSettings) -> Extension:
    """Read which of --by, --to and --expires-in is given: exactly one. A flag beats an environment variable."""
    times = {"by": extend.by, "to": extend.to, "expires_in": extend.expires_in}
    chosen = extend.choose(name for name, value in times.items() if value is not None)
    if not chosen:
        raise ConfigurationError("no new expiry is given", "give --by, --to or --expires-in", "no-expiry")
    if len(chosen) > 1:
        raise ConfigurationError(f"{extend.spell(chosen)} contradict each other", "give one of them")
    [name] = chosen
    return Extension(**{name: times[name]}, revive=extend.revive, shorten=extend.shorten, yes=extend.yes)
