"""The credentials, the table, its key and dialect, and the clock."""

from typing import NamedTuple

from janitor.aws.errors import DENIALS, TRANSIENT_ERRORS
from janitor.dynamodb.caller import IdentifiedSession
from janitor.dynamodb.client import AwsSession
from janitor.dynamodb.clock import JUDGED_BY, describe_skew, is_worth_a_warning
from janitor.dynamodb.locate import OWNER_INDEX, Table, find_newer_table
from janitor.errors import ConfigurationError, CredentialsError, JanitorError
from janitor.report.checkup import Check, error_check, failed_check, passed_check, skipped_check
from janitor.settings.doctor import DoctorCommand
from janitor.settings.table import TableSettings
from janitor.tokens.dialect import Dialect
from janitor.wiring.open_table import (
    MAX_SKEW_SECONDS,
    describe_newer_table,
    make_aws_access,
    names_a_table,
    open_session,
    open_table,
)

_CREDENTIALS, _TABLE, _KEY, _DIALECT, _CLOCK = "credentials", "table", "key", "dialect", "clock"
_NOT_OURS = "not-a-token-table"


class Session(NamedTuple):
    """The session to ask AWS through.

    Attributes:
        aws: the session; None if it could not be opened.
        skip_reason: why checks that need AWS are skipped; None if they are not.
        check: the check of the credentials.
    """

    aws: IdentifiedSession | None
    skip_reason: str | None
    check: Check


def identify_session(settings: TableSettings, *, needed: bool) -> Session:
    """Open a session, and ask AWS whose credentials it has."""
    no_credentials = "not checked: no credentials"
    try:
        aws = IdentifiedSession(make_aws_access(settings))
    except JanitorError as error:
        return Session(None, "not checked: no session", error_check(_CREDENTIALS, error, needed=needed))
    try:
        caller = aws.caller()
    except (ConfigurationError, CredentialsError) as error:
        return Session(aws, no_credentials, error_check(_CREDENTIALS, error, needed=needed))
    except JanitorError as error:
        if aws.endpoint("sts") is None and error.code not in TRANSIENT_ERRORS:
            return Session(aws, no_credentials, error_check(_CREDENTIALS, error, needed=needed))
        # No run needs STS: a network that does not lead there, or an endpoint without STS, does no harm.
        found = f"there are credentials, but AWS did not say whose ({error.sentence})"
        return Session(aws, None, failed_check(_CREDENTIALS, found, None, needed=False))
    return Session(aws, None, passed_check(_CREDENTIALS, f"{caller.arn} (account {caller.account_id})", needed=needed))


class FoundTable(NamedTuple):
    """The table, and what was found out about it.

    Attributes:
        aws: a session for this table alone; None if the table cannot be asked for anything.
        name: the table's name; None if it is not known.
        table: None if it could not be described.
        denial: the error, if it could not be described for lack of a permission alone.
        skip_reason: why checks that need the table are skipped; empty if they are not.
        checks: those of the table, its key and its dialect.
    """

    aws: AwsSession | None
    name: str | None
    table: Table | None
    denial: JanitorError | None
    skip_reason: str
    checks: tuple[Check, ...]


def examine_table(settings: DoctorCommand, session: Session, *, is_optional: bool) -> FoundTable:
    """Find the table, and check its key and dialect.

    Args:
        settings: the settings.
        session: the session.
        is_optional: whether the settings may name no table.
    """
    if is_optional and not names_a_table(settings.table):
        return _make_missing_table_check(
            skipped_check(_TABLE, "not asked for: no table is named"), "not checked: no table is named"
        )
    if session.skip_reason is not None:
        return _make_missing_table_check(skipped_check(_TABLE, session.skip_reason), session.skip_reason)
    try:
        opened = open_table(settings.table, dialect=settings.doctor.dialect)
    except JanitorError as error:
        return _examine_failure(settings.table, error)
    table = opened.table
    where = f"{table.region}, {table.endpoint}" if table.endpoint else table.region
    size = f"about {table.item_count:,} rows, {format_size(table.size_bytes)}"
    found = passed_check(_TABLE, f"{table.name} in {where}: {size}")
    newer = find_newer_table(opened.aws, table)
    if newer is not None:
        # A run gives the same warning, and goes on.
        sentence = f"{found.found}; {describe_newer_table(table.name, newer)}"
        found = failed_check(_TABLE, sentence, f"name the newer one with --table {newer}", needed=False)
    checks = (found, passed_check(_KEY, "token (S)"), _examine_dialect(settings.doctor.dialect, table))
    return FoundTable(opened.aws, table.name, table, None, "", checks)


def _examine_failure(settings: TableSettings, error: JanitorError) -> FoundTable:
    """Say what the error shows of the table."""
    if error.code == _NOT_OURS:
        skip_reason = "not checked: it is not a token table"
        checks = (
            passed_check(_TABLE, "it is there"),
            error_check(_KEY, error, needed=True),
            skipped_check(_DIALECT, skip_reason),
        )
        return FoundTable(None, None, None, None, skip_reason, checks)
    if error.code in DENIALS and settings.table:
        # Go on: whoever grants the missing permissions wants to see all of them at once.
        skip_reason = "not checked: dynamodb:DescribeTable is denied"
        checks = (
            skipped_check(_TABLE, skip_reason),
            skipped_check(_KEY, skip_reason),
            skipped_check(_DIALECT, skip_reason),
        )
        return FoundTable(open_session(settings), settings.table, None, error, skip_reason, checks)
    return _make_missing_table_check(error_check(_TABLE, error, needed=True), "not checked: no table")


def _make_missing_table_check(check: Check, skip_reason: str) -> FoundTable:
    return FoundTable(
        None,
        None,
        None,
        None,
        skip_reason,
        (check, skipped_check(_KEY, skip_reason), skipped_check(_DIALECT, skip_reason)),
    )


def _examine_dialect(chosen: str | None, table: Table) -> Check:
    """Check the dialect. If --dialect contradicts the table's shape, that may be intended: a warning."""
    shape = f"the table has {'the' if table.has_owner_index else 'no'} index {OWNER_INDEX}"
    if chosen is None:
        return passed_check(_DIALECT, f"{table.dialect}: {shape}")
    likely = Dialect.HASHED if table.has_owner_index else Dialect.CLASSIC
    if table.dialect is likely:
        return passed_check(_DIALECT, f"{table.dialect}: --dialect says so, and {shape}")
    found = f"{table.dialect}: --dialect says so, but {shape}, as in tables that LISA reads as {likely}"
    return failed_check(_DIALECT, found, "check the version of LISA, or remove --dialect", needed=False)


def examine_clock(settings: DoctorCommand, found: FoundTable, *, plans: bool) -> Check:
    """Check the clock. With a wrong one a run deletes nothing and announces nothing."""
    if found.table is None:
        return skipped_check(_CLOCK, found.skip_reason)
    limit = settings.doctor.max_clock_skew if plans else MAX_SKEW_SECONDS
    needed = plans or settings.doctor.sns_topic_arn is not None
    skew = found.table.skew_seconds
    if skew is None:
        way_out = "use an endpoint that sends a Date header"
        return failed_check(_CLOCK, "DynamoDB's answer has no date to compare it with", way_out, needed=needed)
    way_out = "correct the clock of this machine"
    if abs(skew) > limit:
        return failed_check(_CLOCK, f"{describe_skew(skew)}, more than {limit:,}", way_out, needed=needed)
    if is_worth_a_warning(skew):
        # A run gives the same warning, and goes on.
        return failed_check(_CLOCK, f"{describe_skew(skew)}; {JUDGED_BY}", way_out, needed=False)
    return passed_check(_CLOCK, f"{abs(skew):,} seconds off DynamoDB's; up to {limit:,} are allowed", needed=needed)


def format_size(size_bytes: int) -> str:
    """Format a number of bytes for people."""
    size = float(size_bytes)
    for unit in ("bytes", "KB", "MB"):
        if size < 1024:  # noqa: PLR2004  # as DynamoDB counts
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GB"
