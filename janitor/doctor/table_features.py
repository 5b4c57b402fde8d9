"""Features of the table in DynamoDB: time to live, point-in-time recovery."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from janitor.doctor.permissions import make_permission_error_check
from janitor.doctor.table import FoundTable
from janitor.dynamodb.client import AwsSession
from janitor.dynamodb.table_features import has_point_in_time_recovery, ttl_attribute
from janitor.errors import JanitorError
from janitor.report.checkup import Check, failed_check, passed_check, skipped_check
from janitor.tokens.attribute_names import EXPIRATION

TTL, RECOVERY = "ttl", "point-in-time-recovery"
_DESCRIBE_TTL = "dynamodb:DescribeTimeToLive"
_DESCRIBE_BACKUPS = "dynamodb:DescribeContinuousBackups"

_Answer = TypeVar("_Answer")


class FeatureCheck(NamedTuple):
    """Two checks of one feature: whether janitor may ask for it, and how it is set."""

    permission: Check
    check: Check


def examine_ttl(found: FoundTable) -> FeatureCheck:
    """Check whether DynamoDB deletes rows by itself. Only this and a warning of sweeps need the permission to ask."""
    return _examine(found, _DESCRIBE_TTL, TTL, ttl_attribute, _judge_ttl)


def examine_recovery(found: FoundTable, *, deletes: bool) -> FeatureCheck:
    """Check whether the table can be restored without the archive. Only this needs the permission to ask."""
    return _examine(
        found,
        _DESCRIBE_BACKUPS,
        RECOVERY,
        has_point_in_time_recovery,
        lambda on: _judge_recovery(is_on=on, deletes=deletes),
    )


def _examine(
    found: FoundTable,
    action: str,
    name: str,
    ask: Callable[[AwsSession, str], _Answer],
    judge: Callable[[_Answer], Check],
) -> FeatureCheck:
    if found.aws is None or found.name is None:
        return FeatureCheck(skipped_check(action, found.skip_reason), skipped_check(name, found.skip_reason))
    try:
        answer = ask(found.aws, found.name)
    except JanitorError as error:
        return FeatureCheck(
            make_permission_error_check(action, error, needed=False),
            skipped_check(name, f"not checked: no answer to {action}"),
        )
    return FeatureCheck(passed_check(action, "allowed", needed=False), judge(answer))


def _judge_ttl(attribute: str | None) -> Check:
    if attribute is None:
        return passed_check(TTL, "off: rows stay until somebody removes them", needed=False)
    if attribute != EXPIRATION:
        return passed_check(TTL, f"on, for {attribute}: DynamoDB deletes rows that have it", needed=False)
    found = f"on, for {EXPIRATION}: DynamoDB deletes rows within days of their expiry, without a report or an archive"
    return failed_check(TTL, found, "switch it off to keep rows for the grace period", needed=False)


def _judge_recovery(*, is_on: bool, deletes: bool) -> Check:
    if is_on:
        return passed_check(RECOVERY, "on", needed=False)
    if not deletes:
        return passed_check(RECOVERY, "off, and this command deletes nothing", needed=False)
    way_out = "switch it on, or make sure that the archive is kept"
    return failed_check(RECOVERY, "off: deleted rows can be restored only from the archive", way_out, needed=False)
