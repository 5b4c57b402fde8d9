"""The daemon: its parts, its main loop, and its end.

The main thread waits for signals and reads the folder every two seconds. The scheduler's thread fires jobs, each in a
thread that waits for its process. The pages have a thread of their own.
"""

import functools
import ipaddress
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from janitor import __version__
from janitor.errors import ConfigurationError
from janitor.logs import get_logger
from janitor.serve.claims import lock_state_folder, open_listener
from janitor.serve.job_memory import JobMemory
from janitor.serve.job_runner import JobRunner
from janitor.serve.jobs import ScheduledJob, ScheduledTable, find_missed_time, is_catch_up_due
from janitor.serve.page_server import PageServer, make_application
from janitor.serve.schedule_folder import ScheduleFolder
from janitor.serve.scheduler import Scheduler
from janitor.serve.signals import SignalQueue, queue_signals
from janitor.serve.status import DaemonStatus, JobStatus, PageSource, Readiness
from janitor.serve.table_probes import TableProbes, make_table_locator
from janitor.settings.serve import Address
from janitor.tokens.times import time_of

log = get_logger("janitor.serve")

LOOP_SECONDS = 2.0
# The daemon ends within 10 seconds; a run takes at most 5 to end.
STOP_SECONDS = 8.0
# How long a job without a file is remembered and its last report kept.
_REMEMBER_SECONDS = 30 * 86_400
# How long a run waits until its tables are located, if they are not yet.
_LOCATE_SECONDS = 5.0
# The loop may take this long, then the daemon counts as stuck.
_MAX_LOOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSettings:
    """The settings of the daemon.

    Attributes:
        folder: the folder of schedule files.
        listen: where the pages are served.
        state: the folder of its memory and of the last reports; created if need be.
        environment: the environment variables of the runs.
        options: further command line options of every run.
        max_runs: how many runs may be going at once.
    """

    folder: Path
    listen: Address
    state: Path
    environment: Mapping[str, str]
    options: Sequence[str] = ()
    max_runs: int = 2


def serve(settings: DaemonSettings, print_address: Callable[[str], None]) -> None:
    """Serve until a signal asks to end.

    Args:
        settings: what to serve, and where.
        print_address: called with the page's address once it is served.

    Raises:
        ConfigurationError: the folder, the address or the state folder cannot be used; nothing was started.
    """
    with queue_signals() as signals, open_listener(settings.listen) as listener, lock_state_folder(settings.state):
        if not settings.folder.is_dir():
            way_out = "give the folder that holds the schedule files"
            raise ConfigurationError(f"{settings.folder} is not a folder", way_out, "folder")
        daemon = _Daemon(settings)
        try:
            print_address(daemon.start(listener))
            daemon.run_loop(signals)
        finally:
            daemon.stop(signals)


class LoopWatchdog:
    """Whether the main loop still goes round: reading the folder may block for ever, for example on a network disk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with a pass of the loop.

        Args:
            clock: a monotonic clock, in seconds.
        """
        self._clock = clock
        self._passed_at = clock()

    def beat(self) -> None:
        """Note a pass of the loop."""
        self._passed_at = self._clock()

    @property
    def is_beating(self) -> bool:
        """Whether the loop passed within half a minute."""
        return self._clock() - self._passed_at <= _MAX_LOOP_SECONDS


class _Daemon:
    """The parts of the daemon."""

    def __init__(self, settings: DaemonSettings) -> None:
        self._settings = settings
        self._started_at = time.time()
        self._folder = ScheduleFolder(settings.folder, settings.environment)
        self._memory = JobMemory(settings.state / "daemon.json")
        self._probes = TableProbes(make_table_locator(settings.environment))
        self._runner = JobRunner(
            settings.state / "runs",
            self._memory,
            self._find_job,
            self._lock_keys,
            settings.options,
            max_runs=settings.max_runs,
        )
        self._scheduler = Scheduler(self._run_job, self._memory.record_missed)
        self._watchdog = LoopWatchdog()
        self._pages: PageServer | None = None

    def start(self, listener: socket.socket) -> str:
        """Clean up after an earlier daemon, start, and return the page's address."""
        self._runner.end_orphans()
        self._folder.refresh()
        missed = {name for name, job in self._folder.contents.jobs.items() if self._is_catch_up_due(job)}
        for name in sorted(missed):
            log.warning("job.catches_up", job=name, reason="it was due while no daemon was running")
        for name in self._folder.contents.jobs.keys() - missed:
            self._count_missed(name)
        self._scheduler.start()
        self._apply_folder(missed)
        host, port = listener.getsockname()[:2]
        # A server that listens for other machines may be called by any name that leads to it.
        hosts = {self._settings.listen.host, host} if ipaddress.ip_address(host).is_loopback else ()
        self._pages = PageServer(
            make_application(PageSource(self._status, self._is_alive, self._readiness), hosts), listener
        )
        self._pages.start()
        address = f"http://{Address(host, port)}/"
        log.info("daemon.started", pages=address, jobs=len(self._folder.contents.jobs))
        self._warn_if_idle()
        return address

    def run_loop(self, signals: SignalQueue) -> None:
        """Follow the folder until a signal asks to end."""
        while True:
            received = signals.wait(LOOP_SECONDS)
            if any(number != signal.SIGHUP for number in received):
                return
            if signal.SIGHUP in received:
                log.info("daemon.reloads")
            had_jobs = bool(self._folder.contents.jobs)
            if self._folder.refresh(reads_all=signal.SIGHUP in received):
                self._apply_folder()
                if had_jobs:
                    self._warn_if_idle()
            self._forget_old_jobs()
            self._runner.stop_overdue(time.monotonic())
            self._scheduler.wake()
            self._watchdog.beat()

    def stop(self, signals: SignalQueue) -> None:
        """Start no more runs, and stop the present ones; another signal kills them at once."""
        log.info("daemon.stopping", at_work=sorted(self._runner.running()))
        self._scheduler.stop()
        self._probes.close()
        self._runner.stop(STOP_SECONDS, functools.partial(_is_asked_again, signals))
        if self._pages is not None:
            self._pages.stop()
        log.info("daemon.stopped")

    def _apply_folder(self, missed: frozenset[str] | set[str] = frozenset()) -> None:
        """Schedule the jobs of the folder, and remember since when the daemon takes care of each.

        It does not for a job whose file is removed or broken: what that job misses meanwhile is not caught up later.
        """
        jobs, now = self._folder.contents.jobs, time.time()
        records = self._memory.all()
        for name, job in jobs.items():
            before = records.get(name)
            is_new = before is None or before.handled_at is None or before.line != job.line
            if name not in missed and (is_new or name not in self._scheduler.scheduled):
                self._memory.update(name, line=job.line, handled_at=now)
        for name in records.keys() - jobs.keys():
            if records[name].handled_at is not None:
                self._memory.update(name, handled_at=None)
        for name, before in records.items():
            is_gone = name not in jobs and name not in self._folder.contents.broken
            # If the folder cannot be read, no file counts as gone.
            if is_gone is (before.gone_at is None) and self._folder.contents.error is None:
                self._memory.update(name, gone_at=now if is_gone else None)
        self._probes.watch(self._list_tables())
        self._scheduler.schedule({name: job.schedule.when for name, job in jobs.items()}, missed)

    def _forget_old_jobs(self) -> None:
        now = time.time()
        for name, record in self._memory.all().items():
            if record.gone_at is not None and record.gone_at < now - _REMEMBER_SECONDS:
                self._runner.forget(name)

    def _warn_if_idle(self) -> None:
        if not self._folder.contents.jobs:
            log.warning("daemon.idle", reason="no schedule file is loaded", folder=str(self._settings.folder))

    def _count_missed(self, name: str) -> None:
        """Count a run that was due and is not caught up: no daemon was running, or it ended during the jitter."""
        record = self._memory.get(name)
        if record.handled_at is None:
            return
        # Nothing is counted twice.
        since = max(record.handled_at, record.missed_at or 0.0)
        due = find_missed_time(record.line, self._folder.contents.jobs[name], since, self._started_at)
        if due is not None:
            at = time_of(due).isoformat(timespec="seconds")
            log.warning("job.missed", job=name, due=at, reason="no daemon was running")
            self._memory.record_missed(name, due)

    def _run_job(self, name: str) -> None:
        job = self._find_job(name)
        if job is not None:
            self._probes.check(job.tables, _LOCATE_SECONDS)
        self._runner.run(name)

    def _lock_keys(self, job: ScheduledJob) -> frozenset[str]:
        return self._probes.lock_keys(job.tables)

    def _list_tables(self) -> list[ScheduledTable]:
        return [table for _, job in sorted(self._folder.contents.jobs.items()) for table in job.tables]

    def _is_catch_up_due(self, job: ScheduledJob) -> bool:
        record = self._memory.get(job.name)
        return is_catch_up_due(record.line, job, record.handled_at, self._started_at)

    def _find_job(self, name: str) -> ScheduledJob | None:
        return self._folder.contents.jobs.get(name)

    def _is_alive(self) -> bool:
        is_stuck = self._runner.is_stuck(time.monotonic())
        return self._watchdog.is_beating and self._scheduler.is_alive(time.time()) and not is_stuck

    def _readiness(self) -> Readiness:
        return Readiness(self._folder.contents, self._probes.check(self._list_tables()))

    def _status(self) -> DaemonStatus:
        contents, running, waiting = self._folder.contents, self._runner.running(), self._runner.waiting()
        next_times = self._scheduler.next_times()
        jobs = {
            name: JobStatus(
                job=job,
                record=self._memory.get(name),
                last_reports=self._runner.last_reports(job),
                running_since=running.get(name),
                is_waiting=name in waiting,
                next_at=next_times.get(name),
            )
            for name, job in contents.jobs.items()
        }
        return DaemonStatus(
            now=time.time(),
            started_at=self._started_at,
            version=__version__,
            folder=str(self._settings.folder),
            jobs=jobs,
            broken=contents.broken,
            folder_error=contents.error,
        )


def _is_asked_again(signals: SignalQueue, seconds: float) -> bool:
    return any(number != signal.SIGHUP for number in signals.wait(seconds))
