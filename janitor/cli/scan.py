"""`janitor scan`: read only. Scan, classify, report."""

import functools
from typing import Any

import click

from janitor.cli.options import takes
from janitor.config.commands import SCAN_GROUPS, ScanSettings
from janitor.config.output import LogSettings


@click.command("scan")
@takes(*SCAN_GROUPS, LogSettings)
def command(*groups: Any) -> int:
    """Scan a token table and report what is in it. Reads only.

    Says which tokens have expired, which are about to, which never will, and which carry a broken date. The report goes
    to standard output, the log to standard error.

    \b
    Examples:
      janitor scan --deployment prod
      janitor scan --table my-LISAApiTokenTable --format csv > tokens.csv
      janitor scan --ssm-parameter --report json=report.json --fail-on expiring
      janitor scan --source s3://my-bucket/AWSDynamoDB/01693685827463-2d8752fd/ --dialect hashed
    """
    from janitor.cli.running import carried_out
    from janitor.cli.wiring.scan import scan_job

    *of_scan, logs = groups
    settings = ScanSettings(*of_scan)
    job = functools.partial(scan_job, settings)
    return carried_out("scan", logs, settings, job)
