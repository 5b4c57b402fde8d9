from hypothesis import given
from hypothesis import strategies as st

from janitor.dynamodb.cost import (
    PAGE_BYTES,
    USUAL_PAGE_SECONDS,
    count_delete_units,
    count_pages,
    count_read_units,
    estimate_read,
)
from janitor.dynamodb.scan import MAX_AUTO_SEGMENTS, choose_segments
from janitor.dynamodb.table_features import Throughput, throughput_of

UNLIMITED = Throughput(provisioned_reads=None, warm_reads=10**12, indexes=1)
sizes = st.integers(0, 10**13)
segments = st.integers(1, 256)


def provisioned(units: int) -> Throughput:
    return Throughput(provisioned_reads=units, warm_reads=None, indexes=0)


def test_a_full_page_costs_128_units_and_an_empty_table_half_a_one() -> None:
    assert count_read_units(PAGE_BYTES, 1) == 128
    assert count_read_units(10 * PAGE_BYTES, 10) == 1280
    assert (count_read_units(0, 1), count_read_units(4096, 1), count_read_units(4097, 1)) == (0.5, 0.5, 1.0)


@given(sizes, segments)
def test_units_are_those_of_the_bytes_and_less_than_a_half_more_for_each_page(size: int, segments: int) -> None:
    pages = count_pages(size, segments)
    assert size / 8192 <= count_read_units(size, pages) <= size / 8192 + pages / 2 + pages / 8192


@given(sizes, segments)
def test_a_page_holds_at_most_a_megabyte_and_no_segment_is_without_one(size: int, segments: int) -> None:
    pages = count_pages(size, segments)
    assert pages >= segments
    assert pages * PAGE_BYTES >= size


@given(sizes, st.integers(1, 100_000))
def test_no_table_is_read_faster_than_its_throughput_allows(size: int, units: int) -> None:
    reading = estimate_read(size, 8, provisioned(units), USUAL_PAGE_SECONDS)
    assert reading.seconds >= reading.read_units / units
    assert reading.is_slowed == (reading.seconds > estimate_read(size, 8, UNLIMITED, USUAL_PAGE_SECONDS).seconds)


@given(sizes, st.integers(1, 255))
def test_more_segments_never_take_longer(size: int, segments: int) -> None:
    more = estimate_read(size, segments + 1, UNLIMITED, USUAL_PAGE_SECONDS)
    assert more.seconds <= estimate_read(size, segments, UNLIMITED, USUAL_PAGE_SECONDS).seconds


@given(sizes, st.integers(1, 255), st.integers(1, 16))
def test_segments_read_one_after_the_other_take_longer_and_cost_the_same(
    size: int, segments: int, at_once: int
) -> None:
    together = estimate_read(size, segments, UNLIMITED, USUAL_PAGE_SECONDS)
    few = estimate_read(size, segments, UNLIMITED, USUAL_PAGE_SECONDS, at_once=min(at_once, segments))
    assert few.seconds >= together.seconds
    assert few.read_units == together.read_units


def test_a_large_table_on_demand_is_slowed_by_what_a_new_one_takes() -> None:
    size = 100 * 1024 * PAGE_BYTES
    new = Throughput(provisioned_reads=None, warm_reads=None, indexes=0)
    reading = estimate_read(size, choose_segments(size), new, 0.01)
    assert (choose_segments(size), reading.is_slowed) == (MAX_AUTO_SEGMENTS, True)
    assert round(reading.seconds) == round(size / 8192 / 12_000)


def test_a_delete_costs_a_unit_for_each_kilobyte_in_the_table_and_in_each_index() -> None:
    assert count_delete_units(600 * 100, 100, indexes=1) == 2
    assert count_delete_units(1025 * 100, 100, indexes=0) == 2
    assert count_delete_units(0, 0, indexes=0) == 1


def test_a_budget_decides_where_it_is_less_than_what_the_table_takes() -> None:
    size = 1024 * 1024 * 100
    within = estimate_read(size, 4, provisioned(400), USUAL_PAGE_SECONDS, budget=100.0)
    beyond = estimate_read(size, 4, provisioned(400), USUAL_PAGE_SECONDS, budget=1_000.0)
    assert (within.seconds, within.is_slowed) == (within.read_units / 100, True)
    assert beyond.seconds == beyond.read_units / 400


@given(sizes, st.floats(0.001, 100_000))
def test_a_budget_makes_pages_small_and_is_kept(size: int, budget: float) -> None:
    slow = estimate_read(size, 8, UNLIMITED, USUAL_PAGE_SECONDS, budget)
    assert slow.pages >= estimate_read(size, 8, UNLIMITED, USUAL_PAGE_SECONDS).pages
    assert slow.seconds >= slow.read_units / budget


def test_the_slowest_index_is_what_writes_are_provisioned_with() -> None:
    index = {"ProvisionedThroughput": {"ReadCapacityUnits": 4, "WriteCapacityUnits": 4}}
    table = {"ReadCapacityUnits": 400, "WriteCapacityUnits": 4_000}
    described = {"ProvisionedThroughput": table, "GlobalSecondaryIndexes": [index]}
    assert throughput_of(described).provisioned_writes == 4
    on_demand = {"ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}}
    assert throughput_of({**on_demand, "GlobalSecondaryIndexes": [on_demand]}).provisioned_writes is None
