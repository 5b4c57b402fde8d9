from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.readers.interface import JudgedRow
from janitor.readers.listing import Listing, Order
from janitor.run.sorted_collector import SORT_VALUES, RowSorter
from janitor.tokens.classify import State, classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from tests.unit.rows import NOW, POLICIES, dated, items, row


def told(item: dict[str, Any]) -> JudgedRow:
    one = row(item)
    return JudgedRow(one, classify(one, NOW, POLICIES[Dialect.HASHED]))


@given(
    rows=st.lists(items, max_size=12, unique_by=lambda item: item["token"]["S"]),
    order=st.builds(Order, st.sampled_from(sorted(SORT_VALUES)), st.booleans()),
    limit=st.integers(0, 5),
)
def test_the_first_rows_are_those_of_a_whole_sort_whichever_order_they_come_in(
    rows: list[dict[str, Any]], order: Order, limit: int
) -> None:
    everything = [told(item) for item in rows]
    whole = RowSorter(order, len(rows), NOW)
    whole.add(everything)
    first = RowSorter(order, limit, NOW)
    for each in reversed(everything):
        first.add([each])
    assert first.sorted_rows() == whole.sorted_rows()[:limit]
    values = [SORT_VALUES[order.by](each, NOW) for each in whole.sorted_rows()]
    having = [value for value in values if value is not None]
    assert values[: len(having)] == having
    assert having == sorted(having, reverse=order.descending)


@given(rows=st.lists(items, max_size=8, unique_by=lambda item: item["token"]["S"]))
def test_by_state_is_the_most_urgent_first(rows: list[dict[str, Any]]) -> None:
    ordered = RowSorter(Order("state"), len(rows), NOW)
    ordered.add([told(item) for item in rows])
    # An active row with reasons is as odd as a malformed one.
    states = [
        State.MALFORMED if one.verdict.state is State.ACTIVE and one.verdict.is_finding else one.verdict.state
        for one in ordered.sorted_rows()
    ]
    urgent = [State.EXPIRING, State.EXPIRED, State.MALFORMED, State.LEGACY, State.PERMANENT, State.STALE, State.ACTIVE]
    ranks = [urgent.index(state) for state in states]
    assert ranks == sorted(ranks)


ROW = {"username": {"S": "ana@example.com"}, "name": {"S": "ci"}}
CHOICES: dict[str, tuple[Listing, bool]] = {
    "everything": (Listing(), True),
    "its state": (Listing(states=(State.STALE, State.ACTIVE)), True),
    "another state": (Listing(states=(State.STALE,)), False),
    "its owner": (Listing(users=("bob", "ana@*")), True),
    "its owner in capitals": (Listing(users=("ANA@*",)), False),
    "its name, another owner": (Listing(users=("bob",), names=("c?",)), False),
}


@pytest.mark.parametrize(("listing", "is_chosen"), CHOICES.values(), ids=CHOICES)
def test_a_row_is_chosen_when_each_condition_has_a_value_that_fits(listing: Listing, is_chosen: bool) -> None:  # noqa: FBT001
    one = dated(str(NOW + 90 * DAY), **ROW)
    assert listing.selects(one, classify(one, NOW, POLICIES[Dialect.HASHED])) is is_chosen


def test_a_row_without_an_owner_fits_no_pattern() -> None:
    one = dated(str(NOW))
    assert not Listing(users=("*",)).selects(one, classify(one, NOW, POLICIES[Dialect.HASHED]))


def test_a_pattern_that_is_a_token_does_not_get_into_the_report() -> None:
    part = Listing(names=("a" * 64, "ci*")).part(0)
    assert part.names == ["[removed]", "ci*"]
