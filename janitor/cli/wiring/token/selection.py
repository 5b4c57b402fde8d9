"""Which rows a command is about: those of one token, by fingerprint or tokenUUID, or all of one owner."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import click

from janitor.cli.wiring.budgets import say_limits
from janitor.cli.wiring.fingerprint_key import secret_in
from janitor.cli.wiring.reach import Reached, is_told, reach, skew_said
from janitor.cli.wiring.rules import policy_of
from janitor.config.token_change import ChangeCommand
from janitor.dynamodb.find import MOST_FOUND, Finder, Found
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.logs import get_logger
from janitor.parsers import parse_fingerprint
from janitor.report.build import finding
from janitor.report.model import Finding
from janitor.report.text import label, owner
from janitor.run.stopping import Stop
from janitor.tokens.classify import classify
from janitor.tokens.new_expiry import expiry_said
from janitor.tokens.plain import plain
from janitor.tokens.policy import Policy
from janitor.tokens.user_name import spellings

log = get_logger("janitor.token")

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
# Of the local clock against the server's, in seconds: the answer's date is cut to whole ones.
_NOISE = 1


class AsOfError(JanitorError):
    """Something is to be changed as of another time than the present."""

    exit_code = ExitCode.REFUSED
    default_code = "as-of"


@dataclass(frozen=True, slots=True)
class Place:
    """The table that was reached, and how its rows are found, named and judged.

    Attributes:
        now: the UNIX second by DynamoDB's clock, which is LISA's: what is written and said goes by it.
        earliest: by the earlier of that clock and this machine's: whether a row is over that is to be deleted.
    """

    reached: Reached
    policy: Policy
    secret: bytes | None
    finder: Finder
    now: int
    earliest: int

    def finding(self, found: Found) -> Finding:
        """What a report says of a row."""
        verdict = classify(found.row, self.now, self.policy)
        return finding(found.row, verdict, now=self.now, policy=self.policy, secret=self.secret)


class Choice(NamedTuple):
    """Which rows: how to find them, and whose they are, where an owner's name chose them."""

    find: Callable[[Place], list[Found]]
    user: str | None = None


def choice_of(name: str | None, user: str | None) -> Choice:
    """How to find the rows; nothing is asked of AWS yet.

    Args:
        name: a fingerprint, the first 6 digits at least, or a tokenUUID; from the command line.
        user: an owner's name in place of it.

    Raises:
        ConfigurationError: neither is given, or both, or the name is none. It is never repeated: it may be a token.
    """
    if name is not None and user is not None:
        raise ConfigurationError("a fingerprint and --user both name tokens", "give one of them")
    if user is not None:
        return Choice(lambda place: _of_user(user, place), user)
    if not name:
        raise ConfigurationError("no token is named", "give its fingerprint, its tokenUUID, or --user NAME", "no-token")
    if _UUID(name):
        return Choice(lambda place: _one_token(_with_uuid(name, place), "that tokenUUID", place))
    try:
        prefix = parse_fingerprint(name)
    except ValueError:
        raise ConfigurationError(
            "FINGERPRINT is neither 6 to 12 hex digits nor a tokenUUID",
            "`janitor token fingerprint` says a token's",
            "fingerprint",
        ) from None
    return Choice(lambda place: _with_fingerprint(prefix, place))


def reached_place(settings: ChangeCommand, stop: Stop) -> Place:
    """Find the table; nothing of its rows is read yet.

    Raises:
        AsOfError: something would be changed as of another time.
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    if as_of is not None and not settings.chosen.dry_run:
        raise AsOfError("with --as-of nothing is changed", "go without it, or give --dry-run")
    secret = secret_in(settings.protection.fingerprint_key_file)
    reached = reach(settings.table, dialect=settings.policy.dialect)
    policy = policy_of(settings.policy, settings.protection, reached.table.dialect)
    say_limits(reached.budgets, deletes=False)
    finder = Finder(reached.aws.dynamodb, reached.table, policy, secret, stop, budgets=reached.budgets)
    now, earliest = (_now(reached), reached.present()) if as_of is None else (as_of, as_of)
    return Place(reached, policy, secret, finder, now, earliest)


def say_rows(found: Iterable[Found], place: Place) -> None:
    """A line on stderr for each row: fingerprint, state, owner, name, expiry."""
    told = [(place.finding(each), each) for each in found]
    names = [(owner(finding), label(finding)) for finding, _ in told]
    owners, labels = (max((len(pair[column]) for pair in names), default=0) for column in (0, 1))
    for (finding_, each), (who, name) in zip(told, names, strict=True):
        verdict = classify(each.row, place.now, place.policy)
        expires = plain(expiry_said(each.row, verdict, place.now))
        text = f"  {finding_.fingerprint}  {finding_.state:9}  {who:{owners}}  {name:{labels}}  {expires}"
        click.echo(text, err=True)


def _now(reached: Reached) -> int:
    """The present as DynamoDB's clock has it, which is LISA's: a token revoked by a fast clock would live on."""
    skew = reached.table.skew_seconds
    if is_told(skew):
        log.warning("clock.skewed", seconds=skew)
        click.echo(f"janitor: {skew_said(skew)}, whose time counts here", err=True)
    return int(time.time()) - (skew if skew is not None and abs(skew) > _NOISE else 0)


def _of_user(user: str, place: Place) -> list[Found]:
    found = [each for spelling in spellings(user) for each in place.finder.by_user(spelling)]
    if place.reached.table.has_owner_index:
        # The index lags behind, and a change is on the condition that the row is as it was seen.
        found = [again for each in found if (again := place.finder.by_key(each.row.key.S or "")) is not None]
    if not found:
        raise unknown(f"no token is {plain(user)}'s", place)
    return found


def _with_uuid(uuid: str, place: Place) -> list[Found]:
    # LISA writes them in lower case.
    return place.finder.by_uuid(uuid) or place.finder.by_uuid(uuid.lower())


def _with_fingerprint(prefix: str, place: Place) -> list[Found]:
    looked = place.finder.look(prefix)
    if looked.matches or not looked.near:
        return _one_token(looked.matches, f"the fingerprint {prefix}", place)
    say_rows(looked.near, place)
    error = unknown(f"no row has the fingerprint {prefix}", place)
    raise ConfigurationError(error.sentence, "those above are near it", error.code)


def _one_token(found: list[Found], called: str, place: Place) -> list[Found]:
    """The rows, all of one token: in a hashed table its legacy row may stand beside its present one.

    Raises:
        ConfigurationError: there is none, or they are of several.
    """
    if not found:
        raise unknown(f"no row has {called}", place)
    if _are_of_one_token(found):
        return found
    say_rows(found[:MOST_FOUND], place)
    number = f"more than {MOST_FOUND}" if len(found) > MOST_FOUND else f"{len(found)}"
    sentence = f"{number} rows of {place.reached.table.name} have {called}"
    raise ConfigurationError(sentence, "give more digits of one of those above, or its tokenUUID", "ambiguous-token")


def _are_of_one_token(found: Iterable[Found]) -> bool:
    """Whether the rows' keys are one token and its sha256; an equal fingerprint of 12 digits does not say so."""
    keys = [each.row.key.S or "" for each in found]
    digests = [{key, sha256(key.encode("utf-8", "surrogatepass")).hexdigest()} for key in keys]
    return bool(set.intersection(*digests))


def unknown(sentence: str, place: Place) -> ConfigurationError:
    """What to raise where nothing is found."""
    return ConfigurationError(
        f"{sentence} in {place.reached.table.name}", "`janitor token list` lists all of them", "unknown-token"
    )
