import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.dynamodb.clock import ServerClock, parse_date_header

_FIRST = 1_800_000_000.0
# Of each answer: how long after the one before it was written, and how long it took to arrive.
_ANSWERS = st.lists(st.tuples(st.floats(0, 3_600), st.floats(0, 30)), min_size=1, max_size=20)


@given(answers=_ANSWERS, then=st.floats(0, 3_600), boot=st.floats(0, 10**7))
def test_it_is_never_ahead_of_the_server_and_behind_by_the_slowest_answer_at_most(
    answers: list[tuple[float, float]], then: float, boot: float
) -> None:
    server = _FIRST
    clock = ServerClock(lambda: boot + server - _FIRST)
    slowest = 0.0
    for pause, way in answers:
        server += pause
        written = formatdate(math.floor(server), usegmt=True)
        server += way
        clock.note_date(written)
        slowest = max(slowest, way)
        present = clock.now()
        assert present is not None
        assert present <= server + 1e-5
    server += then
    present = clock.now()
    assert present is not None
    assert server - slowest - 1 - 1e-5 <= present <= server + 1e-5


@given(answers=_ANSWERS)
def test_what_was_over_when_the_run_began_is_over_until_its_end(answers: list[tuple[float, float]]) -> None:
    server = _FIRST
    clock = ServerClock(lambda: server)
    began: float | None = None
    for pause, way in answers:
        server += pause
        written = formatdate(math.floor(server), usegmt=True)
        server += way
        clock.note_date(written)
        present = clock.now()
        assert present is not None
        began = present if began is None else began
        assert present >= began - 1e-5


def test_a_clock_that_somebody_sets_meanwhile_is_not_followed() -> None:
    ticks = [1_000.0]
    clock = ServerClock(lambda: ticks[0])
    clock.note_date(formatdate(_FIRST, usegmt=True))
    ticks[0] += 10
    assert clock.earlier_of(_FIRST + 7_200) == _FIRST + 10
    assert clock.earlier_of(_FIRST - 7_200) == _FIRST - 7_200


def test_without_any_date_the_local_clock_is_all_there_is() -> None:
    clock = ServerClock()
    for stamp in (None, "", "no date"):
        clock.note_date(stamp)
    assert (clock.now(), clock.earlier_of(_FIRST)) == (None, _FIRST)


@pytest.mark.parametrize(
    "stamp",
    [
        None,
        "",
        "no date",
        "Sun, 06 Nov 1994 08:49:37 -0000",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "2026-01-01T00:00:00Z",
        "Sun, 06 Nov 1994 08:49:37 +9999999999",
    ],
)
def test_a_date_that_is_none_or_names_no_time_zone_is_passed_over(stamp: str | None) -> None:
    assert parse_date_header(stamp) is None


def test_a_date_of_http_is_read_whatever_the_zone_of_this_machine() -> None:
    assert parse_date_header("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777
