"""What a report of ten thousand findings costs in each format: CPU and peak memory of the whole scan that writes it."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.commands import janitor_scan
from tests.bench.figures import Figure, at_most
from tests.bench.processes import Usage, measure, replay_server
from tests.bench.rows import findings_in

_PAGES = 25
_ROUNDS = 3
_FORMATS = ("json", "ndjson", "csv", "table", "markdown", "html", "ics", "xlsx")
# A whole run, the program itself included, which has some 60 MB of it.
_MOST_MB = 160


def run() -> list[Figure]:
    """Measure a scan that writes nothing but this report."""
    usages: dict[str, list[Usage]] = {name: [] for name in _FORMATS}
    with replay_server(_PAGES, "--unique") as url, tempfile.TemporaryDirectory() as folder:
        for _ in range(_ROUNDS):
            for name in _FORMATS:
                report = f"{name}={Path(folder) / name}"
                # Standard output gets a format that streams, which keeps nothing.
                command = janitor_scan(url, "--segments", "1", "--format", "ndjson", "--report", report)
                usages[name].append(measure(command))
    return list(_list_figures(usages))


def _list_figures(usages: dict[str, list[Usage]]) -> Iterator[Figure]:
    what = f"{findings_in(_PAGES):,} findings as"
    for name, several in usages.items():
        seconds = statistics.median(usage.cpu_seconds for usage in several)
        yield Figure(f"{what} {name}, CPU of the whole scan", f"{seconds:.2f} s")
        yield at_most(f"{what} {name}, peak", max(usage.peak_mb for usage in several), _MOST_MB, form="{:.0f} MB")
