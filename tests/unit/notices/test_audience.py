"""Who is to be told of a token now: every audience of every threshold that was passed, each once."""

from hypothesis import given
from hypothesis import strategies as st

from janitor.notices.audience import (
    Audience,
    AudienceProgress,
    MessageKind,
    current_progress,
    is_due,
    is_long_expired,
    second_of_crossing,
)
from janitor.tokens.crossing import EXPIRY_THRESHOLD, Crossing, find_crossed_threshold

NOW, DAY = 1_800_000_000, 86_400
GRACE = 7 * DAY

days = st.integers(-400, 400)
thresholds = st.lists(st.integers(1, 90), min_size=1, max_size=4, unique=True).map(
    lambda ahead: [each * DAY for each in ahead]
)


def crossing_at(now: int, expiry: int, ahead: list[int]) -> Crossing | None:
    threshold = find_crossed_threshold(expiry - now, ahead)
    return None if threshold is None else Crossing("a" * 12, expiry, threshold)


def nights(expiry: int, ahead: list[int], heard: AudienceProgress, last: int) -> list[int]:
    """The thresholds that are told by a run a night up to a day before or after now, each marked as it is told."""
    told_at, told = None, []
    for day in range(last):
        crossing = crossing_at(NOW + day * DAY, expiry, ahead)
        if crossing is not None and is_due(crossing, told_at, heard, needs_notice=False):
            told_at = NOW + day * DAY
            told.append(crossing.threshold)
    return told


@given(st.integers(0, 120), thresholds)
def test_by_nightly_runs_every_threshold_is_told_once_in_its_order(lifetime: int, ahead: list[int]) -> None:
    expiry, heard = NOW + lifetime * DAY, AudienceProgress(NOW - DAY, NOW - GRACE)
    told = nights(expiry, ahead, heard, lifetime + 30)
    passed = [each for each in sorted(ahead, reverse=True) if each >= lifetime * DAY]
    begun = [min(passed)] if passed and lifetime else []
    assert told == [*begun, *sorted((each for each in ahead if each < lifetime * DAY), reverse=True), EXPIRY_THRESHOLD]


@given(days, thresholds, thresholds)
def test_another_list_of_thresholds_on_the_same_day_repeats_nothing(
    day: int, first: list[int], second: list[int]
) -> None:
    expiry, heard = NOW + day * DAY, AudienceProgress(None, NOW - GRACE)
    told, again = crossing_at(NOW, expiry, first), crossing_at(NOW, expiry, second)
    if told is not None and again is not None and is_due(told, None, heard, needs_notice=False):
        assert not is_due(again, NOW, heard, needs_notice=False)


@given(days, thresholds)
def test_the_first_run_tells_all_but_the_long_dead_and_counts_those(day: int, ahead: list[int]) -> None:
    crossing = crossing_at(NOW, NOW + day * DAY, ahead)
    heard = current_progress({}, "-", NOW, GRACE)
    if crossing is not None:
        due = is_due(crossing, None, heard, needs_notice=False)
        assert due == (day > -7)
        assert is_long_expired(crossing, heard) != due
        assert is_due(crossing, None, heard, needs_notice=True) == (due or crossing.threshold == EXPIRY_THRESHOLD)


@given(days, thresholds, st.integers(0, 30))
def test_another_key_tells_what_came_since_the_last_run_and_nothing_before(
    day: int, ahead: list[int], since: int
) -> None:
    crossing = crossing_at(NOW, NOW + day * DAY, ahead)
    before = {"old": AudienceProgress(NOW - since * DAY, NOW - 500 * DAY, is_counted=True)}
    heard = current_progress(before, "new", NOW, GRACE)
    if crossing is not None:
        is_since = second_of_crossing(crossing) > NOW - since * DAY
        assert is_due(crossing, None, heard, needs_notice=False) == is_since
    assert current_progress({**before, "new": heard}, "new", NOW + DAY, GRACE) == heard


def test_the_dead_stay_dead_whatever_the_grace_becomes() -> None:
    first = current_progress({}, "-", NOW, GRACE)
    for grace in (0, 30 * DAY):
        assert current_progress({"-": first}, "-", NOW + 40 * DAY, grace) == first


def test_each_topic_and_kind_has_marks_of_its_own_and_an_extended_token_others() -> None:
    audiences = [Audience(kind, topic) for kind in MessageKind for topic in ("a", "b")]
    crossings = [Crossing("f" * 12, expiry, 0) for expiry in (NOW, NOW + 1)]
    assert len({audience.mark_name(crossing) for audience in audiences for crossing in crossings}) == 8
    [first, *_] = audiences
    assert len({first.mark_name(crossings[0]._replace(threshold=each)) for each in (0, DAY)}) == 1
