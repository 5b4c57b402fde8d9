import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.settings.cron import When, make_trigger, next_times, parse_cron, parse_timezone

_START = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def _field(least: int, most: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A field of a cron line, and the values that crontab(5) says it has."""
    number = st.integers(least, most)
    every = st.just(("*", frozenset(range(least, 60))))
    one = number.map(lambda value: (str(value), frozenset({value})))
    span = st.tuples(number, number, st.integers(1, 5)).map(
        lambda parts: _span(min(parts[:2]), max(parts[:2]), parts[2])
    )
    several = st.lists(st.one_of(one, span), min_size=1, max_size=3).map(
        lambda parts: (",".join(text for text, _ in parts), frozenset().union(*(values for _, values in parts)))
    )
    return st.one_of(every, several)


def _span(first: int, last: int, step: int) -> tuple[str, frozenset[int]]:
    # A step longer than its span is refused: it would be the first value alone.
    step = min(step, last - first)
    if step == 0:
        return str(first), frozenset({first})
    return f"{first}-{last}/{step}", frozenset(range(first, last + 1, step))


@given(minute=_field(0, 59), hour=_field(0, 23), day=_field(1, 28), weekday=_field(0, 7))
def test_a_line_fires_when_crontab_says_so(
    minute: tuple[str, frozenset[int]],
    hour: tuple[str, frozenset[int]],
    day: tuple[str, frozenset[int]],
    weekday: tuple[str, frozenset[int]],
) -> None:
    fires = next(next_times(When(cron=f"{minute[0]} {hour[0]} {day[0]} * {weekday[0]}"), _START))
    weekdays = {number % 7 for number in weekday[1]}

    def is_day(date: dt.date) -> bool:
        is_of_month, is_of_week = date.day in day[1], date.isoweekday() % 7 in weekdays
        if "*" in (day[0], weekday[0]):
            return is_of_month and is_of_week
        return is_of_month or is_of_week

    days = (_START.date() + dt.timedelta(days=number) for number in range(60))
    times = (
        dt.datetime(date.year, date.month, date.day, at_hour, at_minute, tzinfo=dt.UTC)
        for date in days
        if is_day(date)
        for at_hour in sorted(hour[1])
        for at_minute in sorted(minute[1])
    )
    assert fires == next(time for time in times if time > _START)


@pytest.mark.parametrize(
    ("line", "weekdays"),
    [
        ("0 0 * * 0", "sun"),
        ("0 0 * * 7", "sun"),
        ("0 0 * * 1-5", "mon tue wed thu fri"),
        ("0 0 * * fri-sun", "fri sat sun"),
        ("0 0 * * 5-7", "fri sat sun"),
        ("0 0 * * SUN-TUE", "sun mon tue"),
        ("0 0 * * */3", "sun wed sat"),
        ("0 0 * * 4/2", "thu sat"),
        ("@weekly", "sun"),
    ],
)
def test_weekdays_are_counted_from_sunday(line: str, weekdays: str) -> None:
    times = itertools.islice(next_times(When(cron=line), _START), 14)
    assert {_NAMES[time.isoweekday() % 7] for time in times} == set(weekdays.split())


def test_a_line_is_read_by_the_clock_of_its_time_zone() -> None:
    berlin = When(cron="30 2 * * *", timezone="Europe/Berlin")
    assert next(next_times(berlin, _START)) == dt.datetime(2026, 11, 25, 1, 30, tzinfo=dt.UTC)


def test_a_time_that_the_clock_skips_fires_once_when_it_is_set_forward() -> None:
    before_summer = dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)
    # 02:15 and 02:45 are not on the clock of the 29th, which goes from 02:00 to 03:00, at 01:00 UTC.
    berlin = When(cron="15,45 2 * * *", timezone="Europe/Berlin")
    times = [f"{time:%d %H:%M}" for time in itertools.islice(next_times(berlin, before_summer), 3)]
    assert times == ["29 01:00", "30 00:15", "30 00:45"]


def test_a_time_that_the_clock_shows_twice_fires_once_and_a_star_follows_the_clock() -> None:
    before_winter = dt.datetime(2026, 10, 24, 23, tzinfo=dt.UTC)
    once, always = (When(cron=line, timezone="Europe/Berlin") for line in ("30 2 * * *", "30 * * * *"))
    times = [f"{time:%d %H:%M}" for time in itertools.islice(next_times(once, before_winter), 2)]
    assert times == ["25 00:30", "26 01:30"]
    times = [f"{time:%H:%M}" for time in itertools.islice(next_times(always, before_winter), 4)]
    assert times == ["23:30", "00:30", "01:30", "02:30"]


def test_midnight_is_not_lost_the_day_after_the_clock_is_set_forward() -> None:
    rome = When(cron="@monthly", timezone="Europe/Rome")
    march = dt.datetime(2027, 2, 20, tzinfo=dt.UTC)
    assert [time.month for time in itertools.islice(next_times(rome, march), 3)] == [2, 3, 4]
    chicago = When(cron="0 0 13-16 3 *", timezone="America/Chicago")
    assert [time.day for time in itertools.islice(next_times(chicago, march), 4)] == [13, 14, 15, 16]


@pytest.mark.parametrize(
    ("line", "months"),
    [
        ("0 0 1 jan-dec/3 *", [1, 4, 7, 10]),
        ("0 0 1 Oct-DEC *", [10, 11, 12]),
        ("0 0 1 mar/4 *", [3, 7, 11]),
        ("0 0 1 feb-4,9 *", [2, 3, 4, 9]),
    ],
)
def test_months_have_names_in_ranges_and_steps_too(line: str, months: list[int]) -> None:
    times = itertools.islice(next_times(When(cron=line), _START), len(months))
    assert sorted(time.month for time in times) == months


def test_a_line_with_both_days_keeps_its_jitter() -> None:
    trigger = make_trigger(When(cron="0 3 1 * mon", jitter=120))
    assert trigger is not None
    fires = {trigger.get_next_fire_time(None, _START) for _ in range(40)}
    assert len(fires) > 1


def test_a_day_that_begins_with_a_star_restricts_the_other_and_frees_nothing() -> None:
    times = itertools.islice(next_times(When(cron="0 0 1 * */2"), _START), 3)
    assert {(time.day, time.isoweekday() % 7 % 2) for time in times} == {(1, 0)}


def test_a_job_without_a_line_never_fires() -> None:
    assert make_trigger(When()) is None
    assert list(next_times(When(), _START)) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0 3 * *", "it has 4 fields, not five"),
        ("0 0 3 * * *", "it has 6 fields, not five"),
        ("60 3 * * *", "'60' is not a minute"),
        ("0 24 * * *", "'24' is not an hour"),
        ("0 3 0 * *", "'0' is not a day of the month"),
        ("0 3 last * *", "'last' is not a day of the month"),
        ("0 3 * * 8", "'8' is not a day of the week"),
        ("0 3 * * 5-2", "'5-2' ends before it begins"),
        ("0 3 * * 2nd", "'2nd' is not a day of the week"),
        ("*/0 3 * * *", "'*/0' is not a minute"),
        ("1-60 3 * * *", "'60' is not a minute, a number from 0 to 59"),
        ("*/60 3 * * *", "'*/60' is not a minute: its step is longer than its range"),
        ("0 5-2 * * *", "'5-2' is not an hour: '5-2' ends before it begins"),
        ("0 3 * 13 *", "'13' is not a month"),
        ("0 3 * jun-13 *", "'13' is not a month"),
        ("0 3 * nov-feb *", "'nov-feb' ends before it begins"),
        ("0 3 * juni *", "'juni' is not a month"),
        ("0 3 * jan-dec/13 *", "'jan-dec/13' is not a month"),
        ("0 3 mon * *", "'mon' is not a day of the month"),
        ("0 3 * mon *", "'mon' is not a month"),
        ("0 jan * * *", "'jan' is not an hour"),
        ("0 3 * * jan", "'jan' is not a day of the week"),
        ("0 3 * * sat-mon", "'sat-mon' ends before it begins"),
        ("0 3 l * *", "'l' is not a day of the month"),
        ("0 3 * * 5#2", "'5#2' is not a day of the week"),
        ("0 3 * * ,", "',' is not a day of the week"),
        ("@reboot", "it has 1 fields"),
        ("\u0663 3 * * *", "is not a minute"),
        ("0 3 * * \u0663", "is not a day of the week"),
        ("0 3 31 2 *", "never fires"),
        ("0 3 31 apr,jun *", "never fires"),
        ("", "it has 0 fields"),
    ],
)
def test_a_line_that_is_none_is_refused_with_its_fault(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"cron line|never fires") as raised:
        parse_cron(line)
    assert says in str(raised.value)


def test_a_time_zone_that_does_not_exist_is_refused_with_the_nearest() -> None:
    assert parse_timezone("Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"):
        parse_timezone("Europe/Berlim")
    for name in ("Factory", "localtime"):
        with pytest.raises(ValueError, match=f"there is no time zone '{name}'"):
            parse_timezone(name)
    with pytest.raises(ValueError, match="write the zone of a place, like Europe/Berlin, or UTC"):
        parse_timezone("!")


@pytest.mark.parametrize(
    ("name", "place"),
    [("CEST", "Europe/Berlin"), ("EDT", "America/New_York"), ("est", "America/New_York"), ("IST", "Asia/Kolkata")],
)
def test_an_abbreviation_is_never_answered_with_another(name: str, place: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is an abbreviation, .* write the zone of a place, like {place}"):
        parse_timezone(name)


def test_a_zone_is_suggested_whatever_the_capitals() -> None:
    for name, meant in (("europe/berlin", "Europe/Berlin"), ("utc", "UTC"), ("New_York", "America/New_York")):
        with pytest.raises(ValueError, match=f"there is no time zone '{name}'; did you mean '{meant}'"):
            parse_timezone(name)
