"""The tables that a run's settings name, and what several tables cannot share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from janitor.errors import ConfigurationError
from janitor.settings.scan import ScanCommand
from janitor.settings.shared_places import find_shared_places
from janitor.wiring.open_table import expand_deployments

if TYPE_CHECKING:
    from janitor.settings.deletion import DeletionSettings, PlanSettings


def expand_tables(settings: ScanCommand, check_several: Callable[[ScanCommand], None]) -> list[ScanCommand]:
    """The settings of each table that these name.

    Args:
        settings: those of the command.
        check_several: raises ConfigurationError if settings cannot be those of several tables; called for several.

    Raises:
        ConfigurationError: one is named twice.
    """
    if settings.source.source is not None and not settings.table.given_by_flag("deployment"):
        # Tables that a variable names do not matter to a source.
        return [settings]
    tables = [settings._replace(table=table) for table in expand_deployments(settings.table)]
    if len(tables) > 1:
        check_several(settings)
    return tables


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
