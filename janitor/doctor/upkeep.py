"""What DynamoDB does for the table by itself: time to live, point-in-time recovery."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from janitor.doctor.permissions import refused
from janitor.doctor.table import FoundTable
from janitor.dynamodb.client import Aws
from janitor.dynamodb.upkeep import has_point_in_time_recovery, ttl_attribute
from janitor.errors import JanitorError
from janitor.report.checkup import Check, amiss, passed, skipped

TTL, RECOVERY = "ttl", "point-in-time-recovery"
_DESCRIBE_TTL = "dynamodb:DescribeTimeToLive"
_DESCRIBE_BACKUPS = "dynamodb:DescribeContinuousBackups"
_EXPIRATION = "tokenExpiration"

_Answer = TypeVar("_Answer")


class FeatureCheck(NamedTuple):
    """A call that tells something: whether it is allowed, and what it told."""

    permission: Check
    check: Check


def ttl_looked_at(found: FoundTable) -> FeatureCheck:
    """Whether rows go by themselves. Nothing but this and a warning of sweeps asks for it."""
    return _looked(found, _DESCRIBE_TTL, TTL, ttl_attribute, _ttl)


def recovery_looked_at(found: FoundTable, *, deletes: bool) -> FeatureCheck:
    """Whether there is a way back besides the archive. Nothing but this asks for it."""
    return _looked(found, _DESCRIBE_BACKUPS, RECOVERY, has_point_in_time_recovery, lambda on: _recovery(on, deletes))


def _looked(
    found: FoundTable, action: str, name: str, ask: Callable[[Aws, str], _Answer], judge: Callable[[_Answer], Check]
) -> FeatureCheck:
    if found.aws is None or found.name is None:
        return FeatureCheck(skipped(action, found.why_not), skipped(name, found.why_not))
    try:
        answer = ask(found.aws, found.name)
    except JanitorError as error:
        return FeatureCheck(refused(action, error, needed=False), skipped(name, f"not checked: no answer to {action}"))
    return FeatureCheck(passed(action, "allowed", needed=False), judge(answer))


def _ttl(attribute: str | None) -> Check:
    if attribute is None:
        return passed(TTL, "off: rows stay until somebody removes them", needed=False)
    if attribute != _EXPIRATION:
        return passed(TTL, f"on, for {attribute}: rows that have it go by themselves", needed=False)
    found = f"on, for {_EXPIRATION}: rows go by themselves, within days of their expiry, without a report or an archive"
    return amiss(TTL, found, "switch it off where the grace is to be kept", needed=False)


def _recovery(is_on: bool, deletes: bool) -> Check:  # noqa: FBT001  # the answer itself
    if is_on:
        return passed(RECOVERY, "on", needed=False)
    if not deletes:
        return passed(RECOVERY, "off, and this command deletes nothing", needed=False)
    way_out = "switch it on, or see that the archive is kept"
    return amiss(RECOVERY, "off: only the archive is a way back", way_out, needed=False)
