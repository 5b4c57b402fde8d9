"""Decide what a requested change of a token's expiry leads to: a second to write, no change, or a refusal.

The decision depends on LISA's gates. A gate accepts a row until some second, for ever, or not at all. A change moves
that end for each gate. If a gate that refuses the row would accept it, the token is revived; if a gate that
accepts it would stop earlier, the token is shortened.
"""

import math
from typing import NamedTuple, TypeAlias

from janitor.tokens.classify import Verdict, classify
from janitor.tokens.dialect import Dialect, Gate, is_legacy, lacks_uuid
from janitor.tokens.duration import DAY, format_relative
from janitor.tokens.expiration import MAX_SECONDS, calendar_time, read_as_lisa
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, is_truthy
from janitor.tokens.times import format_second

TEN_YEARS = 3_653 * DAY

_FOR_EVER = math.inf
_NOT_AT_ALL = -math.inf


class NewExpiry(NamedTuple):
    """Write this UNIX second."""

    second: int


class NoChange(NamedTuple):
    """Write nothing, because the row is already as requested; `why` says how."""

    why: str


class Refusal(NamedTuple):
    """Write nothing, because a rule forbids it.

    Attributes:
        why: the reason, as a sentence about the token.
        way_out: what to do about it.
        needs_yes: whether only a confirmation is missing.
    """

    why: str
    way_out: str
    needs_yes: bool = False


Decision: TypeAlias = NewExpiry | NoChange | Refusal


class Extension(NamedTuple):
    """A requested extension; exactly one of the first three is set.

    Attributes:
        by: seconds to add to the current expiry.
        to: the new expiry, a UNIX second.
        expires_in: the new expiry, in seconds from now.
        revive: whether a gate that refuses the token may accept it again.
        shorten: whether the token may end earlier than it does now.
        yes: whether the new expiry may be more than ten years ahead.
    """

    by: int | None = None
    to: int | None = None
    expires_in: int | None = None
    revive: bool = False
    shorten: bool = False
    yes: bool = False


def decide_extension(row: Row, now: int, policy: Policy, extension: Extension) -> Decision:
    """Decide what an extension does to this row at the UNIX second `now`."""
    verdict = classify(row, now, policy)
    if extension.by is not None and verdict.expiry is None:
        return Refusal(f"it has no expiry to add to: it is {verdict.state}", "give --expires-in or --to")
    second = _requested_second(verdict.expiry, now, extension)
    if second <= now:
        way_out = "give --expires-in, or --to with a later time; to end the token use `janitor token revoke`"
        return Refusal(f"its new expiry {format_time_and_distance(second, now)} would be in the past", way_out)
    if second > MAX_SECONDS:
        return Refusal("its new expiry would be too large for UNIX seconds", "give an earlier one")
    if verdict.expiry == second:
        return NoChange(f"it already expires {format_time_and_distance(second, now)}")
    refusal = _find_refusal(row, second, now, policy, extension)
    if refusal is None and second > now + TEN_YEARS and not extension.yes:
        why = f"its new expiry {format_time_and_distance(second, now)} is more than ten years ahead"
        refusal = Refusal(why, "give --yes if that is meant", needs_yes=True)
    return refusal or NewExpiry(second)


def decide_revocation(row: Row, now: int, policy: Policy, at: int | None) -> Decision:
    """Decide what a revocation does to this row at the UNIX second `now`; `at` is when it ends, None for at once.

    LISA rejects a token from the very second of its expiry on, so the expiry `now` ends it at once.
    """
    verdict = classify(row, now, policy)
    if not verdict.accepted_by:
        return NoChange(f"LISA rejects it everywhere already: {describe_expiry(row, verdict, now)}")
    if at is None:
        return NewExpiry(now)
    if at <= now:
        return Refusal(f"{format_time_and_distance(at, now)} is in the past", "leave --at out to end it now")
    if verdict.expiry == at:
        return NoChange(f"it already expires {format_time_and_distance(at, now)}")
    if (gates := _revived_gates(row, at, now, policy.dialect)) or _is_lengthened(row, at, policy.dialect):
        effect = f"revive it for {_name_gates(gates)}" if gates else "lengthen it"
        why = f"to end it {format_time_and_distance(at, now)} would {effect}: {describe_expiry(row, verdict, now)}"
        return Refusal(why, "leave --at out, or use `janitor token extend`")
    return NewExpiry(at)


def ends_earlier(row: Row, second: int, now: int, dialect: Dialect) -> bool:
    """Whether a gate that accepts the row at `now` would refuse it sooner if this UNIX second were its expiry."""
    ends = [(_current_end(row, gate, dialect), _new_end(row, gate, dialect, second)) for gate in Gate]
    return any(old > now and new < old for old, new in ends)


def format_time_and_distance(second: int, now: int) -> str:
    """Format a UNIX second for people: `2027-01-31 00:00:00 UTC (in 3 days)`."""
    when = calendar_time(second)
    absolute = f"{format_second(when)} UTC" if when else f"UNIX second {second}"
    return f"{absolute} ({format_relative(second - now)})"


def describe_expiry(row: Row, verdict: Verdict, now: int) -> str:
    """Describe a row's expiry in words: a time, none, or a malformed date and how LISA reads it."""
    if verdict.expiry is not None:
        return format_time_and_distance(verdict.expiry, now)
    if row.expiration is None:
        return "no expiry"
    read = read_as_lisa(row.expiration)
    lisa = "LISA cannot read" if read is None else f"LISA reads as {format_time_and_distance(read, now)}"
    # The first reason is about the date.
    return f"a broken date ({verdict.reasons[0]}) that {lisa}"


def _requested_second(expiry: int | None, now: int, extension: Extension) -> int:
    if extension.by is not None:
        return (expiry or 0) + extension.by
    return now + (extension.expires_in or 0) if extension.to is None else extension.to


def _find_refusal(row: Row, second: int, now: int, policy: Policy, extension: Extension) -> Refusal | None:
    verdict, dialect = classify(row, now, policy), policy.dialect
    current = describe_expiry(row, verdict, now)
    is_shortened = ends_earlier(row, second, now, dialect)
    # Its state does not say so: a legacy row with a malformed date is malformed.
    if dialect is Dialect.HASHED and is_legacy(row) and not (is_shortened and verdict.accepted_by):
        which = "without tokenUUID" if lacks_uuid(row) else "whose key is not a sha256 in lower case"
        why = f"it is a legacy row {which}: no date makes LISA's API accept it"
        return Refusal(why, "make a new token with `janitor token add`")
    if (gates := _revived_gates(row, second, now, dialect)) and not extension.revive:
        why = f"{_name_gates(gates)} rejects it now ({current}), and a new expiry would revive it"
        return Refusal(why, "give --revive if that is meant")
    if is_shortened and not extension.shorten:
        why = f"its new expiry {format_time_and_distance(second, now)} would shorten it (now: {current})"
        return Refusal(why, "give --shorten if that is meant")
    return None


def _current_end(row: Row, gate: Gate, dialect: Dialect) -> float:
    """Return the UNIX second from which a gate refuses the row; minus infinity if it always does."""
    is_api = gate is Gate.API and dialect is Dialect.HASHED
    if is_api and (is_legacy(row) or not is_truthy(row.expiration)):
        return _NOT_AT_ALL
    if row.expiration is None:
        return _FOR_EVER
    second = read_as_lisa(row.expiration)
    return _NOT_AT_ALL if second is None else second


def _new_end(row: Row, gate: Gate, dialect: Dialect, second: int) -> float:
    """Return the UNIX second from which a gate refuses the row if its expiry becomes `second`."""
    is_refused = gate is Gate.API and dialect is Dialect.HASHED and is_legacy(row)
    return _NOT_AT_ALL if is_refused else second


def _revived_gates(row: Row, second: int, now: int, dialect: Dialect) -> list[Gate]:
    """List the gates that refuse the row now, and would accept it with this expiry."""
    return [gate for gate in Gate if _current_end(row, gate, dialect) <= now < _new_end(row, gate, dialect, second)]


def _is_lengthened(row: Row, second: int, dialect: Dialect) -> bool:
    return any(_new_end(row, gate, dialect, second) > _current_end(row, gate, dialect) for gate in Gate)


def _name_gates(gates: list[Gate]) -> str:
    return "LISA" if len(gates) == len(Gate) else "LISA's API" if gates == [Gate.API] else "MCP Workbench"
