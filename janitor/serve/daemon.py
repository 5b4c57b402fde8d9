"""The daemon: its parts put together, its one loop, and its end.

The main thread waits for signals and looks at the folder every two seconds. The scheduler's thread fires jobs, each in
a thread that waits for its process; the pages have a thread of their own.
"""

import contextlib
import fcntl
import functools
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from janitor import __version__
from janitor.config.serve import Address
from janitor.errors import ConfigurationError
from janitor.serve.access import Access
from janitor.serve.board import Board, JobOnBoard, Readiness, Views
from janitor.serve.folder import Folder
from janitor.serve.http import Pages, application
from janitor.serve.jobs import Job, is_missed
from janitor.serve.memory import Memory
from janitor.serve.runs import Runs
from janitor.serve.scheduler import Scheduler
from janitor.serve.signals import Signals, queued

log = structlog.get_logger("janitor.serve")

LOOK_EVERY_SECONDS = 2.0
# The process is gone within 10 seconds; a run takes at most 5 by itself.
STOP_SECONDS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the daemon is told.

    Attributes:
        folder: of the schedule files.
        listen: where the pages are served.
        state: the folder of its memory and of the last reports; it may not be there yet.
        environment: the variables that runs see.
        options: what every run is told on its command line, besides.
    """

    folder: Path
    listen: Address
    state: Path
    environment: Mapping[str, str]
    options: Sequence[str] = ()


def serve(plan: Plan, announce: Callable[[str], None]) -> None:
    """Serve until a signal says to end.

    Args:
        plan: what to serve, and where.
        announce: is told the page's address once it is served.

    Raises:
        ConfigurationError: the folder, the address or the state folder cannot be used; nothing was started.
    """
    with queued() as signals, _listening(plan.listen) as listener, _alone_in(plan.state):
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

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._started_at = time.time()
        self._folder = Folder(plan.folder, plan.environment)
        self._memory = Memory(plan.state / "daemon.json")
        self._runs = Runs(plan.state / "runs", self._memory, self._job, plan.options)
        self._scheduler = Scheduler(self._runs.run, self._memory.miss)
        self._access = Access(plan.environment)
        self._pages: Pages | None = None

    def start(self, listener: socket.socket) -> str:
        """Put what an earlier daemon left in order, begin, and return the page's address."""
        self._runs.settle()
        self._folder.refresh()
        missed = {name for name, job in self._folder.contents.jobs.items() if self._was_missed(job)}
        for name in sorted(missed):
            log.warning("job.catches_up", job=name, reason="it was due while no daemon was there")
        self._scheduler.start()
        self._follow(missed)
        self._pages = Pages(application(Views(self._board, self._is_alive, self._readiness)), listener)
        self._pages.start()
        host, port = listener.getsockname()[:2]
        address = f"http://{Address(host, port)}/"
        log.info("daemon.started", pages=address, jobs=len(self._folder.contents.jobs))
        if not self._folder.contents.jobs:
            log.warning("daemon.idle", reason="no schedule file is loaded", folder=str(self._plan.folder))
        return address

    def work(self, signals: Signals) -> None:
        """Follow the folder until a signal says to end."""
        while True:
            came = signals.wait(LOOK_EVERY_SECONDS)
            if any(number != signal.SIGHUP for number in came):
                return
            if signal.SIGHUP in came:
                log.info("daemon.reloads")
            if self._folder.refresh(anew=signal.SIGHUP in came):
                self._follow()
            self._scheduler.wake()

    def stop(self, signals: Signals) -> None:
        """Start nothing any more, end what is at work; another signal ends it at once."""
        log.info("daemon.stopping", at_work=sorted(self._runs.at_work()))
        self._scheduler.stop()
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
        self._scheduler.schedule({name: job.schedule.when for name, job in jobs.items()}, missed)

    def _was_missed(self, job: Job) -> bool:
        known = self._memory.of(job.name)
        return is_missed(known.line, job, known.handled_at, self._started_at)

    def _job(self, name: str) -> Job | None:
        return self._folder.contents.jobs.get(name)

    def _is_alive(self) -> bool:
        return self._scheduler.is_alive(time.time())

    def _readiness(self) -> Readiness:
        contents = self._folder.contents
        tables = [table for _, job in sorted(contents.jobs.items()) for table in job.tables]
        return Readiness(contents, self._access.check(tables))

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


@contextlib.contextmanager
def _listening(address: Address) -> Iterator[socket.socket]:
    """A socket that takes connections.

    Raises:
        ConfigurationError: there is no such address, or another process listens there.
    """
    try:
        family, *_ = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address, family=family)
    except OSError as error:
        # What could not be looked up has a sentence of its own; Python adds an address to the others'.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        sentence = f"--listen {address}: {why}"
        raise ConfigurationError(sentence, "give another address or port", "listen") from None
    with listener:
        yield listener


@contextlib.contextmanager
def _alone_in(state: Path) -> Iterator[None]:
    """Keep another daemon out of a state folder, which is made.

    Raises:
        ConfigurationError: one is there, or the folder cannot be written.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        sentence = f"{state} cannot be written: {error.strerror}"
        raise ConfigurationError(sentence, "give --state-dir a folder that can", "state-dir") from None
    try:
        _lock(descriptor, state)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, state: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sentence = f"another `janitor serve` keeps its state in {state}"
        raise ConfigurationError(sentence, "end it, or give this one a --state-dir of its own", "state-dir") from None
    except OSError as error:
        sentence = f"{state} cannot be locked: {error.strerror}"
        raise ConfigurationError(sentence, "give --state-dir a folder on a local disk", "state-dir") from None
