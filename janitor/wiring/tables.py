"""The tables that the settings of a scan or a sweep name, and their run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from janitor.errors import ConfigurationError
from janitor.settings.output import LogSettings
from janitor.settings.scan import ScanSettings
from janitor.settings.several import problems_of_several
from janitor.wiring.job import Asked, run_job, shared_way
from janitor.wiring.running import carried_out
from janitor.wiring.table import each_of

if TYPE_CHECKING:
    from janitor.settings.deletion import DeletionSettings, PlanSettings


def carried_out_on_each(asked: Asked[ScanSettings], logs: LogSettings, check: Callable[[ScanSettings], None]) -> int:
    """Run what was asked for, on each of its tables.

    Args:
        asked: what is to be run.
        logs: what is logged.
        check: sees that the settings of several tables do not contradict each other; raises ConfigurationError.

    Returns:
        the exit code.
    """
    shared = asked.tables[0]
    if len(asked.tables) > 1:
        check(shared)
        way = shared_way([each.table for each in asked.tables], shared.notices.sns_topic_arn)
        shared = shared._replace(table=way)
    return carried_out(asked.command, logs, shared, partial(run_job, asked, shared), is_silent=asked.is_silent)


def each_table(settings: ScanSettings) -> list[ScanSettings]:
    """The settings for each table that these name.

    Raises:
        ConfigurationError: one is named twice.
    """
    if settings.source.source is not None and not settings.table.typed("deployment"):
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
