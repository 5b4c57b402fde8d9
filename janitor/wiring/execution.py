"""Executes a run from settings to exit code: what every command with a job does around it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import click

from janitor.errors import ExitCode, JanitorError, StopRequestedError
from janitor.report.model import Outcome, Report, TableReport
from janitor.run.flow import run
from janitor.run.job import Job, RunResult
from janitor.settings.output import LogSettings
from janitor.settings.scan import JobSettings
from janitor.stopping import Stop
from janitor.tokens.printable import printable
from janitor.wiring.logging import start_logging
from janitor.wiring.monitoring import RunMonitor
from janitor.wiring.signals import stop_on_signals

_ResultT = TypeVar("_ResultT")


class StoppedBeforeError(JanitorError):
    """A run was stopped before it had read anything, so there is no report."""

    def __init__(self, stop: Stop) -> None:
        code = "deadline" if stop.is_deadline else "interrupted"
        super().__init__(f"{stop.reason} before anything was read", code=code)
        self.exit_code = stop.exit_code


def execute_run(
    command: str,
    logs: LogSettings,
    settings: JobSettings,
    job: Callable[[str, Stop], Job],
    *,
    is_silent: bool = False,
) -> int:
    """Build the job and run it, and print on stderr what went wrong.

    Also publish metrics and call the heartbeat; if these fail, only the exit code changes.

    Args:
        command: the command's name.
        logs: what is logged.
        settings: those that every job has.
        job: builds the job, from the run's id and a `Stop`.
        is_silent: whether neither its end nor its failure is published, as for a dry run.

    Returns:
        the exit code.
    """
    run_id = start_logging(logs)
    _freeze_imported_objects()
    monitor_for = partial(RunMonitor, settings.notices, settings.state, settings.table, command=command, run_id=run_id)
    with (
        stop_on_signals(settings.deadline.deadline) as stop,
        _stop_as_error(stop),
        monitor_for(stop=stop, is_silent=is_silent) as monitor,
    ):
        prepared = prepare_or_stop(lambda: job(run_id, stop), stop)
        with _stop_as_error(stop):
            result = run(prepared)
        result.failures.extend(monitor.publish_metrics(result.report))
        code = exit_code_of(result, stop, settings.output.fail_on)
        is_success = code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED)
        failure = monitor.report_end(result.report, is_success=is_success)
        if failure is not None:
            result.failures.append(failure)
    print_failures(result)
    return exit_code_of(result, stop, settings.output.fail_on)


def _freeze_imported_objects() -> None:
    """Exclude what was imported from garbage collection: searching it for cycles took a tenth of a sweep."""
    gc.freeze()


def prepare_or_stop(prepare: Callable[[], _ResultT], stop: Stop) -> _ResultT:
    """Return what `prepare` returns; a request to stop interrupts what it asks of AWS.

    Raises:
        StoppedBeforeError: somebody asked to stop, or the deadline came.
    """
    with _stop_as_error(stop), stop.waiting():
        return prepare()


@contextmanager
def _stop_as_error(stop: Stop) -> Iterator[None]:
    """Turn a StopRequestedError from the block into an error with a sentence."""
    try:
        yield
    except StopRequestedError:
        raise StoppedBeforeError(stop) from None


def print_failures(result: RunResult) -> None:
    """Print a line on stderr for each thing that went wrong, for those who read neither the log nor the report."""
    report = result.report
    for table in report.tables:
        if table.outcome is Outcome.SKIPPED:
            for warning in table.warnings[-1:]:
                click.echo(f"janitor: {_label(report, table)}{printable(warning.message)}", err=True)
    # Two failures with the same sentence, as of a heartbeat's start and end, are printed once.
    messages = [printable(error.message) for error in report.errors] + [str(failure) for failure in result.failures]
    for message in dict.fromkeys(messages):
        click.echo(f"janitor: {message}", err=True)
    for table in report.tables:
        if table.outcome is Outcome.REFUSED and table.deletion.plan:
            click.echo(f"janitor: {_label(report, table)}the plan is {table.deletion.plan}", err=True)


def _label(report: Report, table: TableReport) -> str:
    return f"{printable(table.label)}: " if report.is_of_several else ""


def exit_code_of(result: RunResult, stop: Stop, fail_on: tuple[str, ...]) -> int:
    """The exit code of the process (docs/architecture.md, "Exit codes")."""
    report = result.report
    if report.run.outcome is Outcome.INTERRUPTED and stop.is_requested() and not stop.is_deadline:
        return stop.exit_code
    if report.run.outcome is Outcome.REFUSED:
        return ExitCode.REFUSED
    if report.errors or result.failures:
        return ExitCode.FAILED
    if any(getattr(report.counts, state) for state in fail_on):
        return ExitCode.FAIL_ON_MATCHED
    return ExitCode.DONE
