"""How near a scan and a sweep keep to their budgets, as the server saw it: units in any ten seconds, and of a request.

Whole commands, ended after a while as by a user's --deadline.
"""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.commands import janitor_scan, janitor_sweep
from tests.bench.figures import Figure
from tests.bench.processes import CommandFailedError, replay_server, started
from tests.ten_seconds import SECONDS, in_ten_seconds

_BUDGETS = (10, 100, 1_000, 10_000)
# Name, and the least and most bytes of a row.
_ROWS = (("rows of 261 bytes", 261, 261), ("rows of 100 bytes to 16 KB", 100, 16_384))
_SEGMENTS = 8
_DELAY_MS = 60
_DELETE_DELAY_MS = 5
_SECONDS = 25
_LIMIT_SECONDS = 90
_GOAL_PERCENT = 5.0
_STALE_PAGES = 40
_DEADLINE_CAME = 1


@dataclass(frozen=True)
class _Spent:
    """What the server logged of one command: seconds and units of its requests, of this kind."""

    budget: int
    requests: list[tuple[float, float]]

    @property
    def figures(self) -> tuple[float, float, float]:
        """The least and the most of any ten seconds, and the largest request, each as a share of what is allowed."""
        least, most = in_ten_seconds(self.requests, self.requests[0][0])
        allowed = self.budget * SECONDS
        return least / allowed, most / allowed, max(units for _, units in self.requests) / self.budget


def run() -> list[Figure]:
    """Measure all budgets at once: they mostly wait."""
    figures: list[Figure] = []
    for name, least, most in _ROWS:
        figures += _measured(f"scan, {name}", partial(_scanned, least, most), _BUDGETS)
    figures += _measured("sweep", _swept, _BUDGETS)
    return figures


def _measured(what: str, command: Callable[[int], _Spent], budgets: tuple[int, ...]) -> Iterator[Figure]:
    with ThreadPoolExecutor(len(budgets)) as pool:
        for spent in pool.map(command, budgets):
            least, most, largest = spent.figures
            off = max(1 - least, most - 1) * 100
            yield Figure(
                f"{what}, {spent.budget:,} units a second: any ten seconds",
                f"{least:.1%} to {most:.1%}",
                f"within {_GOAL_PERCENT:g} %",
                off <= _GOAL_PERCENT,
            )
            yield Figure(
                f"{what}, {spent.budget:,}: largest request", f"{largest:.2f} seconds' units", "<= 1", largest <= 1
            )


def _scanned(least: int, most: int, budget: int) -> _Spent:
    options = ("--segments", str(_SEGMENTS), "--max-rcu", str(budget), "--deadline", f"{_SECONDS}s")
    sizes = ("--row-bytes", str(least), str(most), "--rows", "1000000000")
    return _logged(budget, "Scan", (*sizes, "--delay-ms", str(_DELAY_MS)), lambda url, _: janitor_scan(url, *options))


def _swept(budget: int) -> _Spent:
    options = ("--max-wcu", str(budget), "--deadline", f"{_SECONDS + 10}s")
    server = ("--unique", "--stale", "--delay-ms", str(_DELETE_DELAY_MS))
    return _logged(budget, "BatchExecuteStatement", server, lambda url, folder: janitor_sweep(url, folder, *options))


def _logged(
    budget: int, operation: str, server: tuple[str, ...], command: Callable[[str, Path], tuple[str, ...]]
) -> _Spent:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "requests.log"
        with replay_server(_STALE_PAGES, *server, "--log", str(log)) as url:
            with started(command(url, Path(folder))) as process:
                code = process.wait(_LIMIT_SECONDS)
            lines = [line.split() for line in log.read_text().splitlines()]
    requests = [(float(at), float(units)) for at, name, units in lines if name == operation]
    if code not in (0, _DEADLINE_CAME) or not requests or requests[-1][0] - requests[0][0] < 2 * SECONDS:
        raise CommandFailedError(f"{operation} within {budget} units: exit code {code} after {len(requests)} requests")
    return _Spent(budget, requests)
