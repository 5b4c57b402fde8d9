"""Checks a schedule file, or executes one run of it."""

import dataclasses
import time
from functools import partial
from pathlib import Path

import click

from janitor.error_lines import print_error
from janitor.errors import ConfigurationError, ExitCode
from janitor.settings.commands import RunCommand, SweepCommand
from janitor.settings.output import LogSettings
from janitor.settings.parsers import ReportTarget
from janitor.settings.scan import ScanCommand
from janitor.settings.schedule import Schedule, ScheduleError, load_schedule
from janitor.tokens.printable import printable
from janitor.whole_file import explain_unwritable
from janitor.wiring.execution import execute_run
from janitor.wiring.open_table import names_a_table
from janitor.wiring.run_spec import RunRequest
from janitor.wiring.scan import check_scan, prepare_scan
from janitor.wiring.schedule_description import describe_schedule
from janitor.wiring.schedule_settings import build_commands
from janitor.wiring.several_tables import check_shared
from janitor.wiring.sweep import check_sweep, prepare_sweep


def check_schedule_file(file: Path, given: RunCommand) -> int:
    """Print each problem of a file on standard error, or on standard output what it would do and when.

    Returns:
        the exit code: 2 if anything is wrong.
    """
    try:
        schedule = load_schedule(file)
    except ScheduleError as error:
        for problem in error.problems:
            print_error(problem)
        return ExitCode.USAGE
    deletes = _deletes(schedule, given)
    try:
        commands = build_commands(schedule, given)
        for command in commands:
            check_command(schedule, command)
        if len(commands) > 1:
            _check_several(schedule, commands[0], commands[0].scan)
    except ConfigurationError as error:
        print_error(f"{file}: {error}")
        return ExitCode.USAGE
    for line in describe_schedule(schedule, commands, deletes=deletes, now=time.time()):
        click.echo(line)
    return ExitCode.DONE


def check_command(schedule: Schedule, command: RunCommand) -> None:
    """Check that the settings of a run name a table and do not contradict each other, without asking AWS.

    Raises:
        ConfigurationError: they contradict each other, or name no table.
    """
    if not names_a_table(command.scan.table):
        raise ConfigurationError("no table is named", "give [table] deployment, table or ssm_parameter", "no-table")
    if schedule.is_sweep:
        check_sweep(command.scan, command.plan, command.deletion)
    else:
        check_scan(command.scan)


def _check_several(schedule: Schedule, command: RunCommand, scan: ScanCommand) -> None:
    """Check the settings of a run of several tables: flags may give what would be refused in the file."""
    check_command(schedule, command._replace(scan=scan))
    check_shared(scan, command.plan if schedule.is_sweep else None, command.deletion if schedule.is_sweep else None)


def run_schedule_file(file: Path, given: RunCommand, logs: LogSettings) -> int:
    """Execute one run of a schedule file now.

    Returns:
        the exit code.

    Raises:
        ScheduleError: the file is not valid; nothing was run.
        JanitorError: the run ended without a report.
    """
    schedule = load_schedule(file)
    commands = [_add_kept_reports(_set_job_name(command, file)) for command in build_commands(schedule, given)]
    first, tables = commands[0], [command.scan for command in commands]
    deletes = _deletes(schedule, given)
    if len(tables) > 1:
        _check_several(schedule, first, first.scan)
    if not schedule.is_sweep:
        is_dry_run = given.run.dry_run
        prepare = partial(prepare_scan, is_dry_run=is_dry_run)
        return execute_run(RunRequest("scan", tables, prepare, is_dry_run=is_dry_run), logs)
    sweep = SweepCommand(first.plan, first.deletion, first.writes, deletes, is_scheduled=schedule.deletes)
    request = RunRequest("sweep", tables, partial(prepare_sweep, sweep), deletes=deletes, is_dry_run=not deletes)
    return execute_run(request, logs)


def _deletes(schedule: Schedule, given: RunCommand) -> bool:
    return schedule.deletes and not given.run.dry_run


def _set_job_name(command: RunCommand, file: Path) -> RunCommand:
    """Name the job after the file if no other name is given."""
    scan = command.scan
    notices = dataclasses.replace(scan.notices, job=scan.notices.job or printable(file.stem))
    return command._replace(scan=scan._replace(notices=notices))


def _add_kept_reports(command: RunCommand) -> RunCommand:
    """Add the reports that --keep-in asks for, and make their folder."""
    folder = command.run.keep_in
    if folder is None:
        return command
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(*explain_unwritable(folder, error, "give --keep-in another folder")) from None
    kept = (ReportTarget("json", folder / "report.json"), ReportTarget("html", folder / "report.html"))
    output = dataclasses.replace(command.scan.output, report=(*command.scan.output.report, *kept))
    return command._replace(scan=command.scan._replace(output=output))
