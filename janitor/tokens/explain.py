"""Explain why a row has its state: each rule of states and gates, with the values that it compares. Pure.

Nothing here decides anything: `classify`, `find_accepting_gates` and `is_deletable` do. Tests check that both agree.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from msgspec import structs

from janitor.tokens.classify import State, find_creation
from janitor.tokens.dialect import Dialect, Gate, find_accepting_gates, is_legacy, lacks_uuid
from janitor.tokens.duration import format_duration
from janitor.tokens.expiration import (
    LAST_SECOND,
    MAX_SECONDS,
    calendar_time,
    guess_intended_expiry,
    read_as_lisa,
    read_expiration,
)
from janitor.tokens.policy import Policy
from janitor.tokens.protection import find_protection
from janitor.tokens.reasons import GROUPS_BREAK_AUTHORIZER, find_reasons
from janitor.tokens.row import Row, Value, describe_kind, is_truthy
from janitor.tokens.times import format_second

_TOO_LARGE = {
    "looks-like-milliseconds": "too large for seconds; it looks like milliseconds",
    "looks-like-microseconds": "too large for seconds; it looks like microseconds",
    "out-of-range": "too large for any date",
}


_NO_SHA256 = "the key is not a sha256 in lower case"


class StateRule(NamedTuple):
    """One of the rules that give a row its state; the first that matches wins.

    Attributes:
        state: the row's state, if this is the first rule that matches.
        condition: when the rule matches.
        matches: whether it does.
        why: the values that were compared.
    """

    state: State
    condition: str
    matches: bool
    why: str


class GateExplanation(NamedTuple):
    """Whether one of LISA's gates would accept the row's token.

    Attributes:
        gate: which gate.
        accepts: whether it would accept the token.
        why: by which rule.
        until: the UNIX second from which it refuses; None if it refuses already, or never will.
    """

    gate: Gate
    accepts: bool
    why: str
    until: int | None


class SweepExplanation(NamedTuple):
    """What a sweep would do with the row.

    Attributes:
        deletes: whether it would delete the row now.
        deletable_from: the first UNIX second at which a sweep may delete it, ignoring its protection; None for never.
        needs_include: what `--include` has to name for that, None for nothing.
        protected_by: what protects it, None for nothing.
        why: a sentence.
    """

    deletes: bool
    deletable_from: int | None
    needs_include: Literal["legacy", "undated"] | None
    protected_by: str | None
    why: str


class LockoutExplanation(NamedTuple):
    """Whether the row keeps its owner from creating a token; None if that cannot happen."""

    locked_out: bool | None
    why: str


def explain_state(row: Row, now: int, policy: Policy) -> list[StateRule]:
    """List every state rule in order, at the UNIX second `now`."""
    expiry, reason = read_expiration(row.expiration) if row.expiration is not None else (None, None)
    rules = [_malformed_rule(row.expiration, expiry, reason), _legacy_rule(row, policy.dialect), _permanent_rule(row)]
    rules += _dated_rules(expiry, now, policy)
    is_active = not any(rule.matches for rule in rules)
    why = "no other rule matches" if is_active else "another rule matches"
    return [*rules, StateRule(State.ACTIVE, "none of the rules above", is_active, why)]


def explain_gates(row: Row, now: int, dialect: Dialect) -> list[GateExplanation]:
    """Explain both gates, at the UNIX second `now`."""
    accepts, why, until = _apply_classic_rule(row, now)
    missing = _find_missing_for_api(row) if dialect is Dialect.HASHED else None
    if missing is None:
        fails = accepts and dialect is Dialect.HASHED and GROUPS_BREAK_AUTHORIZER in find_reasons(row)
        partly = "; only Serve: its groups make API Gateway's authorizer fail" if fails else ""
        api = GateExplanation(Gate.API, accepts, f"{why}{partly}", until)
    else:
        api = GateExplanation(Gate.API, accepts=False, why=missing, until=None)
    if accepts and dialect is Dialect.HASHED:
        what = "the token itself, its key" if is_legacy(row) else "not the token, but its sha256, its key"
        why = f"{why}; {what}, opens it, so anyone who has read that gets in"
    return [api, GateExplanation(Gate.WORKBENCH, accepts, why, until)]


def first_deletable_second(row: Row, policy: Policy) -> int | None:
    """Return the first UNIX second at which `is_deletable` holds; it holds ever after. None for never."""
    if row.expiration is None:
        created = find_creation(row)
        is_dead = policy.dialect is Dialect.HASHED and not policy.has_workbench
        return created + policy.grace if created is not None and is_dead and policy.include_undated else None
    expiry, reason = read_expiration(row.expiration)
    if expiry is None or reason is not None:
        return None
    if policy.dialect is Dialect.HASHED and is_legacy(row) and not policy.include_legacy:
        return None
    return expiry + policy.grace


def explain_sweep(row: Row, now: int, policy: Policy) -> SweepExplanation:
    """Explain what a sweep under this policy would do with the row at the UNIX second `now`, and when."""
    second = first_deletable_second(row, structs.replace(policy, include_legacy=True, include_undated=True))
    needs_include: Literal["legacy", "undated"] | None = None
    if second is not None and first_deletable_second(row, policy) is None:
        needs_include = "undated" if row.expiration is None else "legacy"
    protection = find_protection(row, policy)
    deletes = second is not None and now >= second and needs_include is None and protection is None
    why = _describe_sweep(row, second, protection, now=now, needs_include=needs_include)
    return SweepExplanation(deletes, second, needs_include, protection, why)


def explain_lockout(row: Row, rows_of_owner: Iterable[Row], now: int, dialect: Dialect) -> LockoutExplanation:
    """Explain whether the row locks its owner out.

    LISA 6.1 and later create no token for a user who has any row (lambda/api_tokens/handler.py, `_get_user_token`). An
    owner with an accepted row needs no other one.

    Args:
        row: the row.
        rows_of_owner: all rows with its username; may include the row itself.
        now: the UNIX second.
        dialect: which LISA reads the table.
    """
    if dialect is Dialect.CLASSIC:
        return LockoutExplanation(None, "LISA before 6.1 creates no tokens, so nobody is locked out")
    if row.username is None or not row.username.S:
        return LockoutExplanation(None, "the row names no owner")
    if Gate.API in find_accepting_gates(row, now, dialect):
        return LockoutExplanation(locked_out=False, why="LISA's API accepts this very row")
    if any(Gate.API in find_accepting_gates(other, now, dialect) for other in rows_of_owner):
        return LockoutExplanation(locked_out=False, why="LISA's API accepts another row of this owner")
    why = "LISA creates no token for a user who has a row, and its API accepts none of this owner's"
    return LockoutExplanation(locked_out=True, why=why)


def describe_time(second: int) -> str:
    """Format a UNIX second as a time in UTC, or say that it is outside the years 1 to 9999."""
    when = calendar_time(second)
    if when is not None:
        return format_second(when)
    return "after the year 9999" if second > LAST_SECOND else "before the year 1"


def _malformed_rule(value: Value | None, expiry: int | None, reason: str | None) -> StateRule:
    condition = f"tokenExpiration is not a number, or above {MAX_SECONDS:,}"
    if value is None:
        why = "there is none"
    elif expiry is not None:
        why = f"it is a number: {describe_time(expiry)}"
    else:
        fault = _TOO_LARGE.get(reason or "", "not a number")
        why = f"it is {describe_kind(value)}, {fault}{_describe_guess(value)}"
    return StateRule(State.MALFORMED, condition, reason is not None, why)


def _describe_guess(value: Value) -> str:
    guess = guess_intended_expiry(value)
    return "" if guess is None else f"; probably meant as {describe_time(guess)}"


def _legacy_rule(row: Row, dialect: Dialect) -> StateRule:
    condition = "LISA 6.1 or later (hashed), and no tokenUUID, or a key that is not a sha256 in lower case"
    if dialect is Dialect.CLASSIC:
        return StateRule(State.LEGACY, condition, matches=False, why="the table is classic")
    if not is_legacy(row):
        return StateRule(State.LEGACY, condition, matches=False, why="there is a tokenUUID, and the key is a sha256")
    if not lacks_uuid(row):
        return StateRule(State.LEGACY, condition, matches=True, why=_NO_SHA256)
    return StateRule(State.LEGACY, condition, matches=True, why=_describe_absence(row.token_uuid))


def _permanent_rule(row: Row) -> StateRule:
    is_missing = row.expiration is None
    return StateRule(
        State.PERMANENT, "no tokenExpiration", is_missing, "there is none" if is_missing else "there is one"
    )


def _dated_rules(expiry: int | None, now: int, policy: Policy) -> Iterator[StateRule]:
    grace, horizon = format_duration(policy.grace), format_duration(policy.horizon)
    conditions = {
        State.STALE: f"now >= expiry + {grace}",
        State.EXPIRED: "now >= expiry",
        State.EXPIRING: f"expiry <= now + {horizon}",
    }
    if expiry is None:
        for state, condition in conditions.items():
            yield StateRule(state, condition, matches=False, why="there is no expiry to compare")
        return
    compared = {
        State.STALE: _at_least(now, expiry + policy.grace),
        State.EXPIRED: _at_least(now, expiry),
        State.EXPIRING: _at_most(expiry, now + policy.horizon),
    }
    for state, condition in conditions.items():
        yield StateRule(state, condition, *compared[state])


def _at_least(left: int, right: int) -> tuple[bool, str]:
    return left >= right, f"{describe_time(left)} {'>=' if left >= right else '<'} {describe_time(right)}"


def _at_most(left: int, right: int) -> tuple[bool, str]:
    return left <= right, f"{describe_time(left)} {'<=' if left <= right else '>'} {describe_time(right)}"


def _apply_classic_rule(row: Row, now: int) -> tuple[bool, str, int | None]:
    """Return whether the classic rule accepts the row, why, and until which UNIX second."""
    if row.expiration is None:
        return True, "there is no tokenExpiration, so it is valid for ever", None
    second = read_as_lisa(row.expiration)
    if second is None:
        return False, f"LISA cannot read tokenExpiration as a number: it is {describe_kind(row.expiration)}", None
    if now < second:
        return True, f"now < tokenExpiration: {describe_time(now)} < {describe_time(second)}", second
    return False, f"now >= tokenExpiration: {describe_time(now)} >= {describe_time(second)}", None


def _find_missing_for_api(row: Row) -> str | None:
    """Say what this row lacks that the hashed api gate requires before it reads the date; None for nothing."""
    if lacks_uuid(row):
        return f"it requires a tokenUUID: {_describe_absence(row.token_uuid)}"
    if is_legacy(row):
        return f"it never finds the row: {_NO_SHA256}"
    if not is_truthy(row.expiration):
        return f"it requires a tokenExpiration: {_describe_absence(row.expiration)}"
    return None


def _describe_absence(value: Value | None) -> str:
    if value is None:
        return "there is none"
    return f"it is {describe_kind(value)} that LISA takes for a missing one"


def _describe_sweep(
    row: Row, second: int | None, protection: str | None, *, now: int, needs_include: str | None
) -> str:
    if second is None:
        what = "with a broken date" if row.expiration is not None else "without an expiration"
        return f"never deletes a row {what}"
    when = describe_time(second)
    if protection is not None:
        included = f" with --include {needs_include}" if needs_include else ""
        return f"never deletes it while it is protected ({protection}); without that{included}, from {when} on"
    if needs_include:
        return f"deletes it only with --include {needs_include}, from {when} on"
    if now >= second:
        return f"deletes it: its grace ended at {when}"
    return f"keeps it until its grace ends at {when}, then deletes it"
