"""The daemon: its parts put together, its one loop, and its end.

The main thread waits for signals and looks at the folder every two seconds. The scheduler's thread fires jobs, each in
a thread that waits for its process; the pages have a thread of their own.
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
from janitor.serve.access import Access, finder
from janitor.serve.board import Board, JobOnBoard, Readiness, Views
from janitor.serve.claims import alone_in, listening
from janitor.serve.folder import ScheduleFolder
from janitor.serve.http import PageServer, application
from janitor.serve.jobs import ScheduledJob, TableOfJob, due_in_vain, is_missed
from janitor.serve.memory import Memory
from janitor.serve.pulse import Pulse
from janitor.serve.runs import Runs
from janitor.serve.scheduler import Scheduler
from janitor.serve.signals import Signals, queued
from janitor.settings.serve import Address
from janitor.tokens.times import time_of

log = get_logger("janitor.serve")

LOOK_EVERY_SECONDS = 2.0
# The process is gone within 10 seconds; a run takes at most 5 by itself.
STOP_SECONDS = 8.0
# A job whose file is gone is remembered for so long, and its last report kept.
_REMEMBER_SECONDS = 30 * 86_400
# A run waits so long to learn which table it is of, where nobody knows.
_LOCATE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSettings:
    """What the daemon is told.

    Attributes:
        folder: of the schedule files.
        listen: where the pages are served.
        state: the folder of its memory and of the last reports; it may not be there yet.
        environment: the variables that runs see.
        options: what every run is told on its command line, besides.
        most_at_once: how many runs may be at work at once.
    """

    folder: Path
    listen: Address
    state: Path
    environment: Mapping[str, str]
    options: Sequence[str] = ()
    most_at_once: int = 2


def serve(plan: DaemonSettings, announce: Callable[[str], None]) -> None:
    """Serve until a signal says to end.

    Args:
        plan: what to serve, and where.
        announce: is told the page's address once it is served.

    Raises:
        ConfigurationError: the folder, the address or the state folder cannot be used; nothing was started.
    """
    with queued() as signals, listening(plan.listen) as listener, alone_in(plan.state):
        if not plan.folder.is_dir():
            way_out = "give the folder that holds the schedule files"
            raise ConfigurationError(f"{plan.folder} is no folder", way_out, "folder")
        daemon = _Daemon(plan)
        try:
            announce(daemon.start(listener))
            daemon.work(signals)
        finally:
            daemon.stop(signals)


class _Daemon:
    """The parts."""

    def __init__(self, plan: DaemonSettings) -> None:
        self._plan = plan
        self._started_at = time.time()
        self._folder = ScheduleFolder(plan.folder, plan.environment)
        self._memory = Memory(plan.state / "daemon.json")
        self._access = Access(finder(plan.environment))
        self._runs = Runs(
            plan.state / "runs",
            self._memory,
            self._job,
            self._keys,
            plan.options,
            most_at_once=plan.most_at_once,
        )
        self._scheduler = Scheduler(self._run, self._memory.miss)
        self._pulse = Pulse()
        self._pages: PageServer | None = None

    def start(self, listener: socket.socket) -> str:
        """Put what an earlier daemon left in order, begin, and return the page's address."""
        self._runs.settle()
        self._folder.refresh()
        missed = {name for name, job in self._folder.contents.jobs.items() if self._was_missed(job)}
        for name in sorted(missed):
            log.warning("job.catches_up", job=name, reason="it was due while no daemon was there")
        for name in self._folder.contents.jobs.keys() - missed:
            self._count_lost(name)
        self._scheduler.start()
        self._follow(missed)
        host, port = listener.getsockname()[:2]
        # Whoever listens for others may be asked by any name that leads there.
        own = self._plan.listen.host if ipaddress.ip_address(host).is_loopback else None
        self._pages = PageServer(application(Views(self._board, self._is_alive, self._readiness), own), listener)
        self._pages.start()
        address = f"http://{Address(host, port)}/"
        log.info("daemon.started", pages=address, jobs=len(self._folder.contents.jobs))
        self._say_idle()
        return address

    def work(self, signals: Signals) -> None:
        """Follow the folder until a signal says to end."""
        while True:
            came = signals.wait(LOOK_EVERY_SECONDS)
            if any(number != signal.SIGHUP for number in came):
                return
            if signal.SIGHUP in came:
                log.info("daemon.reloads")
            had_jobs = bool(self._folder.contents.jobs)
            if self._folder.refresh(anew=signal.SIGHUP in came):
                self._follow()
                if had_jobs:
                    self._say_idle()
            self._forget()
            self._runs.end_overdue(time.monotonic())
            self._scheduler.wake()
            self._pulse.beat()

    def stop(self, signals: Signals) -> None:
        """Start nothing any more, end what is at work; another signal ends it at once."""
        log.info("daemon.stopping", at_work=sorted(self._runs.at_work()))
        self._scheduler.stop()
        self._access.close()
        self._runs.stop(STOP_SECONDS, functools.partial(_is_hurried, signals))
        if self._pages is not None:
            self._pages.stop()
        log.info("daemon.stopped")

    def _follow(self, missed: frozenset[str] | set[str] = frozenset()) -> None:
        """Schedule what the folder holds, and remember from when on each job is looked after.

        A job that goes, or breaks, is looked after no more: what it would have done meanwhile is not caught up later.
        """
        jobs, now = self._folder.contents.jobs, time.time()
        known = self._memory.all()
        for name, job in jobs.items():
            before = known.get(name)
            is_new = before is None or before.handled_at is None or before.line != job.line
            if name not in missed and (is_new or name not in self._scheduler.scheduled):
                self._memory.update(name, line=job.line, handled_at=now)
        for name in known.keys() - jobs.keys():
            if known[name].handled_at is not None:
                self._memory.update(name, handled_at=None)
        for name, before in known.items():
            is_gone = name not in jobs and name not in self._folder.contents.broken
            # Of a folder that cannot be read nobody knows what is gone.
            if is_gone is (before.gone_at is None) and self._folder.contents.fault is None:
                self._memory.update(name, gone_at=now if is_gone else None)
        self._access.expect(self._tables())
        self._scheduler.schedule({name: job.schedule.when for name, job in jobs.items()}, missed)

    def _forget(self) -> None:
        now = time.time()
        for name, known in self._memory.all().items():
            if known.gone_at is not None and known.gone_at < now - _REMEMBER_SECONDS:
                self._runs.forget(name)

    def _say_idle(self) -> None:
        if not self._folder.contents.jobs:
            log.warning("daemon.idle", reason="no schedule file is loaded", folder=str(self._plan.folder))

    def _count_lost(self, name: str) -> None:
        """Count what was due and is not caught up: while no daemon was there, or put off by jitter until it ended."""
        known = self._memory.of(name)
        if known.handled_at is None:
            return
        # What was counted already is not counted twice.
        since = max(known.handled_at, known.missed_at or 0.0)
        due = due_in_vain(known.line, self._folder.contents.jobs[name], since, self._started_at)
        if due is not None:
            at = time_of(due).isoformat(timespec="seconds")
            log.warning("job.missed", job=name, due=at, reason="no daemon was there to run it")
            self._memory.miss(name, due)

    def _run(self, name: str) -> None:
        job = self._job(name)
        if job is not None:
            self._access.check(job.tables, _LOCATE_SECONDS)
        self._runs.run(name)

    def _keys(self, job: ScheduledJob) -> frozenset[str]:
        return self._access.keys(job.tables)

    def _tables(self) -> list[TableOfJob]:
        return [table for _, job in sorted(self._folder.contents.jobs.items()) for table in job.tables]

    def _was_missed(self, job: ScheduledJob) -> bool:
        known = self._memory.of(job.name)
        return is_missed(known.line, job, known.handled_at, self._started_at)

    def _job(self, name: str) -> ScheduledJob | None:
        return self._folder.contents.jobs.get(name)

    def _is_alive(self) -> bool:
        is_stuck = self._runs.is_stuck(time.monotonic())
        return self._pulse.is_beating and self._scheduler.is_alive(time.time()) and not is_stuck

    def _readiness(self) -> Readiness:
        return Readiness(self._folder.contents, self._access.check(self._tables()))

    def _board(self) -> Board:
        contents, at_work, waiting = self._folder.contents, self._runs.at_work(), self._runs.waiting()
        next_times = self._scheduler.next_times()
        jobs = {
            name: JobOnBoard(
                job=job,
                known=self._memory.of(name),
                kept=self._runs.kept(job),
                running_since=at_work.get(name),
                is_waiting=name in waiting,
                next_at=next_times.get(name),
            )
            for name, job in contents.jobs.items()
        }
        return Board(
            now=time.time(),
            started_at=self._started_at,
            version=__version__,
            folder=str(self._plan.folder),
            jobs=jobs,
            broken=contents.broken,
            fault=contents.fault,
        )


def _is_hurried(signals: Signals, seconds: float) -> bool:
    return any(number != signal.SIGHUP for number in signals.wait(seconds))
