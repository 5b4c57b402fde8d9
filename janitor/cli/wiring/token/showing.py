"""A token, looked up and shown."""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import click

from janitor.cli.options import given_on_command_line
from janitor.cli.running import prepared
from janitor.cli.wiring.fingerprint_key import secret_in
from janitor.cli.wiring.reach import reach
from janitor.cli.wiring.scan import policy_of
from janitor.cli.wiring.token.from_stdin import token_from_stdin
from janitor.config.token_read import ShowCommand
from janitor.dynamodb.find import MOST_FOUND, Finder, Found
from janitor.dynamodb.locate import Table
from janitor.errors import AwsError, ConfigurationError, ExitCode
from janitor.parsers import parse_fingerprint
from janitor.report.build import finding
from janitor.report.model import TablePart
from janitor.report.text import due, owner, seen, utc
from janitor.report.token_shown import Looked, TokenShown, token_shown
from janitor.report.token_text import token_text
from janitor.run.stopping import Stop
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect, Gate, accepted_by
from janitor.tokens.explain import Lockout, lockout
from janitor.tokens.fingerprint import fingerprint
from janitor.tokens.key import key_of
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, text_of

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_LONGEST_KEY = 2048  # bytes
# Wide enough for most values where the text goes to a file or a pipe.
_WIDTH_OF_A_FILE = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judging:
    """Where rows are looked for, and how they are judged; `now` and `as_of` are UNIX seconds."""

    finder: Finder
    table: Table
    policy: Policy
    secret: bytes | None
    now: int
    as_of: int | None


Look = Callable[[_Judging], list[Found]]


def showed(look: Look, settings: ShowCommand, stop: Stop) -> int:
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
        click.echo(token_text(shown, width=width, colour=is_terminal and "NO_COLOR" not in os.environ), nl=False)
    else:
        click.echo(seen(shown.model_dump_json(by_alias=True, indent=2).encode()).decode())
    return ExitCode.DONE


def look_for(name: str | None, *, from_stdin: bool) -> Look:
    """How to find the token's rows; nothing but standard input is read yet.

    Args:
        name: its fingerprint or tokenUUID; None for a token on standard input.
        from_stdin: whether a flag or a variable asks for that.

    Raises:
        ConfigurationError: no token is named, or in two ways. It never repeats the name, which may be a token.
    """
    if name is not None and not given_on_command_line(["token_stdin"]):
        from_stdin = False
    if from_stdin == (name is not None):
        sentence = "a fingerprint and --token-stdin both name a token" if from_stdin else "no token is named"
        raise ConfigurationError(sentence, "give its fingerprint, its tokenUUID, or --token-stdin")
    if name is None:
        token = token_from_stdin("token")
        return lambda judging: _by_token(token, judging)
    if _UUID(name):
        return lambda judging: _by_uuid(name, judging)
    try:
        prefix = parse_fingerprint(name)
    except ValueError:
        sentence = "FINGERPRINT is neither 6 to 12 hex digits nor a tokenUUID"
        raise ConfigurationError(sentence, "a token itself goes to standard input, with --token-stdin") from None
    return lambda judging: _by_fingerprint(prefix, judging)


def _shown(look: Look, settings: ShowCommand, stop: Stop) -> TokenShown:
    as_of = settings.policy.as_of
    secret = secret_in(settings.protection.fingerprint_key_file)
    reached = reach(settings.table, dialect=settings.policy.dialect)
    table = reached.table
    policy = policy_of(settings.policy, settings.protection, table.dialect)
    judging = _Judging(
        finder=Finder(reached.aws.dynamodb, table, policy, secret, stop),
        table=table,
        policy=policy,
        secret=secret,
        now=int(time.time()) if as_of is None else as_of,
        as_of=as_of,
    )
    found = look(judging)
    return token_shown(
        [Looked(each.row, each.item, _lockout(each.row, judging)) for each in found],
        table=TablePart(name=table.name, region=table.region, account_id=table.account_id, endpoint=table.endpoint),
        policy=policy,
        now=judging.now,
        as_of=as_of,
        secret=secret,
    )


def _by_token(token: str, judging: _Judging) -> list[Found]:
    # MCP Workbench takes the raw header for the key, in a hashed table too.
    keys = [key for key in dict.fromkeys((key_of(token, judging.policy.dialect), token)) if _fits(key)]
    found = [each for each in map(judging.finder.by_key, keys) if each is not None]
    if not found:
        raise _unknown("no row is of this token", judging)
    return found


def _fits(key: str) -> bool:
    """Whether DynamoDB may be asked for this key at all: a longer one is no row's, and an error."""
    return len(key.encode("utf-8", "surrogatepass")) <= _LONGEST_KEY


def _by_uuid(uuid: str, judging: _Judging) -> list[Found]:
    found = judging.finder.by_uuid(uuid) or judging.finder.by_uuid(uuid.lower())
    if not found:
        raise _unknown("no row has that tokenUUID", judging)
    return _one_token(found, "that tokenUUID", judging)


def _by_fingerprint(prefix: str, judging: _Judging) -> list[Found]:
    looked = judging.finder.look(prefix)
    if looked.matches:
        return _one_token(looked.matches, f"the fingerprint {prefix}", judging)
    error = _unknown(f"no row has a fingerprint that starts with {prefix}", judging)
    if looked.near:
        _say_candidates(looked.near, judging)
        raise ConfigurationError(error.sentence, "take one of those above, which are near it", error.code)
    raise error


def _one_token(found: list[Found], called: str, judging: _Judging) -> list[Found]:
    """The rows, all of one token: its legacy row may stand beside its present one.

    Raises:
        ConfigurationError: they are of several.
    """
    if len({_fingerprint(each.row, judging) for each in found}) == 1:
        return found
    _say_candidates(found[:MOST_FOUND], judging)
    number = f"more than {MOST_FOUND}" if len(found) > MOST_FOUND else len(found)
    raise ConfigurationError(
        f"{called} is of {number} rows of {judging.table.name}",
        "give more digits of one of those above, or its tokenUUID",
        "ambiguous-token",
    )


def _unknown(sentence: str, judging: _Judging) -> ConfigurationError:
    return ConfigurationError(
        f"{sentence} in {judging.table.name}", "`janitor token list` lists all of them", "unknown-token"
    )


def _say_candidates(found: Iterable[Found], judging: _Judging) -> None:
    """A line on stderr for each: fingerprint, state, owner, expiry."""
    now, policy = judging.now, judging.policy
    for each in found:
        verdict = classify(each.row, now, policy)
        told = finding(each.row, verdict, now=now, policy=policy, secret=judging.secret)
        expires = f"{utc(told.expires_at)} UTC, {due(told)}" if told.expires_at else due(told)
        click.echo(f"  {told.fingerprint}  {told.state:9}  {owner(told)}  {expires}", err=True)


def _fingerprint(row: Row, judging: _Judging) -> str:
    return fingerprint(row, judging.policy.dialect, judging.secret)


def _lockout(row: Row, judging: _Judging) -> Lockout:
    name, dialect = text_of(row.username), judging.policy.dialect
    if not name or dialect is Dialect.CLASSIC or Gate.API in accepted_by(row, judging.now, dialect):
        return lockout(row, (), judging.now, dialect)
    try:
        rows = [each.row for each in judging.finder.by_user(name)]
    except AwsError as error:
        return Lockout(None, f"this owner's other rows were not looked up: {error}")
    return lockout(row, rows, judging.now, dialect)
