"""`janitor apply`: carry out a plan file that was reviewed before."""

import functools
from pathlib import Path
from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.commands import APPLY_GROUPS, ApplyCommand
from janitor.settings.output import LogSettings


@click.command("apply")
@click.argument("plan", type=click.Path(path_type=Path))
@takes(*APPLY_GROUPS, LogSettings)
def command(*groups: Any, plan: Path) -> int:
    """Carry out a PLAN that `janitor sweep --plan` wrote: delete its rows.

    Asks on a terminal unless --yes; a script has to give it. The table is the plan's own. Every row is judged anew at
    the present time, by the plan's policy, and each is deleted on the condition that it still is as the plan has it;
    the guards are those of a sweep.

    \b
    Examples:
      janitor apply plan.ndjson --dry-run
      janitor apply plan.ndjson --yes --archive s3://my-bucket/janitor/
    """
    from janitor.wiring.apply import naming_the_table, prepare_apply
    from janitor.wiring.job import Asked, run_job
    from janitor.wiring.running import carried_out

    *of_apply, logs = groups
    given = naming_the_table(plan, ApplyCommand(*of_apply))
    is_dry_run = given.apply.dry_run
    asked = Asked("apply", [given], functools.partial(prepare_apply, plan), is_dry_run, is_silent=is_dry_run)
    return carried_out("apply", logs, given, functools.partial(run_job, asked, given), is_silent=is_dry_run)
