"""`janitor apply`: carry out a plan file that was reviewed before."""

import functools
from pathlib import Path
from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.commands import APPLY_GROUPS, ApplyCommand
from janitor.settings.output import LogSettings


@click.command("apply", short_help="Carry out a plan that was reviewed before.")
@click.argument("plan", type=click.Path(path_type=Path))
@takes(*APPLY_GROUPS, LogSettings)
def command(*groups: Any, plan: Path) -> int:
    """Carry out a PLAN that `janitor sweep --plan` wrote: delete its rows.

    \b
    Examples:
      janitor apply plan.ndjson --dry-run
      janitor apply plan.ndjson --user alice@example.com

    Asks on a terminal unless --yes; a script has to give it. The table is the plan's own. Every row is judged again at
    the present time, by the plan's policy, and deleted only if it is still as the plan has it. The guards are those of
    a sweep. With --user or --fingerprint only a part of the plan is carried out, the rows that match; with both, rows
    that match one pattern of each. The file stays as it is, and the rest can be carried out later.

    \b
    More examples:
      janitor apply plan.ndjson --yes --archive s3://my-bucket/janitor/
    """
    from janitor.wiring.apply import default_to_planned_table, prepare_apply
    from janitor.wiring.execution import execute_run
    from janitor.wiring.run_spec import RunRequest

    *of_apply, logs = groups
    given = default_to_planned_table(plan, ApplyCommand(*of_apply))
    is_dry_run = given.apply.dry_run
    prepare = functools.partial(prepare_apply, plan)
    request = RunRequest("apply", [given], prepare, deletes=not is_dry_run, is_dry_run=is_dry_run)
    return execute_run(request, logs)
