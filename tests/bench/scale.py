"""What one process takes in MB of DynamoDB's size."""

import statistics

from tests.bench.commands import janitor_scan
from tests.bench.figures import Figure, at_least
from tests.bench.processes import measure, replay_server
from tests.bench.rows import ROW_BYTES, ROWS_PER_PAGE

_PAGES = 2_000
_ROUNDS = 5
_GOAL_MB = 80


def run() -> list[Figure]:
    """Measure a scan by one segment. The server keeps its pages ready, so that nobody waits for them long."""
    with replay_server(_PAGES) as url:
        usages = [measure(janitor_scan(url, "--segments", "1", "--format", "json")) for _ in range(_ROUNDS)]
    megabytes = _PAGES * ROWS_PER_PAGE * ROW_BYTES / 1e6
    by_cpu = statistics.median(megabytes / usage.cpu_seconds for usage in usages)
    by_clock = statistics.median(megabytes / usage.wall_seconds for usage in usages)
    return [
        at_least("one process, MB as the table stores them, a CPU second", by_cpu, _GOAL_MB, form="{:.0f} MB"),
        Figure("the same, a second of the clock, one segment, server on the same machine", f"{by_clock:.0f} MB"),
    ]
