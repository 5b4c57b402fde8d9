"""Budgets under a simulated clock: what is spent in any ten seconds, by one request, and after throttling."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.dynamodb.budget import SHARE_OF_A_SECOND, Budget, Budgets
from janitor.dynamodb.page_size import Allowance, PageSize
from tests.examples import examples
from tests.ten_seconds import in_ten_seconds
from tests.unit.dynamodb.simulated_table import LARGEST_ROW, Clock, RowBytes, Server, limited, scanned, seen_by_server

# As long as the sizes of rows are still being learnt, a budget may stay unused.
LEARNING_SECONDS = 4.0
ROW_BYTES: dict[str, RowBytes] = {
    "100 bytes": lambda _: 100,
    "like LISA's": lambda dice: dice.randint(220, 320),
    "4 KB": lambda _: 4096,
    "20 KB": lambda _: 20_000,
    "400 KB": lambda _: LARGEST_ROW,
    "up to 16 KB": lambda dice: round(math.exp(dice.uniform(math.log(100), math.log(16_384)))),
    "up to 8 KB": lambda dice: dice.randint(100, 8_000),
    "small and 30 KB": lambda dice: dice.choice([200, 30_000]),
    "up to 400 KB": lambda dice: dice.randint(100, LARGEST_ROW),
    "one in twenty 400 KB": lambda dice: LARGEST_ROW if dice.random() < 0.05 else 300,
}
rates = st.sampled_from([10, 25, 100, 400, 1_000])


def all_segments_can(rate: float, segments: int, latency: float) -> bool:
    """Whether pages as large as they may be make up the rate, with a half to spare."""
    return segments * min(rate * SHARE_OF_A_SECOND, 128) / latency > rate * 1.5


@examples(12, nightly=250)
@given(
    rates,
    st.sampled_from(["100 bytes", "like LISA's", "4 KB", "up to 8 KB", "up to 16 KB"]),
    st.integers(1, 16),
    st.sampled_from([0.005, 0.02, 0.08, 0.15]),
    st.integers(0, 1_000),
)
def test_any_ten_seconds_stay_within_five_percent_of_the_budget(
    rate: int, rows: str, segments: int, latency: float, seed: int
) -> None:
    clock = Clock()
    server = Server(ROW_BYTES[rows], latency, seed)
    spent = scanned(server, clock, limited(rate, clock), segments=segments, seconds=32)
    _, most = in_ten_seconds(seen_by_server(spent), since=0)
    least, _ = in_ten_seconds(seen_by_server(spent), since=spent[0].at + LEARNING_SECONDS)
    # Ten seconds may just hold, or just miss, a row of two units at their end.
    a_row = 2 if rows == "up to 16 KB" else 0
    assert most <= rate * 10.5 + a_row
    if all_segments_can(rate, segments, latency):
        assert least >= rate * 9.5 - 2 * a_row  # one at either end


@examples(8, nightly=80)
@given(st.sampled_from(["like LISA's", "400 KB", "up to 400 KB"]), st.integers(0, 1_000))
def test_ten_thousand_units_are_reached_by_several_segments(rows: str, seed: int) -> None:
    clock = Clock()
    server = Server(ROW_BYTES[rows] if rows != "like LISA's" else lambda _: 2_000, 0.08, seed)
    spent = scanned(server, clock, limited(10_000, clock), segments=16, seconds=12)
    least, most = in_ten_seconds(seen_by_server(spent), since=0)
    assert rate_is_kept(least, most, 10_000)


def rate_is_kept(least: float, most: float, rate: float) -> bool:
    return rate * 9.5 <= least <= most <= rate * 10.5


@examples(10, nightly=100)
@given(rates, st.sampled_from(sorted(ROW_BYTES)), st.integers(1, 16), st.integers(0, 1_000))
def test_rows_of_any_size_cost_over_a_long_time_what_the_budget_allows(
    rate: int, rows: str, segments: int, seed: int
) -> None:
    clock = Clock()
    spent = scanned(Server(ROW_BYTES[rows], 0.05, seed), clock, limited(rate, clock), segments=segments, seconds=60)
    heaviest = max(each.units for each in spent)
    assert sum(each.units for each in spent) <= rate * 60 * 1.02 + heaviest * segments


@examples(40, nightly=400)
@given(
    rates,
    st.sampled_from(sorted(set(ROW_BYTES) - {"one in twenty 400 KB"})),
    st.integers(1, 16),
    st.integers(0, 1_000),
)
def test_no_request_takes_more_than_a_second_of_the_budget_unless_a_row_of_it_does(
    rate: int, rows: str, segments: int, seed: int
) -> None:
    clock = Clock()
    spent = scanned(Server(ROW_BYTES[rows], 0.05, seed), clock, limited(rate, clock), segments=segments, seconds=10)
    assert all(each.units <= rate or each.rows == 1 or each.heaviest > rate for each in spent)


def test_of_a_table_with_a_few_huge_rows_hardly_a_page_holds_more_of_them_than_a_second_allows() -> None:
    clock = Clock()
    server = Server(ROW_BYTES["one in twenty 400 KB"], 0.02)
    spent = scanned(server, clock, limited(100, clock), segments=4, seconds=120)
    assert sum(each.units > 100 for each in spent) < len(spent) / 50


@pytest.mark.parametrize("rate", [0.5, 1.25, 10 / 8, 2.0, 5.0, 6.6, 8.0])
@pytest.mark.parametrize(("lightest", "heaviest"), [(220, 320), (260, 1_700)])
def test_under_a_small_budget_a_page_holds_as_many_rows_as_it_pays_for(
    rate: float, lightest: int, heaviest: int
) -> None:
    clock = Clock()
    server = Server(lambda dice: dice.randint(lightest, heaviest), 0.05, seed=3)
    spent = scanned(server, clock, limited(rate, clock), segments=4, seconds=600)
    late = spent[len(spent) // 4 :]
    rows_of_a_unit = 8_192 / ((lightest + heaviest) / 2)
    assert sum(each.rows for each in late) / sum(each.units for each in late) > rows_of_a_unit * 0.4
    _, most = in_ten_seconds(seen_by_server(spent), since=0)
    assert most <= max(rate * 10.5, rate * 10 + 1.5)


@given(st.floats(0.5, 100_000))
def test_the_first_page_of_a_table_costs_at_most_a_second_whatever_its_rows_weigh(rate: float) -> None:
    first = PageSize().next_allowance(rate, SHARE_OF_A_SECOND)
    # 1 MB is as much as a page can be.
    most = 128.0 if first.rows is None else first.rows * 50.0
    assert most <= max(rate, 50.0)


def test_without_a_limit_pages_have_none_and_nothing_waits() -> None:
    clock = Clock()
    budgets = Budgets.unlimited(clock)
    for _ in range(10):
        allowance = budgets.take_page(never)
        assert allowance == Allowance(None, 0.0)
        budgets.correct_page(allowance, 4_009, 128.0)


def never(seconds: float) -> bool:
    pytest.fail(f"waited {seconds} seconds")


def test_who_need_not_go_on_takes_nothing() -> None:
    clock = Clock()
    budget = Budget(10.0, clock)
    assert budget.take(50.0, never)
    assert not budget.take(50.0, lambda _: True)
    clock.now += 5.0
    assert budget.take(1.0, never)


def test_what_a_request_cost_more_than_it_took_is_paid_before_the_next() -> None:
    clock = Clock()
    budget = Budget(10.0, clock)
    budget.take(1.0, never)
    budget.correct(1.0, 50.0)
    assert budget.try_take(1.0) == pytest.approx(5.0)
    clock.now += 4.9
    assert budget.try_take(1.0) == pytest.approx(0.1)


def test_time_in_which_nobody_asked_is_not_saved_up() -> None:
    clock = Clock()
    budget = Budget(100.0, clock)
    clock.now += 3_600
    taken = sum(1 for _ in range(1_000) if not budget.try_take(1.0))
    assert taken <= 12


@given(st.integers(1, 50), st.sampled_from([10.0, 100.0, 10_000.0]))
def test_a_burst_of_throttled_requests_halves_the_rate_once(burst: int, limit: float) -> None:
    clock = Clock()
    budget = Budget(limit, clock)
    told = []
    for _ in range(burst):
        told.append(budget.slow_down())
        clock.now += 0.9 / burst
    assert told == [limit / 2, *[None] * (burst - 1)]


@given(st.lists(st.floats(1.01, 60), min_size=1, max_size=30))
def test_the_rate_comes_down_by_half_and_goes_up_by_a_twentieth_a_second(pauses: list[float]) -> None:
    clock = Clock()
    budget = Budget(100.0, clock)
    expected = 100.0
    for pause in pauses:
        budget.slow_down()
        expected = max(expected / 2, 1.0)
        assert budget.rate == pytest.approx(expected)
        clock.now += pause
        expected = min(expected + 5.0 * pause, 100.0)
        assert budget.rate == pytest.approx(expected)


def test_without_a_limit_the_first_throttle_makes_a_rate_from_what_was_measured_until_it_is_gone() -> None:
    clock = Clock()
    budget = Budget(None, clock)
    for _ in range(60):
        clock.now += 0.1
        assert budget.take(0.0, never)
        budget.correct(0.0, 80.0)
    assert budget.slow_down() == pytest.approx(400.0, rel=0.03)
    clock.now += 20.0
    assert budget.rate is not None
    clock.now += 12.0
    assert budget.rate is None


@pytest.mark.parametrize("limit", [None, 2_000.0, 10_000.0, 40_000.0, 1_000_000.0])
@examples(4, nightly=40)
@given(segments=st.integers(2, 16), seed=st.integers(0, 1_000))
def test_under_a_server_that_throttles_all_segments_slow_down_together(
    limit: float | None, segments: int, seed: int
) -> None:
    clock = Clock()
    budgets = limited(limit, clock)
    server = Server(lambda _: 2_000, 0.05, seed, capacity=500.0)
    spent = scanned(server, clock, budgets, segments=segments, seconds=140)
    late = [each for each in spent if each.at > spent[0].at + 60]
    throttled = sum(each.is_throttled for each in late)
    given_units = sum(each.units for each in late if not each.is_throttled)
    assert throttled < len(late) * 0.05
    assert given_units > 500.0 * 80 * 0.9


@pytest.mark.parametrize("limit", [None, 100_000.0])
@pytest.mark.parametrize("busy", [0.3, 1.0, 5.0])
def test_what_was_measured_does_not_count_the_time_before_the_first_request(limit: float | None, busy: float) -> None:
    clock = Clock()
    budget = Budget(limit, clock)
    clock.now += 300
    for _ in range(int(busy * 100)):
        clock.now += 0.01
        budget.correct(0.0, 40.0)
    assert budget.slow_down() == pytest.approx(4_000.0 * min(busy, 1.0) / 2, rel=0.03)


def test_a_limit_far_above_what_the_server_gives_holds_again_soon_after_it_throttled() -> None:
    clock = Clock()
    budget = Budget(100_000.0, clock)
    for _ in range(500):
        clock.now += 0.01
        budget.correct(0.0, 5.0)
    assert budget.slow_down() == pytest.approx(250.0, rel=0.03)
    clock.now += 20.0
    assert budget.rate == pytest.approx(750.0, rel=0.03)
    clock.now += 12.0
    assert budget.rate == 100_000.0


@pytest.mark.parametrize("recent", [0.0, 50.0, 200.0])
def test_no_rate_is_above_what_was_measured_or_the_limit(recent: float) -> None:
    clock = Clock()
    budget = Budget(400.0, clock)
    for _ in range(int(recent)):
        clock.now += 0.02
        budget.correct(0.0, 4.0)
    assert budget.slow_down() == pytest.approx(200.0 if recent == 0 else 100.0, rel=0.03)


@given(st.integers(1, 10_000), st.integers(1, 4))
def test_a_batch_of_deletes_takes_a_share_of_a_second_or_is_one_row(limit: int, copies: int) -> None:
    clock = Clock()
    budgets = Budgets(reads=Budget(None, clock), writes=Budget(float(limit), clock), copies=copies)
    rows = budgets.rows_at_once(25)
    assert rows == 1 or rows * copies <= limit * SHARE_OF_A_SECOND
    assert rows == 25 or (rows + 1) * copies > limit * SHARE_OF_A_SECOND


@given(st.floats(0.5, 1_000), st.integers(60, 2_000))
def test_consistent_reads_take_twice_the_units_for_as_many_rows(rate: float, row_bytes: int) -> None:
    dice = random.Random(1)
    server = Server(lambda _: row_bytes, 0.0)
    usual, consistent = PageSize(), PageSize(is_consistent=True)
    for _ in range(20):
        allowance = usual.next_allowance(rate, SHARE_OF_A_SECOND)
        twice = consistent.next_allowance(rate * 2, SHARE_OF_A_SECOND)
        assert twice == (allowance.rows, allowance.units * 2)
        rows, units, _ = server.page(allowance.rows, dice)
        usual.learn(allowance, rows, units)
        consistent.learn(twice, rows, units * 2)


def test_sizes_that_were_learnt_in_any_order_never_ask_for_less_than_a_row() -> None:
    dice = random.Random(5)
    sizes = PageSize()
    for _ in range(2_000):
        allowance = sizes.next_allowance(dice.choice([0.5, 10.0, 300.0, 5_000.0]), SHARE_OF_A_SECOND)
        assert allowance.rows is None or allowance.rows >= 1
        assert math.isfinite(allowance.units)
        sizes.learn(allowance, dice.randint(0, 5_000), dice.choice([0.0, 0.5, 3.0, 50.0, 128.0]))
