"""A Dask cluster on loopback, each of its processes ended with the tests."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.command import fake_aws
from tests.forked import ROOT, ForkedProcess
from tests.servers import POLL_SECONDS, START_SECONDS, free_port

_CONFIGURED = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2", "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
_REGISTERED = "Registered to:"


@dataclass
class Cluster:
    """A scheduler, and what works for it.

    Attributes:
        address: the scheduler's.
        folder: where its processes have their home and their logs.
        scheduler: its process.
        workers: theirs, each with one thread.
    """

    address: str
    folder: Path
    scheduler: ForkedProcess
    workers: list[ForkedProcess] = field(default_factory=list)

    def add_workers(self, count: int, environment: Mapping[str, str] | None = None) -> list[ForkedProcess]:
        """Start so many workers, with these variables besides; they are there when this returns."""
        command = [self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny"]
        command += ["--local-directory", str(self.folder)]
        logs = [self.folder / f"worker-{len(self.workers) + number}" for number in range(count)]
        workers = [_started(self.folder, "dask_worker", command, log, environment) for log in logs]
        self.workers += workers
        for worker, log in zip(workers, logs, strict=True):
            _wait(worker, log, partial(_says, log, _REGISTERED))
        return workers


@contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start a scheduler and so many workers, which find fake AWS credentials."""
    port, log = free_port(), folder / "scheduler"
    scheduler = _started(folder, "dask_scheduler", ["--host", "127.0.0.1", "--port", str(port)], log, None)
    cluster = Cluster(f"tcp://127.0.0.1:{port}", folder, scheduler)
    try:
        _wait(scheduler, log, lambda: _listens(port))
        cluster.add_workers(workers)
        yield cluster
    finally:
        for process in (*cluster.workers, scheduler):
            process.close()


def _started(
    folder: Path, what: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None
) -> ForkedProcess:
    command = [sys.executable, "-m", f"distributed.cli.{what}", "--no-dashboard", *arguments]
    kept = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **fake_aws(folder), **_CONFIGURED, **(environment or {})}
    # The program that is tested, wherever they run.
    kept["PYTHONPATH"] = os.pathsep.join([*filter(None, [kept.get("PYTHONPATH")]), str(ROOT)])
    with log.open("wb") as output:
        return ForkedProcess(command, kept, folder=folder, output=output.fileno())


def _wait(process: ForkedProcess, log: Path, is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if is_there():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
    raise RuntimeError(f"{log.name} did not start; it said:\n{log.read_text(errors='replace')[-2000:]}")


def _says(log: Path, words: str) -> bool:
    return words in log.read_text(errors="replace")


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
