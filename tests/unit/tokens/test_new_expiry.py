"""What a change of an expiry comes to: nothing that a gate of LISA would see, but what was asked for."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.tokens.dialect import Dialect, find_accepting_gates
from janitor.tokens.duration import DAY
from janitor.tokens.expiration import MAX_SECONDS
from janitor.tokens.new_expiry import (
    TEN_YEARS,
    Extension,
    NewExpiry,
    NoChange,
    Refusal,
    decide_extension,
    decide_revocation,
)
from janitor.tokens.row import Row, Value
from tests.unit.rows import KEY, NOW, POLICIES, dated, dialects, items, row

seconds = st.integers(NOW - 200 * DAY, NOW + 200 * DAY)
spans = st.integers(0, 200 * DAY)
wishes = st.one_of(
    spans.map(lambda span: Extension(by=span)),
    seconds.map(lambda second: Extension(to=second)),
    spans.map(lambda span: Extension(expires_in=span)),
)


def with_expiry(before: Row, second: int) -> Row:
    return msgspec.structs.replace(before, expiration=Value(N=str(second)))


def moments(second: int) -> list[int]:
    """When a gate could change its mind, and between."""
    return [moment for moment in (NOW, NOW + 100 * DAY, second - 1, second, second + 1) if moment >= NOW]


@given(items, dialects, wishes)
def test_a_careful_extension_takes_nothing_from_a_token_and_wakes_no_gate(
    item: dict[str, Any], dialect: Dialect, wish: Extension
) -> None:
    before = row(item)
    decision = decide_extension(before, NOW, POLICIES[dialect], wish)
    if not isinstance(decision, NewExpiry):
        return
    after = with_expiry(before, decision.second)
    assert find_accepting_gates(after, NOW, dialect) == find_accepting_gates(before, NOW, dialect) != ()
    for moment in moments(decision.second):
        assert set(find_accepting_gates(before, moment, dialect)) <= set(find_accepting_gates(after, moment, dialect))
    assert find_accepting_gates(after, decision.second, dialect) == ()


@given(items, dialects, wishes)
def test_a_bold_extension_is_refused_for_what_no_date_can_do_and_nothing_else(
    item: dict[str, Any], dialect: Dialect, wish: Extension
) -> None:
    before = row(item)
    bold = wish._replace(revive=True, shorten=True, yes=True)
    decision = decide_extension(before, NOW, POLICIES[dialect], bold)
    if isinstance(decision, NewExpiry):
        after = with_expiry(before, decision.second)
        assert NOW < decision.second <= MAX_SECONDS
        assert find_accepting_gates(after, decision.second - 1, dialect)
        assert not find_accepting_gates(after, decision.second, dialect)
    elif isinstance(decision, Refusal):
        assert not decision.needs_yes


@given(items, dialects)
def test_after_a_revocation_no_gate_accepts_and_before_it_one_did(item: dict[str, Any], dialect: Dialect) -> None:
    before = row(item)
    decision = decide_revocation(before, NOW, POLICIES[dialect], None)
    if find_accepting_gates(before, NOW, dialect):
        assert decision == NewExpiry(NOW)
    else:
        assert isinstance(decision, NoChange)
    after = with_expiry(before, NOW) if isinstance(decision, NewExpiry) else before
    assert all(find_accepting_gates(after, moment, dialect) == () for moment in moments(NOW))


@given(items, dialects, seconds)
def test_a_later_revocation_only_takes(item: dict[str, Any], dialect: Dialect, at: int) -> None:
    before = row(item)
    decision = decide_revocation(before, NOW, POLICIES[dialect], at)
    if not isinstance(decision, NewExpiry):
        return
    after = with_expiry(before, decision.second)
    assert decision.second == at > NOW
    for moment in moments(at):
        assert set(find_accepting_gates(after, moment, dialect)) <= set(find_accepting_gates(before, moment, dialect))
    assert find_accepting_gates(after, at, dialect) == ()


HASHED, CLASSIC = POLICIES[Dialect.HASHED], POLICIES[Dialect.CLASSIC]
ALIVE, DEAD = dated(str(NOW + DAY)), dated(str(NOW - DAY))
PERMANENT = row({"token": {"S": KEY}, "tokenUUID": {"S": "u"}})
LEGACY = row({"token": {"S": "k"}, "tokenExpiration": {"N": str(NOW + DAY)}})
OLD_LEGACY = row({"token": {"S": "k"}})
TEXT = row({"token": {"S": KEY}, "tokenUUID": {"S": "u"}, "tokenExpiration": {"S": str(NOW + DAY)}})


@pytest.mark.parametrize(
    ("before", "policy", "wish", "says"),
    [
        (PERMANENT, CLASSIC, Extension(by=DAY), "no expiry to add to"),
        (TEXT, CLASSIC, Extension(by=DAY), "no expiry to add to: it is malformed"),
        (PERMANENT, CLASSIC, Extension(expires_in=DAY), "would shorten it (now: no expiry)"),
        (PERMANENT, HASHED, Extension(expires_in=DAY), "LISA's API rejects it now"),
        (PERMANENT, HASHED, Extension(expires_in=DAY, revive=True), "would shorten it"),
        (ALIVE, HASHED, Extension(to=NOW + 60), "would shorten it"),
        (ALIVE, HASHED, Extension(to=NOW), "in the past"),
        (DEAD, HASHED, Extension(by=60), "in the past"),
        (DEAD, HASHED, Extension(by=2 * DAY), "LISA rejects it now"),
        (LEGACY, HASHED, Extension(by=DAY, revive=True), "no date makes LISA's API accept it"),
        (ALIVE, HASHED, Extension(expires_in=TEN_YEARS + 1), "more than ten years"),
        (ALIVE, HASHED, Extension(to=MAX_SECONDS + 1, yes=True), "too large"),
    ],
)
def test_what_an_extension_is_refused_for(before: Row, policy: Any, wish: Extension, says: str) -> None:
    decision = decide_extension(before, NOW, policy, wish)
    assert isinstance(decision, Refusal)
    assert says in decision.why
    assert decision.needs_yes == ("ten years" in says)


@pytest.mark.parametrize(
    ("before", "policy", "wish", "second"),
    [
        (ALIVE, HASHED, Extension(by=DAY), NOW + 2 * DAY),
        (ALIVE, HASHED, Extension(expires_in=TEN_YEARS), NOW + TEN_YEARS),
        (ALIVE, HASHED, Extension(expires_in=TEN_YEARS + 1, yes=True), NOW + TEN_YEARS + 1),
        (ALIVE, HASHED, Extension(to=NOW + 60, shorten=True), NOW + 60),
        (DEAD, HASHED, Extension(by=2 * DAY, revive=True), NOW + DAY),
        (PERMANENT, CLASSIC, Extension(expires_in=DAY, shorten=True), NOW + DAY),
        (PERMANENT, HASHED, Extension(expires_in=DAY, shorten=True, revive=True), NOW + DAY),
        (OLD_LEGACY, HASHED, Extension(expires_in=DAY, shorten=True), NOW + DAY),
        # The same second as a number: LISA reads both alike, and janitor only the number.
        (TEXT, HASHED, Extension(to=NOW + DAY), NOW + DAY),
    ],
)
def test_what_an_extension_writes(before: Row, policy: Any, wish: Extension, second: int) -> None:
    assert decide_extension(before, NOW, policy, wish) == NewExpiry(second)


def test_what_is_as_it_is_wanted_is_left_alone() -> None:
    assert isinstance(decide_extension(ALIVE, NOW, HASHED, Extension(to=NOW + DAY)), NoChange)
    assert isinstance(decide_extension(ALIVE, NOW, HASHED, Extension(by=0)), NoChange)
    assert isinstance(decide_revocation(ALIVE, NOW, HASHED, NOW + DAY), NoChange)
    assert isinstance(decide_revocation(DEAD, NOW, HASHED, None), NoChange)


def test_what_a_later_revocation_is_refused_for() -> None:
    for before, policy, at, says in (
        (ALIVE, HASHED, NOW, "in the past"),
        (ALIVE, HASHED, NOW + 2 * DAY, "would lengthen it"),
        (PERMANENT, HASHED, NOW + DAY, "would revive it for LISA's API"),
    ):
        decision = decide_revocation(before, NOW, policy, at)
        assert isinstance(decision, Refusal)
        assert says in decision.why
    assert decide_revocation(PERMANENT, NOW, CLASSIC, NOW + DAY) == NewExpiry(NOW + DAY)
