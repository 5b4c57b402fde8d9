"""`janitor scan`: read only. Scan, classify, report."""

from typing import TYPE_CHECKING

import click

from janitor.cli.options import takes
from janitor.config import LimitSettings, LogSettings, OutputSettings, PolicySettings, TableSettings
from janitor.errors import ExitCode

if TYPE_CHECKING:
    from janitor.run.job import Result
    from janitor.run.stopping import Stop

_SIGNAL_BASE = 128


@click.command("scan")
@takes(TableSettings, PolicySettings, OutputSettings, LimitSettings, LogSettings)
def command(
    table: TableSettings, policy: PolicySettings, output: OutputSettings, limits: LimitSettings, logs: LogSettings
) -> int:
    """Scan a token table and report what is in it. Reads only.

    Says which tokens have expired, which are about to, which never will, and which carry a broken date. The report goes
    to standard output, the log to standard error.

    \b
    Examples:
      janitor scan --deployment prod
      janitor scan --table my-LISAApiTokenTable --format csv > tokens.csv
      janitor scan --ssm-parameter --report json=report.json --fail-on expiring
    """
    from janitor.cli.signals import stoppable
    from janitor.cli.wiring import ScanSettings, scan_job, start_logging
    from janitor.run.flow import scan

    settings = ScanSettings(table=table, policy=policy, output=output, limits=limits, logs=logs)
    run_id = start_logging(logs)
    with stoppable() as stop:
        result = scan(scan_job(settings, run_id, stop))
    say_failures(result)
    return exit_code(result, stop, output.fail_on)


def say_failures(result: "Result") -> None:
    """A line on stderr for each thing that went wrong, for whoever does not read the log or the report."""
    for error in result.report.errors:
        click.echo(f"janitor: {error.message}", err=True)
    for failure in result.failures:
        click.echo(f"janitor: {failure}", err=True)


def exit_code(result: "Result", stop: "Stop", fail_on: tuple[str, ...]) -> int:
    """What the run's end means for the shell (DESIGN, "Command line")."""
    if result.report.run.outcome == "interrupted" and stop.signal is not None:
        return _SIGNAL_BASE + stop.signal
    if result.report.errors or result.failures:
        return ExitCode.FAILED
    if any(getattr(result.report.counts, state) for state in fail_on):
        return ExitCode.FAIL_ON_MATCHED
    return ExitCode.DONE
