"""The daemon's metrics in Prometheus' text format: of the daemon and its jobs, and of each job's last report.

Those of a report have the names and labels that `--metrics prometheus=PATH` gives them.
Nothing is shown that is not known: a job that never ran has no time of a last run.
"""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from janitor.serve.board import Board, JobOnBoard
from janitor.sinks.metric import Measured
from janitor.sinks.prometheus import registry_of
from janitor.tokens.printable import printable

_PREFIX = "janitor_daemon_"


def metrics_text(board: Board) -> bytes:
    """All of them, UTF-8."""
    registry = CollectorRegistry()
    registry.register(_Daemon(board))
    return generate_latest(registry) + generate_latest(registry_of(_of_reports(board)))


class _Daemon(Collector):
    """The daemon and its jobs."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        """Every family with its samples."""
        board = self._board
        info = InfoMetricFamily(f"{_PREFIX}build", "The program.")
        info.add_metric([], {"version": board.version})
        yield info
        yield _gauge("start_time_seconds", "When the daemon started, in UNIX seconds.", board.started_at)
        yield _gauge("jobs", "Schedule files that are right.", len(board.jobs))
        yield _gauge("broken_files", "Schedule files that are wrong; no run of them starts.", len(board.broken))
        words = "Whether the folder of schedule files can be read: 1 or 0."
        yield _gauge("folder_is_read", words, int(board.fault is None))
        broken = GaugeMetricFamily(f"{_PREFIX}file_is_broken", "A schedule file that is wrong.", labels=["job"])
        for name in sorted({printable(name) for name in board.broken}):
            broken.add_metric([name], 1)
        yield broken
        for name, words, value in _GAUGES:
            yield self._of_jobs(name, words, value)
        yield from self._counters()

    def _of_jobs(self, name: str, words: str, value: Callable[[JobOnBoard], float | None]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"{_PREFIX}{name}", words, labels=["job"])
        for job, each in sorted(self._board.jobs.items()):
            figure = value(each)
            if figure is not None:
                family.add_metric([job], figure)
        return family

    def _counters(self) -> Iterator[Metric]:
        runs = CounterMetricFamily(f"{_PREFIX}runs", "Runs by how they ended.", labels=["job", "outcome"])
        last = GaugeMetricFamily(
            f"{_PREFIX}last_run_outcome", "How the last run ended: 1 for its outcome.", labels=["job", "outcome"]
        )
        missed = CounterMetricFamily(
            f"{_PREFIX}missed",
            "Times at which a job was due and not run: it was still at work, or no daemon was there.",
            labels=["job"],
        )
        for job, each in sorted(self._board.jobs.items()):
            for outcome, count in sorted(each.known.runs.items()):
                runs.add_metric([job, outcome], count)
            if each.known.outcome is not None:
                last.add_metric([job, each.known.outcome], 1)
            missed.add_metric([job], each.known.missed)
        yield from (runs, last, missed)


def _duration(each: JobOnBoard) -> float | None:
    known = each.known
    return None if known.started_at is None or known.ended_at is None else known.ended_at - known.started_at


_GAUGES: tuple[tuple[str, str, Callable[[JobOnBoard], float | None]], ...] = (
    ("job_running", "Whether a run of the job is at work: 1 or 0.", lambda each: int(each.running_since is not None)),
    ("job_waiting", "Whether the job is due and waits for its turn: 1 or 0.", lambda each: int(each.is_waiting)),
    ("job_deletes", "Whether the job deletes: 1 or 0.", lambda each: int(each.job.deletes)),
    ("next_run_timestamp_seconds", "When the job fires next, in UNIX seconds.", lambda each: each.next_at),
    (
        "last_run_start_timestamp_seconds",
        "When the last run started, in UNIX seconds.",
        lambda each: each.known.started_at,
    ),
    ("last_run_end_timestamp_seconds", "When the last run ended, in UNIX seconds.", lambda each: each.known.ended_at),
    ("last_run_duration_seconds", "How long the last run took, in seconds.", _duration),
    ("last_run_exit_code", "The exit code of the last run.", lambda each: each.known.exit_code),
    (
        "last_success_timestamp_seconds",
        "When the last run ended that did all it set out to do, in UNIX seconds.",
        lambda each: each.known.succeeded_at,
    ),
)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}{name}", words, value=value)


def _of_reports(board: Board) -> Iterator[Measured]:
    for job, each in sorted(board.jobs.items()):
        seen = set()
        for report in each.kept:
            # Settings may name one table in two ways.
            if (report.series, report.region) not in seen:
                seen.add((report.series, report.region))
                yield Measured(job, report.series, report.region, int(report.ended_at * 1_000), report.metrics)
