"""When jobs fire: APScheduler, told everything that its defaults would get wrong.

By itself it skips, without a word, a job that it is more than a second late for, and its own cron lines lose days after
a clock was set forward (`settings.cron` has others). Here a job that is late is done once, however late: after a
machine slept through the night its report is wanted in the morning all the same, and of an hourly job that missed six
hours one run does the work of six. A job that is due while it is still at work, or waits for its turn, is not done
twice, and that is counted.
"""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, EVENT_JOB_SUBMITTED, EVENT_SCHEDULER_STARTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

from janitor.logs import get_logger
from janitor.settings.cron import When, trigger_of

log = get_logger("janitor.serve")

# A job that waits for its turn holds a thread; whatever is due beyond that waits until one is free.
_THREADS = 64
# The daemon wakes the scheduler every few seconds. When a job is overdue by more, nobody fires it.
_OVERDUE_SECONDS = 60.0
_LATE_SECONDS = 60.0
# A clock that is set back by less is one that is being kept right.
_SET_BACK_SECONDS = 60.0

_DEFAULTS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


def _clock_offset() -> float:
    return time.time() - time.monotonic()


class Scheduler:
    """Fires jobs by their names, in a thread of its own."""

    def __init__(
        self,
        run: Callable[[str], None],
        miss: Callable[[str, float], None],
        clock_offset: Callable[[], float] = _clock_offset,
    ) -> None:
        """A scheduler that is not started yet, without a job.

        Args:
            run: does one run of a job, in a thread of its own.
            miss: is told of a job that was due at a UNIX second, and is not done.
            clock_offset: the wall clock's seconds less those of one that nobody sets.
        """
        self._clock_offset = clock_offset
        self._furthest = clock_offset()
        self._run = run
        self._miss = miss
        self._whens: dict[str, When] = {}
        self._scheduler: Any = BlockingScheduler(
            timezone=dt.UTC, executors={"default": ThreadPoolExecutor(_THREADS)}, job_defaults=_DEFAULTS
        )
        self._thread = threading.Thread(target=self._scheduler.start, name="scheduler", daemon=True)

    def start(self) -> None:
        """Begin; returns once the scheduler is at work."""
        # Everything that it would say is said here in the daemon's own words, but for errors.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        has_begun = threading.Event()
        self._scheduler.add_listener(lambda _: has_begun.set(), EVENT_SCHEDULER_STARTED)
        self._scheduler.add_listener(self._say_missed, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        self._scheduler.add_listener(self._say_late, EVENT_JOB_SUBMITTED)
        self._thread.start()
        has_begun.wait()

    def stop(self) -> None:
        """Fire nothing any more; runs that began go on."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def wake(self) -> None:
        """Look for jobs that are due. Its own sleep does not see a clock that was set, or a machine that slept."""
        self._follow_clock()
        self._scheduler.wakeup()

    def schedule(self, whens: Mapping[str, When], at_once: Collection[str] = ()) -> None:
        """Fire these jobs and no others; what is scheduled as it is asked for stays as it is.

        Args:
            whens: when each fires; one without a cron line is left out.
            at_once: those that are to fire now, besides.
        """
        wanted = {name: when for name, when in whens.items() if when.cron is not None}
        for name in self._whens.keys() - wanted.keys():
            self._scheduler.remove_job(name)
        for name, when in wanted.items():
            if self._whens.get(name) == when and name not in at_once:
                continue
            now = {"next_run_time": dt.datetime.now(dt.UTC)} if name in at_once else {}
            self._add(name, when, **now)
        self._whens = wanted

    @property
    def scheduled(self) -> frozenset[str]:
        """The jobs that it fires."""
        return frozenset(self._whens)

    def next_times(self) -> dict[str, float]:
        """When each job fires next, in UNIX seconds."""
        return {job.id: job.next_run_time.timestamp() for job in self._scheduler.get_jobs() if job.next_run_time}

    def is_alive(self, now: float) -> bool:
        """Whether jobs are being fired: the thread is there, and nothing is overdue."""
        return self._thread.is_alive() and all(at > now - _OVERDUE_SECONDS for at in self.next_times().values())

    def _add(self, name: str, when: When, **now: dt.datetime) -> None:
        self._scheduler.add_job(
            self._run, trigger_of(when), args=[name], id=name, name=name, replace_existing=True, **now
        )

    def _follow_clock(self) -> None:
        """Plan anew once the wall clock was set back: what was planned by its former time would wait all that time."""
        offset = self._clock_offset()
        back = self._furthest - offset
        if back <= _SET_BACK_SECONDS:
            self._furthest = max(self._furthest, offset)
            return
        log.warning("clock.set_back", seconds=round(back), way_out="every job is planned anew by the clock as it is")
        self._furthest = offset
        for name, when in self._whens.items():
            self._add(name, when)

    def _say_missed(self, event: Any) -> None:
        due = _due(event)
        log.warning(
            "job.missed",
            job=event.job_id,
            due=due.isoformat(timespec="seconds"),
            reason="it was still at work, or waiting for its turn",
        )
        self._miss(event.job_id, due.timestamp())

    def _say_late(self, event: Any) -> None:
        due = _due(event)
        late = (dt.datetime.now(dt.UTC) - due).total_seconds()
        if late > _LATE_SECONDS:
            log.warning("job.late", job=event.job_id, due=due.isoformat(timespec="seconds"), late_seconds=round(late))


def _due(event: Any) -> dt.datetime:
    due: dt.datetime = event.scheduled_run_times[-1]
    return due.astimezone(dt.UTC)
