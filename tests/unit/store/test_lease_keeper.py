"""Keeping a lease, in a time of the test's own: how long it counts as held, and who hears that it is lost."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.errors import StopRequestedError, StoreError
from janitor.store.lease import LeaseRecord, Leases, OwnLease, never_take_over
from janitor.store.lease_keeper import (
    ABANDONED_SECONDS,
    LEASE_SECONDS,
    MARGIN_SECONDS,
    RENEW_SECONDS,
    LeaseClaim,
    LeaseKeeper,
)
from tests.examples import examples

REFUSED = StoreError("the state table t was throttled", "try again later", "throttled")
PATIENCE = 30.0  # seconds that no test needs

CLAIM = LeaseClaim("a/r/t", "run-1")


@dataclass
class Time:
    """Passes with each wait, so many times; then stands still until the block ends."""

    waits: int
    now: float = 1_000.0
    waited: list[float] = field(default_factory=list)
    stands_still: threading.Event = field(default_factory=threading.Event)

    def clock(self) -> float:
        return self.now

    def wait(self, ended: threading.Event, seconds: float) -> bool:
        if len(self.waited) == self.waits:
            self.stands_still.set()
            return ended.wait(PATIENCE)
        self.waited.append(seconds)
        self.now += seconds
        return ended.is_set()


Answer = Callable[[], bool] | BaseException | bool
# Who has the lease, when it is to be taken.
Taken = LeaseRecord | Callable[[], LeaseRecord | None] | BaseException | None


class Script(Leases):
    """A store that answers as it was told to, and then that all is well."""

    location = "sqlite:///scripted"

    def __init__(self, renewals: Iterable[Answer] = (), taken: Taken = None) -> None:  # no store is behind it
        self.renewals, self.taken = iter(renewals), taken
        self.release_with: Answer = True
        self.calls: list[str] = []

    def take(
        self, scope: str, holder: str, seconds: int, may_take_over: Callable[[LeaseRecord], bool] = never_take_over
    ) -> OwnLease | LeaseRecord:
        self.calls.append(f"take {seconds}")
        if isinstance(self.taken, BaseException):
            raise self.taken
        taken = self.taken() if callable(self.taken) else self.taken
        return OwnLease(scope, holder, seconds) if taken is None or may_take_over(taken) else taken

    def find_holder(self, scope: str) -> LeaseRecord | None:
        raise AssertionError(f"nobody only looks at {scope}")

    def renew(self, scope: str, holder: str, seconds: int) -> bool:
        self.calls.append(f"renew {scope} {holder} {seconds}")
        return said(next(self.renewals, True))

    def release(self, scope: str, holder: str) -> None:
        self.calls.append(f"release {scope} {holder}")
        said(self.release_with)


def said(answer: Answer) -> bool:
    if isinstance(answer, BaseException):
        raise answer
    return answer if isinstance(answer, bool) else answer()


def keeper(store: Script, time: Time, lost: threading.Event) -> LeaseKeeper:
    return LeaseKeeper(store, CLAIM, lost.set, clock=time.clock, wait=time.wait)


def test_a_lease_is_renewed_every_fifteen_seconds_and_given_back() -> None:
    store, time, lost = Script(), Time(waits=5), threading.Event()
    kept = keeper(store, time, lost)
    assert not kept.is_held()
    with kept as other:
        assert other is None
        assert time.stands_still.wait(PATIENCE)
        assert kept.is_held()
        assert not lost.is_set()
    assert time.waited == [15.0] * 5
    assert store.calls == ["take 60", *["renew a/r/t run-1 60"] * 5, "release a/r/t run-1"]
    assert not kept.is_held()
    assert not lost.is_set()


def test_a_lease_of_another_run_is_left_alone() -> None:
    other = LeaseRecord("run-0", 99)
    store, lost = Script(taken=other), threading.Event()
    kept = keeper(store, Time(waits=0), lost)
    with kept as found:
        assert found == other
        assert not kept.is_held()
    assert store.calls == ["take 60"]


def watching(store: Script, time: Time) -> LeaseKeeper:
    """One that waits to see whether the lease is renewed. Time passes until then, and then stands still."""
    return LeaseKeeper(store, CLAIM, wait_while=lambda: True, clock=time.clock, wait=time.wait)


@pytest.mark.parametrize("until", [99, 10_000_000_000], ids=["soon-over", "for-years"])
def test_a_lease_that_nobody_renews_is_taken_over_after_the_time_of_one(until: int) -> None:
    time = Time(waits=int(ABANDONED_SECONDS))
    store = Script(taken=LeaseRecord("run-0", until))
    kept = watching(store, time)
    begun = time.now
    with kept as found:
        assert found is None
        assert kept.is_held()
        assert time.now == begun + ABANDONED_SECONDS
    assert time.now > begun + LEASE_SECONDS


@pytest.mark.parametrize("seconds", [0, 1, 10])
def test_whoever_has_no_time_to_wait_any_longer_leaves_the_lease_to_the_other(seconds: int) -> None:
    time, other = Time(waits=1_000), LeaseRecord("dead", 1)
    kept = LeaseKeeper(
        Script(taken=other),
        CLAIM,
        wait_while=lambda: len(time.waited) < seconds,
        clock=time.clock,
        wait=time.wait,
    )
    with kept as found:
        assert (found, len(time.waited)) == (other, seconds)


def test_a_lease_that_is_renewed_is_left_alone_as_soon_as_that_is_seen() -> None:
    time = Time(waits=1_000)
    begun = time.now
    store = Script(taken=lambda: LeaseRecord("run-0", 99 if time.now < begun + RENEW_SECONDS else 114))
    with watching(store, time) as found:
        assert found == LeaseRecord("run-0", 114)
    assert time.now == begun + RENEW_SECONDS
    assert not any(call.startswith("release") for call in store.calls)


def test_a_lease_that_another_takes_over_first_is_left_alone() -> None:
    time = Time(waits=1_000)
    begun = time.now
    store = Script(taken=lambda: LeaseRecord("run-0", 99) if time.now < begun + 59 else LeaseRecord("run-2", 119))
    with watching(store, time) as found:
        assert found == LeaseRecord("run-2", 119)


def test_a_lease_that_is_given_back_meanwhile_is_taken_at_once() -> None:
    time = Time(waits=3)
    begun = time.now
    store = Script(taken=lambda: LeaseRecord("run-0", 99) if time.now < begun + 3 else None)
    kept = watching(store, time)
    with kept as found:
        assert found is None
        assert time.now == begun + 3


def test_an_attempt_takes_over_the_lease_of_an_earlier_attempt_of_the_same_work_and_no_other() -> None:
    for holder, is_own in {"job-1/run-0": True, "job-10/run-0": False, "job-1": False, "x/job-1/run-0": False}.items():
        store = Script(taken=LeaseRecord(holder, 99))
        kept = LeaseKeeper(store, LeaseClaim("a/r/t", "run-1", "job-1"), clock=Time(waits=0).clock)
        with kept as found:
            assert (found is None) is is_own, holder
        assert store.calls == ["take 60", *(["release a/r/t job-1/run-1"] if is_own else [])]


def test_a_signal_ends_the_wait() -> None:
    def stop(_: threading.Event, __: float) -> bool:
        raise StopRequestedError

    store = Script(taken=LeaseRecord("run-0", 99))
    kept = LeaseKeeper(store, CLAIM, wait_while=lambda: True, wait=stop)
    with pytest.raises(StopRequestedError), kept:
        pytest.fail("it was entered")


def test_a_lease_is_not_held_once_its_time_less_the_margin_is_over_whoever_looks() -> None:
    store, time, lost = Script(), Time(waits=1), threading.Event()
    kept = keeper(store, time, lost)
    with kept:
        assert time.stands_still.wait(PATIENCE)
        time.now += LEASE_SECONDS - MARGIN_SECONDS - 0.1
        assert kept.is_held()
        time.now += 0.1
        assert not kept.is_held()
        time.now -= 30
        assert not kept.is_held()


def test_a_renewal_that_finds_another_holder_loses_the_lease_at_once() -> None:
    store, time, lost = Script([True, False]), Time(waits=9), threading.Event()
    kept = keeper(store, time, lost)
    with kept:
        assert lost.wait(PATIENCE)
        assert not kept.is_held()
    assert time.waited == [15.0, 15.0]
    # The store knows whose it is.
    assert store.calls[-1] == "release a/r/t run-1"


@pytest.mark.parametrize(
    ("renewals", "waited"), [([REFUSED] * 9, [15, 15, 10]), ([REFUSED, True, REFUSED, REFUSED], [15, 15, 15, 15, 10])]
)
def test_renewals_that_fail_are_tried_again_until_the_margin_begins(
    renewals: list[Answer], waited: list[float]
) -> None:
    time, lost = Time(waits=len(waited)), threading.Event()
    kept = keeper(Script(renewals), time, lost)
    with kept:
        assert lost.wait(PATIENCE)
        assert not kept.is_held()
    assert time.waited == waited


def test_a_renewal_that_hangs_does_not_hide_the_loss_and_brings_nothing_back_when_it_comes() -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def hang() -> bool:
        is_asked.set()
        return may_answer.wait(PATIENCE)

    time, lost = Time(waits=1), threading.Event()
    kept = keeper(Script([hang]), time, lost)
    with kept:
        assert is_asked.wait(PATIENCE)
        assert kept.is_held()
        time.now += LEASE_SECONDS - MARGIN_SECONDS
        assert lost.wait(PATIENCE)
        may_answer.set()
        assert not kept.is_held()


def test_a_renewal_that_comes_after_the_loss_was_seen_brings_nothing_back() -> None:
    time, lost = Time(waits=9), threading.Event()

    def late() -> bool:
        time.now += 30  # past what was left, and within what the renewal would give
        assert not kept.is_held()
        return True

    kept = keeper(Script([late]), time, lost)
    with kept:
        assert lost.wait(PATIENCE)
        assert not kept.is_held()
    assert time.waited == [15.0]


def test_the_block_ends_while_a_renewal_hangs() -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def hang() -> bool:
        is_asked.set()
        return may_answer.wait(PATIENCE)

    store, lost = Script([hang]), threading.Event()
    with keeper(store, Time(waits=1), lost):
        assert is_asked.wait(PATIENCE)
    assert store.calls[-1] == "release a/r/t run-1"
    assert not lost.is_set()
    may_answer.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_store_loses_the_lease_and_is_not_swallowed() -> None:
    lost = threading.Event()
    kept = keeper(Script([RuntimeError("a bug")]), Time(waits=9), lost)
    with kept:
        assert lost.wait(PATIENCE)
        assert not kept.is_held()


def test_a_release_that_fails_or_hangs_is_not_the_runs_failure() -> None:
    never, time = threading.Event(), Time(waits=0)

    def hang() -> bool:
        time.now += 3
        return never.wait(PATIENCE)

    for answer in (REFUSED, hang):
        store = Script()
        store.release_with = answer
        with keeper(store, time, threading.Event()):
            pass
        assert store.calls == ["take 60", "release a/r/t run-1"]
    never.set()


def test_a_store_that_fails_at_the_start_is_the_callers_to_tell_of() -> None:
    store = Script(taken=REFUSED)
    with pytest.raises(StoreError, match="throttled"), keeper(store, Time(waits=0), threading.Event()):
        pytest.fail("it was entered")
    assert store.calls == ["take 60"]


def test_a_signal_in_the_middle_of_taking_gives_back_what_may_be_taken() -> None:
    store = Script(taken=StopRequestedError())
    with pytest.raises(StopRequestedError), keeper(store, Time(waits=0), threading.Event()):
        pytest.fail("it was entered")
    assert store.calls == ["take 60", "release a/r/t run-1"]


@examples(40, nightly=400)
@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50), st.booleans()), max_size=8))
def test_whatever_renewals_take_the_lease_is_lost_well_before_the_store_says_that_it_is_over(
    renewals: list[tuple[float, float, bool]],
) -> None:
    time, lost = Time(waits=0), threading.Event()
    until = [time.now + LEASE_SECONDS]
    broken: list[float] = []

    def renewal(there: float, back: float, works: bool) -> Callable[[], bool]:  # noqa: FBT001
        def answer() -> bool:
            time.now += there
            if works:
                until.append(time.now + LEASE_SECONDS)
            time.now += back
            if not works:
                raise REFUSED
            return True

        return answer

    def wait(ended: threading.Event, seconds: float) -> bool:
        end = time.now + seconds
        while time.now < end:
            time.now = min(end, time.now + 1)
            if kept.is_held() and time.now > max(until) - MARGIN_SECONDS:
                broken.append(time.now)
        return ended.is_set()

    script = [renewal(*each) for each in renewals]
    kept = LeaseKeeper(Script([*script, *[REFUSED] * 9]), CLAIM, lost.set, clock=time.clock, wait=wait)
    with kept:
        assert lost.wait(PATIENCE)
        assert not kept.is_held()
    assert broken == []
