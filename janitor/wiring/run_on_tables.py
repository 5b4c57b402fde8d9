"""Runs a scan or a sweep on all tables that its settings name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from janitor.errors import ConfigurationError
from janitor.settings.output import LogSettings
from janitor.settings.scan import ScanCommand
from janitor.settings.shared_places import find_shared_places
from janitor.wiring.execution import execute_run
from janitor.wiring.open_table import expand_deployments
from janitor.wiring.run_spec import RunRequest, build_run_spec, combine_table_settings

if TYPE_CHECKING:
    from janitor.settings.deletion import DeletionSettings, PlanSettings


def execute_on_tables(request: RunRequest[ScanCommand], logs: LogSettings, check: Callable[[ScanCommand], None]) -> int:
    """Execute one run on each of its tables.

    Args:
        request: the run.
        logs: what is logged.
        check: raises ConfigurationError if the settings of several tables contradict each other.

    Returns:
        the exit code.
    """
    shared = request.tables[0]
    if len(request.tables) > 1:
        check(shared)
        common = combine_table_settings([each.table for each in request.tables], shared.notices.sns_topic_arn)
        shared = shared._replace(table=common)
    build = partial(build_run_spec, request, shared)
    return execute_run(request.command, logs, shared, build, is_dry_run=request.is_dry_run)


def expand_tables(settings: ScanCommand) -> list[ScanCommand]:
    """The settings of each table that these name.

    Raises:
        ConfigurationError: one is named twice.
    """
    if settings.source.source is not None and not settings.table.given_by_flag("deployment"):
        # Tables that a variable names do not matter to a source.
        return [settings]
    return [settings._replace(table=table) for table in expand_deployments(settings.table)]


def check_shared(scan: ScanCommand, plan: PlanSettings | None = None, deletion: DeletionSettings | None = None) -> None:
    """Check that several tables do not overwrite each other's files.

    Raises:
        ConfigurationError: they would.
    """
    problems = find_shared_places(
        report=scan.output.report,
        plan=plan.plan if plan else None,
        archive=deletion.archive if deletion else None,
    )
    for problem in problems:
        raise ConfigurationError(f"--{problem.name} {problem.value}: {problem.sentence}", problem.way_out)
    if scan.last_seen.last_seen is not None:
        way_out = "look at one deployment at a time"
        raise ConfigurationError("--last-seen is for one table: each deployment has a usage table of its own", way_out)
    if scan.source.source is not None:
        raise ConfigurationError("--source holds the rows of one table, and several are named", "name none of them")
