"""`prometheus=PATH`: a file for the textfile collector of Prometheus' node_exporter, and the registry behind it.

All metrics are gauges: values of the last run, not sums over runs. Each has the labels `job`, `table` and `region`. A
run replaces the metrics of its own job in the file and keeps those of other jobs, so that jobs may share a file.
node_exporter reads the file if its name ends in `.prom`.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from janitor.errors import SinkError
from janitor.file_lock import file_lock
from janitor.sinks.file import File
from janitor.sinks.metric import MetricLike, TableMetrics, Unit

PREFIX = "janitor_"
_LAST_SUCCESS = "last_success_timestamp_seconds"
_LAST_SUCCESS_HELP = "When the last run ended that did all it set out to do, in UNIX seconds."


def build_registry(tables: Iterable[TableMetrics]) -> CollectorRegistry:
    """Build a registry with the metrics of these tables, each table of each job once."""
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for job, table, region, _, metrics in tables:
        for metric in metrics or ():
            if metric.name not in gauges:
                names = (*_TableKey._fields, *(name for name, _ in metric.labels))
                gauges[metric.name] = Gauge(f"{PREFIX}{metric.name}", metric.help, names, registry=registry)
            gauges[metric.name].labels(job, table, region, *(value for _, value in metric.labels)).set(metric.value)
    return registry


def format_prometheus(tables: Sequence[TableMetrics], *, previous: bytes | None) -> bytes:
    """Format the file's content, in Prometheus' text format.

    Args:
        tables: the metrics of each table, all of one job.
        previous: the file's current content, None if there is none. Kept from it are the metrics of other jobs; the
            time of the last success if the new metrics have none, so that a failed run does not remove it; and all
            metrics of a table that another run has.
    """
    earlier = _parse_previous(previous or b"")
    jobs = {table.job for table in tables}
    others = [TableMetrics(*key, 0, metrics) for key, metrics in earlier.items() if key.job not in jobs]
    try:
        return generate_latest(build_registry([*(_add_earlier(table, earlier, previous) for table in tables), *others]))
    except ValueError:
        # The file holds something that janitor did not write, for example one metric with different label names.
        return generate_latest(build_registry(_add_earlier(table, {}, previous) for table in tables))


def format_prometheus_failure(tables: Sequence[TableMetrics], *, previous: bytes | None) -> bytes:
    """Format the file's content after a run that ended without a report, in Prometheus' text format.

    A run that did not get far knows its tables only as its settings name them, and a deployment or a parameter is not
    a table's name. What the file has of the job tells it: the table of this name; the tables whose names begin with
    this deployment's; for a parameter, every table. If it has none of these, the name of the settings is used.

    Args:
        tables: the same metrics for each table of the settings, all of one job.
        previous: the file's current content, None if there is none.
    """
    known = [key for key in _parse_previous(previous or b"") if key.job == tables[0].job]
    failed = [
        table._replace(table=key.table, region=key.region)
        for table in tables
        for key in _find_series(table.table, known) or [_TableKey(table.job, table.table, table.region)]
    ]
    untouched = [
        TableMetrics(*key, 0, None)
        for key in known
        if not any((key.table, key.region) == (table.table, table.region) for table in failed)
    ]
    return format_prometheus([*failed, *untouched], previous=previous)


def _find_series(name: str, known: Sequence["_TableKey"]) -> Sequence["_TableKey"]:
    """Find the series of the table, of the deployment or, for any parameter, of all tables."""
    of_table = [key for key in known if key.table == name]
    of_deployment = [key for key in known if key.table.startswith(f"{name}-")]
    return of_table or of_deployment or (known if name.startswith("/") else [])


def _add_earlier(table: TableMetrics, earlier: "_EarlierMetrics", previous: bytes | None) -> TableMetrics:
    key = _TableKey(table.job, table.table, table.region)
    if table.metrics is None:
        return table._replace(metrics=earlier.get(key, []))
    return table._replace(metrics=[*table.metrics, *_find_last_success(table.metrics, key, previous)])


class Prometheus:
    """Writes the file in one step, readable for every user, because node_exporter runs as a user of its own."""

    def __init__(self, path: Path, must_end: Callable[[], bool] = lambda: False) -> None:
        """Prepare; opens nothing. The arguments are those of `File`."""
        self._path = path
        self._file = _PublicFile(path, must_end)
        self.target = self._file.target

    def open(self) -> None:
        """Create a hidden file in the same folder.

        Raises:
            ConfigurationError: the folder does not exist or cannot be written.
        """
        self._file.open()

    def publish(self, tables: Sequence[TableMetrics]) -> None:
        """Write the hidden file, and replace the old file with it. It holds no times, which node_exporter refuses.

        Raises:
            SinkError: that failed; the old file is as it was.
        """
        self._replace(partial(format_prometheus, tables))

    def publish_failure(self, tables: Sequence[TableMetrics]) -> None:
        """Do the same after a run that ended without a report.

        Raises:
            SinkError: that failed; the old file is as it was.
        """
        self._replace(partial(format_prometheus_failure, tables))

    def discard(self) -> None:
        """Remove the hidden file."""
        self._file.discard()

    def _replace(self, format_content: Callable[..., bytes]) -> None:
        with _lock_folder(self._path.parent):
            try:
                self._file.write(format_content(previous=self._read_previous()))
            except SinkError:
                self.discard()
                raise
            self._file.commit()

    def _read_previous(self) -> bytes | None:
        try:
            # A pipe or a device has no earlier content, and reading it could block.
            return self._path.read_bytes() if self._path.is_file() else None
        except OSError:
            return None


@contextlib.contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Keep other janitors from writing metrics to this folder, so that jobs with one file do not undo each other.

    Where a folder cannot be locked, as on some network disks, the next run corrects the file.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(file_lock(folder, waits=True))
        yield


class _PublicFile(File):
    """A file that every user may read, whatever the umask and the old file's mode."""

    def _mode(self) -> int:
        return 0o644


class _EarlierMetric(NamedTuple):
    """A metric of an earlier run."""

    name: str
    unit: Unit
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class _TableKey(NamedTuple):
    """The labels that all metrics of a table have."""

    job: str
    table: str
    region: str


_EarlierMetrics = dict[_TableKey, list[_EarlierMetric]]


def _find_last_success(metrics: Sequence[MetricLike], key: _TableKey, previous: bytes | None) -> Iterator[MetricLike]:
    if previous is None or any(metric.name == _LAST_SUCCESS for metric in metrics):
        return
    second = _find_value(f"{PREFIX}{_LAST_SUCCESS}", key._asdict(), previous)
    if second is not None:
        yield _EarlierMetric(_LAST_SUCCESS, "timestamp", _LAST_SUCCESS_HELP, second)


def _parse_previous(text: bytes) -> _EarlierMetrics:
    """Parse the metrics in a file by table and job; none if the file is damaged."""
    earlier: _EarlierMetrics = {}
    try:
        families = list(text_string_to_metric_families(text.decode(errors="replace")))
    except (ValueError, LookupError):
        return earlier
    for family in families:
        for name, labels, value, *_ in family.samples:
            if not name.startswith(PREFIX) or not isfinite(value) or not set(_TableKey._fields) <= labels.keys():
                continue
            others = tuple((label, text) for label, text in labels.items() if label not in _TableKey._fields)
            metric = _EarlierMetric(name.removeprefix(PREFIX), "count", family.documentation, value, others)
            earlier.setdefault(_TableKey(*(labels[label] for label in _TableKey._fields)), []).append(metric)
    return earlier


def _find_value(name: str, labels: dict[str, str], text: bytes) -> float | None:
    """Return the value that a file holds for a name and labels; None if it holds none or that line is damaged."""
    # Only whole lines with that name are parsed, so that damage elsewhere in the file does not matter.
    for line in text.decode(errors="replace").split("\n")[:-1]:
        if line.startswith(name):
            value = _parse_value(line, name, labels)
            if value is not None:
                return value
    return None


def _parse_value(line: str, name: str, labels: dict[str, str]) -> float | None:
    try:
        samples = [sample for family in text_string_to_metric_families(f"{line}\n") for sample in family.samples]
    except (ValueError, LookupError):
        return None
    values = [float(sample.value) for sample in samples if sample.name == name and sample.labels == labels]
    return values[0] if values and isfinite(values[0]) else None
