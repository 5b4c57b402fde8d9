"""`token show`: look a token up, and print what is known of it."""

import shutil
import sys

import click

from janitor.dynamodb.find import StoredItem
from janitor.errors import AwsError, ConfigurationError, ExitCode
from janitor.lifecycle.selection import RowChoice, TokenTable, choose_rows, make_unknown_token_error, open_token_table
from janitor.lifecycle.token_input import read_token
from janitor.report.encode import encode_json_page
from janitor.report.token_details import LookedUpRow, TokenDetails, build_token_details
from janitor.report.token_text import render_token
from janitor.settings.token_read import ShowCommand, ShowSettings
from janitor.stopping import Stop
from janitor.terminal import shows_colours
from janitor.tokens.dialect import Dialect, Gate, find_accepting_gates
from janitor.tokens.explain import LockoutExplanation, explain_lockout
from janitor.tokens.fingerprint import key_of
from janitor.tokens.row import Row, text_of
from janitor.wiring.execution import prepare_or_stop

_MAX_KEY_BYTES = 2048
# Used for a file or a pipe: wide enough for most values.
_FILE_WIDTH = 160


def show_token(choice: RowChoice, settings: ShowCommand, stop: Stop) -> int:
    """Print on standard output what is known of the token.

    Args:
        choice: how to find its rows, from `choose_rows_to_show`.
        settings: everything else.
        stop: says whether the run was asked to stop.

    Returns:
        the exit code.

    Raises:
        ConfigurationError: no row is found, or the name fits several, or the settings are wrong.
        AwsError: AWS refused or could not be reached.
    """
    shown = prepare_or_stop(lambda: _look_up(choice, settings, stop), stop)
    is_terminal = sys.stdout.isatty()
    if (settings.show.format or ("table" if is_terminal else "json")) == "table":
        width = shutil.get_terminal_size().columns if is_terminal else _FILE_WIDTH
        click.echo(render_token(shown, width=width, colour=shows_colours(sys.stdout)), nl=False)
    else:
        click.echo(encode_json_page(shown).decode())
    return ExitCode.DONE


def choose_rows_to_show(name: str | None, settings: ShowSettings) -> RowChoice:
    """Decide how to find the token's rows; nothing but standard input is read yet.

    Args:
        name: its fingerprint or tokenUUID; None for a token on standard input.
        settings: whether --token-stdin is given; if only its variable is set, the name wins.

    Raises:
        ConfigurationError: no token is named, or two ways to name one are given. The message never repeats the name,
            which may be a token.
    """
    from_stdin = settings.token_stdin and (name is None or bool(settings.given_by_flag("token_stdin")))
    if from_stdin == (name is not None):
        sentence = "a fingerprint and --token-stdin both name a token" if from_stdin else "no token is named"
        raise ConfigurationError(sentence, "give its fingerprint, its tokenUUID, or --token-stdin")
    if name is not None:
        return choose_rows(name, None, is_read_only=True)
    token = read_token("token")
    return RowChoice(lambda table: _find_by_token(token, table))


def _look_up(choice: RowChoice, settings: ShowCommand, stop: Stop) -> TokenDetails:
    # Nothing is changed, so --as-of is allowed.
    table = open_token_table(settings, stop, is_dry_run=True)
    return build_token_details(
        [LookedUpRow(each.row, each.item, _explain_lockout(each.row, table)) for each in choice.find(table)],
        table=table.part,
        policy=table.policy,
        now=table.now,
        as_of=settings.policy.as_of,
        fingerprint_key=table.fingerprint_key,
    )


def _find_by_token(token: str, table: TokenTable) -> list[StoredItem]:
    # MCP Workbench looks up the raw header, in a hashed table too.
    keys = [key for key in dict.fromkeys((key_of(token, table.policy.dialect), token)) if _is_valid_key(key)]
    found = [each for each in map(table.finder.find_by_key, keys) if each is not None]
    if not found:
        raise make_unknown_token_error("no row is of this token", table)
    return found


def _is_valid_key(key: str) -> bool:
    """Whether DynamoDB can be asked for this key: a longer one is an error, and no row has it."""
    return len(key.encode("utf-8", "surrogatepass")) <= _MAX_KEY_BYTES


def _explain_lockout(row: Row, table: TokenTable) -> LockoutExplanation:
    name, dialect = text_of(row.username), table.policy.dialect
    if not name or dialect is Dialect.CLASSIC or Gate.API in find_accepting_gates(row, table.now, dialect):
        return explain_lockout(row, (), table.now, dialect)
    try:
        rows = [each.row for each in table.finder.find_by_user(name)]
    except AwsError as error:
        return LockoutExplanation(None, f"this owner's other rows were not looked up: {error}")
    return explain_lockout(row, rows, table.now, dialect)
