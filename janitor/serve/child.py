"""A run's process: how it is started, told to stop, and found again by the daemon after the one that was killed.

While it lives, it holds the lock of a file in the job's folder, which it inherited. So whoever finds the lock taken
knows that a run of that job is at work, whatever its process id has come to mean since.
"""

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from janitor.file_lock import file_lock
from janitor.logs import get_logger
from janitor.serve.jobs import ScheduledJob
from janitor.settings.output import JOB_VARIABLE
from janitor.settings.setting import ENVIRONMENT_PREFIX

log = get_logger("janitor.serve")

_LOCK = ".running"
# Not for runs: with it all jobs would be attempts of one work.
_LEASE_HOLDER = f"{ENVIRONMENT_PREFIX}LEASE_HOLDER"
_POLL_SECONDS = 0.05
# A run ends by itself within 5 seconds of a SIGTERM.
LEFT_BEHIND_SECONDS = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """A run at work.

    Attributes:
        name: of its job.
        started_at: since when, in UNIX seconds.
        process: its process.
        due: when its deadline comes, by the clock that nobody sets.
    """

    name: str
    started_at: float
    process: subprocess.Popen[bytes]
    due: float = math.inf

    @classmethod
    def start(cls, job: ScheduledJob, folder: Path, options: Sequence[str], now: float) -> "Child":
        """Start one run of a job.

        Args:
            job: the job.
            folder: where its report is kept; it is made.
            options: what else the run is told.
            now: the present in UNIX seconds.

        Raises:
            OSError: the process cannot be started, or another of this job is still at work.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # An absolute path, which cannot be taken for an option either.
        file = job.schedule.path.absolute()
        environment = {name: value for name, value in os.environ.items() if name != _LEASE_HOLDER}
        command = [sys.executable, "-m", "janitor", "run", str(file), "--keep-in", str(folder), *options]
        # Reports are kept. Of the daemon's own output, which is a log, every line has to be one by itself.
        output = None if job.schedule.values.get("format") == "ndjson" else subprocess.DEVNULL
        with _locked(folder) as lock:
            process = subprocess.Popen(  # noqa: S603  # this program
                command,
                stdin=subprocess.DEVNULL,
                env={**environment, JOB_VARIABLE: job.name},
                stdout=output,
                start_new_session=True,  # Ctrl-C is for the daemon, which then tells its runs itself
                pass_fds=[lock],
            )
        return cls(job.name, now, process, time.monotonic() + job.deadline)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def wait(self) -> int:
        """The exit code, once the process has ended; below zero the number of the signal that killed it."""
        return self.process.wait()


def end_all(children: Sequence[Child], seconds: float, is_hurried: Callable[[float], bool]) -> None:
    """Ask processes to end, wait for them, and kill those that do not.

    Args:
        children: the processes.
        seconds: how long they may take.
        is_hurried: waits for so many seconds at most, and tells whether they are to be killed at once.
    """
    for child in children:
        log.info("job.stopping", job=child.name, pid=child.pid)
        child.process.terminate()
    deadline = time.monotonic() + seconds
    while any(child.process.poll() is None for child in children) and time.monotonic() < deadline:
        if is_hurried(_POLL_SECONDS):
            break
    for child in children:
        if child.process.poll() is None:
            log.error("job.killed", job=child.name, pid=child.pid, reason="it did not end in time")
            child.process.kill()


def end_left_behind(left: Mapping[str, tuple[Path, int]]) -> None:
    """End the runs that a daemon which was killed left at work: nobody would wait for them, nor see how they end.

    Args:
        left: for each job its folder and the process id of its run.
    """
    at_work = {name: pid for name, (folder, pid) in left.items() if _is_locked(folder) and _is_run_in(folder, pid)}
    for name, pid in at_work.items():
        log.warning("job.stopping", job=name, pid=pid, reason="a daemon that was killed left it at work")
        _kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + LEFT_BEHIND_SECONDS
    while at_work and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        at_work = {name: pid for name, pid in at_work.items() if _is_locked(left[name][0])}
    for pid in at_work.values():
        _kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """The descriptor of a locked file. Closing it here lets go of it once every process that inherited it has ended.

    Raises:
        BlockingIOError: another process holds it.
    """
    with contextlib.ExitStack() as held:
        try:
            descriptor = held.enter_context(file_lock(folder / _LOCK))
        except BlockingIOError as error:
            raise BlockingIOError(error.errno, "another run of this job is still at work") from None
        yield descriptor


def _is_locked(folder: Path) -> bool:
    try:
        with _locked(folder):
            return False
    except BlockingIOError:
        return True
    except OSError:
        # Nobody holds a file that is not there.
        return False


def _is_run_in(folder: Path, pid: int) -> bool:
    """Whether that process is a run that keeps its reports there; in another container the number may mean another."""
    try:
        return os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        # Where there is no /proc the lock alone has to tell.
        return not Path("/proc/self").exists()


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
