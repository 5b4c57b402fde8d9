"""`janitor doctor`: check beforehand what runs need."""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import click

from janitor.cli.options import Choice, takes
from janitor.settings.doctor import DOCTOR_GROUPS, FOR_OPTION, DoctorCommand
from janitor.settings.setting import variable


@click.command("doctor", short_help="Check what a command needs; estimate cost and duration.")
@click.argument("schedules", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--for",
    "command_name",
    type=Choice(FOR_OPTION.choices),
    default=FOR_OPTION.default,
    show_default=True,
    envvar=variable("for"),
    show_envvar=True,
    help=FOR_OPTION.help,
)
@takes(*DOCTOR_GROUPS)
def command(*groups: Any, schedules: tuple[Path, ...], command_name: str) -> int:
    """Check everything that a command needs, and estimate the cost and duration of a run.

    \b
    Examples:
      janitor doctor --deployment prod
      janitor doctor --for sweep --deployment prod --archive s3://our-archives/tokens/ schedules/

    Credentials, the table, its key and dialect, each permission, the clock, TTL, point-in-time recovery, owners
    whom LISA lets create no token (as far as the first page of the table shows them), the folder for temporary
    files; the topic, the state store, the archive, the file with the fingerprints' key and the schedule files (or
    folders of them), if they are named. Ends with exit code 1 if something is missing that the command of --for
    needs. Changes nothing, except that it creates an SQLite state file that is named and does not exist; with
    --dry-run not even that. It checks that schedule files are valid, but nothing that they name.

    \b
    More examples:
      janitor doctor --state-url dynamodb://janitor-state --create-state
    """
    from janitor.doctor.examination import run_doctor
    from janitor.logs import start_logging

    given = DoctorCommand(*groups)
    start_logging(given.logs)
    return run_doctor(command_name, given, schedules, check_schedule)


def check_schedule(path: Path, arguments: Sequence[str]) -> str | None:
    """Check a schedule file as `janitor run FILE --check` does, with the variables that a run would see.

    Args:
        path: the file.
        arguments: more arguments of that command.

    Returns:
        what it prints of a file that is not valid; None for a valid one.
    """
    from janitor.cli.run import command as run
    from janitor.errors import ExitCode

    messages = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(messages):
        code = run.main([str(path), "--check", *arguments], prog_name="janitor run", standalone_mode=False)
    if code == ExitCode.DONE:
        return None
    return messages.getvalue().strip().removeprefix("janitor: ").removeprefix(f"{path}: ")
