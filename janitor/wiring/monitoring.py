"""Who watches runs from outside: metrics, the heartbeat, and the topic that hears of a run without a report."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from janitor.background import answer_of
from janitor.errors import JanitorError, SinkError
from janitor.report.combine import series_of, split_by_table
from janitor.report.metrics import metrics_of
from janitor.report.model import Outcome, Report
from janitor.settings.output import NoticeSettings, StateSettings
from janitor.settings.table import TableSettings
from janitor.sinks.metric import Measured
from janitor.stopping import NOTICE_SECONDS, Stop
from janitor.wiring.notices import metric_sinks

if TYPE_CHECKING:
    from janitor.sinks.heartbeat import Heartbeat

# Of a run's deadline, for telling the monitor that it has begun.
_START_SHARE = 0.1


def measured_of(report: Report, job: str) -> list[Measured]:
    """The metrics of each table of a job's run. Of one that was left to another run what that one says is truer."""
    measured = []
    for table, name, each in zip(report.tables, series_of(report), split_by_table(report), strict=True):
        region = table.region or "-"
        timestamp = int(each.run.finished_at.timestamp() * 1_000)
        metrics = None if each.run.outcome is Outcome.SKIPPED else metrics_of(each)
        measured.append(Measured(job, name, region, timestamp, metrics))
    return measured


class Outside:
    """Opened around a run. What fails here is said on stderr, and ends nothing."""

    def __init__(
        self,
        settings: NoticeSettings,
        state: StateSettings,
        table: TableSettings,
        stop: Stop,
        *,
        command: str,
        run_id: str,
        is_silent: bool = False,
    ) -> None:
        """Prepare; nothing is written or called.

        A run that `is_silent` calls nothing and writes nothing, and proves all the same that the metrics could be
        written.
        """
        self._stop, self._is_silent = stop, is_silent
        self._settings, self._state, self._table = settings, state, table
        self._command, self._run_id = command, run_id
        self._sinks = metric_sinks(settings, stop)
        url = None if is_silent else settings.heartbeat_url
        self._heartbeat = _heartbeat(url, run_id) if url else None

    def __enter__(self) -> Self:
        """Prove that the metrics can be written, and call the heartbeat's start.

        Raises:
            ConfigurationError: they cannot.
            StopRequestedError: somebody asked to stop while one was waited for.
        """
        try:
            with self._stop.cutting_short():
                for sink in self._sinks:
                    sink.open()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        if self._heartbeat is not None:
            most = self._stop.seconds_left * _START_SHARE
            _say(self._answered(partial(self._heartbeat.start, most)), "at the start, ")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Tell the heartbeat and the topic of a run that came to no report."""
        if error is None:
            return
        for sink in self._sinks:
            sink.discard()
        if isinstance(error, JanitorError) and not self._is_silent:
            from janitor.wiring.announcer import tell_of_failure

            tell = partial(
                tell_of_failure,
                self._settings,
                self._state,
                self._table,
                command=self._command,
                run_id=self._run_id,
                error=error,
                stop=self._stop,
            )
            _say(self._answered(tell))
        if self._heartbeat is not None:
            # Only of our own errors is it known that they hold no row.
            sentence = str(error) if isinstance(error, JanitorError) else f"it broke off ({type(error).__name__})"
            _say(self._answered(partial(self._heartbeat.failure, sentence)))

    def tell_metrics(self, report: Report) -> list[SinkError]:
        """Write the metrics of a run; what could not be written."""
        measured = measured_of(report, self._settings.job or self._command)
        if self._is_silent or all(each.metrics is None for each in measured):
            for sink in self._sinks:
                sink.discard()
            return []
        failures = []
        for sink in self._sinks:
            try:
                sink.publish(measured)
            except SinkError as error:
                failures.append(error)
        return failures

    def tell_end(self, report: Report, *, is_success: bool) -> SinkError | None:
        """Call the heartbeat's success, or its failure; why that failed."""
        if self._heartbeat is None:
            return None
        if is_success:
            return self._answered(self._heartbeat.success)
        errors = [error.message for error in report.errors] or [f"the run ended {report.run.outcome.value}"]
        return self._answered(partial(self._heartbeat.failure, "\n".join(errors)))

    def _answered(self, call: Callable[[], SinkError | None]) -> SinkError | None:
        """What a call returns; an error once the run was asked to stop, and has to end."""
        answer = answer_of(lambda: (call(),), lambda: self._stop.is_over(NOTICE_SECONDS))
        if answer is not None:
            return answer[0]
        return SinkError("whoever watches this run did not answer before it had to end", code="no-answer")


def _heartbeat(url: str, run_id: str) -> Heartbeat:
    from janitor.sinks.heartbeat import Heartbeat

    return Heartbeat(url, run_id=run_id, environment=os.environ)


def _say(failure: JanitorError | None, when: str = "") -> None:
    if failure is not None:
        click.echo(f"janitor: {when}{failure}", err=True)
