"""The daemon's metrics in Prometheus' text format: about the daemon, its jobs, and each job's last report.

Those of a report have the names and labels that `--metrics prometheus=PATH` gives them.
An unknown value is left out: a job that never ran has no time of a last run.
"""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from janitor.report.metrics import Metric as RunMetric
from janitor.report.metrics import build_failure_metrics, build_last_success_metric, mark_as_failed
from janitor.report.model import Outcome
from janitor.serve.status import DaemonStatus, JobStatus
from janitor.sinks.metric import TableMetrics
from janitor.sinks.prometheus import build_registry
from janitor.tokens.printable import printable

_PREFIX = "janitor_daemon_"


def render_metrics(status: DaemonStatus) -> bytes:
    """Render all metrics, as UTF-8."""
    registry = CollectorRegistry()
    registry.register(_DaemonCollector(status))
    return generate_latest(registry) + generate_latest(build_registry(_measure_reports(status)))


class _DaemonCollector(Collector):
    """Collects the metrics about the daemon and its jobs."""

    def __init__(self, status: DaemonStatus) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family with its samples."""
        status = self._status
        info = InfoMetricFamily(f"{_PREFIX}build", "The program.")
        info.add_metric([], {"version": status.version})
        yield info
        yield _make_gauge("start_time_seconds", "When the daemon started, in UNIX seconds.", status.started_at)
        yield _make_gauge("jobs", "Schedule files that are valid.", len(status.jobs))
        yield _make_gauge(
            "broken_files", "Schedule files that are not valid; no run of them starts.", len(status.broken)
        )
        help_text = "Whether the folder of schedule files can be read: 1 or 0."
        yield _make_gauge("folder_is_read", help_text, int(status.folder_error is None))
        broken = GaugeMetricFamily(f"{_PREFIX}file_is_broken", "A schedule file that is not valid.", labels=["job"])
        for name in sorted({printable(name) for name in status.broken}):
            broken.add_metric([name], 1)
        yield broken
        for name, help_text, value in _GAUGES:
            yield self._make_job_gauge(name, help_text, value)
        yield from self._make_counters()

    def _make_job_gauge(
        self, name: str, help_text: str, value: Callable[[JobStatus], float | None]
    ) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"{_PREFIX}{name}", help_text, labels=["job"])
        for job, each in sorted(self._status.jobs.items()):
            number = value(each)
            if number is not None:
                family.add_metric([job], number)
        return family

    def _make_counters(self) -> Iterator[Metric]:
        runs = CounterMetricFamily(f"{_PREFIX}runs", "Runs by how they ended.", labels=["job", "outcome"])
        last = GaugeMetricFamily(
            f"{_PREFIX}last_run_outcome", "How the last run ended: 1 for its outcome.", labels=["job", "outcome"]
        )
        missed = CounterMetricFamily(
            f"{_PREFIX}missed",
            "Times at which a job was due and not run: it was still running, or no daemon was.",
            labels=["job"],
        )
        for job, each in sorted(self._status.jobs.items()):
            for outcome, count in sorted(each.record.runs.items()):
                runs.add_metric([job, outcome], count)
            if each.record.outcome is not None:
                last.add_metric([job, each.record.outcome], 1)
            missed.add_metric([job], each.record.missed)
        yield from (runs, last, missed)


def _compute_duration(each: JobStatus) -> float | None:
    record = each.record
    return None if record.started_at is None or record.ended_at is None else record.ended_at - record.started_at


_GAUGES: tuple[tuple[str, str, Callable[[JobStatus], float | None]], ...] = (
    (
        "job_running",
        "Whether a run of the job is in progress: 1 or 0.",
        lambda each: int(each.running_since is not None),
    ),
    ("job_waiting", "Whether the job is due and waits for other runs: 1 or 0.", lambda each: int(each.is_waiting)),
    ("job_deletes", "Whether the job deletes: 1 or 0.", lambda each: int(each.job.deletes)),
    ("next_run_timestamp_seconds", "When the job fires next, in UNIX seconds.", lambda each: each.next_at),
    (
        "last_run_start_timestamp_seconds",
        "When the last run started, in UNIX seconds.",
        lambda each: each.record.started_at,
    ),
    ("last_run_end_timestamp_seconds", "When the last run ended, in UNIX seconds.", lambda each: each.record.ended_at),
    ("last_run_duration_seconds", "How long the last run took, in seconds.", _compute_duration),
    ("last_run_exit_code", "The exit code of the last run.", lambda each: each.record.exit_code),
    (
        "last_success_timestamp_seconds",
        "When the last successful run ended, in UNIX seconds.",
        lambda each: each.record.succeeded_at,
    ),
)


def _make_gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}{name}", help_text, value=value)


def _measure_reports(status: DaemonStatus) -> Iterator[TableMetrics]:
    for job, each in sorted(status.jobs.items()):
        of_tables: dict[tuple[str, str], Sequence[RunMetric]] = {}
        for name_and_region, metrics in _measure_tables(each):
            # Two settings may name the same table.
            of_tables.setdefault(name_and_region, metrics)
        for (name, region), metrics in of_tables.items():
            yield TableMetrics(job, name, region, 0, metrics)


def _measure_tables(each: JobStatus) -> Iterator[tuple[tuple[str, str], Sequence[RunMetric]]]:
    """Yield name and region of each table of a job with its metrics, those of the file of `--metrics`.

    That file also keeps what it had of a table that the last run skipped; of such a table nothing is known here.
    """
    record = each.record
    last_success = []
    if record.outcome != Outcome.COMPLETE and record.succeeded_at is not None:
        last_success = [build_last_success_metric(record.succeeded_at)]
    if each.has_failed_without_report:
        names = [(report.series, report.region) for report in each.last_reports]
        for name in names or [(table.label, table.region or "-") for table in each.job.tables]:
            yield name, [*build_failure_metrics(record.ended_at), *last_success]
        return
    for report in each.last_reports:
        metrics = [] if report.outcome is Outcome.SKIPPED else report.metrics
        if each.has_failed_beyond_report:
            metrics = mark_as_failed(metrics)
        is_success = any(metric.name == last.name for metric in metrics for last in last_success)
        yield (report.series, report.region), [*metrics, *([] if is_success else last_success)]
