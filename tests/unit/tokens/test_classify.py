from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from janitor.dynamodb.decode import Page
from janitor.report.build import build_finding
from janitor.tokens.classify import State, classify, classify_by_every_rule, positions_to_decode
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.explain import explain_gates, explain_state
from janitor.tokens.new_expiry import Extension, decide_extension, describe_expiry
from janitor.tokens.policy import Policy
from tests.unit.rows import KEY, NOW, POLICIES, dated, dialects, items, row

AGES = [State.ACTIVE, State.EXPIRING, State.EXPIRED, State.STALE]


@given(item=items, dialect=dialects, now=st.sampled_from([NOW, 0, -(10**9), 10**10]))
def test_what_is_quickly_classified_is_what_every_rule_says(item: dict[str, Any], dialect: Dialect, now: int) -> None:
    policy = POLICIES[dialect]
    assert classify(row(item), now, policy) == classify_by_every_rule(row(item), now, policy)


@given(
    number=st.from_regex(r"[-+]?[0-9٣]{0,13}(\.[0-9]+)?(E[0-9])?", fullmatch=True), dialect=dialects, uuid=st.booleans()
)
def test_any_number_is_quickly_classified_as_every_rule_says(number: str, dialect: Dialect, *, uuid: bool) -> None:
    item = {"token": {"S": KEY}, "tokenExpiration": {"N": number}} | ({"tokenUUID": {"S": "u"}} if uuid else {})
    policy = POLICIES[dialect]
    assert classify(row(item), NOW, policy) == classify_by_every_rule(row(item), NOW, policy)


@given(
    sign=st.sampled_from(["", "-"]),
    digit=st.sampled_from(["9", "0", "1"]),
    digits=st.sampled_from([1, 100, 4_300, 5_000]),
    tail=st.sampled_from(["", "." + "3" * 5_000, "E126", "E4500", "E-4500", "E999999999", "E" + "9" * 30]),
    dialect=dialects,
)
@example(sign="", digit="N", digits=1, tail="aN", dialect=Dialect.HASHED)
@example(sign="-", digit="Infinity", digits=1, tail="", dialect=Dialect.CLASSIC)
def test_any_number_of_a_dump_has_a_state_and_a_line(
    sign: str, digit: str, digits: int, tail: str, dialect: Dialect
) -> None:
    number, policy = f"{sign}{digit * digits}{tail}", POLICIES[dialect]
    for item in (
        {"tokenExpiration": {"N": number}},
        {"tokenExpiration": {"S": number}},
        {"createdDate": {"N": number}},
    ):
        told = row({"token": {"S": KEY}, "tokenUUID": {"S": "u"}} | item)
        verdict = classify(told, NOW, policy)
        assert build_finding(told, verdict, now=NOW, policy=policy, fingerprint_key=None).state is verdict.state
        assert explain_state(told, NOW, policy)
        assert len(explain_gates(told, NOW, dialect)) == 2
        assert describe_expiry(told, verdict, NOW)
        assert decide_extension(told, NOW, policy, Extension())


@given(item=items, dialect=dialects)
def test_a_row_that_some_gate_accepts_is_never_stale_nor_expired(item: dict[str, Any], dialect: Dialect) -> None:
    verdict = classify(row(item), NOW, POLICIES[dialect])
    if verdict.accepted_by:
        assert verdict.state not in (State.STALE, State.EXPIRED)


@given(item=items, dialect=dialects, grace=st.integers(0, 400 * DAY), horizon=st.integers(0, 400 * DAY))
def test_no_grace_and_no_horizon_makes_an_accepted_row_stale(
    item: dict[str, Any], dialect: Dialect, grace: int, horizon: int
) -> None:
    policy = Policy(dialect=dialect, thresholds=(horizon,), grace=grace)
    verdict = classify(row(item), NOW, policy)
    assert not (verdict.state is State.STALE and verdict.accepted_by)


@given(item=items, dialect=dialects, later=st.integers(0, 200 * DAY))
def test_time_never_makes_a_token_younger(item: dict[str, Any], dialect: Dialect, later: int) -> None:
    before = classify(row(item), NOW, POLICIES[dialect])
    after = classify(row(item), NOW + later, POLICIES[dialect])
    assert set(after.accepted_by) <= set(before.accepted_by)
    if before.state in AGES:
        assert AGES.index(after.state) >= AGES.index(before.state)
    else:
        assert after.state is before.state


def positions_in(page: Page, now: int, policy: Policy) -> list[int]:
    glances = [glance for group in page.glances() for glance in group]
    return positions_to_decode(glances, now, policy)


@given(rows=st.lists(items, max_size=5), dialect=dialects, now=st.sampled_from([NOW, 0, -(10**9), -(10**10), 10**10]))
def test_a_row_that_is_not_looked_at_is_active(rows: list[dict[str, Any]], dialect: Dialect, now: int) -> None:
    body = msgspec.json.encode({"Items": rows, "Count": len(rows), "ScannedCount": len(rows)})
    positions = positions_in(Page(body), now, POLICIES[dialect])
    for position, item in enumerate(rows):
        if position not in positions:
            verdict = classify(row(item), now, POLICIES[dialect])
            assert (verdict.state, verdict.reasons) == (State.ACTIVE, ())


@given(second=st.integers(NOW + 31 * DAY, 99_999_999_999), dialect=dialects)
def test_a_plainly_active_row_is_not_looked_at(second: int, dialect: Dialect) -> None:
    item = {"token": {"S": KEY}, "tokenUUID": {"S": "u"}, "tokenExpiration": {"N": str(second)}}
    body = msgspec.json.encode({"Items": [item], "Count": 1, "ScannedCount": 1})
    assert positions_in(Page(body), NOW, POLICIES[dialect]) == []


@pytest.mark.parametrize(
    ("expiration", "state"),
    [
        (NOW - 7 * DAY - 1, State.STALE),
        (NOW - 7 * DAY, State.STALE),
        (NOW - 7 * DAY + 1, State.EXPIRED),
        (NOW, State.EXPIRED),
        (NOW + 1, State.EXPIRING),
        (NOW + 30 * DAY, State.EXPIRING),
        (NOW + 30 * DAY + 1, State.ACTIVE),
        (99_999_999_999, State.ACTIVE),
        (100_000_000_000, State.MALFORMED),
    ],
)
@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("fraction", ["", ".0", ".999"])
def test_each_border_belongs_to_one_state(expiration: int, state: State, dialect: Dialect, fraction: str) -> None:
    assert classify(dated(f"{expiration}{fraction}"), NOW, POLICIES[dialect]).state is state


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("1790086400000", "looks-like-milliseconds"),
        ("1790086400000000", "looks-like-microseconds"),
        ("12345678901234567890123456789012345678", "out-of-range"),
    ],
)
def test_a_number_too_large_for_seconds_says_what_it_looks_like(number: str, reason: str) -> None:
    verdict = classify(dated(number), NOW, POLICIES[Dialect.CLASSIC])
    assert (verdict.state, verdict.reasons) == (State.MALFORMED, (reason,))


@pytest.mark.parametrize("uuid", [{"S": ""}, {"NULL": True}, {"N": "0"}, {"BOOL": False}, {"L": []}])
def test_an_empty_uuid_is_none(uuid: dict[str, Any]) -> None:
    far = str(NOW + 60 * DAY)
    assert classify(dated(far, tokenUUID=uuid), NOW, POLICIES[Dialect.HASHED]).state is State.LEGACY
    assert classify(dated(far, tokenUUID=uuid), NOW, POLICIES[Dialect.CLASSIC]).state is State.ACTIVE


def test_a_broken_date_comes_before_a_missing_uuid() -> None:
    item = {"token": {"S": "k"}, "tokenExpiration": {"S": "1793456000"}}
    verdict = classify(row(item), NOW, POLICIES[Dialect.HASHED])
    assert (verdict.state, verdict.accepted_by) == (State.MALFORMED, ("workbench",))
