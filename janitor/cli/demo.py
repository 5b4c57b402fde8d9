"""`janitor demo`: an embedded DynamoDB with a LISA-like table, and a scan of it."""

import io
import os
import shlex
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import click

from janitor.cli.options import takes
from janitor.errors import JanitorError
from janitor.settings.commands import DemoSettings
from janitor.settings.limits import DeadlineSettings, LimitSettings
from janitor.settings.output import LogSettings, NoticeSettings, OutputSettings, StateSettings
from janitor.settings.scan import ScanCommand
from janitor.settings.table import PolicySettings, ProtectionSettings, TableSettings, UnlockSettings

if TYPE_CHECKING:
    from janitor.demo.emulator import Emulator

_DEPLOYMENT = "demo"


@click.command("demo")
@takes(DemoSettings)
def command(demo: DemoSettings) -> int:
    """Try janitor on an embedded DynamoDB. Needs no AWS account.

    Starts ministack on a free loopback port, makes a LISA table with a few hundred believable tokens in every state,
    scans it, and ends. Your AWS credentials are not used.

    \b
    Examples:
      janitor demo
      janitor demo --classic --keep
    """
    from janitor.demo.emulator import EmulatorError, run_emulator
    from janitor.temporary import temporary_folder

    _ignore_closed_output()
    # Fail before the emulator is started, because its output goes there.
    temporary_folder()
    try:
        with run_emulator(keep=demo.keep) as emulator:
            _use_only(emulator.environment)
            dialect = "classic" if demo.classic else "hashed"
            code = _scan(_make_table(emulator, dialect))
            _print_next_steps(emulator, keep=demo.keep)
    except EmulatorError as error:
        raise JanitorError(str(error), code="emulator") from None
    return code


class _ForgivingOutput(io.FileIO):
    """A stream that drops what is written after its reader has gone."""

    def write(self, content: Any, /) -> int:
        """Write these bytes, and return how many were written or dropped."""
        try:
            return super().write(content)
        except BrokenPipeError:
            return memoryview(content).nbytes

    def fileno(self) -> NoReturn:
        """Raise: with a descriptor, others could bypass this stream."""
        raise io.UnsupportedOperation("fileno")


def _ignore_closed_output() -> None:
    # A demo may be cut short, as in `make run | head`; a report may not.
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_ForgivingOutput(sys.stdout.fileno(), "wb", closefd=False)),
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=sys.stdout.isatty(),
    )


def _use_only(environment: Mapping[str, str]) -> None:
    # The user's own AWS configuration must not reach the emulator, nor lead away from it.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environment, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


def _make_table(emulator: "Emulator", dialect: str) -> str:
    from janitor.demo.lisa_table import TABLE_NAMES, create_lisa_table
    from janitor.dynamodb.client import AwsAccess, AwsSession

    aws = AwsSession(AwsAccess(endpoint_url=emulator.endpoint_url, environment=emulator.environment))
    name = TABLE_NAMES[dialect]
    rows = create_lisa_table(aws.dynamodb, name, dialect, int(time.time()))
    click.echo(f"An embedded DynamoDB at {emulator.endpoint_url} holds the table {name} with {rows} made-up tokens.\n")
    return name


def _scan(table: str) -> int:
    from janitor.wiring.execution import execute_run
    from janitor.wiring.run_spec import RunRequest
    from janitor.wiring.scan import prepare_scan

    settings = ScanCommand(
        table=TableSettings(table=table),
        policy=PolicySettings(),
        unlock=UnlockSettings(),
        protection=ProtectionSettings(),
        output=OutputSettings(format="table"),
        notices=NoticeSettings(),
        state=StateSettings(),
        limits=LimitSettings(),
        deadline=DeadlineSettings(),
    )
    logs = LogSettings(log_level="error")  # warnings are in the report
    return execute_run(RunRequest("scan", [settings], prepare_scan), logs)


def _print_next_steps(emulator: "Emulator", *, keep: bool) -> None:
    program = _find_program()
    if not keep:
        click.echo("\nTry next:")
        click.echo(f"  {program} demo --keep                  keep it running, to scan it yourself")
        click.echo(f"  {program} scan --deployment NAME       scan the token table of your LISA deployment; reads only")
        return
    click.echo("\nIt keeps running. To use it:\n")
    for name, value in emulator.environment.items():
        click.echo(f"  export {name}={value}")
    click.echo("\nTry next:")
    click.echo(f"  {program} scan --deployment {_DEPLOYMENT} --report html=tokens.html")
    click.echo(f"  {program} sweep --deployment {_DEPLOYMENT}")
    click.echo(f"\nTo end it: kill {emulator.pid}")


def _find_program() -> str:
    """How to call janitor: if `make run` started it, there is no command of that name."""
    python, *started = sys.orig_argv
    return f"{shlex.quote(python)} -m janitor" if started[:2] == ["-m", "janitor"] else "janitor"
