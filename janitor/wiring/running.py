"""A job from its settings to its exit code: what every command that runs one does around it."""

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
from janitor.run.job import Job, Result
from janitor.settings.around_run import AroundRun
from janitor.settings.output import LogSettings
from janitor.stopping import Stop
from janitor.tokens.printable import printable
from janitor.wiring.logging import start_logging
from janitor.wiring.monitoring import Outside
from janitor.wiring.signals import stoppable

_Prepared = TypeVar("_Prepared")


class StoppedBeforeError(JanitorError):
    """A run was asked to stop before it had read anything, so there is no report."""

    def __init__(self, stop: Stop) -> None:
        code = "deadline" if stop.is_deadline else "interrupted"
        super().__init__(f"{stop.why} before anything was read", code=code)
        self.exit_code = stop.exit_code


def carried_out(
    command: str,
    logs: LogSettings,
    settings: AroundRun,
    job: Callable[[str, Stop], Job],
    *,
    is_silent: bool = False,
) -> int:
    """Run what `job` makes of a run id and a stop request, and say on stderr what went wrong.

    Metrics and the heartbeat are told how it went; neither changes that, but for the exit code where they fail.

    Args:
        command: what is run.
        logs: what is logged.
        settings: what concerns every run.
        job: makes it.
        is_silent: whether nobody is to hear of it, neither of its end nor of why it has none: a dry run.

    Returns:
        the exit code.
    """
    run_id = start_logging(logs)
    _spare_the_collector()
    made = partial(Outside, settings.notices, settings.store, settings.table, command=command, run_id=run_id)
    with (
        stoppable(settings.deadline.deadline) as stop,
        _stopped_early(stop),
        made(stop=stop, is_silent=is_silent) as outside,
    ):
        ready = prepared(lambda: job(run_id, stop), stop)
        with _stopped_early(stop):
            result = run(ready)
        result.failures.extend(outside.tell_metrics(result.report))
        code = exit_code(result, stop, settings.output.fail_on)
        is_success = code in (ExitCode.DONE, ExitCode.FAIL_ON_MATCHED)
        failure = outside.tell_end(result.report, is_success=is_success)
        if failure is not None:
            result.failures.append(failure)
    say_failures(result)
    return exit_code(result, stop, settings.output.fail_on)


def _spare_the_collector() -> None:
    """Keep what was imported out of the search for cycles: going through it took a tenth of a sweep."""
    gc.freeze()


def prepared(prepare: Callable[[], _Prepared], stop: Stop) -> _Prepared:
    """What `prepare` returns: all that has to be asked of AWS before a run, which a request to stop cuts short.

    Raises:
        StoppedBeforeError: somebody asked to stop, or the deadline came.
    """
    with _stopped_early(stop), stop.waiting():
        return prepare()


@contextmanager
def _stopped_early(stop: Stop) -> Iterator[None]:
    """Turn a request to stop that comes out of the block into an error with a sentence."""
    try:
        yield
    except StopRequestedError:
        raise StoppedBeforeError(stop) from None


def say_failures(result: Result) -> None:
    """A line on stderr for each thing that went wrong, for whoever does not read the log or the report."""
    report = result.report
    for table in report.tables:
        if table.outcome is Outcome.SKIPPED:
            for warning in table.warnings[-1:]:
                click.echo(f"janitor: {_label(report, table)}{printable(warning.message)}", err=True)
    # What failed twice for one reason, as a heartbeat's start and end, is said once.
    messages = [printable(error.message) for error in report.errors] + [str(failure) for failure in result.failures]
    for message in dict.fromkeys(messages):
        click.echo(f"janitor: {message}", err=True)
    for table in report.tables:
        if table.outcome is Outcome.REFUSED and table.deletion.plan:
            click.echo(f"janitor: {_label(report, table)}the plan is {table.deletion.plan}", err=True)


def _label(report: Report, table: TableReport) -> str:
    return f"{printable(table.label)}: " if report.is_of_several else ""


def exit_code(result: Result, stop: Stop, fail_on: tuple[str, ...]) -> int:
    """What the run's end means for the shell (docs/architecture.md, "Exit codes")."""
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
