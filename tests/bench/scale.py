"""What one process takes in MB of DynamoDB's size, and whether two shards lose by each other's company."""

import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.bench.commands import janitor_scan
from tests.bench.figures import Figure, at_least, in_turns, lead
from tests.bench.processes import Usage, measure, replay_server
from tests.bench.rows import ROW_BYTES, ROWS_PER_PAGE

_PAGES = 2_000
_ROUNDS = 5
_GOAL_MB = 80
_GOAL_SHARE = 0.9
_ONE, _TWO = "one process", "two shards at once"


def run() -> list[Figure]:
    """Measure one process and two in turns. The server keeps its pages ready, so that nobody waits for them long."""
    with replay_server(_PAGES) as url:
        alone: list[Usage] = []
        contenders: dict[str, Callable[[], float]] = {
            _ONE: partial(_rows_a_cpu_second, url, 1, alone),
            _TWO: partial(_rows_a_cpu_second, url, 2, []),
        }
        rates = in_turns(contenders, _ROUNDS)
    return [*_size_figures(alone), *_rate_figures(rates), lead(_TWO, _ONE, rates, _GOAL_SHARE)]


def _rows_a_cpu_second(url: str, processes: int, usages: list[Usage]) -> float:
    """Let so many processes scan the table at once, a shard each; `usages` gets what each of them used."""
    commands = [
        janitor_scan(url, "--segments", "1", "--shard", f"{shard}/{processes}", "--format", "json")
        for shard in range(processes)
    ]
    with ThreadPoolExecutor(processes) as pool:
        used = list(pool.map(measure, commands))
    usages += used
    return _PAGES * ROWS_PER_PAGE / sum(usage.cpu_seconds for usage in used)


def _size_figures(usages: list[Usage]) -> Iterator[Figure]:
    megabytes = _PAGES * ROWS_PER_PAGE * ROW_BYTES / 1e6
    by_cpu = statistics.median(megabytes / usage.cpu_seconds for usage in usages)
    by_clock = statistics.median(megabytes / usage.wall_seconds for usage in usages)
    yield at_least("one process, MB as the table stores them, a CPU second", by_cpu, _GOAL_MB, form="{:.0f} MB")
    yield Figure("the same, a second of the clock, one segment, server on the same machine", f"{by_clock:.0f} MB")


def _rate_figures(rates: dict[str, list[float]]) -> Iterator[Figure]:
    for name, values in rates.items():
        yield Figure(f"{name}, rows a CPU second", f"{statistics.median(values):,.0f}")
