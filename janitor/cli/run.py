"""`janitor run`: execute one run of a schedule file now."""

from pathlib import Path
from typing import Any

import click

from janitor.cli.options import takes
from janitor.settings.commands import RunSettings
from janitor.settings.deletion import DeletionSettings, PlanSettings
from janitor.settings.limits import WriteLimitSettings
from janitor.settings.output import LogSettings
from janitor.settings.scan import SCHEDULED_GROUPS, ScanCommand


@click.command("run", short_help="Do one run of a schedule file now.")
@click.argument("file", type=click.Path(path_type=Path))
@takes(RunSettings, PlanSettings, DeletionSettings, WriteLimitSettings, *SCHEDULED_GROUPS, LogSettings)
def command(
    run: RunSettings,
    plan: PlanSettings,
    deletion: DeletionSettings,
    writes: WriteLimitSettings,
    *groups: Any,
    file: Path,
) -> int:
    """Do one run of a schedule file now: for a Kubernetes CronJob, a systemd timer, cron, or by hand.

    \b
    Examples:
      janitor run schedules/nightly-report.toml
      janitor run schedules/hourly-sweep.toml --dry-run

    A file with a section [delete] is a sweep, a dry run unless it says `enabled = true`; any other is a scan. Each
    option beats its environment variable, which beats the file; but only the file can enable deletion.

    \b
    More examples:
      janitor run schedules/hourly-sweep.toml --check
    """
    from janitor.settings.commands import RunCommand
    from janitor.wiring.schedule_run import check_schedule_file, run_schedule_file

    *of_scan, logs = groups
    given = RunCommand(run, plan, deletion, writes, ScanCommand(*of_scan))
    if run.check:
        return check_schedule_file(file, given)
    return run_schedule_file(file, given, logs)
