"""A run of what its settings name: one table by itself, several as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from janitor.cli.options import given_on_command_line
from janitor.cli.running import carried_out
from janitor.cli.wiring.reach import Among, each_of
from janitor.config.output import LogSettings
from janitor.config.scan import ScanSettings
from janitor.config.several import problems_of_several
from janitor.errors import ConfigurationError
from janitor.run.job import Job
from janitor.run.stopping import Stop

if TYPE_CHECKING:
    from janitor.config.deletion import DeletionSettings, PlanSettings

JobOf = Callable[[ScanSettings, str, Stop, Among | None], Job]


def carried_out_on_each(
    command: str,
    logs: LogSettings,
    tables: Sequence[ScanSettings],
    job_of: JobOf,
    *,
    is_dry_run: bool,
    is_silent: bool,
    check: Callable[[ScanSettings], None],
) -> int:
    """Run the job of each table: by itself where there is one, else as one run with one report.

    Args:
        command: what is run.
        logs: what is logged.
        tables: the settings for each table, which differ in nothing but the table and the way there.
        job_of: makes a table's job.
        is_dry_run: whether nothing is deleted, whatever is found.
        is_silent: whether nobody is told either, as of a dry run that is no scan.
        check: sees that settings do not contradict each other; raises ConfigurationError.

    Returns:
        the exit code.
    """
    if len(tables) == 1:
        [only] = tables
        return carried_out(command, logs, only, partial(_alone, only, job_of), is_silent=is_silent)
    from janitor.cli.wiring.several import Asked, several_job, shared_way

    check(tables[0])
    shared = tables[0]._replace(table=shared_way([each.table for each in tables], tables[0].notices.sns_topic_arn))
    make = partial(several_job, Asked(command, tables, job_of, shared, is_dry_run, is_silent))
    return carried_out(command, logs, shared, make, is_silent=is_silent)


def each_table(settings: ScanSettings) -> list[ScanSettings]:
    """The settings for each table that these name.

    Raises:
        ConfigurationError: one is named twice.
    """
    if settings.source.source is not None and not given_on_command_line(["deployment"]):
        # What the environment names is passed over, one or several.
        return [settings]
    return [settings._replace(table=table) for table in each_of(settings.table)]


def check_shared(
    scan: ScanSettings, plan: PlanSettings | None = None, deletion: DeletionSettings | None = None
) -> None:
    """See that several tables do not write over each other.

    Raises:
        ConfigurationError: they would.
    """
    problems = problems_of_several(
        report=scan.output.report,
        plan=plan.plan if plan else None,
        archive=deletion.archive if deletion else None,
    )
    for problem in problems:
        raise ConfigurationError(f"--{problem.name} {problem.value}: {problem.sentence}", problem.way_out)
    if scan.source.source is not None:
        raise ConfigurationError("--source is of one table, and several are named", "name none of them")


def _alone(settings: ScanSettings, job_of: JobOf, run_id: str, stop: Stop) -> Job:
    return job_of(settings, run_id, stop, None)
