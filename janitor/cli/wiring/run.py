"""One run of a schedule file: of each of its tables in turn."""

import dataclasses
import functools
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import click

from janitor.cli.running import carried_out
from janitor.cli.wiring.reach import names_a_table
from janitor.cli.wiring.scan import check_scan, scan_job
from janitor.cli.wiring.schedule import RunCommand, commands_of
from janitor.cli.wiring.schedule_text import described
from janitor.cli.wiring.sweep import check_sweep, sweep_job
from janitor.config.commands import SweepSettings
from janitor.config.limits import DeadlineSettings
from janitor.config.output import LogSettings
from janitor.config.schedule import Schedule, ScheduleError, load_schedule, report_folders
from janitor.config.table import TableSettings
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.parsers import ReportTarget

_STOPPED = frozenset({128 + signal.SIGINT, 128 + signal.SIGTERM})
# Of several tables' exit codes the first of these that came stands for all.
_WORST_FIRST = (ExitCode.USAGE, ExitCode.FAILED, ExitCode.REFUSED, ExitCode.FAIL_ON_MATCHED, ExitCode.DONE)


def checked(file: Path, given: RunCommand) -> int:
    """Say on standard error each thing that is wrong with a file; on standard output what it would do and when.

    Returns:
        the exit code: 2 where anything is wrong.
    """
    try:
        schedule = load_schedule(file)
    except ScheduleError as error:
        for problem in error.problems:
            click.echo(f"janitor: {problem}", err=True)
        return ExitCode.USAGE
    deletes = _deletes(schedule, given)
    try:
        commands = commands_of(schedule, given)
        for command in commands:
            check_command(schedule, command)
    except ConfigurationError as error:
        click.echo(f"janitor: {file}: {error}", err=True)
        return ExitCode.USAGE
    for line in described(schedule, commands, deletes=deletes, now=time.time()):
        click.echo(line)
    return ExitCode.DONE


def check_command(schedule: Schedule, command: RunCommand) -> None:
    """See that the settings of a run do not contradict each other, without asking AWS.

    Raises:
        ConfigurationError: they do, or name no table.
    """
    if not names_a_table(command.scan.table):
        raise ConfigurationError("no table is named", "give [table] deployment, table or ssm_parameter", "no-table")
    if schedule.is_sweep:
        check_sweep(command.scan, command.plan, command.deletion)
    else:
        check_scan(command.scan)


def runs_of(file: Path, given: RunCommand, logs: LogSettings) -> int:
    """Run a schedule file now, one table after the other.

    Returns:
        the exit code; of several tables the worst.

    Raises:
        ScheduleError: the file is wrong; nothing was run.
        JanitorError: what a run of its only table raises.
    """
    schedule = load_schedule(file)
    commands = commands_of(schedule, given)
    deletes = _deletes(schedule, given)
    if len(commands) == 1:
        return _run(schedule, commands[0], logs, deletes=deletes)
    return _runs(schedule, commands, logs, deletes=deletes)


def _runs(schedule: Schedule, commands: Sequence[RunCommand], logs: LogSettings, *, deletes: bool) -> int:
    """A run of each table; one that fails keeps none of the others from its own."""
    started, codes = time.monotonic(), []
    names = [_named(command.scan.table) for command in commands]
    for command, name, folder in zip(commands, names, report_folders(names), strict=True):
        left = _with_what_is_left(command, time.monotonic() - started)
        try:
            code = _run(schedule, left, logs, deletes=deletes, folder=folder)
        except JanitorError as error:
            click.echo(f"janitor: {name}: {error}", err=True)
            code = error.exit_code
        if code in _STOPPED:
            return code
        codes.append(code)
    if ExitCode.USAGE in codes and {*codes} != {ExitCode.USAGE}:
        # "Nothing was read" would not be true.
        return ExitCode.FAILED
    return next(code for code in _WORST_FIRST if code in codes)


def _named(table: TableSettings) -> str:
    return table.table or table.deployment or table.ssm_parameter or "no table"


def _run(schedule: Schedule, command: RunCommand, logs: LogSettings, *, deletes: bool, folder: str = "") -> int:
    if command.run.keep_in is not None:
        command = _keeping(command, command.run.keep_in / folder)
    if not schedule.is_sweep:
        return carried_out("scan", logs, command.scan, functools.partial(scan_job, command.scan))
    job = functools.partial(
        sweep_job, command.scan, SweepSettings(command.plan, command.deletion, command.writes, deletes)
    )
    return carried_out("sweep", logs, command.scan, job)


def _deletes(schedule: Schedule, given: RunCommand) -> bool:
    return schedule.deletes and not given.run.dry_run


def _with_what_is_left(command: RunCommand, elapsed: float) -> RunCommand:
    """The deadline is the whole run's: a table that comes later has less of it."""
    deadline = command.scan.deadline.deadline
    if deadline is None:
        return command
    left = DeadlineSettings(deadline=max(0, deadline - int(elapsed)))
    return command._replace(scan=command.scan._replace(deadline=left))


def _keeping(command: RunCommand, folder: Path) -> RunCommand:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        way_out = "give a folder that can be made and written"
        raise ConfigurationError(f"--keep-in {folder} cannot be made: {error.strerror}", way_out) from None
    kept = (ReportTarget("json", folder / "report.json"), ReportTarget("html", folder / "report.html"))
    output = dataclasses.replace(command.scan.output, report=(*command.scan.output.report, *kept))
    return command._replace(scan=command.scan._replace(output=output))
