"""`janitor doctor`: check what runs need before they need it."""

import click

from janitor.cli.options import takes
from janitor.config.doctor import DoctorSettings
from janitor.config.output import LogSettings, StateSettings
from janitor.config.table import TableSettings


@click.command("doctor")
@takes(DoctorSettings, StateSettings, TableSettings, LogSettings)
def command(doctor: DoctorSettings, state: StateSettings, table: TableSettings, logs: LogSettings) -> int:
    """Check that the store of what runs remember can be read and written, and make it where it is to be made.

    \b
    Examples:
      janitor doctor
      janitor doctor --state-url dynamodb://janitor-state --create-state
    """
    from janitor.cli.wiring.doctor import checked
    from janitor.cli.wiring.logging import start_logging

    start_logging(logs)
    return checked(doctor, state, table)
