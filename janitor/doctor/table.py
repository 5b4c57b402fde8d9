"""Who asks, which table that is, and what it looks like."""

from typing import NamedTuple

from janitor.aws.errors import DENIALS, PASSING_ERRORS
from janitor.dynamodb.caller import IdentifiedAws
from janitor.dynamodb.client import Aws
from janitor.dynamodb.clock import JUDGED_BY, is_worth_a_warning, skew_words
from janitor.dynamodb.locate import OWNER_INDEX, Table
from janitor.errors import ConfigurationError, CredentialsError, JanitorError
from janitor.report.checkup import Check, amiss, passed, raised, skipped
from janitor.settings.doctor import DoctorCommand
from janitor.settings.table import TableSettings
from janitor.tokens.dialect import Dialect
from janitor.wiring.table import MAX_SKEW_SECONDS, connection_of, names_a_table, open_session, open_table

CREDENTIALS, TABLE, KEY, DIALECT, CLOCK = "credentials", "table", "key", "dialect", "clock"
_NOT_OURS = "not-a-token-table"


class Session(NamedTuple):
    """The way to AWS.

    Attributes:
        aws: None where there is none.
        why_not: why nothing can be asked of AWS; None where it can.
        check: what was found.
    """

    aws: IdentifiedAws | None
    why_not: str | None
    check: Check


def session_for(settings: TableSettings, *, needed: bool) -> Session:
    """Open a session and ask who it is."""
    no_credentials = "not checked: no credentials"
    try:
        aws = IdentifiedAws(connection_of(settings))
    except JanitorError as error:
        return Session(None, "not checked: no session", raised(CREDENTIALS, error, needed=needed))
    try:
        caller = aws.caller()
    except (ConfigurationError, CredentialsError) as error:
        return Session(aws, no_credentials, raised(CREDENTIALS, error, needed=needed))
    except JanitorError as error:
        if aws.endpoint("sts") is None and error.code not in PASSING_ERRORS:
            return Session(aws, no_credentials, raised(CREDENTIALS, error, needed=needed))
        # No run asks STS who it is: a network without a way there, or an endpoint without STS, is no obstacle.
        found = f"there are some; whose they are was not told ({error.sentence})"
        return Session(aws, None, amiss(CREDENTIALS, found, None, needed=False))
    return Session(aws, None, passed(CREDENTIALS, f"{caller.arn} (account {caller.account_id})", needed=needed))


class FoundTable(NamedTuple):
    """The table, and what was found of it.

    Attributes:
        aws: a session that is for the table alone; None where there is none to ask.
        name: the table's, None where nobody knows.
        table: None where it could not be looked at.
        denial: why it could not, where a permission is all that is missing.
        why_not: why what depends on it cannot be checked; empty where it can.
        checks: table, key and dialect.
    """

    aws: Aws | None
    name: str | None
    table: Table | None
    denial: JanitorError | None
    why_not: str
    checks: tuple[Check, ...]


def table_for(given: DoctorCommand, opened: Session, *, is_optional: bool) -> FoundTable:
    """Find the table.

    Args:
        given: the settings.
        opened: as `session_for` opened it.
        is_optional: whether none need be named.
    """
    if is_optional and not names_a_table(given.table):
        return _no_table(skipped(TABLE, "not asked for: none is named"), "not checked: no table is named")
    if opened.why_not is not None:
        return _no_table(skipped(TABLE, opened.why_not), opened.why_not)
    try:
        aws, table = _reached(given)
    except JanitorError as error:
        return _not_reached(given.table, error)
    where = f"{table.region}, {table.endpoint}" if table.endpoint else table.region
    size = f"about {table.item_count:,} rows, {spoken_size(table.size_bytes)}"
    checks = (passed(TABLE, f"{table.name} in {where}: {size}"), passed(KEY, "token (S)"))
    return FoundTable(aws, table.name, table, None, "", (*checks, _dialect(given.doctor.dialect, table)))


def _reached(given: DoctorCommand) -> tuple[Aws, Table]:
    reached = open_table(given.table, dialect=given.doctor.dialect)
    return reached.aws, reached.table


def _not_reached(settings: TableSettings, error: JanitorError) -> FoundTable:
    if error.code == _NOT_OURS:
        why_not = "not checked: it is no token table"
        checks = (passed(TABLE, "it is there"), raised(KEY, error, needed=True), skipped(DIALECT, why_not))
        return FoundTable(None, None, None, None, why_not, checks)
    if error.code in DENIALS and settings.table:
        # Whoever is to grant what is missing wants to hear of all of it at once.
        why_not = "not checked: dynamodb:DescribeTable is denied"
        checks = (skipped(TABLE, why_not), skipped(KEY, why_not), skipped(DIALECT, why_not))
        return FoundTable(open_session(settings), settings.table, None, error, why_not, checks)
    return _no_table(raised(TABLE, error, needed=True), "not checked: no table")


def _no_table(check: Check, why_not: str) -> FoundTable:
    return FoundTable(None, None, None, None, why_not, (check, skipped(KEY, why_not), skipped(DIALECT, why_not)))


def _dialect(chosen: str | None, table: Table) -> Check:
    """The dialect and why; a choice that the table's shape speaks against may be meant so."""
    shape = f"the table has {'the' if table.has_owner_index else 'no'} index {OWNER_INDEX}"
    if chosen is None:
        return passed(DIALECT, f"{table.dialect}: {shape}")
    likely = Dialect.HASHED if table.has_owner_index else Dialect.CLASSIC
    if table.dialect is likely:
        return passed(DIALECT, f"{table.dialect}: --dialect says so, and {shape}")
    found = f"{table.dialect}: --dialect says so, but {shape}, as of a LISA that reads it as {likely}"
    return amiss(DIALECT, found, "see which LISA it is, or go without --dialect", needed=False)


def clock_check(given: DoctorCommand, found: FoundTable, *, plans: bool) -> Check:
    """The clock. By a wrong one nothing is deleted, and nothing announced."""
    if found.table is None:
        return skipped(CLOCK, found.why_not)
    limit = given.doctor.max_clock_skew if plans else MAX_SKEW_SECONDS
    needed = plans or given.doctor.sns_topic_arn is not None
    skew = found.table.skew_seconds
    if skew is None:
        way_out = "go through an endpoint that sends a date"
        return amiss(CLOCK, "DynamoDB's answer carried no date to check it by", way_out, needed=needed)
    way_out = "set the clock of this machine right"
    if abs(skew) > limit:
        return amiss(CLOCK, f"{skew_words(skew)}, more than {limit:,}", way_out, needed=needed)
    if is_worth_a_warning(skew):
        # A run says the same, and goes on.
        return amiss(CLOCK, f"{skew_words(skew)}; {JUDGED_BY}", way_out, needed=False)
    return passed(CLOCK, f"{skew:+,} seconds off DynamoDB's, and {limit:,} are allowed", needed=needed)


def spoken_size(size_bytes: int) -> str:
    """So many bytes, for a person."""
    size = float(size_bytes)
    for unit in ("bytes", "KB", "MB"):
        if size < 1024:  # noqa: PLR2004  # as DynamoDB counts
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GB"
