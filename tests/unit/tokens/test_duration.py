import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.tokens.duration import format_duration, format_relative, parse_duration
from janitor.tokens.times import parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600), ("1d12h", 129_600),
        ("0", 0), ("0d", 0), ("P30D", 2_592_000), ("PT12H", 43_200), ("P1DT1M1S", 86_461), ("p2w", 1_209_600),
    ],
)  # fmt: skip
def test_every_documented_form_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "7x", "-1d", "1.5h", "P", "PT", "1 d", "d", "P1Y", "999999999w"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|thousand years"):
        parse_duration(text)


@given(st.integers(0, 10_000), st.sampled_from("smhdw"))
def test_a_longer_number_is_a_longer_time(number: int, unit: str) -> None:
    assert parse_duration(f"{number + 1}{unit}") > parse_duration(f"{number}{unit}")


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("2027-01-01", 1_798_761_600),
        ("2027-01-01T00:00:00Z", 1_798_761_600),
        ("2027-01-01T01:00:00+01:00", 1_798_761_600),
        ("1790000000", 1_790_000_000),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, second: int) -> None:
    assert parse_time(text) == second


@pytest.mark.parametrize("text", ["tomorrow", "1790000000000", "2027-13-01", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|milliseconds"):
        parse_time(text)


def test_a_date_without_dashes_is_not_taken_for_seconds() -> None:
    with pytest.raises(ValueError, match="with dashes"):
        parse_time("20270101")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_no_report_could_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="outside the years"):
        parse_time(text)


def test_distances_are_said_in_the_largest_unit_that_tells_enough() -> None:
    assert format_duration(1) == "1 second"
    assert format_duration(119) == "119 seconds"
    assert format_duration(47 * 3_600) == "47 hours"
    assert format_duration(48 * 3_600) == "2 days"
    assert format_duration(800 * 86_400) == "2 years"
    assert (format_relative(-7_200), format_relative(0), format_relative(3 * 86_400)) == (
        "2 hours ago",
        "just now",
        "in 3 days",
    )
