"""`prometheus=PATH`: a file for the textfile collector of Prometheus' node_exporter, and the registry behind it.

All are gauges: what the last run measured, not sums over runs. Each has the labels `table` and `region`. The file
belongs to the tables of one job; node_exporter reads it when its name ends in `.prom`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from janitor.errors import SinkError
from janitor.sinks.file import File
from janitor.sinks.metric import Measured, MetricLike, Unit

PREFIX = "janitor_"
_LAST_SUCCESS = "last_success_timestamp_seconds"
_LAST_SUCCESS_HELP = "When the last run ended that did all it set out to do, in UNIX seconds."


def registry_of(measured: Iterable[Measured]) -> CollectorRegistry:
    """A registry of the last run of each table, no two of the same."""
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for table, region, _, metrics in measured:
        for metric in metrics or ():
            if metric.name not in gauges:
                names = ("table", "region", *(name for name, _ in metric.labels))
                gauges[metric.name] = Gauge(f"{PREFIX}{metric.name}", metric.help, names, registry=registry)
            gauges[metric.name].labels(table, region, *(value for _, value in metric.labels)).set(metric.value)
    return registry


def prometheus_text(measured: Sequence[Measured], *, previous: bytes | None) -> bytes:
    """The file's content, in Prometheus' text format.

    Args:
        measured: a table each, no two of the same.
        previous: what the file holds now, None if there is none. The time of the last success is taken over from it
            when the metrics have none, so that a run that failed does not make it disappear; and all of a table that
            was left to another run.
    """
    return generate_latest(registry_of([_with_kept(each, previous) for each in measured]))


def _with_kept(measured: Measured, previous: bytes | None) -> Measured:
    table, region, _, metrics = measured
    if metrics is None:
        return measured._replace(metrics=list(_all_of(table, region, previous or b"")))
    return measured._replace(metrics=[*metrics, *_last_success(metrics, table, region, previous)])


class Prometheus:
    """Writes the file in one step, for every user to read: node_exporter runs as one of its own."""

    def __init__(self, path: Path, is_over: Callable[[], bool] = lambda: False) -> None:
        """Nothing is opened; the arguments are those of `File`."""
        self._path = path
        self._file = _PublicFile(path, is_over)
        self.target = self._file.target

    def open(self) -> None:
        """Make a hidden file beside the path.

        Raises:
            ConfigurationError: the folder does not exist or cannot be written.
        """
        self._file.open()

    def publish(self, measured: Sequence[Measured]) -> None:
        """Write the hidden file, flush it to disk and put it in its place. Without times, which node_exporter refuses.

        Raises:
            SinkError: that failed; the place is as it was.
        """
        try:
            self._file.write(prometheus_text(measured, previous=self._previous()))
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


def _all_of(table: str, region: str, text: bytes) -> Iterator[MetricLike]:
    """Every metric that a file holds of a table; none of a file that is damaged."""
    try:
        families = list(text_string_to_metric_families(text.decode(errors="replace")))
    except (ValueError, LookupError):
        return
    for family in families:
        for name, labels, value, *_ in family.samples:
            if (labels.get("table"), labels.get("region")) != (table, region) or not name.startswith(PREFIX):
                continue
            others = tuple((label, text) for label, text in labels.items() if label not in ("table", "region"))
            yield _Kept(name.removeprefix(PREFIX), "count", family.documentation, value, others)


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
