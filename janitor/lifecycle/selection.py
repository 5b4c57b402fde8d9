"""Which rows a command is about: the one that a fingerprint, a row's name or a tokenUUID fits, or all of one owner.

A name that fits several rows is nobody's: nothing is changed, and the rows are listed with the names that fit one each.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import click

from janitor.dynamodb.clock import is_worth_a_warning, skew_words
from janitor.dynamodb.find import MOST_FOUND, Finder, FoundItem
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.logs import get_logger
from janitor.report.build import finding
from janitor.report.model import Finding
from janitor.report.text import label, owner
from janitor.settings.parsers import as_reported, parse_fingerprint
from janitor.settings.token_change import ChangeCommand
from janitor.stopping import Stop
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.meaning import row_marks
from janitor.tokens.new_expiry import expiry_words
from janitor.tokens.policy import Policy
from janitor.tokens.printable import printable
from janitor.tokens.user_name import spellings
from janitor.wiring.budgets import say_limits
from janitor.wiring.fingerprint_key import secret_in
from janitor.wiring.policy import policy_of
from janitor.wiring.table import OpenTable, open_table

log = get_logger("janitor.token")

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
# Of the local clock against the server's, in seconds: the answer's date is cut to whole ones.
_NOISE = 1


class AsOfError(JanitorError):
    """Something is to be changed as of another time than the present."""

    exit_code = ExitCode.REFUSED
    default_code = "as-of"


@dataclass(frozen=True, slots=True)
class TableInUse:
    """The table that was reached, and how its rows are found, named and judged.

    Attributes:
        now: the UNIX second by DynamoDB's clock, which is LISA's: what is written and said goes by it.
        earliest: by the earlier of that clock and this machine's: whether a row is over that is to be deleted.
    """

    reached: OpenTable
    policy: Policy
    secret: bytes | None
    finder: Finder
    now: int
    earliest: int

    def finding(self, found: FoundItem) -> Finding:
        """What a report says of a row."""
        verdict = classify(found.row, self.now, self.policy)
        return finding(found.row, verdict, now=self.now, policy=self.policy, secret=self.secret)


class RowChoice(NamedTuple):
    """Which rows: how to find them, and whose they are, where an owner's name chose them."""

    find: Callable[[TableInUse], list[FoundItem]]
    user: str | None = None


def choice_of(name: str | None, user: str | None, *, only_looks: bool = False) -> RowChoice:
    """How to find the rows; nothing is asked of AWS yet.

    Args:
        name: a fingerprint, the first 6 digits at least, a row's name, or a tokenUUID; from the command line.
        user: an owner's name in place of it.
        only_looks: whether nothing is changed, so that all rows of one fingerprint may come.

    Raises:
        ConfigurationError: neither is given, or both, or the name is none. It is never repeated: it may be a token.
    """
    if name is not None and user is not None:
        raise ConfigurationError("a fingerprint and --user both name tokens", "give one of them")
    if user is not None:
        return RowChoice(lambda place: _of_user(user, place), user)
    if not name:
        raise ConfigurationError("no token is named", "give its fingerprint, its tokenUUID, or --user NAME", "no-token")
    uuid = as_reported(name)
    if _UUID(uuid):
        return RowChoice(
            lambda place: _one_row(place.finder.by_uuid(uuid), "that tokenUUID", place, only_looks=only_looks)
        )
    try:
        fingerprint = parse_fingerprint(name)
    except ValueError:
        raise ConfigurationError(
            "FINGERPRINT is neither 6 to 12 hex digits nor a tokenUUID",
            "`janitor token fingerprint` says a token's",
            "fingerprint",
        ) from None
    return RowChoice(lambda place: _with_fingerprint(fingerprint, place, only_looks=only_looks))


def reached_place(settings: ChangeCommand, stop: Stop) -> TableInUse:
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
    reached = open_table(settings.table, dialect=settings.policy.dialect)
    policy = policy_of(settings.policy, settings.protection, reached.table.dialect)
    say_limits(reached.budgets, deletes=False)
    finder = Finder(reached.aws.dynamodb, reached.table, policy, secret, stop, budgets=reached.budgets)
    now, earliest = (_now(reached), reached.present()) if as_of is None else (as_of, as_of)
    return TableInUse(reached, policy, secret, finder, now, earliest)


def say_rows(found: Iterable[FoundItem], place: TableInUse) -> None:
    """A line on stderr for each row: its name, state, owner, the token's name, expiry, what tells it from others."""
    told = [(place.finding(each), each) for each in found]
    names = [(owner(finding), label(finding)) for finding, _ in told]
    is_hashed = place.policy.dialect is Dialect.HASHED
    owners, labels = (max((len(pair[column]) for pair in names), default=0) for column in (0, 1))
    for (finding_, each), (who, name) in zip(told, names, strict=True):
        verdict = classify(each.row, place.now, place.policy)
        expires = printable(expiry_words(each.row, verdict, place.now))
        gates = " and ".join(finding_.accepted_by) or "nothing"
        marks = ", ".join([f"accepted by {gates}", *row_marks(each.row, is_hashed=is_hashed)])
        text = f"  {finding_.row_name}  {finding_.state:9}  {who:{owners}}  {name:{labels}}  {expires}; {marks}"
        click.echo(text, err=True)


def _now(reached: OpenTable) -> int:
    """The present as DynamoDB's clock has it, which is LISA's: a token revoked by a fast clock would live on."""
    skew = reached.table.skew_seconds
    if is_worth_a_warning(skew):
        log.warning("clock.skewed", seconds=skew)
        click.echo(f"janitor: {skew_words(skew)}, whose time counts here", err=True)
    return int(time.time()) - (skew if skew is not None and abs(skew) > _NOISE else 0)


def _of_user(user: str, place: TableInUse) -> list[FoundItem]:
    found = [each for spelling in spellings(user) for each in place.finder.by_user(spelling)]
    if place.reached.table.has_owner_index:
        # The index lags behind, and a change is on the condition that the row is as it was seen.
        found = [again for each in found if (again := place.finder.by_key(each.row.key.S or "")) is not None]
    if not found:
        raise unknown(f"no token is {printable(user)}'s", place)
    return found


def _with_fingerprint(fingerprint: str, place: TableInUse, *, only_looks: bool) -> list[FoundItem]:
    called = f"the {'name' if '-' in fingerprint else 'fingerprint'} {fingerprint}"
    looked = place.finder.look(fingerprint)
    if looked.matches or not looked.near:
        return _one_row(looked.matches, called, place, only_looks=only_looks)
    say_rows(looked.near, place)
    error = unknown(f"no row has {called}", place)
    raise ConfigurationError(error.sentence, "those above are near it", error.code)


def _one_row(found: list[FoundItem], called: str, place: TableInUse, *, only_looks: bool) -> list[FoundItem]:
    """The one row that was found; for a mere look all of one fingerprint.

    Raises:
        ConfigurationError: there is none, or there are several, of one token or not: in a hashed table the legacy row
            of a token may stand beside its present one, dead or alive.
    """
    if not found:
        raise unknown(f"no row has {called}", place)
    if len(found) == 1 or (only_looks and len(set(map(place.finder.fingerprint_of, found))) == 1):
        return found
    say_rows(found[:MOST_FOUND], place)
    number = f"more than {MOST_FOUND}" if len(found) > MOST_FOUND else f"{len(found)}"
    untouched = "" if only_looks else ", so nothing was changed"
    sentence = f"{number} rows of {place.reached.table.name} have {called}{untouched}"
    raise ConfigurationError(sentence, "give the name of one of those above, its first column", "ambiguous-token")


def unknown(sentence: str, place: TableInUse) -> ConfigurationError:
    """What to raise where nothing is found."""
    return ConfigurationError(
        f"{sentence} in {place.reached.table.name}", "`janitor token list` lists all of them", "unknown-token"
    )
