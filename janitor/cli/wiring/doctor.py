"""The checks of `janitor doctor`."""

import time

import click

from janitor.cli.wiring.notices import ledger_for
from janitor.cli.wiring.reach import session
from janitor.config.doctor import DoctorSettings
from janitor.config.output import StateSettings
from janitor.config.table import TableSettings
from janitor.errors import ConfigurationError, ExitCode, LedgerError
from janitor.ledger.create_table import create_table
from janitor.ledger.url import DynamoDbUrl

# Of no table: what a check leaves in the store stands apart from what runs remember.
_SCOPE = "doctor"


def checked(doctor: DoctorSettings, state: StateSettings, table: TableSettings) -> int:
    """Make what is to be made, check the store, and say so on standard output.

    Returns:
        the exit code: 1 where the store cannot be used.

    Raises:
        ConfigurationError: there is nothing to make, or the AWS configuration is wrong.
    """
    if doctor.create_state and not isinstance(state.state_url, DynamoDbUrl):
        raise ConfigurationError("--create-state makes a table", "give --state-url dynamodb://TABLE")
    aws = session(table)
    ledger = ledger_for(state, aws)
    try:
        if doctor.create_state and isinstance(state.state_url, DynamoDbUrl):
            create_table(aws.dynamodb, state.state_url.table)
        ledger.open(_SCOPE, int(time.time()))
    except LedgerError as error:
        click.echo(f"✗ state {ledger.location}")
        click.echo(f"janitor: {error}", err=True)
        return ExitCode.FAILED
    finally:
        ledger.close()
    click.echo(f"✓ state {ledger.location} can be read and written")
    return ExitCode.DONE
