"""`janitor doctor`: check what runs need before they need it."""

from pathlib import Path
from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.doctor import DOCTOR_GROUPS, FOR, DoctorCommand
from janitor.settings.setting import variable


@click.command("doctor")
@click.argument("schedules", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--for",
    "command_name",
    type=click.Choice(FOR.choices),
    default=FOR.default,
    show_default=True,
    envvar=variable("for"),
    show_envvar=True,
    help=FOR.help,
)
@takes(*DOCTOR_GROUPS)
def command(*groups: Any, schedules: tuple[Path, ...], command_name: str) -> int:
    """Check all that a command needs, and say what a run would cost and take.

    Credentials, the table, its key and dialect, each permission, the clock, TTL, point-in-time recovery, the folder for
    temporary files; the topic, the state store, the archive, the file with the fingerprints' key and the schedule files
    (or folders of them) where they are named. Ends with exit code 1 when something is missing that the command of --for
    needs. Changes nothing, but makes an SQLite state file that is named and not there. Of a schedule file it tells
    whether it is right, and asks nothing about what it names.

    \b
    Examples:
      janitor doctor --deployment prod
      janitor doctor --for sweep --deployment prod --archive s3://our-archives/tokens/ schedules/
      janitor doctor --state-url dynamodb://janitor-state --create-state
    """
    from janitor.doctor.examination import examined
    from janitor.wiring.logging import start_logging

    given = DoctorCommand(*groups)
    start_logging(given.logs)
    return examined(command_name, given, schedules)
