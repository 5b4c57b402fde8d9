"""How fast rows are deleted: the deletes of a sweep beside peers, on a server that takes 5 ms an answer."""

import datetime as dt
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.bench.commands import janitor_sweep, peer
from tests.bench.figures import Figure, in_turns, lead
from tests.bench.processes import CommandFailedError, output_of, replay_server
from tests.bench.rows import ROWS_PER_PAGE

_DELAY_MS = 5
_PAGES = 40
_ROUNDS = 5
_THREADS = 16
_OURS = "janitor sweep"


def run() -> list[Figure]:
    """Measure every contender in every round, and the deletes' lead round by round."""
    whole: list[float] = []
    with replay_server(_PAGES, "--unique", "--stale", "--delay-ms", str(_DELAY_MS)) as url:
        rates = in_turns(dict(_contenders(url, whole)), _ROUNDS)
    whole_command = Figure("janitor sweep, whole command, rows a second", f"{statistics.median(whole):,.0f}")
    return [whole_command, *_rate_figures(rates), *_lead_figures(rates)]


def _contenders(url: str, whole: list[float]) -> Iterator[tuple[str, Callable[[], float]]]:
    """Each command by its name, as a function that runs it and gives the rows a second of wall time of its deletes."""
    yield _OURS, lambda: _sweep(url, whole)
    for name, rows, threads in (
        ("delete_item", 500, 1),
        ("delete_item", 4_000, _THREADS),
        ("batch_writer", 20_000, 1),
        ("batch_writer", 60_000, _THREADS),
    ):
        command = peer(name, url, "--rows", str(rows), "--threads", str(threads))
        yield f"{name}, {threads} thread{'s' if threads > 1 else ''}", partial(_peer, command, rows)


def _sweep(url: str, whole: list[float]) -> float:
    """The deletes by the log's own times, archive on disk included; `whole` gets the rate of the whole command."""
    rows = _PAGES * ROWS_PER_PAGE
    with tempfile.TemporaryDirectory() as folder:
        archive, log = Path(folder) / "archive", Path(folder) / "log"
        started = time.monotonic()
        printed = output_of(janitor_sweep(url, archive), log=log)
        whole.append(rows / (time.monotonic() - started))
        archived = len(archive.read_bytes().splitlines())
        events = {event["event"]: event["timestamp"] for event in map(json.loads, log.read_text().splitlines())}
    deleted = json.loads(printed)["deletion"]["deleted"]
    if deleted != rows or archived != 2 * rows + 2:
        raise CommandFailedError(f"janitor sweep: {deleted} deleted, {archived} lines archived, of {rows} rows")
    begun, done = (dt.datetime.fromisoformat(events[f"deletes.{name}"]) for name in ("started", "finished"))
    return rows / (done - begun).total_seconds()


def _peer(command: tuple[str, ...], rows: int) -> float:
    """The deletes alone, without the start."""
    outcome = json.loads(output_of(command))
    if outcome["deleted"] != rows:
        raise CommandFailedError(f"{command}: {outcome} of {rows} rows")
    return rows / float(outcome["seconds"])


def _rate_figures(rates: dict[str, list[float]]) -> Iterator[Figure]:
    for name, values in rates.items():
        yield Figure(f"{name}, rows a second", f"{statistics.median(values):,.0f}")


def _lead_figures(rates: dict[str, list[float]]) -> Iterator[Figure]:
    goals = {
        f"delete_item, {_THREADS} threads": 12,
        "delete_item, 1 thread": 50,
        f"batch_writer, {_THREADS} threads": 0.7,
        "batch_writer, 1 thread": None,
    }
    for peer_name, goal in goals.items():
        yield lead(_OURS, peer_name, rates, goal)
