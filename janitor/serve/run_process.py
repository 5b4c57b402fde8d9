"""The process of a run: start it, stop it, and find the orphans of a daemon that was killed.

While the process lives, it holds a lock on a file in the job's folder, which it inherited. If the lock is taken, a run
of that job is still going, even if its process id has been reused since.
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

from janitor.error_lines import FILE_VARIABLE
from janitor.file_lock import file_lock
from janitor.logs import get_logger
from janitor.serve.error_file import read_error_lines
from janitor.serve.jobs import ScheduledJob
from janitor.settings.output import JOB_VARIABLE
from janitor.settings.setting import ENVIRONMENT_PREFIX

log = get_logger("janitor.serve")

_LOCK_FILE = ".running"
_ERROR_FILE = "errors.txt"
# Not passed to runs: they would all take each other for attempts of the same run.
_LEASE_HOLDER = f"{ENVIRONMENT_PREFIX}LEASE_HOLDER"
_POLL_SECONDS = 0.05
# A run ends by itself within 5 seconds of a SIGTERM.
ORPHAN_SECONDS = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class RunProcess:
    """The process of a run.

    Attributes:
        name: the job's name.
        started_at: when it was started, in UNIX seconds.
        popen: the process.
        error_file: where its error lines are kept.
        due: its deadline, in seconds of the monotonic clock.
    """

    name: str
    started_at: float
    popen: subprocess.Popen[bytes]
    error_file: Path
    due: float = math.inf

    @classmethod
    def start(cls, job: ScheduledJob, folder: Path, options: Sequence[str], now: float) -> "RunProcess":
        """Start one run of a job.

        Args:
            job: the job.
            folder: where its report is kept; created if need be.
            options: further command line options.
            now: the present in UNIX seconds.

        Raises:
            OSError: the process cannot be started, or another run of this job is still going.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # An absolute path: it cannot be mistaken for an option.
        file = job.schedule.path.absolute()
        environment = {name: value for name, value in os.environ.items() if name != _LEASE_HOLDER}
        command = [sys.executable, "-m", "janitor", "run", str(file), "--keep-in", str(folder), *options]
        # The report goes to the folder. The daemon's output is a log, so only NDJSON, line by line, may go there.
        output = None if job.schedule.values.get("format") == "ndjson" else subprocess.DEVNULL
        error_file = folder.absolute() / _ERROR_FILE
        with _lock(folder) as lock:
            error_file.unlink(missing_ok=True)
            popen = subprocess.Popen(  # noqa: S603  # this program
                command,
                stdin=subprocess.DEVNULL,
                env={**environment, JOB_VARIABLE: job.name, FILE_VARIABLE: str(error_file)},
                stdout=output,
                start_new_session=True,  # Ctrl-C goes to the daemon alone, which stops its runs
                pass_fds=[lock],
            )
        return cls(job.name, now, popen, error_file, time.monotonic() + job.deadline)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.popen.pid

    def wait(self) -> int:
        """Wait for the end; return the exit code, or minus the number of the signal that killed it."""
        return self.popen.wait()

    def read_errors(self) -> tuple[str, ...]:
        """The last lines that say what went wrong."""
        return read_error_lines(self.error_file)


def stop_processes(processes: Sequence[RunProcess], seconds: float, wait_for_kill: Callable[[float], bool]) -> None:
    """Ask processes to end, wait for them, and kill those that do not.

    Args:
        processes: the processes.
        seconds: how long they may take.
        wait_for_kill: waits for at most that many seconds; returns whether to kill them at once.
    """
    for each in processes:
        log.info("job.stopping", job=each.name, pid=each.pid)
        each.popen.terminate()
    deadline = time.monotonic() + seconds
    while any(each.popen.poll() is None for each in processes) and time.monotonic() < deadline:
        if wait_for_kill(_POLL_SECONDS):
            break
    for each in processes:
        if each.popen.poll() is None:
            log.error("job.killed", job=each.name, pid=each.pid, reason="it did not end in time")
            each.popen.kill()


def stop_orphans(orphans: Mapping[str, tuple[Path, int]]) -> None:
    """Stop the runs that outlived a daemon which was killed: nobody would wait for them or record how they end.

    Args:
        orphans: for each job its folder and the process id of its run.
    """
    running = {name: pid for name, (folder, pid) in orphans.items() if _is_locked(folder) and _is_run_in(folder, pid)}
    for name, pid in running.items():
        log.warning("job.stopping", job=name, pid=pid, reason="it outlived a daemon that was killed")
        _kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + ORPHAN_SECONDS
    while running and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        running = {name: pid for name, pid in running.items() if _is_locked(orphans[name][0])}
    for pid in running.values():
        _kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[int]:
    """Lock the file in the folder; yield its descriptor. It is released once every process that inherited it has ended.

    Raises:
        BlockingIOError: another process holds the lock.
    """
    with contextlib.ExitStack() as held:
        try:
            descriptor = held.enter_context(file_lock(folder / _LOCK_FILE))
        except BlockingIOError as error:
            raise BlockingIOError(error.errno, "another run of this job is still running") from None
        yield descriptor


def _is_locked(folder: Path) -> bool:
    try:
        with _lock(folder):
            return False
    except BlockingIOError:
        return True
    except OSError:
        # A file that is not there is not locked.
        return False


def _is_run_in(folder: Path, pid: int) -> bool:
    """Whether this process is a run with its reports there; in another container the id may be another process."""
    try:
        return os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        # Without /proc, trust the lock.
        return not Path("/proc/self").exists()


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
