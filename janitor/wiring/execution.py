"""Executes a run from settings to exit code: what every command that makes a run does around it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import click

from janitor.error_lines import print_error
from janitor.errors import ExitCode, JanitorError, StopRequestedError
from janitor.logs import start_logging
from janitor.report.model import Outcome, Report, TableReport
from janitor.run.flow import run
from janitor.run.spec import RunResult
from janitor.settings.output import LogSettings
from janitor.stopping import Stop
from janitor.terminal import is_terminal
from janitor.tokens.printable import printable
from janitor.wiring.monitoring import RunMonitor
from janitor.wiring.run_spec import RunRequest, SettingsT, build_run_spec
from janitor.wiring.signals import stop_on_signals

_ResultT = TypeVar("_ResultT")


class StoppedBeforeError(JanitorError):
    """A run was stopped before it had read anything, so there is no report."""

    def __init__(self, stop: Stop) -> None:
        code = "deadline" if stop.is_deadline else "interrupted"
        way_out = "raise --deadline" if stop.is_deadline else None
        super().__init__(f"{stop.reason} before anything was read", way_out, code)
        self.exit_code = stop.exit_code


def execute_run(request: RunRequest[SettingsT], logs: LogSettings) -> int:
    """Build the run's spec, run it, and print on stderr what went wrong.

    Also publish metrics and call the heartbeat; if these fail, only the exit code changes. Of a dry run neither the end
    nor a failure is published.

    Args:
        request: the run.
        logs: what is logged.

    Returns:
        the exit code.
    """
    run_id, settings = start_logging(logs), request.shared
    _freeze_imported_objects()
    monitor_for = partial(RunMonitor, settings.notices, settings.state, settings.table, run_id=run_id)
    tables = [each.table for each in request.tables]
    with (
        stop_on_signals(settings.deadline.deadline) as stop,
        _stop_as_error(stop),
        monitor_for(command=request.command, tables=tables, stop=stop, is_dry_run=request.is_dry_run) as monitor,
    ):
        spec = prepare_or_stop(lambda: build_run_spec(request, run_id, stop), stop)
        with _stop_as_error(stop):
            result = run(spec)
        result.failures.extend(monitor.publish_metrics(result.report, has_failed=bool(result.failures)))
        code = exit_code_of(result, stop, settings.output.fail_on)
        is_success = code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED)
        failure = monitor.report_end(result.report, is_success=is_success)
        if failure is not None:
            result.failures.append(failure)
    _print_written(spec.outlets.written)
    is_report_shown = spec.outlets.prints_remarks and is_terminal(sys.stdout) and is_terminal(sys.stderr)
    print_failures(result, is_report_shown=is_report_shown)
    return exit_code_of(result, stop, settings.output.fail_on)


def _freeze_imported_objects() -> None:
    """Exclude what was imported from garbage collection: searching it for cycles took a tenth of a sweep."""
    gc.freeze()


def prepare_or_stop(prepare: Callable[[], _ResultT], stop: Stop) -> _ResultT:
    """Return what `prepare` returns; a request to stop interrupts what it asks of AWS.

    Raises:
        StoppedBeforeError: somebody asked to stop, or the deadline came.
    """
    with _stop_as_error(stop), stop.interruptible_wait():
        return prepare()


@contextmanager
def _stop_as_error(stop: Stop) -> Iterator[None]:
    """Turn a StopRequestedError from the block into an error with a sentence."""
    try:
        yield
    except StopRequestedError:
        raise StoppedBeforeError(stop) from None


def _print_written(places: Sequence[str]) -> None:
    """Say on a terminal where the reports are; elsewhere the log's last line says it."""
    if places and is_terminal(sys.stderr):
        reports = "report" if len(places) == 1 else "reports"
        click.echo(f"janitor: wrote the {reports} {', '.join(map(printable, places))}", err=True)


def print_failures(result: RunResult, *, is_report_shown: bool = False) -> None:
    """Print a line on stderr for each thing that went wrong, for those who read neither the log nor the report.

    On a terminal that shows the report, only what is not in it: nothing is said twice.
    """
    report = result.report
    if is_report_shown:
        for failure in dict.fromkeys(map(str, result.failures)):
            print_error(failure)
        return
    for table in report.tables:
        if table.outcome is Outcome.SKIPPED:
            for warning in table.warnings[-1:]:
                print_error(f"{_format_label(report, table)}{warning.message}")
    # Two failures with the same sentence, as of a heartbeat's start and end, are printed once.
    messages = [error.message for error in report.errors] + [str(failure) for failure in result.failures]
    for message in dict.fromkeys(messages):
        print_error(message)
    for table in report.tables:
        if table.outcome is Outcome.REFUSED and table.deletion.plan:
            print_error(f"{_format_label(report, table)}the plan is {table.deletion.plan}")


def _format_label(report: Report, table: TableReport) -> str:
    return f"{printable(table.label)}: " if report.is_of_several else ""


def exit_code_of(result: RunResult, stop: Stop, fail_on: tuple[str, ...]) -> int:
    """The exit code of the process (docs/reference/exit-codes.md)."""
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
