"""Whether memory grows with the table: peak resident memory of a scan and of a sweep, of few rows and of many."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.commands import janitor_scan, janitor_sweep
from tests.bench.figures import Figure, at_most
from tests.bench.processes import CommandFailedError, measure, own_peak_mb, replay_server
from tests.bench.rows import ROWS_PER_PAGE

_SCANNED_PAGES = (5, 500, 5_000)
_SWEPT_PAGES = (1, 125)
_READERS = (("--segments", "1"), ("--segments", "4"), ("--workers", "2"))
_ROUNDS = 3
# A run that takes minutes is not repeated.
_LONG_PAGES = 1_000
_GOAL_SCAN_MB = 32
_GOAL_SWEEP_MB = 48


def run() -> list[Figure]:
    """Measure tables of both sizes. No row comes twice, so that what is kept cannot hide."""
    return [*_scans(), *_sweeps()]


def _scans() -> Iterator[Figure]:
    with ExitStack() as servers:
        urls = [servers.enter_context(replay_server(pages, "--unique")) for pages in _SCANNED_PAGES]
        for reader in _READERS:
            peaks = [
                _median(partial(_scan_mb, url, reader), rounds=1 if pages > _LONG_PAGES else _ROUNDS)
                for pages, url in zip(_SCANNED_PAGES, urls, strict=True)
            ]
            yield from _growth(f"scan, {' '.join(reader)}", _SCANNED_PAGES, peaks, _GOAL_SCAN_MB)


def _sweeps() -> Iterator[Figure]:
    with ExitStack() as servers:
        urls = [servers.enter_context(replay_server(pages, "--unique", "--stale")) for pages in _SWEPT_PAGES]
        peaks = [_median(partial(_sweep_mb, url), rounds=_ROUNDS) for url in urls]
        yield from _growth("sweep of stale rows", _SWEPT_PAGES, peaks, _GOAL_SWEEP_MB)


def _growth(what: str, pages: Sequence[int], peaks: list[float], goal: int) -> Iterator[Figure]:
    for number, peak in zip(pages, peaks, strict=True):
        yield Figure(f"peak at {number * ROWS_PER_PAGE:,} rows, {what}", f"{peak:.1f} MB")
    yield at_most(f"growth, {what}", max(peaks) - peaks[0], goal, form="{:.1f} MB")


def _median(peak: Callable[[], float], *, rounds: int) -> float:
    return statistics.median(peak() for _ in range(rounds))


def _scan_mb(url: str, reader: tuple[str, ...]) -> float:
    """The peak, with --workers of the largest of the run's processes."""
    return _peak_mb(janitor_scan(url, *reader, "--format", "ndjson"))


def _sweep_mb(url: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return _peak_mb(janitor_sweep(url, Path(folder), "--format", "ndjson"))


def _peak_mb(command: tuple[str, ...]) -> float:
    peak = measure(command).peak_mb
    if peak <= own_peak_mb():
        raise CommandFailedError("the bench itself uses as much memory as janitor: its peak cannot be told apart")
    return peak
