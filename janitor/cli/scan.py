"""`janitor scan`: read a table, classify its tokens, and report them."""

import functools
from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.output import LogSettings
from janitor.settings.scan import SCAN_GROUPS, FilterSettings, ScanCommand, ScanModeSettings


@click.command("scan")
@takes(*SCAN_GROUPS, FilterSettings, ScanModeSettings, LogSettings)
def command(*groups: Any) -> int:
    """Scan a token table and report what is in it. Reads only.

    \b
    Examples:
      janitor scan --deployment prod
      janitor scan --table my-LISAApiTokenTable --format csv > tokens.csv

    Shows which tokens have expired, which are about to, which never will, and which have a broken date. The report goes
    to standard output, the log to standard error. With --user, --name or --group only findings that match one value of
    each are listed, and the warnings are about these. The counts, and what --fail-on looks at, are still of the whole
    table; such a scan notifies nobody and remembers nothing.

    \b
    More examples:
      janitor scan --deployment prod --deployment staging
      janitor scan --deployment prod --group 'rag-*' --format markdown
      janitor scan --ssm-parameter --report json=report.json --fail-on expiring
      janitor scan --source s3://my-bucket/AWSDynamoDB/01693685827463-2d8752fd/ --dialect hashed
    """
    from janitor.wiring.execution import execute_run
    from janitor.wiring.run_spec import RunRequest
    from janitor.wiring.scan import check_scan, prepare_scan
    from janitor.wiring.several_tables import check_shared, expand_tables

    *of_scan, filters, mode, logs = groups

    def check(scan: ScanCommand) -> None:
        check_scan(scan, filters)
        check_shared(scan)

    tables = expand_tables(ScanCommand(*of_scan), check)
    prepare = functools.partial(prepare_scan, filters=filters, is_dry_run=mode.dry_run)
    return execute_run(RunRequest("scan", tables, prepare, is_dry_run=mode.dry_run), logs)
