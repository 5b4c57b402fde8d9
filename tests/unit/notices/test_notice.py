import dataclasses

import pytest

from janitor.notices.notice import Event, format_threshold, notice_urgency
from janitor.tokens.crossing import Crossing
from tests.unit.notices.notices import DAY, notice


def test_a_notice_has_the_same_id_whenever_it_is_built_again() -> None:
    assert notice(1).notice_id == notice(1, name="renamed", username=None).notice_id


def test_fingerprint_expiry_threshold_and_deletion_each_make_another_id() -> None:
    one = notice(1, seconds_to_expiry=0)
    crossing = one.crossing
    others = [Crossing("f" * 12, *crossing[1:]), crossing._replace(expiry=5), crossing._replace(threshold=DAY)]
    said = {dataclasses.replace(one, crossing=other).notice_id for other in [crossing, *others]}
    deleted = dataclasses.replace(one, event=Event.DELETED).notice_id
    assert len(said | {deleted}) == 5


def test_what_dies_next_comes_first_then_what_died_last_then_what_was_deleted() -> None:
    hour, week = notice(seconds_to_expiry=3_600), notice(seconds_to_expiry=7 * DAY)
    just, long_ago = notice(seconds_to_expiry=0), notice(seconds_to_expiry=-9 * DAY)
    deleted = notice(seconds_to_expiry=-DAY, event=Event.DELETED)
    assert sorted([deleted, long_ago, week, just, hour], key=notice_urgency) == [hour, week, just, long_ago, deleted]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "expiry"), (90, "90s"), (900, "15m"), (43_200, "12h"), (DAY, "1d"), (7 * DAY, "7d"), (30 * DAY, "30d")],
)
def test_a_threshold_is_written_as_on_the_command_line(seconds: int, written: str) -> None:
    assert format_threshold(seconds) == written


def test_an_expiry_that_no_calendar_holds_is_long_ago() -> None:
    one = notice(seconds_to_expiry=-(10**126))
    assert (one.distance, one.date) == ("long ago", "-")
