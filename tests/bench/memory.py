"""Whether memory grows with the table: peak resident memory of a scan, at 20,000 rows and at 2,000,000."""

import statistics

from tests.bench.commands import janitor_scan
from tests.bench.figures import Figure, at_most
from tests.bench.processes import CommandFailedError, measure, own_peak_mb, replay_server
from tests.bench.rows import ROWS_PER_PAGE

_FEW_PAGES = 5
_MANY_PAGES = 500
_SEGMENTS = (1, 4)
_ROUNDS = 3
_GOAL_GROWTH_MB = 32


def run() -> list[Figure]:
    """Measure both tables with one segment and with several. No row comes twice, so that what is kept cannot hide."""
    with replay_server(_FEW_PAGES, "--unique") as small, replay_server(_MANY_PAGES, "--unique") as large:
        return [figure for segments in _SEGMENTS for figure in _growth(small, large, segments)]


def _growth(small: str, large: str, segments: int) -> list[Figure]:
    few, many = _median_peak_mb(small, segments), _median_peak_mb(large, segments)
    where = f"--segments {segments}"
    return [
        Figure(f"peak at {_FEW_PAGES * ROWS_PER_PAGE:,} rows, {where}", f"{few:.1f} MB"),
        Figure(f"peak at {_MANY_PAGES * ROWS_PER_PAGE:,} rows, {where}", f"{many:.1f} MB"),
        at_most(f"growth, {where}", many - few, _GOAL_GROWTH_MB, form="{:.1f} MB"),
    ]


def _median_peak_mb(url: str, segments: int) -> float:
    command = janitor_scan(url, "--segments", str(segments), "--format", "ndjson")
    return statistics.median(_peak_mb(command) for _ in range(_ROUNDS))


def _peak_mb(command: tuple[str, ...]) -> float:
    peak = measure(command).peak_mb
    if peak <= own_peak_mb():
        raise CommandFailedError("the bench itself uses as much memory as janitor: its peak cannot be told apart")
    return peak
