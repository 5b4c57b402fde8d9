"""Runs a whole command as a user would and says what it cost; runs the replay server for as long as it is needed."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[2]
_LIMIT_SECONDS = 600.0
_LAST_WORDS_BYTES = 2_000
_RSS_UNITS_PER_MB = 2**20 if sys.platform == "darwin" else 2**10
"""macOS counts ru_maxrss in bytes, Linux in KB."""

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class CommandFailedError(Exception):
    """A measured command did not do its work, so there is no figure."""


@dataclass(frozen=True)
class Usage:
    """What one process used: CPU seconds, user and system together, peak resident memory in MB, and wall seconds.

    Of a shell, what it started and waited for is in it.
    """

    cpu_seconds: float
    peak_mb: float
    wall_seconds: float


def measure(
    arguments: tuple[str, ...],
    *,
    program: str = sys.executable,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
    log: Path | None = None,
) -> Usage:
    """Run `program arguments…`, by default Python, with made-up credentials to its end, at most ten minutes.

    The figures are the kernel's for this one child. Its peak is never below this process's own (`own_peak_mb`), which
    a child shares until it starts its program. Its standard error is kept in the file `log`, if there is to be one.
    """
    with log.open("w+b") if log else tempfile.TemporaryFile() as stderr:
        begun = time.monotonic()
        child = subprocess.Popen(
            (program, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=_environment(),
            cwd=_ROOT,
        )
        limit = threading.Timer(_LIMIT_SECONDS, os.kill, (child.pid, signal.SIGKILL))
        limit.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall_seconds = time.monotonic() - begun
        limit.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise CommandFailedError(f"{' '.join(arguments)}: exit code {child.returncode}\n{_last_words(stderr)}")
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _RSS_UNITS_PER_MB, wall_seconds)


@contextlib.contextmanager
def started(arguments: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python arguments…` beside this process, its output thrown away; what still runs at the end is killed."""
    with subprocess.Popen(
        (sys.executable, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        cwd=_ROOT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()  # does nothing to one that has ended


def own_peak_mb() -> float:
    """Give the peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_UNITS_PER_MB


def output_of(arguments: tuple[str, ...], *, program: str = sys.executable, log: Path | None = None) -> bytes:
    """Run `program arguments…`, by default Python, and give what it printed."""
    with tempfile.TemporaryFile() as stdout:
        measure(arguments, program=program, stdout=stdout, log=log)
        stdout.seek(0)
        return stdout.read()


@contextlib.contextmanager
def replay_server(pages: int, *options: str) -> Iterator[str]:
    """Serve `pages` replayed pages; yields the endpoint's URL and ends the server, by its process id, afterwards."""
    command = (sys.executable, "-m", "tests.bench.replay", "--pages", str(pages), *options)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=_environment(), cwd=_ROOT
    ) as server:
        try:
            port = server.stdout.readline().decode().strip() if server.stdout else ""
            if not port:
                raise CommandFailedError("the replay server did not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _environment() -> dict[str, str]:
    """Give this process's environment without the variables of AWS, janitor, Python and proxies, which change a run.

    One of Python's would have every run compile the program anew, which no run of an installed one does.
    """
    foreign = ("AWS_", "JANITOR_", "PYTHON")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and not name.upper().endswith("_PROXY")
    }
    return kept | _CREDENTIALS


def _last_words(stderr: IO[bytes]) -> str:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - _LAST_WORDS_BYTES))
    return stderr.read().decode(errors="replace").strip()
