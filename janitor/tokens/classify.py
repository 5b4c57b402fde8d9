"""The state of a row. Every row has exactly one; the first rule that matches wins.

docs/explanation/states-and-gates.md lists the states.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from janitor.tokens.dialect import (
    BOTH_GATES,
    WORKBENCH_ONLY,
    Dialect,
    Gate,
    are_sha256,
    find_accepting_gates,
    is_legacy,
    is_sha256,
)
from janitor.tokens.expiration import MAX_SECONDS, plain_second, read_expiration
from janitor.tokens.policy import Policy
from janitor.tokens.reasons import find_reasons
from janitor.tokens.row import Glance, Row

# 1 January 2020, before LISA was: an earlier `createdDate` is a mistake, as one in days or years would be.
_FIRST_CREATION = 1_577_836_800


class State(StrEnum):
    """The seven states, in the order of the report's counts."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    STALE = "stale"
    PERMANENT = "permanent"
    MALFORMED = "malformed"
    LEGACY = "legacy"

    # Enum's own hash is a Python function, and states are looked up several times for every row.
    __hash__ = str.__hash__


class Verdict(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a row is at one moment.

    Attributes:
        state: the row's state.
        accepted_by: the gates of LISA that would let it in.
        expiry: `tokenExpiration` in whole UNIX seconds, or None if it is missing or malformed.
        reasons: first why the date is malformed, then what else is wrong with the row (`janitor.tokens.reasons`).
        undated_since: of a row without a date, the UNIX second of its `createdDate` as LISA writes it; None for any
            other row, and without such a `createdDate`.
    """

    state: State
    accepted_by: tuple[Gate, ...]
    expiry: int | None
    reasons: tuple[str, ...]
    undated_since: int | None = None

    @property
    def is_finding(self) -> bool:
        """Whether the row is worth a line in the report: it is of another state than active, or there are reasons."""
        return self.state is not State.ACTIVE or bool(self.reasons)


def classify(row: Row, now: int, policy: Policy) -> Verdict:
    """Find the state of a row at the UNIX second `now`, and the gates that would let it in.

    A date in plain seconds takes the short way: a third of the time, the same result.
    """
    expiry = plain_second(row.expiration)
    if expiry is None:
        return classify_by_every_rule(row, now, policy)
    reasons = find_reasons(row) if policy.dialect is Dialect.HASHED else ()
    # A legacy row always has reasons, and most rows have none.
    is_legacy_row = bool(reasons) and is_legacy(row)
    gates = () if now >= expiry else _counted_gates(WORKBENCH_ONLY if is_legacy_row else BOTH_GATES, policy)
    state = State.LEGACY if is_legacy_row else _dated_state(expiry, now, policy)
    return Verdict(state, gates, expiry, reasons)


def classify_by_every_rule(row: Row, now: int, policy: Policy) -> Verdict:
    """Classify any row, whatever its date looks like, by every rule in turn."""
    gates = _counted_gates(find_accepting_gates(row, now, policy.dialect), policy)
    expiry, reason = read_expiration(row.expiration) if row.expiration is not None else (None, None)
    reasons = find_reasons(row) if policy.dialect is Dialect.HASHED else ()
    if reason is not None:
        return Verdict(State.MALFORMED, gates, None, (reason, *reasons))
    undated_since = find_creation(row) if row.expiration is None else None
    return Verdict(_state(row, expiry, now, policy), gates, expiry, reasons, undated_since)


def find_creation(row: Row) -> int | None:
    """Return the row's `createdDate` if it is as LISA writes it: whole UNIX seconds, not before 2020; else None."""
    second = plain_second(row.created_date)
    return second if second is not None and second >= _FIRST_CREATION else None


def _counted_gates(gates: tuple[Gate, ...], policy: Policy) -> tuple[Gate, ...]:
    return gates if policy.has_workbench else tuple(gate for gate in gates if gate is Gate.API)


def _state(row: Row, expiry: int | None, now: int, policy: Policy) -> State:
    if policy.dialect is Dialect.HASHED and is_legacy(row):
        return State.LEGACY
    if expiry is None:
        return State.PERMANENT
    return _dated_state(expiry, now, policy)


def _dated_state(expiry: int, now: int, policy: Policy) -> State:
    if now >= expiry + policy.grace:
        return State.STALE
    if now >= expiry:
        return State.EXPIRED
    return State.EXPIRING if expiry <= now + policy.horizon else State.ACTIVE


def positions_to_decode(glances: Sequence[Glance], now: int, policy: Policy, start: int = 0) -> list[int]:
    """List the positions of the rows that are not plainly active, and so have to be decoded and classified.

    A row that is left out is active, without reasons; a row that is listed may still turn out to be so. The position of
    the first of these rows is `start`.
    """
    # A glance reads anything but a number as 0, which must never count as a date far ahead, even if `now` is negative.
    last = max(0, now + policy.horizon)
    if policy.dialect is Dialect.HASHED:
        keys = ["" if glance.key is None else glance.key.S for glance in glances]
        has_odd_keys = not are_sha256(keys)
        return [
            position
            for position, (glance, key) in enumerate(zip(glances, keys, strict=True), start)
            if (expiration := glance.expiration) is None
            or not last < expiration.N <= MAX_SECONDS
            or (uuid := glance.token_uuid) is None
            or not uuid.S
            or (has_odd_keys and not is_sha256(key))
        ]
    return [
        position
        for position, glance in enumerate(glances, start)
        if (expiration := glance.expiration) is None or not last < expiration.N <= MAX_SECONDS
    ]


def is_deletable(verdict: Verdict, now: int, policy: Policy) -> bool:
    """Whether a row may be deleted at the UNIX second `now`: it is stale, or of a kind that the policy includes.

    Every step that leads to a delete asks this one rule about every row. A row that any gate of LISA accepts is never
    deletable, whatever its state and the policy (docs/explanation/safety.md). A legacy row also needs a date whose
    grace is over: MCP Workbench accepts a row without a date for ever. Where no Workbench runs, such a row is dead
    from its first second, so its grace counts from its `createdDate`. Without a valid one nothing says how old it is:
    it may have been written a moment ago, by somebody who is about to give it a date. It stays.
    """
    is_undated = verdict.undated_since is not None
    dead_since = verdict.undated_since if is_undated else verdict.expiry
    if verdict.accepted_by or dead_since is None or now < dead_since + policy.grace:
        return False
    if is_undated:
        return policy.include_undated
    return verdict.state is State.STALE or (verdict.state is State.LEGACY and policy.include_legacy)
