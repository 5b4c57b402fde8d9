"""`janitor sweep`: scan, then delete what is stale; a dry run unless --delete is given."""

import functools
from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.commands import SweepCommand
from janitor.settings.deletion import DeletionSettings, PlanSettings, SweepModeSettings
from janitor.settings.limits import WriteLimitSettings
from janitor.settings.output import LogSettings
from janitor.settings.scan import SCAN_GROUPS, ScanCommand


@click.command("sweep", short_help="Delete what expired long ago; a dry run without --delete.")
@takes(SweepModeSettings, PlanSettings, DeletionSettings, WriteLimitSettings, *SCAN_GROUPS, LogSettings)
def command(
    delete: SweepModeSettings, plan: PlanSettings, deletion: DeletionSettings, writes: WriteLimitSettings, *groups: Any
) -> int:
    """Delete the tokens that expired longer ago than the grace. A dry run unless --delete is given.

    \b
    Examples:
      janitor sweep --deployment prod
      janitor sweep --deployment prod --delete --grace 30d --archive /var/lib/janitor/

    Scans the table as `janitor scan` does, plans what is stale, asks the guards, archives the rows, and deletes each
    only if its expiry has not changed since. A token that any gate of LISA accepts stays. Asks on a terminal unless
    --yes; a script has to give it. With several tables, each has its own plan, guards and archive, and limits such as
    --max-deletes apply to each table. With --user or --fingerprint only rows that match are planned; with both, rows
    that match one pattern of each.

    \b
    More examples:
      janitor sweep --deployment prod --user 'workshop-*'
      janitor sweep --deployment prod --plan plan.ndjson && janitor apply plan.ndjson
    """
    from janitor.wiring.execution import execute_run
    from janitor.wiring.run_spec import RunRequest
    from janitor.wiring.several_tables import check_shared, expand_tables
    from janitor.wiring.sweep import check_sweep, prepare_sweep

    *of_scan, logs = groups

    def check(scan: ScanCommand) -> None:
        check_sweep(scan, plan, deletion)
        check_shared(scan, plan, deletion)

    tables = expand_tables(ScanCommand(*of_scan), check)
    prepare = functools.partial(prepare_sweep, SweepCommand(plan, deletion, writes, delete.deletes))
    request = RunRequest("sweep", tables, prepare, deletes=delete.deletes, is_dry_run=not delete.deletes)
    return execute_run(request, logs)
