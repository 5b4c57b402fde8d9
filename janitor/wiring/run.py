"""One run of a schedule file."""

import dataclasses
import time
from functools import partial
from pathlib import Path

import click

from janitor.errors import ConfigurationError, ExitCode
from janitor.settings.commands import SweepSettings
from janitor.settings.output import LogSettings
from janitor.settings.parsers import ReportTarget
from janitor.settings.scan import ScanSettings
from janitor.settings.schedule import Schedule, ScheduleError, load_schedule
from janitor.tokens.printable import printable
from janitor.wiring.job import Asked
from janitor.wiring.scan import check_scan, prepare_scan
from janitor.wiring.schedule import RunCommand, commands_of
from janitor.wiring.schedule_description import described
from janitor.wiring.sweep import check_sweep, prepare_sweep
from janitor.wiring.table import names_a_table
from janitor.wiring.tables import carried_out_on_each, check_shared


def check_file(file: Path, given: RunCommand) -> int:
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
        if len(commands) > 1:
            _check(schedule, commands[0], commands[0].scan)
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


def _check(schedule: Schedule, command: RunCommand, scan: ScanSettings) -> None:
    """As `check_command`, of several tables: flags may say what the file could not."""
    check_command(schedule, command._replace(scan=scan))
    check_shared(scan, command.plan if schedule.is_sweep else None, command.deletion if schedule.is_sweep else None)


def run_file(file: Path, given: RunCommand, logs: LogSettings) -> int:
    """Run a schedule file now.

    Returns:
        the exit code.

    Raises:
        ScheduleError: the file is wrong; nothing was run.
        JanitorError: what the run raises.
    """
    schedule = load_schedule(file)
    commands = [_keeping(_named(command, file)) for command in commands_of(schedule, given)]
    first, tables = commands[0], [command.scan for command in commands]
    deletes = _deletes(schedule, given)
    check = partial(_check, schedule, first)
    if not schedule.is_sweep:
        is_silent = given.run.dry_run
        prepare = partial(prepare_scan, is_dry_run=is_silent)
        return carried_out_on_each(Asked("scan", tables, prepare, is_silent=is_silent), logs, check)
    sweep = SweepSettings(first.plan, first.deletion, first.writes, deletes, is_scheduled=schedule.deletes)
    asked = Asked("sweep", tables, partial(prepare_sweep, sweep), not deletes, is_silent=not deletes)
    return carried_out_on_each(asked, logs, check)


def _deletes(schedule: Schedule, given: RunCommand) -> bool:
    return schedule.deletes and not given.run.dry_run


def _named(command: RunCommand, file: Path) -> RunCommand:
    """With the file's name as the job's, where nobody gave another."""
    scan = command.scan
    notices = dataclasses.replace(scan.notices, job=scan.notices.job or printable(file.stem))
    return command._replace(scan=scan._replace(notices=notices))


def _keeping(command: RunCommand) -> RunCommand:
    """With the reports that --keep-in asks for, in a folder that is there."""
    folder = command.run.keep_in
    if folder is None:
        return command
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        way_out = "give a folder that can be made and written"
        raise ConfigurationError(f"--keep-in {folder} cannot be made: {error.strerror}", way_out) from None
    kept = (ReportTarget("json", folder / "report.json"), ReportTarget("html", folder / "report.html"))
    output = dataclasses.replace(command.scan.output, report=(*command.scan.output.report, *kept))
    return command._replace(scan=command.scan._replace(output=output))
