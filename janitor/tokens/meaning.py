"""Say what a row's state means, for the person who has to act on it."""

from collections.abc import Iterator

from janitor.tokens.classify import State, Verdict, find_creation, is_deletable
from janitor.tokens.dialect import Dialect, Gate, lacks_uuid
from janitor.tokens.duration import format_duration
from janitor.tokens.expiration import MAX_SECONDS, calendar_time, guess_intended_expiry, read_as_lisa
from janitor.tokens.fingerprint import is_key_hashed
from janitor.tokens.lockout import UNLOCKS_OWNER
from janitor.tokens.policy import Policy
from janitor.tokens.printable import printable
from janitor.tokens.reasons import describe_reasons
from janitor.tokens.redact import redacted_texts
from janitor.tokens.row import Row, Value, describe_kind
from janitor.tokens.times import format_minute

# The words before and after the time since the expiry, or until it.
_DATED_STATES = {
    State.STALE: ("LISA has rejected it everywhere for ", ", longer than the grace"),
    State.EXPIRED: ("LISA has rejected it everywhere for ", "; its grace is not over"),
    State.EXPIRING: ("valid for another ", ""),
    State.ACTIVE: ("valid for another ", ""),
}


def describe_row(row: Row, verdict: Verdict, now: int) -> str:
    """Say in one sentence what the row's state and its reasons mean for people, at the UNIX second `now`."""
    return "; ".join([_describe_state(row, verdict, now), *describe_reasons(row, verdict.reasons)])


def explain_deletion(row: Row, verdict: Verdict, now: int, policy: Policy, *, is_planned: bool) -> str | None:
    """Say in a few words why a sweep deletes the row, or would if nothing protected it; None for a row that stays.

    Args:
        row: the row.
        verdict: what it is; that of a planned row need not say when a row without a date was made.
        now: the UNIX second at which it was judged.
        policy: the rules.
        is_planned: whether it is a row of a plan.
    """
    if not is_planned and not is_deletable(verdict, now, policy):
        return None
    if verdict.expiry is None:
        made = find_creation(row)
        return "undated" if made is None else f"undated, made {format_duration(now - made)} ago"
    if verdict.state is State.LEGACY:
        until = calendar_time(verdict.expiry)
        return f"legacy, dead since {until.date()}" if until else "legacy, dead"
    expired = f"expired {format_duration(now - verdict.expiry)} ago"
    if UNLOCKS_OWNER in verdict.reasons:
        return f"{expired}, unlocks its owner"
    return f"{expired}, grace {format_duration(policy.grace)}"


def _describe_state(row: Row, verdict: Verdict, now: int) -> str:
    if UNLOCKS_OWNER in verdict.reasons:
        since = format_duration(now - (verdict.expiry or 0))
        return f"LISA has rejected it everywhere for {since}; it keeps its owner from a new token"
    if (words := _DATED_STATES.get(verdict.state)) is not None:
        return format_duration(abs((verdict.expiry or 0) - now)).join(words)
    match verdict.state:
        case State.MALFORMED:
            return f"{_describe_malformed(row.expiration)}; {_describe_acceptance(row, verdict.accepted_by)}"
        case State.LEGACY:
            missing = "no tokenUUID; " if lacks_uuid(row) else ""
            return f"{missing}{_describe_acceptance(row, verdict.accepted_by)}"
        case _:
            return f"no expiration; {_describe_acceptance(row, verdict.accepted_by)}"


def describe_key_and_uuid(row: Row, *, is_hashed: bool) -> Iterator[str]:
    """Say what tells a row from the other row of the same token; nothing unless the table is hashed (`is_hashed`)."""
    if is_hashed:
        yield f"its key is {'the sha256 of the token' if is_key_hashed(row, Dialect.HASHED) else 'the token itself'}"
        uuid = redacted_texts(row).token_uuid
        yield f"tokenUUID {printable(uuid)}" if uuid else "no tokenUUID"


def _describe_acceptance(row: Row, gates: tuple[Gate, ...]) -> str:
    if not gates:
        return "LISA rejects it everywhere"
    who = "LISA accepts it" if Gate.API in gates else "only MCP Workbench still accepts it"
    end = read_as_lisa(row.expiration) if row.expiration else None
    if end is None:
        return f"{who}, for ever"
    until = calendar_time(end) if end <= MAX_SECONDS else None
    return f"{who} until {until.date()}" if until else f"{who}, in effect for ever"


def _describe_malformed(value: Value | None) -> str:
    kind = describe_kind(value) if value else "missing"
    guess = guess_intended_expiry(value) if value else None
    when = calendar_time(guess) if guess is not None else None
    meant = f", probably meant as {format_minute(when)} UTC" if when else ""
    return f"broken expiry date: {kind if kind != 'a number' else 'a number too large for seconds'}{meant}"
