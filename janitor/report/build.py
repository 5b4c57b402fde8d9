"""Builds findings, the rules and the forecast of a report. Pure."""

import datetime as dt
import math
from collections.abc import Mapping

from janitor.report.model import Finding, ForecastDay, PolicyPart
from janitor.tokens.classify import State, Verdict
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.duration import DAY
from janitor.tokens.expiration import LAST_SECOND, calendar_time, guess_intended_expiry, whole_seconds
from janitor.tokens.fingerprint import compute_fingerprint, make_row_name
from janitor.tokens.meaning import describe_row, explain_deletion
from janitor.tokens.policy import Policy
from janitor.tokens.protection import find_protection
from janitor.tokens.redact import redact_pattern, redacted_groups, redacted_texts
from janitor.tokens.row import Row, Value, is_truthy

# The largest whole number that every reader of JSON holds exactly.
MAX_JSON_INTEGER = 2**53 - 1

# A day is unusual with at least this many expiries, if they are also more than three standard deviations (of a Poisson
# distribution) above the mean of the other days, and the horizon has enough days for a mean.
_MIN_UNUSUAL_COUNT = 5
_UNUSUAL_DEVIATIONS = 3
_MIN_DAYS = 7

# The order in which findings need attention: what can still be saved, what just broke, what is odd, what is only old.
_URGENCY = {
    state: rank
    for rank, state in enumerate(
        (State.EXPIRING, State.EXPIRED, State.MALFORMED, State.LEGACY, State.PERMANENT, State.STALE, State.ACTIVE)
    )
}

# These have an expiry, whatever they look like; legacy rows may have one.
_DATED = (State.EXPIRING, State.EXPIRED, State.STALE, State.ACTIVE)


def verdict_urgency(verdict: Verdict, now: int) -> tuple[int, bool, int]:
    """A sort key of a row: most urgent state first, and within a state nearest to `now` first."""
    distance = abs(verdict.expiry - now) if verdict.expiry is not None else 0
    return _rank(verdict.state, verdict.reasons), not verdict.accepted_by, distance


def finding_urgency(finding: Finding) -> tuple[int, bool, int]:
    """The same sort key, of a finding."""
    return _rank(finding.state, finding.reasons), not finding.accepted_by, _distance_of(finding)


def _rank(state: State, reasons: tuple[str, ...]) -> int:
    """The place of a state in the order of urgency; an active row with reasons is as odd as a malformed one."""
    return _URGENCY[State.MALFORMED if reasons and state is State.ACTIVE else state]


def _distance_of(finding: Finding) -> int:
    if finding.seconds_to_expiry is None:
        # Without an expiry, or with one so long ago that JSON does not hold it.
        return MAX_JSON_INTEGER if finding.state in _DATED else 0
    return abs(finding.seconds_to_expiry)


def build_finding(
    row: Row,
    verdict: Verdict,
    *,
    now: int,
    policy: Policy,
    fingerprint_key: bytes | None,
    outcome: DeletionOutcome | None = None,
    table: str | None = None,
) -> Finding:
    """Build the finding of a row.

    Args:
        row: the row.
        verdict: how the policy classified it at `now`.
        now: the UNIX second by which it was judged.
        policy: the rules by which it was judged.
        fingerprint_key: the key of its fingerprint, None for a plain one.
        outcome: what became of it; None for a row that was in no plan.
        table: the label of its table, in a run of several.
    """
    name, username, created_by, token_uuid = redacted_texts(row)
    expiry = verdict.expiry
    stored = expiry if expiry is not None else _stored(row.expiration)
    is_malformed = verdict.state is State.MALFORMED
    intended = guess_intended_expiry(row.expiration) if is_malformed and row.expiration is not None else None
    token = compute_fingerprint(row, policy.dialect, fingerprint_key)
    row_name = make_row_name(row, token, fingerprint_key)
    protected_by = find_protection(row, policy)
    is_planned = outcome is not None
    would_be_planned = protected_by is not None and policy.narrowing.includes(row, token, row_name)
    return Finding(
        fingerprint=token,
        row_name=row_name,
        state=verdict.state,
        accepted_by=verdict.accepted_by,
        expires_at=None if expiry is None else calendar_time(expiry),
        expiration=_for_json(stored),
        seconds_to_expiry=None if expiry is None else _for_json(expiry - now),
        name=name,
        username=username,
        created_by=created_by,
        created_at=_created_at(row.created_date),
        system=is_truthy(row.is_system),
        token_uuid=token_uuid,
        protected_by=protected_by,
        reasons=verdict.reasons,
        outcome=outcome,
        probably_meant=None if intended is None else calendar_time(intended),
        meaning=describe_row(row, verdict, now),
        table=table,
        groups=redacted_groups(row),
        why=explain_deletion(row, verdict, now, policy, is_planned=is_planned)
        if is_planned or would_be_planned
        else None,
    )


def build_policy_part(policy: Policy, *, as_of: int | None, notice_age: int | None = None) -> PolicyPart:
    """Build the rules of a run, or of a plan.

    Args:
        policy: the rules.
        as_of: the UNIX second that the user gave instead of the present; None for the present.
        notice_age: how old a row's notice has to be before it is deleted, in seconds; None if it needs none.
    """
    return PolicyPart(
        dialect=policy.dialect,
        thresholds_seconds=list(policy.thresholds),
        grace_seconds=policy.grace,
        as_of=None if as_of is None else calendar_time(as_of),
        gates=policy.gates,
        unlock_after_seconds=policy.unlock_after,
        users=tuple(map(redact_pattern, policy.narrowing.users)),
        fingerprints=policy.narrowing.fingerprints,
        include=policy.included,
        notice_age_seconds=notice_age,
    )


def build_forecast(expiries: Mapping[int, int], now: int, horizon: int) -> list[ForecastDay]:
    """Build the forecast: the days on which tokens will expire, earliest first.

    Args:
        expiries: how many tokens expire on each day, days counted from 1970-01-01 UTC.
        now: the run's UNIX second.
        horizon: how far the forecast looks, in seconds.
    """
    days = (now + horizon) // DAY - now // DAY + 1
    total = sum(expiries.values())
    epoch = dt.date(1970, 1, 1)
    return [
        ForecastDay(day=epoch + dt.timedelta(days=day), expiring=count, unusual=_is_unusual(count, total, days))
        for day, count in sorted(expiries.items())
        if day * DAY <= LAST_SECOND
    ]


def _is_unusual(count: int, total: int, days: int) -> bool:
    if days < _MIN_DAYS or count < _MIN_UNUSUAL_COUNT:
        return False
    mean = (total - count) / (days - 1)
    return count > mean + _UNUSUAL_DEVIATIONS * math.sqrt(mean)


def _stored(value: Value | None) -> int | None:
    return whole_seconds(value.N) if value is not None and value.N is not None else None


def _for_json(number: int | None) -> int | None:
    return number if number is not None and -MAX_JSON_INTEGER <= number <= MAX_JSON_INTEGER else None


def _created_at(value: Value | None) -> dt.datetime | None:
    second = _stored(value)
    return None if second is None else calendar_time(second)
