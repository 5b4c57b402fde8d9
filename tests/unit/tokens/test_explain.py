import json
from hashlib import sha256
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.tokens.attributes import list_attributes
from janitor.tokens.classify import State, classify, is_deletable
from janitor.tokens.dialect import Dialect, find_accepting_gates
from janitor.tokens.duration import DAY
from janitor.tokens.explain import explain_gates, explain_lockout, explain_state, explain_sweep, first_deletable_second
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row
from tests.unit.rows import NOW, POLICIES, dated, dialects, items, row

IN_ORDER = [
    State.MALFORMED, State.LEGACY, State.PERMANENT, State.STALE, State.EXPIRED, State.EXPIRING, State.ACTIVE,
]  # fmt: skip
times = st.one_of(st.integers(NOW - 100 * DAY, NOW + 100 * DAY), st.sampled_from([0, -(10**10), 10**11, 2 * 10**11]))
policies = st.builds(
    Policy,
    dialect=dialects,
    thresholds=st.tuples(st.integers(0, 400 * DAY)),
    grace=st.integers(0, 400 * DAY),
    protect_users=st.sampled_from([(), ("a*",)]),
    protect_system=st.booleans(),
    include_legacy=st.booleans(),
    include_undated=st.booleans(),
    has_workbench=st.booleans(),
)


# A row, the rules, and a time.
Case: TypeAlias = tuple[dict[str, Any], Policy, int]


@st.composite
def may_go(draw: st.DrawFn) -> Case:
    """What a sweep deletes."""
    policy, expiry = draw(policies), draw(st.integers(NOW - 100 * DAY, NOW + 100 * DAY))
    is_dead_undated = policy.dialect is Dialect.HASHED and policy.include_undated and not policy.has_workbench
    is_undated = is_dead_undated and draw(st.booleans())
    uuids = [{"S": "u"}, {"S": ""}] if policy.include_legacy or is_undated else [{"S": "u"}]
    date = {"N": str(expiry)} if is_undated else {"N": draw(st.sampled_from([str(expiry), f"{expiry}.75"]))}
    item = {
        "token": {"S": draw(st.text(min_size=1, max_size=80))},
        "createdDate" if is_undated else "tokenExpiration": date,
        "tokenUUID": draw(st.sampled_from(uuids)),
        "username": {"S": draw(st.text("bcd", min_size=1, max_size=5))},
    }
    return item, policy, expiry + policy.grace + draw(st.sampled_from([0, 1, 100 * DAY]))


# Of rows of any kind few may be deleted, so about every other one is made to be.
cases = st.booleans().flatmap(lambda goes: may_go() if goes else st.tuples(items, policies, times))


@given(item=items, now=times, policy=policies)
def test_the_first_rule_that_matches_is_the_rows_state(item: dict[str, Any], now: int, policy: Policy) -> None:
    explained = explain_state(row(item), now, policy)
    assert [rule.state for rule in explained] == IN_ORDER
    assert next(rule.state for rule in explained if rule.matches) is classify(row(item), now, policy).state


@given(item=items, now=times, dialect=dialects)
def test_the_gates_say_what_lisa_would_and_until_when(item: dict[str, Any], now: int, dialect: Dialect) -> None:
    read = row(item)
    explained = explain_gates(read, now, dialect)
    assert tuple(gate.gate for gate in explained if gate.accepts) == find_accepting_gates(read, now, dialect)
    for gate in explained:
        if gate.until is not None:
            assert gate.gate in find_accepting_gates(read, gate.until - 1, dialect)
            assert gate.gate not in find_accepting_gates(read, gate.until, dialect)


@given(case=cases, later=st.integers(0, 400 * DAY))
def test_the_sweep_takes_it_from_the_first_second_at_which_it_may_be_deleted(case: Case, later: int) -> None:
    item, policy, _ = case
    read = row(item)

    def is_let_go(second: int) -> bool:
        return is_deletable(classify(read, second, policy), second, policy)

    first = first_deletable_second(read, policy)
    if first is None:
        assert not any(is_let_go(second) for second in (NOW - later, NOW, NOW + later, 10**12))
    else:
        assert not is_let_go(first - 1)
        assert is_let_go(first)
        assert is_let_go(first + later)


@given(case=cases)
def test_what_a_sweep_does_now_follows_from_the_first_second_and_the_protection(
    case: Case,
) -> None:
    item, policy, now = case
    read = row(item)
    said = explain_sweep(read, now, policy)
    assert said.deletes == (is_deletable(classify(read, now, policy), now, policy) and said.protected_by is None)
    assert (said.needs_include is not None) == (
        first_deletable_second(read, policy) is None
        and first_deletable_second(read, structs.replace(policy, include_legacy=True, include_undated=True)) is not None
    )
    assert said.why.startswith("deletes it:") == said.deletes


def test_a_rule_says_the_values_it_compares() -> None:
    explained = {rule.state: rule for rule in explain_state(dated(str(NOW + DAY)), NOW, POLICIES[Dialect.HASHED])}
    assert explained[State.EXPIRING][1:] == (
        "expiry <= now + 30 days", True, "2026-09-22 14:13:20 <= 2026-10-21 14:13:20",
    )  # fmt: skip
    assert explained[State.EXPIRED][1:] == ("now >= expiry", False, "2026-09-21 14:13:20 < 2026-09-22 14:13:20")
    assert explained[State.MALFORMED].why == "it is a number: 2026-09-22 14:13:20"
    text = row({"token": {"S": "k"}, "tokenExpiration": {"S": "2026-12-24T00:00:00Z"}})
    broken = explain_state(text, NOW, POLICIES[Dialect.CLASSIC])[0]
    assert broken.why == "it is text, not a number; probably meant as 2026-12-24 00:00:00"


HOLD = {"janitorHold": {"BOOL": True}}
SWEEPS: dict[str, tuple[Row, str]] = {
    "now": (dated(str(NOW - 8 * DAY)), "deletes it: its grace ended at 2026-09-20 14:13:20"),
    "later": (dated(str(NOW)), "keeps it until its grace ends at 2026-09-28 14:13:20, then deletes it"),
    "held": (
        dated(str(NOW), **HOLD),
        "never deletes it while it is protected (hold); without that, from 2026-09-28 14:13:20 on",
    ),
    "permanent": (row({"token": {"S": "k"}}), "never deletes a row without an expiration"),
    "legacy": (
        dated(str(NOW), tokenUUID={"S": ""}),
        "deletes it only with --include legacy, from 2026-09-28 14:13:20 on",
    ),
}


@pytest.mark.parametrize(("given_row", "said"), SWEEPS.values(), ids=SWEEPS)
def test_a_sweep_says_when_and_why(given_row: Row, said: str) -> None:
    assert explain_sweep(given_row, NOW, POLICIES[Dialect.HASHED]).why == said


def test_an_owner_is_locked_out_only_while_none_of_their_rows_is_accepted() -> None:
    ana = {"username": {"S": "ana"}}
    dead, living = dated(str(NOW), **ana), dated(str(NOW + 1), **ana)
    assert explain_lockout(dead, [dead], NOW, Dialect.HASHED).locked_out is True
    assert explain_lockout(dead, [dead, living], NOW, Dialect.HASHED).locked_out is False
    assert explain_lockout(living, [], NOW, Dialect.HASHED).locked_out is False
    assert explain_lockout(dead, [dead], NOW, Dialect.CLASSIC).locked_out is None
    assert explain_lockout(dated(str(NOW)), [], NOW, Dialect.HASHED).locked_out is None


@given(key=st.text("abcdefXYZ+/=_-\"'", min_size=8, max_size=64), before=st.text(max_size=5))
def test_no_attribute_gives_the_key_away(key: str, before: str) -> None:
    text = f"{before}{key}"
    hidden = {"S": text}, {"L": [{"S": text}]}, {"M": {text: {"NULL": True}}}, {"SS": ["x", text]}
    item: dict[str, Any] = {f"a{number}": value for number, value in enumerate(hidden)}
    told = list_attributes(msgspec.json.encode({"token": {"S": key}, text: {"S": "x"}, **item}))
    assert len(told) == len(item) + 1
    assert key not in "".join(f"{each.name}{each.value}" for each in told)
    assert json.dumps(key)[1:-1] not in "".join(f"{each.value}" for each in told)


def test_attributes_are_told_as_they_are_stored() -> None:
    bearer = "correct-horse-battery"
    item = {
        "token": {"S": sha256(bearer.encode()).hexdigest()},
        "groups": {"L": [{"S": "a"}, {"N": "1.50"}, {"NULL": True}, {"B": "AAE="}]},
        "blob": {"B": "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"},
        "note": {"S": f"the token is {bearer}"},
        "flag": {"BOOL": False},
        "long": {"S": "x y " * 100},
    }
    told = {each.name: each[1:] for each in list_attributes(msgspec.json.encode(item))}
    assert told.pop("long")[1] == f"{('x y ' * 100)[:255]}…"
    assert told == {
        "groups": ("L", '["a", "1.50", null, "(binary)"]'),
        "blob": ("B", None),
        "note": ("S", "[removed: it holds a token]"),
        "flag": ("BOOL", "false"),
    }
