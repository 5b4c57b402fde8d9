"""When lines fire, against an oracle: 43 lines by the clocks of 13 zones over three years."""

import datetime as dt
import itertools
import random

import pytest

from janitor.settings.cron import When, make_trigger, next_times
from tests.examples import how_many
from tests.unit.settings.cron_oracle import END, LINES, START, ZONES, Line, fires, stretches

# A line of more times than these over the three years is followed for some days around each setting of the clock.
_MOST_TIMES = how_many(400, 1_500)
_AROUND = dt.timedelta(days=3)


@pytest.mark.parametrize("zone", ZONES)
def test_every_line_fires_when_the_clock_of_its_zone_says_so(zone: str) -> None:
    wrong = {}
    for line in LINES:
        for start, end in _spans(line, zone):
            expected = [at for at in fires(line, zone) if start < at < end]
            got = list(itertools.takewhile(end.__gt__, next_times(_when(line, zone), start)))
            if got != expected:
                wrong[line.text] = sorted(str(at) for at in set(got) ^ set(expected))[:4]
    assert wrong == {}


@pytest.mark.parametrize("zone", ZONES)
def test_the_next_time_after_any_instant_is_the_first_that_is_later(zone: str) -> None:
    chosen = random.Random(zone)
    set_at = [each.start for each in stretches(zone) if START + _AROUND < each.start < END - _AROUND]
    for line in LINES:
        expected = fires(line, zone)
        for at in [*set_at, START + _AROUND]:
            after = at + dt.timedelta(seconds=chosen.uniform(-4 * 3_600, 4 * 3_600))
            first = next((each for each in expected if each > after), None)
            if first is not None:
                trigger = make_trigger(_when(line, zone))
                assert trigger is not None
                assert (line.text, after, trigger.get_next_fire_time(None, after)) == (line.text, after, first)
                assert trigger.get_next_fire_time(after, after + dt.timedelta(days=1)) == first


def _spans(line: Line, zone: str) -> list[tuple[dt.datetime, dt.datetime]]:
    if len(fires(line, zone)) <= _MOST_TIMES:
        return [(START, END)]
    starts = [each.start for each in stretches(zone) if START + _AROUND < each.start < END - _AROUND]
    return [(at - _AROUND, at + _AROUND) for at in starts or [START + _AROUND]]


def _when(line: Line, zone: str) -> When:
    return When(cron=line.text, timezone=zone)
