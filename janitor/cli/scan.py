"""`janitor scan`: read only. Scan, classify, report."""

from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.scan import SCAN_GROUPS, ScanSettings


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
      janitor scan --deployment prod --deployment staging
      janitor scan --ssm-parameter --report json=report.json --fail-on expiring
      janitor scan --source s3://my-bucket/AWSDynamoDB/01693685827463-2d8752fd/ --dialect hashed
    """
    from janitor.wiring.job import Asked
    from janitor.wiring.scan import check_scan, prepare_scan
    from janitor.wiring.tables import carried_out_on_each, check_shared, each_table

    *of_scan, logs = groups

    def check(scan: ScanSettings) -> None:
        check_scan(scan)
        check_shared(scan)

    tables = each_table(ScanSettings(*of_scan))
    return carried_out_on_each(Asked("scan", tables, prepare_scan), logs, check)
