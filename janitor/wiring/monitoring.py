"""Monitoring of a run: metrics, the heartbeat, and the notice of a run that ends without a report."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from janitor.background import wait_for_answer
from janitor.error_lines import print_error
from janitor.errors import JanitorError, SinkError
from janitor.report.combine import name_series, split_by_table
from janitor.report.metrics import build_failure_metrics, build_metrics, mark_as_failed
from janitor.report.model import Outcome, Report
from janitor.settings.output import NoticeSettings, StateSettings
from janitor.settings.parsers import MetricsTarget
from janitor.settings.table import TableSettings
from janitor.sinks.metric import MetricSink, TableMetrics
from janitor.stopping import NOTICE_SECONDS, REPORT_SECONDS, Stop
from janitor.wiring.open_table import name_in_settings, open_session

if TYPE_CHECKING:
    from janitor.sinks.heartbeat import Heartbeat

# The share of a run's deadline that the heartbeat's start call may take.
_START_SHARE = 0.1

_HEARTBEAT = "the heartbeat"


def list_metric_files(settings: NoticeSettings) -> list[tuple[str, Path]]:
    """The files that metrics go to."""
    return [(f"--metrics {target.format}={target.path}", target.path) for target in settings.metrics if target.path]


def collect_table_metrics(report: Report, job: str, *, has_failed: bool = False) -> list[TableMetrics]:
    """The metrics of each table of a run; none for a skipped table, because the run that has it knows better.

    `has_failed` says that the run failed beyond what its report says, as when a place could not be written.
    """
    table_metrics = []
    for table, name, each in zip(report.tables, name_series(report), split_by_table(report), strict=True):
        region = table.region or "-"
        timestamp = int(each.run.finished_at.timestamp() * 1_000)
        metrics = build_metrics(each)
        if has_failed:
            metrics = mark_as_failed(metrics)
        is_skipped = each.run.outcome is Outcome.SKIPPED
        table_metrics.append(TableMetrics(job, name, region, timestamp, None if is_skipped else metrics))
    return table_metrics


def collect_failure_metrics(tables: Sequence[TableSettings], job: str) -> list[TableMetrics]:
    """The metrics of a run that ends now without a report, for each table as its settings name it."""
    now = time.time()
    metrics = build_failure_metrics(int(now))
    names = dict.fromkeys((name_in_settings(table), _find_region(table)) for table in tables)
    return [TableMetrics(job, name, region, int(now * 1_000), metrics) for name, region in names]


def _find_region(table: TableSettings) -> str:
    """The table's region, `-` if it is not known. Nobody is asked, so the role of the table is left out."""
    if table.region is None:
        with suppress(JanitorError):
            return open_session(replace(table, role_arn=None)).region
    return table.region or "-"


class RunMonitor:
    """Reports a run to its monitoring. To be entered around the run.

    A failure here is printed on stderr and does not end the run.
    """

    def __init__(
        self,
        settings: NoticeSettings,
        state: StateSettings,
        table: TableSettings,
        stop: Stop,
        *,
        command: str,
        run_id: str,
        tables: Sequence[TableSettings] = (),
        is_dry_run: bool = False,
    ) -> None:
        """Prepare; nothing is written or called yet.

        A dry run calls and writes nothing, but still checks that the metrics could be written.

        Args:
            settings: who is told, and where the metrics go.
            state: the store that remembers what was told.
            table: how AWS is reached for the run as a whole.
            stop: the request to stop the run.
            command: the command's name.
            run_id: the run's id.
            tables: the tables of the run; only `table` if empty.
            is_dry_run: whether it is a dry run.
        """
        self._stop, self._is_dry_run = stop, is_dry_run
        self._settings, self._state, self._table = settings, state, table
        self._tables = tables or (table,)
        self._command, self._run_id = command, run_id
        self._open_sinks: list[MetricSink] = []
        self._sinks = [_make_metric_sink(target, stop) for target in settings.metrics]
        url = None if is_dry_run else settings.heartbeat_url
        self._heartbeat = _make_heartbeat(url, run_id) if url else None

    def __enter__(self) -> Self:
        """Check that the metrics can be written, and call the heartbeat's start.

        Raises:
            ConfigurationError: they cannot.
            StopRequestedError: a request to stop came during the check.
        """
        try:
            with self._stop.interruptible_wait_after_request():
                for sink in self._sinks:
                    sink.open()
                    self._open_sinks.append(sink)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        if self._heartbeat is not None:
            timeout = self._stop.seconds_left * _START_SHARE
            _print_failure(self._call(_HEARTBEAT, partial(self._heartbeat.start, timeout)), "at the start, ")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Report a run that ended without a report: in the metrics, to the topic and to the heartbeat."""
        if error is None:
            return
        for failure in self._publish_failure_metrics():
            _print_failure(failure)
        if isinstance(error, JanitorError) and not self._is_dry_run:
            from janitor.wiring.announcer import publish_failure

            publish = partial(
                publish_failure,
                self._settings,
                self._state,
                self._table,
                command=self._command,
                run_id=self._run_id,
                error=error,
                stop=self._stop,
            )
            _print_failure(self._call("SNS" if self._settings.sns_topic_arn else "--notify", publish))
        if self._heartbeat is not None:
            # Only our own errors are known to hold no row.
            sentence = (
                str(error)
                if isinstance(error, JanitorError)
                else f"janitor crashed ({type(error).__name__}); see its log"
            )
            _print_failure(self._call(_HEARTBEAT, partial(self._heartbeat.failure, sentence)))

    def publish_metrics(self, report: Report, *, has_failed: bool) -> list[SinkError]:
        """Write the metrics of a run, which may have failed beyond its report; return what could not be written."""
        table_metrics = collect_table_metrics(report, self._job, has_failed=has_failed)
        if self._is_dry_run or all(each.metrics is None for each in table_metrics):
            self._open_sinks.clear()
        return self._publish_to_each(lambda sink: sink.publish(table_metrics))

    def _publish_failure_metrics(self) -> list[SinkError]:
        """Write the metrics of a run that ended without a report, and return what could not be written."""
        if self._is_dry_run:
            self._open_sinks.clear()
        table_metrics = collect_failure_metrics(self._tables, self._job) if self._open_sinks else []
        return self._publish_to_each(lambda sink: sink.publish_failure(table_metrics))

    def _publish_to_each(self, publish: Callable[[MetricSink], None]) -> list[SinkError]:
        """Publish to each sink that is open, once a run, and discard the others."""
        open_sinks, self._open_sinks = self._open_sinks, []
        failures = []
        for sink in self._sinks:
            if sink not in open_sinks:
                sink.discard()
                continue
            try:
                publish(sink)
            except SinkError as error:
                failures.append(error)
        return failures

    @property
    def _job(self) -> str:
        return self._settings.job or self._command

    def report_end(self, report: Report, *, is_success: bool) -> SinkError | None:
        """Call the heartbeat's success or failure; return why the call failed, None if it did not."""
        if self._heartbeat is None:
            return None
        if is_success:
            return self._call(_HEARTBEAT, self._heartbeat.success)
        errors = [error.message for error in report.errors] or [f"the run ended {report.run.outcome.value}"]
        return self._call(_HEARTBEAT, partial(self._heartbeat.failure, "\n".join(errors)))

    def _call(self, service: str, call: Callable[[], SinkError | None]) -> SinkError | None:
        """Call a service that may hang, and return the result; an error once a run that was asked to stop must end."""
        answer = wait_for_answer(lambda: (call(),), lambda: self._stop.has_passed(NOTICE_SECONDS))
        if answer is not None:
            return answer[0]
        return SinkError(f"{service} did not answer before the run had to end", code="no-answer")


def _make_heartbeat(url: str, run_id: str) -> Heartbeat:
    from janitor.sinks.heartbeat import Heartbeat

    return Heartbeat(url, run_id=run_id, environment=os.environ)


def _print_failure(failure: JanitorError | None, when: str = "") -> None:
    if failure is not None:
        print_error(f"{when}{failure}")


def _make_metric_sink(target: MetricsTarget, stop: Stop) -> MetricSink:
    if target.path is None:
        from janitor.sinks.emf import Emf

        return Emf(sys.stderr)
    from janitor.sinks.prometheus import Prometheus

    return Prometheus(target.path, lambda: stop.has_passed(REPORT_SECONDS))
