import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from janitor.serve.scheduler import Scheduler
from janitor.settings.cron import When

SECONDS = 10.0
NIGHTLY = When(cron="0 3 * * *")


class Jobs:
    """Jobs that are at work until they are told to end, and what the scheduler said of them."""

    def __init__(self) -> None:
        self.began: SimpleQueue[str] = SimpleQueue()
        self.missed: SimpleQueue[str] = SimpleQueue()
        self.may_end = threading.Event()
        self.thread = threading.current_thread()

    def run(self, name: str) -> None:
        self.thread = threading.current_thread()
        self.began.put(name)
        self.may_end.wait(SECONDS)

    def miss(self, name: str, _: float) -> None:
        self.missed.put(name)


@contextmanager
def scheduler(jobs: Jobs) -> Iterator[Scheduler]:
    made = Scheduler(jobs.run, jobs.miss)
    made.start()
    try:
        yield made
    finally:
        jobs.may_end.set()
        made.stop()


def test_a_job_fires_on_its_line_and_what_is_gone_fires_no_more() -> None:
    with scheduler(Jobs()) as made:
        hourly = When(cron="5 * * * *", timezone="Asia/Kathmandu")
        made.schedule({"nightly": NIGHTLY, "hourly": hourly, "by-hand": When()})
        times = made.next_times()
        assert set(times) == made.scheduled == {"nightly", "hourly"}
        assert times["nightly"] % 86_400 == 3 * 3_600
        assert times["hourly"] % 3_600 == 20 * 60  # 5:45 ahead of UTC
        made.schedule({"nightly": When(cron="0 4 * * *")})
        assert {name: at % 86_400 for name, at in made.next_times().items()} == {"nightly": 4 * 3_600}


def test_what_is_to_be_caught_up_runs_at_once_and_then_on_its_line() -> None:
    jobs = Jobs()
    with scheduler(jobs) as made:
        made.schedule({"late": NIGHTLY, "other": NIGHTLY}, {"late"})
        assert jobs.began.get(timeout=SECONDS) == "late"
        jobs.may_end.set()
        assert jobs.began.empty()
        assert made.scheduled == {"late", "other"}


def test_a_job_that_is_due_while_it_is_at_work_is_missed_and_not_run_twice() -> None:
    jobs = Jobs()
    with scheduler(jobs) as made:
        made.schedule({"slow": NIGHTLY}, {"slow"})
        assert jobs.began.get(timeout=SECONDS) == "slow"
        made.schedule({"slow": NIGHTLY}, {"slow"})
        assert jobs.missed.get(timeout=SECONDS) == "slow"
        assert jobs.began.empty()


def test_what_a_machine_slept_through_is_done_once_however_late(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    for module in ("schedulers", "executors"):
        monkeypatch.setattr(f"apscheduler.{module}.base.datetime", SimpleNamespace(now=lambda _: clock.at))
    jobs = Jobs()
    jobs.may_end.set()
    with scheduler(jobs) as made:
        made.schedule({"hourly": When(cron="5 * * * *")})
        clock.at += dt.timedelta(hours=6, minutes=30)
        made.wake()
        assert jobs.began.get(timeout=SECONDS) == "hourly"
        # The thread ends once it has done all that it was given.
        made.stop()
        jobs.thread.join(SECONDS)
    assert not jobs.thread.is_alive()
    assert (jobs.began.qsize(), jobs.missed.qsize()) == (0, 0)


def test_a_clock_that_is_set_back_is_followed() -> None:
    offsets = [1_000.0]
    made = Scheduler(lambda _: None, lambda _, __: None, lambda: offsets[-1])
    made.start()
    try:
        made.schedule({"hourly": When(cron="5 * * * *", jitter=3_000)})
        planned = made.next_times()["hourly"]
        with capture_logs() as logs:
            for offset in (2_000.0, 1_941.0, 1_940.0):
                offsets.append(offset)
                made.wake()
            assert (made.next_times()["hourly"], logs) == (planned, [])
            for offset in (1_939.0, 1_938.0):
                offsets.append(offset)
                made.wake()
        # Its jitter tells: it is planned anew, once.
        assert made.next_times()["hourly"] != planned
        assert [(line["event"], line["seconds"]) for line in logs] == [("clock.set_back", 61)]
    finally:
        made.stop()


def test_it_is_alive_while_nothing_is_overdue() -> None:
    made = Scheduler(lambda _: None, lambda _, __: None)
    assert not made.is_alive(time.time())
    with scheduler(Jobs()) as made:
        made.schedule({"nightly": NIGHTLY})
        assert made.is_alive(time.time())
        assert not made.is_alive(made.next_times()["nightly"] + 61)
