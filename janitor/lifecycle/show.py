"""A token, looked up and shown."""

import shutil
import sys

import click

from janitor.dynamodb.find import FoundItem
from janitor.errors import AwsError, ConfigurationError, ExitCode
from janitor.lifecycle.selection import RowChoice, TableInUse, choice_of, reached_place, unknown
from janitor.lifecycle.token_input import token_from_stdin
from janitor.report.encode import json_page
from janitor.report.model import TablePart
from janitor.report.token_shown import LookedUpRow, TokenShown, token_shown
from janitor.report.token_text import token_text
from janitor.settings.token_change import ChangeCommand, ChosenSettings
from janitor.settings.token_read import ShowCommand, ShowSettings
from janitor.stopping import Stop
from janitor.terminal import shows_colours
from janitor.tokens.dialect import Dialect, Gate, accepted_by
from janitor.tokens.explain import Lockout, lockout
from janitor.tokens.key import key_of
from janitor.tokens.row import Row, text_of
from janitor.wiring.running import prepared

_LONGEST_KEY = 2048  # bytes
# Wide enough for most values where the text goes to a file or a pipe.
_WIDTH_OF_A_FILE = 160


def showed(look: RowChoice, settings: ShowCommand, stop: Stop) -> int:
    """Say on standard output what is known of the token.

    Args:
        look: how to find its rows, from `look_for`.
        settings: everything else.
        stop: who may ask for an early end.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: no token is named, or several are, or the settings are wrong.
        AwsError: AWS refused or could not be reached.
    """
    shown = prepared(lambda: _shown(look, settings, stop), stop)
    is_terminal = sys.stdout.isatty()
    if (settings.show.format or ("table" if is_terminal else "json")) == "table":
        width = shutil.get_terminal_size().columns if is_terminal else _WIDTH_OF_A_FILE
        click.echo(token_text(shown, width=width, colour=shows_colours(sys.stdout)), nl=False)
    else:
        click.echo(json_page(shown).decode())
    return ExitCode.DONE


def look_for(name: str | None, settings: ShowSettings) -> RowChoice:
    """How to find the token's rows; nothing but standard input is read yet.

    Args:
        name: its fingerprint or tokenUUID; None for a token on standard input.
        settings: whether a flag or a variable asks for that; a variable gives way to the name.

    Raises:
        ConfigurationError: no token is named, or in two ways. It never repeats the name, which may be a token.
    """
    from_stdin = settings.token_stdin and (name is None or bool(settings.typed("token_stdin")))
    if from_stdin == (name is not None):
        sentence = "a fingerprint and --token-stdin both name a token" if from_stdin else "no token is named"
        raise ConfigurationError(sentence, "give its fingerprint, its tokenUUID, or --token-stdin")
    if name is not None:
        return choice_of(name, None, only_looks=True)
    token = token_from_stdin("token")
    return RowChoice(lambda place: _by_token(token, place))


def _shown(look: RowChoice, settings: ShowCommand, stop: Stop) -> TokenShown:
    # Nothing is changed, so another time than the present is as good.
    only_looks = ChosenSettings(dry_run=True)
    place = reached_place(ChangeCommand(only_looks, settings.table, settings.policy, settings.protection), stop)
    table = place.reached.table
    return token_shown(
        [LookedUpRow(each.row, each.item, _lockout(each.row, place)) for each in look.find(place)],
        table=TablePart(name=table.name, region=table.region, account_id=table.account_id, endpoint=table.endpoint),
        policy=place.policy,
        now=place.now,
        as_of=settings.policy.as_of,
        secret=place.secret,
    )


def _by_token(token: str, place: TableInUse) -> list[FoundItem]:
    # MCP Workbench takes the raw header for the key, in a hashed table too.
    keys = [key for key in dict.fromkeys((key_of(token, place.policy.dialect), token)) if _fits(key)]
    found = [each for each in map(place.finder.by_key, keys) if each is not None]
    if not found:
        raise unknown("no row is of this token", place)
    return found


def _fits(key: str) -> bool:
    """Whether DynamoDB may be asked for this key at all: a longer one is no row's, and an error."""
    return len(key.encode("utf-8", "surrogatepass")) <= _LONGEST_KEY


def _lockout(row: Row, place: TableInUse) -> Lockout:
    name, dialect = text_of(row.username), place.policy.dialect
    if not name or dialect is Dialect.CLASSIC or Gate.API in accepted_by(row, place.now, dialect):
        return lockout(row, (), place.now, dialect)
    try:
        rows = [each.row for each in place.finder.by_user(name)]
    except AwsError as error:
        return Lockout(None, f"this owner's other rows were not looked up: {error}")
    return lockout(row, rows, place.now, dialect)
