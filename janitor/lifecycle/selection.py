"""Open the table and choose the rows of a command: one by fingerprint, row name or tokenUUID, or all of one owner.

When a name fits several rows, nothing is changed: the rows are listed, each with a name that fits it alone.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import click

from janitor.dynamodb.clock import describe_skew, is_worth_a_warning
from janitor.dynamodb.find import MAX_MATCHES, Finder, StoredItem
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.logs import get_logger
from janitor.report.build import build_finding
from janitor.report.finding_cells import format_name, format_owner
from janitor.report.model import Finding, TablePart
from janitor.settings.parsers import parse_fingerprint, strip_csv_mark
from janitor.settings.table import JudgedTableSettings
from janitor.stopping import Stop
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.meaning import describe_key_and_uuid
from janitor.tokens.new_expiry import describe_expiry
from janitor.tokens.policy import Policy
from janitor.tokens.printable import printable
from janitor.tokens.user_name import list_spellings
from janitor.wiring.budgets import log_limits
from janitor.wiring.open_table import OpenTable, open_table
from janitor.wiring.policy import make_policy, read_fingerprint_key

log = get_logger("janitor.token")

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
# A skew up to this, in seconds, is rounding: the Date header has whole seconds.
_ROUNDING_SECONDS = 1


class AsOfError(JanitorError):
    """--as-of was given to a command that would change something."""

    exit_code = ExitCode.REFUSED
    default_code = "as-of"


@dataclass(frozen=True, slots=True)
class TokenTable:
    """The opened table, and how its rows are found, named and judged.

    Attributes:
        opened: the table, and the session that leads to it.
        policy: the rules that rows are judged by.
        fingerprint_key: the key of the fingerprints; None for plain ones.
        finder: finds its rows.
        now: the UNIX second by DynamoDB's clock, which LISA shares: expiries are written and shown by it.
        earliest: the UNIX second by the earlier of that clock and the local one: decides whether a row that is to be
            deleted has expired.
    """

    opened: OpenTable
    policy: Policy
    fingerprint_key: bytes | None
    finder: Finder
    now: int
    earliest: int

    @property
    def name(self) -> str:
        """The table's name."""
        return self.opened.table.name

    @property
    def part(self) -> TablePart:
        """The table as JSON documents describe it."""
        located = self.opened.table
        return TablePart(
            name=located.name, region=located.region, account_id=located.account_id, endpoint=located.endpoint
        )

    def finding(self, found: StoredItem) -> Finding:
        """The finding that a report would have for this row."""
        verdict = classify(found.row, self.now, self.policy)
        return build_finding(found.row, verdict, now=self.now, policy=self.policy, fingerprint_key=self.fingerprint_key)


class RowChoice(NamedTuple):
    """Which rows to work on.

    Attributes:
        find: finds them.
        user: the owner whose rows they are; None when one row was named.
    """

    find: Callable[[TokenTable], list[StoredItem]]
    user: str | None = None


def choose_rows(name: str | None, user: str | None, *, is_read_only: bool = False) -> RowChoice:
    """Decide how to find the rows; nothing is asked of AWS yet.

    Args:
        name: a fingerprint (at least its first 6 digits), a row name or a tokenUUID, from the command line.
        user: an owner's name instead of it.
        is_read_only: whether nothing is changed, so that several rows of one fingerprint may be returned.

    Raises:
        ConfigurationError: neither is given, or both, or the name is not valid. The message never repeats the name:
            it may be a token.
    """
    if name is not None and user is not None:
        raise ConfigurationError("a fingerprint and --user both name tokens", "give one of them")
    if user is not None:
        return RowChoice(lambda table: _find_rows_of_user(user, table), user)
    if not name:
        raise ConfigurationError("no token is named", "give its fingerprint, its tokenUUID, or --user NAME", "no-token")
    uuid = strip_csv_mark(name)
    if _UUID(uuid):
        return RowChoice(
            lambda table: _require_one_row(
                table.finder.find_by_uuid(uuid), "that tokenUUID", table, is_read_only=is_read_only
            )
        )
    try:
        fingerprint = parse_fingerprint(name)
    except ValueError:
        raise ConfigurationError(
            "FINGERPRINT is neither 6 to 12 hex digits nor a row name nor a tokenUUID",
            "`janitor token fingerprint` prints a token's fingerprint; for an owner "
            + ("see `janitor token list --user NAME`" if is_read_only else "give --user NAME"),
            "fingerprint",
        ) from None
    return RowChoice(lambda table: _find_by_fingerprint(fingerprint, table, is_read_only=is_read_only))


def open_token_table(
    settings: JudgedTableSettings,
    stop: Stop,
    *,
    is_dry_run: bool,
    max_rcu: float | None = None,
    max_wcu: float | None = None,
) -> TokenTable:
    """Find the table; none of its rows are read yet.

    Args:
        settings: which table, and by which rules its rows are judged.
        stop: says whether the run was asked to stop.
        is_dry_run: whether nothing is changed, so that rows may be judged as of another time.
        max_rcu: read units a second, `inf` for no limit; None for the default.
        max_wcu: write units, likewise.

    Raises:
        AsOfError: --as-of was given, and this is not a dry run.
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    as_of = settings.policy.as_of
    if as_of is not None and not is_dry_run:
        raise AsOfError("--as-of is only for a dry run", "remove --as-of, or give --dry-run")
    fingerprint_key = read_fingerprint_key(settings.protection.fingerprint_key_file)
    opened = open_table(settings.table, dialect=settings.policy.dialect, max_rcu=max_rcu, max_wcu=max_wcu)
    policy = make_policy(settings.policy, settings.protection, opened.table.dialect)
    log_limits(opened.budgets, deletes=False)
    finder = Finder(opened.aws.dynamodb, opened.table, policy, fingerprint_key, stop, budgets=opened.budgets)
    now, earliest = (_read_server_time(opened), opened.earlier_time()) if as_of is None else (as_of, as_of)
    return TokenTable(opened, policy, fingerprint_key, finder, now, earliest)


def print_rows(found: Iterable[StoredItem], table: TokenTable) -> None:
    """Print a line per row on stderr: row name, state, owner, token name, expiry, and what sets it apart."""
    rows = [(table.finding(each), each) for each in found]
    names = [(format_owner(finding_), format_name(finding_)) for finding_, _ in rows]
    is_hashed = table.policy.dialect is Dialect.HASHED
    owner_width, label_width = (max((len(pair[column]) for pair in names), default=0) for column in (0, 1))
    for (finding_, each), (owner_name, token_name) in zip(rows, names, strict=True):
        verdict = classify(each.row, table.now, table.policy)
        expires = printable(describe_expiry(each.row, verdict, table.now))
        gates = " and ".join(finding_.accepted_by)
        acceptance = f"accepted by {gates}" if gates else "LISA rejects it everywhere"
        marks = ", ".join([acceptance, *describe_key_and_uuid(each.row, is_hashed=is_hashed)])
        padded = f"{finding_.state:9}  {owner_name:{owner_width}}  {token_name:{label_width}}"
        click.echo(f"  {finding_.row_name}  {padded}  {expires}; {marks}", err=True)


def make_unknown_token_error(sentence: str, table: TokenTable) -> ConfigurationError:
    """The error to raise when no row is found."""
    return ConfigurationError(f"{sentence} in {table.name}", "`janitor token list` lists all of them", "unknown-token")


def _read_server_time(opened: OpenTable) -> int:
    """The present by DynamoDB's clock, which LISA shares: a token revoked by a fast local clock would stay alive."""
    skew = opened.table.skew_seconds
    if is_worth_a_warning(skew):
        log.warning("clock.skewed", seconds=skew)
        click.echo(f"janitor: {describe_skew(skew)}, whose time counts here", err=True)
    return int(time.time()) - (skew if skew is not None and abs(skew) > _ROUNDING_SECONDS else 0)


def _find_rows_of_user(user: str, table: TokenTable) -> list[StoredItem]:
    found = [each for spelling in list_spellings(user) for each in table.finder.find_by_user(spelling)]
    if table.opened.table.has_owner_index:
        # The index lags behind, and a change needs the row as it is now.
        found = [again for each in found if (again := table.finder.find_by_key(each.row.key.S or "")) is not None]
    if not found:
        raise make_unknown_token_error(f"no token of {printable(user)} is", table)
    return found


def _find_by_fingerprint(fingerprint: str, table: TokenTable, *, is_read_only: bool) -> list[StoredItem]:
    described = f"the {'name' if '-' in fingerprint else 'fingerprint'} {fingerprint}"
    search = table.finder.search(fingerprint)
    if search.matches or not search.near:
        return _require_one_row(search.matches, described, table, is_read_only=is_read_only)
    print_rows(search.near, table)
    error = make_unknown_token_error(f"no row has {described}", table)
    raise ConfigurationError(error.sentence, "the rows above have similar names", error.code)


def _require_one_row(
    found: list[StoredItem], described: str, table: TokenTable, *, is_read_only: bool
) -> list[StoredItem]:
    """Return the one row that was found; a read-only command may get all rows of one fingerprint.

    Raises:
        ConfigurationError: there is none, or there are several. They may even be of one token: in a hashed table the
            legacy row of a token may stand beside its present one, dead or alive.
    """
    if not found:
        raise make_unknown_token_error(f"no row has {described}", table)
    if len(found) == 1 or (is_read_only and len(set(map(table.finder.fingerprint_of_item, found))) == 1):
        return found
    print_rows(found[:MAX_MATCHES], table)
    number = f"more than {MAX_MATCHES}" if len(found) > MAX_MATCHES else f"{len(found)}"
    untouched = "" if is_read_only else ", so nothing was changed"
    sentence = f"{number} rows of {table.name} have {described}{untouched}"
    raise ConfigurationError(sentence, "give the name of one of those above, its first column", "ambiguous-token")
