"""Fire jobs at their times: APScheduler, with other settings than its defaults.

By default it silently skips a job that is more than a second late, and its own cron triggers lose days after the clock
was set forward (`settings.cron` has others). Here a late job runs once, however late: after a machine slept through the
night its report is still wanted in the morning, and if an hourly job missed six hours, one run does the work of six. A
job that is due while it is still running or waiting is not started twice; that is counted as missed.
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
from janitor.settings.cron import When, make_trigger

log = get_logger("janitor.serve")

# A job that waits for its tables holds a thread. Further jobs wait for a free one.
_THREADS = 64
# The daemon wakes the scheduler every few seconds. If a job is overdue by more, the scheduler does not work.
_OVERDUE_SECONDS = 60.0
_LATE_SECONDS = 60.0
# A smaller step back is a normal correction of the clock.
_SET_BACK_SECONDS = 60.0

_DEFAULTS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


def _clock_offset() -> float:
    return time.time() - time.monotonic()


class Scheduler:
    """Fires jobs, in a thread of its own."""

    def __init__(
        self,
        run: Callable[[str], None],
        record_missed: Callable[[str, float], None],
        clock_offset: Callable[[], float] = _clock_offset,
    ) -> None:
        """Prepare; the scheduler is not started yet, and has no jobs.

        Args:
            run: does one run of a job; called in a thread of its own.
            record_missed: called with a job and the UNIX second at which it was due and not run.
            clock_offset: the seconds of the wall clock minus those of the monotonic clock.
        """
        self._clock_offset = clock_offset
        self._max_offset = clock_offset()
        self._run = run
        self._record_missed = record_missed
        self._whens: dict[str, When] = {}
        self._scheduler: Any = BlockingScheduler(
            timezone=dt.UTC, executors={"default": ThreadPoolExecutor(_THREADS)}, job_defaults=_DEFAULTS
        )
        self._thread = threading.Thread(target=self._scheduler.start, name="scheduler", daemon=True)

    def start(self) -> None:
        """Start, and return once the scheduler is running."""
        # Only its errors: everything else is logged here.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        started = threading.Event()
        self._scheduler.add_listener(lambda _: started.set(), EVENT_SCHEDULER_STARTED)
        self._scheduler.add_listener(self._log_missed, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        self._scheduler.add_listener(self._log_late, EVENT_JOB_SUBMITTED)
        self._thread.start()
        started.wait()

    def stop(self) -> None:
        """Fire no more jobs; runs that have started go on."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def wake(self) -> None:
        """Look for due jobs now. Its own sleep does not notice that the clock was set or that the machine slept."""
        self._follow_clock()
        self._scheduler.wakeup()

    def schedule(self, whens: Mapping[str, When], at_once: Collection[str] = ()) -> None:
        """Fire these jobs and no others. A job whose times are the same keeps its next time.

        Args:
            whens: when each job fires; one without a cron line never does.
            at_once: the jobs that also fire now.
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
        """The names of the jobs that it fires."""
        return frozenset(self._whens)

    def next_times(self) -> dict[str, float]:
        """Return when each job fires next, in UNIX seconds."""
        return {job.id: job.next_run_time.timestamp() for job in self._scheduler.get_jobs() if job.next_run_time}

    def is_alive(self, now: float) -> bool:
        """Whether jobs are being fired: the thread runs, and no job is overdue."""
        return self._thread.is_alive() and all(at > now - _OVERDUE_SECONDS for at in self.next_times().values())

    def _add(self, name: str, when: When, **now: dt.datetime) -> None:
        self._scheduler.add_job(
            self._run, make_trigger(when), args=[name], id=name, name=name, replace_existing=True, **now
        )

    def _follow_clock(self) -> None:
        """Reschedule all jobs after the wall clock was set back: by the old times they would wait that much longer."""
        offset = self._clock_offset()
        step_back = self._max_offset - offset
        if step_back <= _SET_BACK_SECONDS:
            self._max_offset = max(self._max_offset, offset)
            return
        log.warning("clock.set_back", seconds=round(step_back), way_out="every job is rescheduled by the present time")
        self._max_offset = offset
        for name, when in self._whens.items():
            self._add(name, when)

    def _log_missed(self, event: Any) -> None:
        due = _due_time(event)
        log.warning(
            "job.missed",
            job=event.job_id,
            due=due.isoformat(timespec="seconds"),
            reason="it was still running, or waiting for other runs",
        )
        self._record_missed(event.job_id, due.timestamp())

    def _log_late(self, event: Any) -> None:
        due = _due_time(event)
        late = (dt.datetime.now(dt.UTC) - due).total_seconds()
        if late > _LATE_SECONDS:
            log.warning("job.late", job=event.job_id, due=due.isoformat(timespec="seconds"), late_seconds=round(late))


def _due_time(event: Any) -> dt.datetime:
    due: dt.datetime = event.scheduled_run_times[-1]
    return due.astimezone(dt.UTC)
