"""What a change of a token's expiry comes to: the second to write, nothing, or a refusal. LISA's gates are the judges.

A gate lets a row in until some second, for ever, or not at all. A change moves that end for each gate: where a gate
that refuses the row would let it in, the token is revived; where one that lets it in would stop earlier, it is
shortened.
"""

import math
from typing import NamedTuple, TypeAlias

from janitor.tokens.classify import Classification, classify
from janitor.tokens.dialect import Dialect, Gate, lacks_uuid
from janitor.tokens.duration import relative
from janitor.tokens.expiration import MAX_SECONDS, as_lisa_reads, moment
from janitor.tokens.policy import DAY, Policy
from janitor.tokens.row import Row, is_true
from janitor.tokens.times import second_of

TEN_YEARS = 3_653 * DAY

_FOR_EVER = math.inf
_NOT_AT_ALL = -math.inf


class NewExpiry(NamedTuple):
    """Write this UNIX second."""

    second: int


class Unchanged(NamedTuple):
    """Write nothing, for the row is as it is wanted; `why` says how."""

    why: str


class Refused(NamedTuple):
    """Write nothing: a rule is against it.

    Attributes:
        why: which, as a sentence about the token.
        way_out: what to do about it.
        needs_yes: whether it is only that nobody has confirmed it.
    """

    why: str
    way_out: str
    needs_yes: bool = False


Decision: TypeAlias = NewExpiry | Unchanged | Refused


class Extension(NamedTuple):
    """What is asked of an extension; exactly one of the first three is set.

    Attributes:
        by: seconds to add to the present expiry.
        to: the new expiry, a UNIX second.
        expires_in: seconds from now.
        revive: whether a token that a gate refuses may be let in by it again.
        shorten: whether it may end earlier than now.
        yes: whether it may be more than ten years ahead.
    """

    by: int | None = None
    to: int | None = None
    expires_in: int | None = None
    revive: bool = False
    shorten: bool = False
    yes: bool = False


def extended(row: Row, now: int, policy: Policy, wish: Extension) -> Decision:
    """What an extension comes to for this row at the UNIX second `now`."""
    verdict = classify(row, now, policy)
    if wish.by is not None and verdict.expiry is None:
        return Refused(f"it has no expiry to add to, it is {verdict.state}", "give --expires-in or --to")
    second = _wished(verdict.expiry, now, wish)
    if second <= now:
        way_out = "give --expires-in, or --to a later time; to end a token there is `janitor token revoke`"
        return Refused(f"its new expiry {time_and_distance(second, now)} would be in the past", way_out)
    if second > MAX_SECONDS:
        return Refused("its new expiry would be too large for UNIX seconds", "give an earlier one")
    if verdict.expiry == second:
        return Unchanged(f"it expires {time_and_distance(second, now)} already")
    refusal = _extension_refused(row, second, now, policy, wish)
    if refusal is None and second > now + TEN_YEARS and not wish.yes:
        why = f"its new expiry {time_and_distance(second, now)} is more than ten years ahead"
        refusal = Refused(why, "give --yes if that is meant", needs_yes=True)
    return refusal or NewExpiry(second)


def revoked(row: Row, now: int, policy: Policy, at: int | None) -> Decision:
    """What a revocation comes to for this row at the UNIX second `now`; `at` is when it is to end, None for at once.

    At the very second of its expiry LISA refuses a token, so `now` itself ends it at once.
    """
    verdict = classify(row, now, policy)
    if not verdict.accepted_by:
        return Unchanged(f"no gate of LISA accepts it: {expiry_words(row, verdict, now)}")
    if at is None:
        return NewExpiry(now)
    if at <= now:
        return Refused(f"{time_and_distance(at, now)} is in the past", "without --at it ends now")
    if verdict.expiry == at:
        return Unchanged(f"it expires {time_and_distance(at, now)} already")
    if (gates := _revived(row, at, now, policy.dialect)) or _lengthened(row, at, policy.dialect):
        who = f"bring it to life for {_named(gates)}" if gates else "lengthen it"
        way_out = "go without --at, or use `janitor token extend`"
        return Refused(
            f"to end it {time_and_distance(at, now)} would {who}: {expiry_words(row, verdict, now)}", way_out
        )
    return NewExpiry(at)


def ends_earlier(row: Row, second: int, now: int, dialect: Dialect) -> bool:
    """Whether a gate that accepts the row at `now` would refuse it sooner, if this UNIX second were its expiry."""
    ends = [(_end(row, gate, dialect), _new_end(row, gate, dialect, second)) for gate in Gate]
    return any(old > now and new < old for old, new in ends)


def time_and_distance(second: int, now: int) -> str:
    """A UNIX second in words: `2027-01-31 00:00:00 UTC (in 3 days)`."""
    when = moment(second)
    absolute = f"{second_of(when)} UTC" if when else f"UNIX second {second}"
    return f"{absolute} ({relative(second - now)})"


def expiry_words(row: Row, verdict: Classification, now: int) -> str:
    """A row's expiry in words, whatever it is: a time, none, or a broken date and what LISA makes of it."""
    if verdict.expiry is not None:
        return time_and_distance(verdict.expiry, now)
    if row.expiration is None:
        return "no expiry"
    read = as_lisa_reads(row.expiration)
    lisa = "no gate accepts" if read is None else f"LISA reads as {time_and_distance(read, now)}"
    return f"a broken date ({', '.join(verdict.reasons)}) that {lisa}"


def _wished(expiry: int | None, now: int, wish: Extension) -> int:
    if wish.by is not None:
        return (expiry or 0) + wish.by
    return now + (wish.expires_in or 0) if wish.to is None else wish.to


def _extension_refused(row: Row, second: int, now: int, policy: Policy, wish: Extension) -> Refused | None:
    verdict, dialect = classify(row, now, policy), policy.dialect
    was = expiry_words(row, verdict, now)
    is_shortened = ends_earlier(row, second, now, dialect)
    # Not by its state: a legacy row with a broken date is malformed.
    is_legacy = dialect is Dialect.HASHED and lacks_uuid(row)
    if is_legacy and not (is_shortened and verdict.accepted_by):
        why = "it is a legacy row without tokenUUID: no date makes LISA's API accept it"
        return Refused(why, "make a new token with `janitor token add`")
    if (gates := _revived(row, second, now, dialect)) and not wish.revive:
        return Refused(
            f"{_named(gates)} refuses it now ({was}), and a new expiry would bring it to life", "give --revive"
        )
    if is_shortened and not wish.shorten:
        return Refused(
            f"{time_and_distance(second, now)} is earlier than now: {was}", "give --shorten if that is meant"
        )
    return None


def _end(row: Row, gate: Gate, dialect: Dialect) -> float:
    """The UNIX second from which on a gate refuses the row; minus infinity where it always does."""
    is_api = gate is Gate.API and dialect is Dialect.HASHED
    if is_api and (lacks_uuid(row) or not is_true(row.expiration)):
        return _NOT_AT_ALL
    if row.expiration is None:
        return _FOR_EVER
    second = as_lisa_reads(row.expiration)
    return _NOT_AT_ALL if second is None else second


def _new_end(row: Row, gate: Gate, dialect: Dialect, second: int) -> float:
    """The same once `tokenExpiration` is this number."""
    is_refused = gate is Gate.API and dialect is Dialect.HASHED and lacks_uuid(row)
    return _NOT_AT_ALL if is_refused else second


def _revived(row: Row, second: int, now: int, dialect: Dialect) -> list[Gate]:
    """The gates that refuse the row now, and would not with this expiry."""
    return [gate for gate in Gate if _end(row, gate, dialect) <= now < _new_end(row, gate, dialect, second)]


def _lengthened(row: Row, second: int, dialect: Dialect) -> bool:
    return any(_new_end(row, gate, dialect, second) > _end(row, gate, dialect) for gate in Gate)


def _named(gates: list[Gate]) -> str:
    return "LISA" if len(gates) == len(Gate) else "LISA's API" if gates == [Gate.API] else "MCP Workbench"
