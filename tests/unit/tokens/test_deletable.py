from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.tokens.classify import State, classify, is_deletable
from janitor.tokens.dialect import Dialect, Gate, find_accepting_gates
from janitor.tokens.duration import DAY
from janitor.tokens.lockout import judge_early
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row
from tests.unit.rows import NOW, dated, dialects, items, row

GRACE = 7 * DAY
# Seconds by which the expiry is past, and whether a sweep may take the row.
BORDERS = {"accepted": (-1, False), "expired": (0, False), "in its grace": (GRACE - 1, False), "over": (GRACE, True)}
KINDS = {"dated": {"S": "u"}, "legacy": {"S": ""}}


@pytest.mark.parametrize(("past", "may_go"), BORDERS.values(), ids=BORDERS)
@pytest.mark.parametrize("uuid", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_row_may_go_once_its_grace_is_over_and_not_before(
    past: int, uuid: dict[str, str], dialect: Dialect, *, may_go: bool
) -> None:
    policy = Policy(dialect=dialect, grace=GRACE, include_legacy=True)
    stored = dated(str(NOW - past), tokenUUID=uuid)
    assert is_deletable(classify(stored, NOW, policy), NOW, policy) is may_go


def test_a_legacy_row_goes_only_where_that_was_asked_for() -> None:
    policy = Policy(dialect=Dialect.HASHED, grace=GRACE)
    stored = dated(str(NOW - 100 * GRACE), tokenUUID={"S": ""})
    assert not is_deletable(classify(stored, NOW, policy), NOW, policy)


API = Policy(dialect=Dialect.HASHED, grace=GRACE, include_undated=True, has_workbench=False)
CREATED: dict[str, tuple[dict[str, Any] | None, bool]] = {
    "in its grace": ({"N": str(NOW - GRACE + 1)}, False),
    "its grace is over": ({"N": str(NOW - GRACE)}, True),
    "none": (None, False),
    "text": ({"S": str(NOW - 100 * GRACE)}, False),
    "milliseconds": ({"N": f"{NOW - 100 * GRACE}000"}, False),
    "a fraction": ({"N": f"{NOW - 100 * GRACE}.5"}, False),
    "to come": ({"N": str(NOW + 1)}, False),
    "before LISA was": ({"N": "20000"}, False),
    "zero": ({"N": "0"}, False),
}


@pytest.mark.parametrize(("created", "may_go"), CREATED.values(), ids=CREATED)
@pytest.mark.parametrize("uuid", KINDS.values(), ids=KINDS)
def test_a_row_without_a_date_goes_by_a_valid_creation_date_alone(
    created: dict[str, Any] | None, uuid: dict[str, str], *, may_go: bool
) -> None:
    stored = row({"token": {"S": "k"}, "tokenUUID": uuid} | ({"createdDate": created} if created else {}))
    assert is_deletable(classify(stored, NOW, API), NOW, API) is may_go
    for spared in (
        structs.replace(API, include_undated=False, include_legacy=True),
        structs.replace(API, has_workbench=True),
        structs.replace(API, dialect=Dialect.CLASSIC),
    ):
        assert not is_deletable(classify(stored, NOW, spared), NOW, spared)


@given(
    item=items,
    dialect=dialects,
    grace=st.integers(0, 100 * DAY),
    unlock_after=st.none() | st.integers(0, 100 * DAY),
    has_workbench=st.booleans(),
)
def test_no_rule_deletes_what_a_gate_of_this_lisa_accepts(
    item: dict[str, Any], dialect: Dialect, grace: int, unlock_after: int | None, *, has_workbench: bool
) -> None:
    policy = Policy(
        dialect=dialect,
        grace=grace,
        include_legacy=True,
        include_undated=True,
        has_workbench=has_workbench,
        unlock_after=unlock_after,
    )
    stored = row(item)
    accepting = find_accepting_gates(stored, NOW, dialect)
    counted = accepting if has_workbench else tuple(gate for gate in accepting if gate is Gate.API)
    assert classify(stored, NOW, policy).accepted_by == counted
    if counted:
        assert not is_deletable(classify(stored, NOW, policy), NOW, policy)
        assert judge_early(stored, NOW, policy) is None


EARLY = Policy(dialect=Dialect.HASHED, grace=GRACE, unlock_after=DAY, include_undated=True, has_workbench=False)
OWNED = {"username": {"S": "ana"}}


@pytest.mark.parametrize(
    ("stored", "state"),
    [
        (dated(str(NOW - DAY), **OWNED), State.STALE),
        (dated(str(NOW - DAY + 1), **OWNED), None),
        (dated(str(NOW + 1), **OWNED), None),
        (dated(str(NOW - DAY)), None),
        (dated(str(NOW - DAY), username={"S": ""}), None),
        (dated(str(NOW - DAY), tokenUUID={"S": ""}, **OWNED), None),
        (row({"token": {"S": "k"}, "createdDate": {"N": str(NOW - 2 * DAY)}, **OWNED}), None),
    ],
    ids=["over", "a second early", "accepted", "without owner", "with an empty one", "legacy", "undated"],
)
def test_a_row_goes_early_from_the_second_that_its_owner_may_be_let_in(stored: Row, state: State | None) -> None:
    early = judge_early(stored, NOW, EARLY)
    assert (early and (early.state, early.reasons)) == (state and (state, ("unlocks-owner",)))
    assert judge_early(stored, NOW, structs.replace(EARLY, unlock_after=None)) is None


def test_a_legacy_row_goes_early_only_where_legacy_rows_may_go() -> None:
    stored = dated(str(NOW - DAY), tokenUUID={"S": ""}, **OWNED)
    assert judge_early(stored, NOW, EARLY) is None
    early = judge_early(stored, NOW, structs.replace(EARLY, include_legacy=True))
    assert early is not None
    assert early.state is State.LEGACY
