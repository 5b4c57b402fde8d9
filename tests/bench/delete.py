"""How fast rows are deleted: a whole sweep beside peers that only delete, on a server that takes 5 ms an answer."""

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


def run() -> list[Figure]:
    """Measure every contender in every round, and the sweep's lead round by round."""
    with replay_server(_PAGES, "--unique", "--stale", "--delay-ms", str(_DELAY_MS)) as url:
        rates = in_turns(dict(_contenders(url)), _ROUNDS)
    return [*_rate_figures(rates), *_lead_figures(rates)]


def _contenders(url: str) -> Iterator[tuple[str, Callable[[], float]]]:
    """Each command by its name, as a function that runs it and gives the rows it deleted in a second of wall time."""
    yield "janitor sweep", lambda: _sweep(url)
    for name, rows, threads in (
        ("delete_item", 500, 1),
        ("delete_item", 4_000, _THREADS),
        ("batch_writer", 20_000, 1),
        ("batch_writer", 60_000, _THREADS),
    ):
        command = peer(name, url, "--rows", str(rows), "--threads", str(threads))
        yield f"{name}, {threads} thread{'s' if threads > 1 else ''}", partial(_peer, command, rows)


def _sweep(url: str) -> float:
    """The whole command: start, imports, scan, plan and owners' look-ups included; the archive is on disk."""
    rows = _PAGES * ROWS_PER_PAGE
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        printed = output_of(janitor_sweep(url, Path(folder)))
        seconds = time.monotonic() - started
        archived = sum(len(path.read_bytes().splitlines()) for path in Path(folder).iterdir())
    deleted = json.loads(printed)["deletion"]["deleted"]
    if deleted != rows or archived != 2 * rows + 2:
        raise CommandFailedError(f"janitor sweep: {deleted} deleted, {archived} lines archived, of {rows} rows")
    return rows / seconds


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
        yield lead("janitor sweep", peer_name, rates, goal)
