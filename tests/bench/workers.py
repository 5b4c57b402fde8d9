"""How much sooner a scan has read a table that two processes read, every tenth row a finding, and what it costs."""

import resource
import statistics
from dataclasses import dataclass
from functools import partial

from tests.bench.commands import janitor_scan
from tests.bench.figures import Figure, at_least, in_turns
from tests.bench.processes import Usage, measure, replay_server
from tests.bench.rows import ROWS_PER_PAGE

# A start, and the look-ups of owners, are in both; the pages between them are what is read: 1.2 million rows.
_FEW, _MANY = 20, 320
_FORMATS = ("json", "ndjson")
_WAYS = {"one process": (), "one segment": ("--segments", "1"), "two workers": ("--workers", "2")}
_ROUNDS = 3
_GOAL = 1.8


@dataclass(frozen=True)
class _Served:
    """What the server used, in CPU seconds, for so many pages."""

    cpu_seconds: float
    pages: int


def run() -> list[Figure]:
    """Measure all ways in every round, of both tables. The server is on the same machine, and takes its share of it."""
    return [figure for form in _FORMATS for figure in _measured(form)]


def _measured(form: str) -> list[Figure]:
    few, of_few = _usages(form, _FEW)
    many, of_many = _usages(form, _MANY)
    clock = {way: [many[way][n].wall_seconds - few[way][n].wall_seconds for n in range(_ROUNDS)] for way in _WAYS}
    cpu = {way: [many[way][n].cpu_seconds - few[way][n].cpu_seconds for n in range(_ROUNDS)] for way in _WAYS}
    rows = (_MANY - _FEW) * ROWS_PER_PAGE
    runs = _ROUNDS * len(_WAYS)
    server = (of_many.cpu_seconds - of_few.cpu_seconds) / runs
    return [
        *(
            Figure(
                f"{form}, {way}: the clock, CPU of all its processes, for {rows:,} rows; whole command",
                f"{statistics.median(clock[way]):.2f} s, {statistics.median(cpu[way]):.2f} s; "
                f"{statistics.median(usage.wall_seconds for usage in many[way]):.2f} s",
            )
            for way in _WAYS
        ),
        Figure(f"{form}, CPU of the server beside them, for as many", f"{server:.2f} s"),
        _lead(f"{form}, two workers / one process, reading", clock["one process"], clock["two workers"]),
        _lead(f"{form}, two workers / one segment, reading", clock["one segment"], clock["two workers"]),
    ]


def _lead(name: str, alone: list[float], together: list[float]) -> Figure:
    ratios = [one / two for one, two in zip(alone, together, strict=True)]
    return at_least(
        f"{name}, median of {_ROUNDS} pairs ({min(ratios):.2f} to {max(ratios):.2f})",
        statistics.median(ratios),
        _GOAL,
        form="{:.2f}",
    )


def _usages(form: str, pages: int) -> tuple[dict[str, list[Usage]], _Served]:
    usages: dict[str, list[Usage]] = {way: [] for way in _WAYS}
    before = _cpu_of_children()
    with replay_server(pages) as url:

        def measured(way: str) -> float:
            usages[way].append(measure(janitor_scan(url, *_WAYS[way], "--format", form)))
            return 0.0

        in_turns({way: partial(measured, way) for way in _WAYS}, _ROUNDS)
    spent = sum(usage.cpu_seconds for of_way in usages.values() for usage in of_way)
    return usages, _Served(_cpu_of_children() - before - spent, pages)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
