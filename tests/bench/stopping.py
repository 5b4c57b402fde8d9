"""How long a sweep of many rows goes on after SIGTERM: from the signal in the middle of its deletes to its end."""

import os
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.commands import janitor_sweep
from tests.bench.figures import Figure, below
from tests.bench.processes import CommandFailedError, replay_server, started
from tests.bench.rows import ROWS_PER_PAGE

_PAGES = 125
_DELAY_MS = 20
_ROUNDS = 3
_GOAL_SECONDS = 5
_LIMIT_SECONDS = 120


def run() -> list[Figure]:
    """Measure with the report that has the most to write: every row of the plan as a line of ndjson."""
    with replay_server(_PAGES, "--unique", "--stale", "--delay-ms", str(_DELAY_MS)) as url:
        seconds = [_seconds(url) for _ in range(_ROUNDS)]
    what = f"SIGTERM to the end, {_PAGES * ROWS_PER_PAGE:,} rows planned, slowest of {_ROUNDS}"
    return [
        Figure(f"{what}: median", f"{statistics.median(seconds):.2f} s"),
        below(what, max(seconds), _GOAL_SECONDS, form="{:.2f} s"),
    ]


def _seconds(url: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = janitor_sweep(url, Path(folder), "--format", "ndjson")
        with started(command) as process:
            _wait_for_deletes(Path(folder), process)
            sent_at = time.monotonic()
            os.kill(process.pid, signal.SIGTERM)
            code = process.wait(_LIMIT_SECONDS)
            seconds = time.monotonic() - sent_at
    if code != 128 + signal.SIGTERM:
        raise CommandFailedError(f"janitor sweep ended with {code} after SIGTERM")
    return seconds


def _wait_for_deletes(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until outcomes are written into the archive."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if any(b'"outcome"' in path.read_bytes() for path in folder.iterdir()):
            return
        time.sleep(0.05)
    raise CommandFailedError("janitor sweep deleted nothing")
