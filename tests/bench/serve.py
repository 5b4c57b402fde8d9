"""What a daemon with twenty jobs costs: its own memory, and how long its pages take."""

import http.client
import json
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, at_most
from tests.bench.processes import CommandFailedError, replay_server, started
from tests.servers import free_port

_JOBS = 20
_PAGES = 1
_ASKS = 50
_LIMIT_SECONDS = 300
_POLL_SECONDS = 0.5
_MOST_MB = 160
_MOST_MS = 50

_SCHEDULE = """
[when]
cron = "* * * * *"
[table]
table = "bench-{number}"
region = "us-east-1"
endpoint_url = "{url}"
"""


def run() -> list[Figure]:
    """Let every job run once, then ask for the pages."""
    with replay_server(_PAGES, "--unique") as url, tempfile.TemporaryDirectory() as folder:
        schedules, port = Path(folder) / "schedules", free_port()
        schedules.mkdir()
        for number in range(_JOBS):
            (schedules / f"job-{number:02}.toml").write_text(_SCHEDULE.format(number=number, url=url))
        state = ("--state-dir", f"{folder}/state", "--listen", f"127.0.0.1:{port}")
        with started(("-m", "janitor", "serve", str(schedules), *state)) as daemon:
            _wait_for_every_job(port)
            milliseconds = {path: _time_page(port, path) for path in ("/", "/api/runs", "/metrics")}
            peak = _peak_mb_of(daemon.pid)
    return [
        at_most(f"serve, {_JOBS} jobs that each ran, peak of the daemon itself", peak, _MOST_MB, form="{:.0f} MB"),
        *(
            at_most(f"serve, {path}, median of {_ASKS}", median, _MOST_MS, form="{:.1f} ms")
            for path, median in milliseconds.items()
        ),
    ]


def _wait_for_every_job(port: int) -> None:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline:
        try:
            jobs = json.loads(_ask(port, "/api/runs"))["jobs"]
        except OSError:
            jobs = []
        if len(jobs) == _JOBS and all(_has_ended_well(job) for job in jobs):
            return
        time.sleep(_POLL_SECONDS)
    raise CommandFailedError("serve: not every job ran in time")


def _has_ended_well(job: dict[str, Any]) -> bool:
    last = job["last_run"]
    return last is not None and last["exit_code"] == 0


def _time_page(port: int, path: str) -> float:
    """Ask for a page; give the median of the milliseconds until all of it was there."""
    milliseconds = []
    for _ in range(_ASKS):
        begun = time.perf_counter()
        _ask(port, path)
        milliseconds.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(milliseconds)


def _ask(port: int, path: str) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        content = response.read()
    if response.status != http.client.OK:
        raise CommandFailedError(f"serve answered {response.status} to {path}")
    return content


def _peak_mb_of(process_id: int) -> float:
    """Give the peak resident MB of a process, without its children."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**10
