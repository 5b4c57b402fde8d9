"""`prometheus=PATH`: a file for the textfile collector of Prometheus' node_exporter, and the registry behind it.

All are gauges: what the last run measured, not sums over runs. Each has the labels `job`, `table` and `region`. A run
replaces what the file holds of its job, and leaves what it holds of others, so that several jobs may share one.
node_exporter reads it when its name ends in `.prom`.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from janitor.errors import SinkError
from janitor.file_lock import file_lock
from janitor.sinks.file import File
from janitor.sinks.metric import Measured, MetricLike, Unit

PREFIX = "janitor_"
_LAST_SUCCESS = "last_success_timestamp_seconds"
_LAST_SUCCESS_HELP = "When the last run ended that did all it set out to do, in UNIX seconds."


def registry_of(measured: Iterable[Measured]) -> CollectorRegistry:
    """A registry of the last run of each table by each job, no two of the same."""
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for job, table, region, _, metrics in measured:
        for metric in metrics or ():
            if metric.name not in gauges:
                names = (*_Place._fields, *(name for name, _ in metric.labels))
                gauges[metric.name] = Gauge(f"{PREFIX}{metric.name}", metric.help, names, registry=registry)
            gauges[metric.name].labels(job, table, region, *(value for _, value in metric.labels)).set(metric.value)
    return registry


def prometheus_text(measured: Sequence[Measured], *, previous: bytes | None) -> bytes:
    """The file's content, in Prometheus' text format.

    Args:
        measured: a table each, no two of the same, and all of one job.
        previous: what the file holds now, None if there is none. What it holds of other jobs is taken over; the time of
            the last success too, when the metrics have none, so that a run that failed does not make it disappear; and
            all of a table that was left to another run.
    """
    held = _held(previous or b"")
    jobs = {each.job for each in measured}
    others = [Measured(*place, 0, metrics) for place, metrics in held.items() if place.job not in jobs]
    try:
        return generate_latest(registry_of([*(_with_kept(each, held, previous) for each in measured), *others]))
    except ValueError:
        # What no janitor wrote, like a metric that has other labels each time.
        return generate_latest(registry_of(_with_kept(each, {}, previous) for each in measured))


def _with_kept(measured: Measured, held: "_Held", previous: bytes | None) -> Measured:
    place = _Place(measured.job, measured.table, measured.region)
    if measured.metrics is None:
        return measured._replace(metrics=held.get(place, []))
    return measured._replace(metrics=[*measured.metrics, *_last_success(measured.metrics, place, previous)])


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
        with _alone_in(self._path.parent):
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


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let no other janitor write metrics to this folder: of two jobs that share a file each would keep the other's old.

    Where a folder cannot be locked, as on some network disks, the next run sets it right.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(file_lock(folder, waits=True))
        yield


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


class _Place(NamedTuple):
    """Whose metrics they are, by the labels that all of them have."""

    job: str
    table: str
    region: str


_Held = dict[_Place, list[_Kept]]


def _last_success(metrics: Sequence[MetricLike], place: _Place, previous: bytes | None) -> Iterator[MetricLike]:
    if previous is None or any(metric.name == _LAST_SUCCESS for metric in metrics):
        return
    second = _read_back(f"{PREFIX}{_LAST_SUCCESS}", place._asdict(), previous)
    if second is not None:
        yield _Kept(_LAST_SUCCESS, "timestamp", _LAST_SUCCESS_HELP, second)


def _held(text: bytes) -> _Held:
    """Every metric that a file holds of a job's table; none of a file that is damaged."""
    held: _Held = {}
    try:
        families = list(text_string_to_metric_families(text.decode(errors="replace")))
    except (ValueError, LookupError):
        return held
    for family in families:
        for name, labels, value, *_ in family.samples:
            if not name.startswith(PREFIX) or not isfinite(value) or not set(_Place._fields) <= labels.keys():
                continue
            others = tuple((label, text) for label, text in labels.items() if label not in _Place._fields)
            metric = _Kept(name.removeprefix(PREFIX), "count", family.documentation, value, others)
            held.setdefault(_Place(*(labels[label] for label in _Place._fields)), []).append(metric)
    return held


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
