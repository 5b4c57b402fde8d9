"""Why a row is what it is: the rules of states and gates one by one, with the values that they compare. Pure.

Nothing here decides anything: `classify`, `accepted_by` and `is_deletable` do, and the tests hold the two together.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import structs

from janitor.tokens.classify import State
from janitor.tokens.dialect import Dialect, Gate, accepted_by, lacks_uuid
from janitor.tokens.duration import spoken_duration
from janitor.tokens.expiration import LAST_SECOND, MAX_SECONDS, as_lisa_reads, moment, probably_meant, read_expiration
from janitor.tokens.policy import Policy
from janitor.tokens.protection import protected_by
from janitor.tokens.row import KIND_WORDS, Row, Value, is_true
from janitor.tokens.times import second_of

_TOO_LARGE = {
    "looks-like-milliseconds": "too large for seconds; it looks like milliseconds",
    "looks-like-microseconds": "too large for seconds; it looks like microseconds",
    "out-of-range": "too large for any date",
}


class Rule(NamedTuple):
    """One of the rules that give a row its state; of those that match, the first wins.

    Attributes:
        state: what the row is, if this is the first rule that matches.
        condition: when it matches.
        matches: whether it does.
        why: the values that were compared.
    """

    state: State
    condition: str
    matches: bool
    why: str


class GateRule(NamedTuple):
    """What one of LISA's gates would say to whoever comes with the row's token.

    Attributes:
        gate: which.
        accepts: whether it would let them in.
        why: by which rule.
        until: the UNIX second from which on it refuses; None where it refuses already, or never will.
    """

    gate: Gate
    accepts: bool
    why: str
    until: int | None


class Sweeping(NamedTuple):
    """What a sweep would do with the row.

    Attributes:
        deletes: whether it would delete it now.
        deletable_from: the first UNIX second at which a sweep may take it, its protection aside; None for never.
        needs_include: whether only a sweep that is told `--include legacy` may.
        protected_by: what protects it, None for nothing.
        why: a sentence.
    """

    deletes: bool
    deletable_from: int | None
    needs_include: bool
    protected_by: str | None
    why: str


class Lockout(NamedTuple):
    """Whether the row keeps its owner from creating a token; None where the question does not arise."""

    locked_out: bool | None
    why: str


def rules(row: Row, now: int, policy: Policy) -> list[Rule]:
    """Every rule in order, at the UNIX second `now`."""
    expiry, reason = read_expiration(row.expiration) if row.expiration is not None else (None, None)
    found = [_malformed(row.expiration, expiry, reason), _legacy(row, policy.dialect), _permanent(row)]
    found += _dated(expiry, now, policy)
    rest = not any(rule.matches for rule in found)
    return [*found, Rule(State.ACTIVE, "none of the rules above", rest, "none matches" if rest else "one matches")]


def gate_rules(row: Row, now: int, dialect: Dialect) -> list[GateRule]:
    """Both gates, at the UNIX second `now`."""
    accepts, why, until = _classic_rule(row, now)
    missing = _missing_for_api(row) if dialect is Dialect.HASHED else None
    if missing is None:
        api = GateRule(Gate.API, accepts, why, until)
    else:
        api = GateRule(Gate.API, accepts=False, why=missing, until=None)
    if accepts and dialect is Dialect.HASHED and not lacks_uuid(row):
        why = f"{why}; it takes the row's key for the token, so that whoever has read that hash gets in"
    return [api, GateRule(Gate.WORKBENCH, accepts, why, until)]


def deletable_from(row: Row, policy: Policy) -> int | None:
    """The first UNIX second at which `is_deletable` holds, and it holds ever after; None for never."""
    expiry, reason = read_expiration(row.expiration) if row.expiration is not None else (None, None)
    if expiry is None or reason is not None:
        return None
    if policy.dialect is Dialect.HASHED and lacks_uuid(row) and not policy.include_legacy:
        return None
    return expiry + policy.grace


def sweeping(row: Row, now: int, policy: Policy) -> Sweeping:
    """What a sweep under this policy would do at the UNIX second `now`, and when."""
    second = deletable_from(row, structs.replace(policy, include_legacy=True))
    needs_include = second is not None and deletable_from(row, policy) is None
    protection = protected_by(row, policy)
    deletes = second is not None and now >= second and not needs_include and protection is None
    why = _why_swept(row, second, protection, now=now, needs_include=needs_include)
    return Sweeping(deletes, second, needs_include, protection, why)


def lockout(row: Row, rows_of_owner: Iterable[Row], now: int, dialect: Dialect) -> Lockout:
    """Whether the row's owner is locked out by it.

    LISA 6.1 and later create no token for a user who has any row (lambda/api_tokens/handler.py, `_get_user_token`). An
    owner who has an accepted one has no need of another.

    Args:
        row: the row.
        rows_of_owner: all rows with its username; the row itself may be among them.
        now: the UNIX second.
        dialect: which LISA reads the table.
    """
    if dialect is Dialect.CLASSIC:
        return Lockout(None, "LISA before 6.1 creates no tokens, so nobody is locked out")
    if row.username is None or not row.username.S:
        return Lockout(None, "the row names no owner")
    if Gate.API in accepted_by(row, now, dialect):
        return Lockout(locked_out=False, why="LISA's API accepts this very row")
    if any(Gate.API in accepted_by(other, now, dialect) for other in rows_of_owner):
        return Lockout(locked_out=False, why="LISA's API accepts another row of this owner")
    why = "LISA creates no token for a user who has a row, and its API accepts none of this owner's"
    return Lockout(locked_out=True, why=why)


def time_words(second: int) -> str:
    """A UNIX second as a time in UTC, to the second."""
    when = moment(second)
    if when is not None:
        return second_of(when)
    return "after the year 9999" if second > LAST_SECOND else "before the year 1"


def _malformed(value: Value | None, expiry: int | None, reason: str | None) -> Rule:
    condition = f"tokenExpiration is there, but no number, or above {MAX_SECONDS:,}"
    if value is None:
        why = "there is none"
    elif expiry is not None:
        why = f"it is a number: {time_words(expiry)}"
    else:
        fault = _TOO_LARGE.get(reason or "", "not a number")
        why = f"it is {KIND_WORDS.get(value.kind, 'of no known type')}, {fault}{_meant(value)}"
    return Rule(State.MALFORMED, condition, reason is not None, why)


def _meant(value: Value) -> str:
    meant = probably_meant(value)
    return "" if meant is None else f"; probably meant as {time_words(meant)}"


def _legacy(row: Row, dialect: Dialect) -> Rule:
    condition = "LISA 6.1 or later (hashed), and no tokenUUID"
    if dialect is Dialect.CLASSIC:
        return Rule(State.LEGACY, condition, matches=False, why="the table is classic")
    if not lacks_uuid(row):
        return Rule(State.LEGACY, condition, matches=False, why="there is one")
    return Rule(State.LEGACY, condition, matches=True, why=_none_of(row.token_uuid))


def _permanent(row: Row) -> Rule:
    is_missing = row.expiration is None
    return Rule(State.PERMANENT, "no tokenExpiration", is_missing, "there is none" if is_missing else "there is one")


def _dated(expiry: int | None, now: int, policy: Policy) -> Iterator[Rule]:
    grace, horizon = spoken_duration(policy.grace), spoken_duration(policy.horizon)
    conditions = {
        State.STALE: f"now >= expiry + {grace}",
        State.EXPIRED: "now >= expiry",
        State.EXPIRING: f"expiry <= now + {horizon}",
    }
    if expiry is None:
        for state, condition in conditions.items():
            yield Rule(state, condition, matches=False, why="there is no expiry to compare")
        return
    compared = {
        State.STALE: _at_least(now, expiry + policy.grace),
        State.EXPIRED: _at_least(now, expiry),
        State.EXPIRING: _at_most(expiry, now + policy.horizon),
    }
    for state, condition in conditions.items():
        yield Rule(state, condition, *compared[state])


def _at_least(left: int, right: int) -> tuple[bool, str]:
    return left >= right, f"{time_words(left)} {'>=' if left >= right else '<'} {time_words(right)}"


def _at_most(left: int, right: int) -> tuple[bool, str]:
    return left <= right, f"{time_words(left)} {'<=' if left <= right else '>'} {time_words(right)}"


def _classic_rule(row: Row, now: int) -> tuple[bool, str, int | None]:
    if row.expiration is None:
        return True, "there is no tokenExpiration, which is for ever", None
    second = as_lisa_reads(row.expiration)
    if second is None:
        kind = KIND_WORDS.get(row.expiration.kind, "of no known type")
        return False, f"int() of tokenExpiration raises, for it is {kind} that it cannot read", None
    if now < second:
        return True, f"now < tokenExpiration: {time_words(now)} < {time_words(second)}", second
    return False, f"now >= tokenExpiration: {time_words(now)} >= {time_words(second)}", None


def _missing_for_api(row: Row) -> str | None:
    """What the hashed api gate asks for before it looks at the date, and does not find."""
    if lacks_uuid(row):
        return f"it asks for a tokenUUID: {_none_of(row.token_uuid)}"
    if not is_true(row.expiration):
        return f"it asks for a tokenExpiration: {_none_of(row.expiration)}"
    return None


def _none_of(value: Value | None) -> str:
    if value is None:
        return "there is none"
    return f"it is {KIND_WORDS.get(value.kind, 'of no known type')} that counts as none"


def _why_swept(row: Row, second: int | None, protection: str | None, *, now: int, needs_include: bool) -> str:
    if second is None:
        return f"never: {_why_never(row)}"
    when = time_words(second)
    if protection is not None:
        included = " with --include legacy" if needs_include else ""
        return f"never while it is protected ({protection}); else{included} from {when} on"
    if needs_include:
        return f"never, unless it is told --include legacy: then from {when} on"
    if now >= second:
        return f"it deletes it: the grace is over since {when}"
    return f"it keeps it until the grace is over, and deletes it from {when} on"


def _why_never(row: Row) -> str:
    if row.expiration is not None:
        return "a row with a malformed date is never deleted by a sweep"
    return "a row without an expiration is never deleted by a sweep"
