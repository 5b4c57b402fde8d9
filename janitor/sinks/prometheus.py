"""`prometheus=PATH`: a file for the textfile collector of Prometheus' node_exporter, and the registry behind it.

All are gauges: what the last run measured, not sums over runs. Each has the labels `table` and `region`. The file
belongs to one table; node_exporter reads it when its name ends in `.prom`.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from janitor.errors import SinkError
from janitor.sinks.file import File
from janitor.sinks.metric import MetricLike, Unit

PREFIX = "janitor_"
_LAST_SUCCESS = "last_success_timestamp_seconds"
_LAST_SUCCESS_HELP = "When the last run ended that did all it set out to do, in UNIX seconds."


class Measured(NamedTuple):
    """The metrics of a table's last run."""

    table: str
    region: str
    metrics: Sequence[MetricLike]


def registry_of(measured: Iterable[Measured]) -> CollectorRegistry:
    """A registry of the last run of each table, no two of the same."""
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for table, region, metrics in measured:
        for metric in metrics:
            if metric.name not in gauges:
                names = ("table", "region", *(name for name, _ in metric.labels))
                gauges[metric.name] = Gauge(f"{PREFIX}{metric.name}", metric.help, names, registry=registry)
            gauges[metric.name].labels(table, region, *(value for _, value in metric.labels)).set(metric.value)
    return registry


def prometheus_text(metrics: Sequence[MetricLike], *, table: str, region: str, previous: bytes | None) -> bytes:
    """The file's content, in Prometheus' text format.

    Args:
        metrics: no two with the same name and labels.
        table: the table's name.
        region: the table's region.
        previous: what the file holds now, None if there is none. The time of the last success is taken over from it
            when the metrics have none, so that a run that failed does not make it disappear.
    """
    kept = [*metrics, *_last_success(metrics, table, region, previous)]
    return generate_latest(registry_of([Measured(table, region, kept)]))


class Prometheus:
    """Writes the file in one step, for every user to read: node_exporter runs as one of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _PublicFile(path)
        self.target = self._file.target

    def open(self) -> None:
        """Make a hidden file beside the path.

        Raises:
            ConfigurationError: the folder does not exist or cannot be written.
        """
        self._file.open()

    def publish(
        self,
        metrics: Sequence[MetricLike],
        *,
        table: str,
        region: str,
        timestamp_ms: int,  # noqa: ARG002  # the interface's argument; node_exporter refuses lines with a time
    ) -> None:
        """Write the hidden file, flush it to disk and put it in its place.

        Raises:
            SinkError: that failed; the place is as it was.
        """
        try:
            self._file.write(prometheus_text(metrics, table=table, region=region, previous=self._previous()))
        except SinkError:
            self.discard()
            raise
        self._file.commit()

    def discard(self) -> None:
        """Remove the hidden file."""
        self._file.discard()

    def _previous(self) -> bytes | None:
        try:
            # A pipe or a device has nothing to read back, and would be waited for.
            return self._path.read_bytes() if self._path.is_file() else None
        except OSError:
            return None


class _PublicFile(File):
    """A file that everybody may read, whatever the umask and the old file's mode."""

    def _mode(self) -> int:
        return 0o644


class _Kept(NamedTuple):
    """A metric of an earlier run."""

    name: str
    unit: Unit
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def _last_success(
    metrics: Sequence[MetricLike], table: str, region: str, previous: bytes | None
) -> Iterator[MetricLike]:
    if previous is None or any(metric.name == _LAST_SUCCESS for metric in metrics):
        return
    second = _read_back(f"{PREFIX}{_LAST_SUCCESS}", {"table": table, "region": region}, previous)
    if second is not None:
        yield _Kept(_LAST_SUCCESS, "timestamp", _LAST_SUCCESS_HELP, second)


def _read_back(name: str, labels: dict[str, str], text: bytes) -> float | None:
    """The value that a file holds for a name and labels, None if it holds none or that line is damaged."""
    # Only whole lines of that name are parsed, so that damage elsewhere in the file does not matter.
    for line in text.decode(errors="replace").split("\n")[:-1]:
        if line.startswith(name):
            value = _value(line, name, labels)
            if value is not None:
                return value
    return None


def _value(line: str, name: str, labels: dict[str, str]) -> float | None:
    try:
        samples = [sample for family in text_string_to_metric_families(f"{line}\n") for sample in family.samples]
    except (ValueError, LookupError):
        return None
    values = [float(sample.value) for sample in samples if sample.name == name and sample.labels == labels]
    return values[0] if values and isfinite(values[0]) else None
