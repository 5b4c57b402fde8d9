"""`janitor sweep`: scan, then delete what is stale; a dry run unless --delete is given."""

import functools
from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.commands import SweepSettings
from janitor.settings.deletion import DeleteSettings, DeletionSettings, PlanSettings
from janitor.settings.limits import WriteLimitSettings
from janitor.settings.output import LogSettings
from janitor.settings.scan import SCAN_GROUPS, ScanSettings


@click.command("sweep")
@takes(DeleteSettings, PlanSettings, DeletionSettings, WriteLimitSettings, *SCAN_GROUPS, LogSettings)
def command(
    delete: DeleteSettings, plan: PlanSettings, deletion: DeletionSettings, writes: WriteLimitSettings, *groups: Any
) -> int:
    """Delete the tokens that expired longer ago than the grace. A dry run unless --delete is given.

    Scans the table as `janitor scan` does, plans what is stale, asks the guards, archives the rows, and deletes each on
    the condition that its expiry is still the one that was seen. A token that any gate of LISA accepts stays. Asks on a
    terminal unless --yes; a script has to give it. Of several tables each has its own plan, guards and archive, and
    --max-deletes and its like hold for each by itself.

    \b
    Examples:
      janitor sweep --deployment prod
      janitor sweep --deployment prod --delete --grace 30d --archive /var/lib/janitor/
      janitor sweep --deployment prod --plan plan.ndjson && janitor apply plan.ndjson
    """
    from janitor.wiring.job import Asked
    from janitor.wiring.sweep import check_sweep, prepare_sweep
    from janitor.wiring.tables import carried_out_on_each, check_shared, each_table

    *of_scan, logs = groups
    tables = each_table(ScanSettings(*of_scan))

    def check(scan: ScanSettings) -> None:
        check_sweep(scan, plan, deletion)
        check_shared(scan, plan, deletion)

    prepare = functools.partial(prepare_sweep, SweepSettings(plan, deletion, writes, delete.deletes))
    is_dry_run = not delete.deletes
    return carried_out_on_each(Asked("sweep", tables, prepare, is_dry_run, is_silent=is_dry_run), logs, check)
