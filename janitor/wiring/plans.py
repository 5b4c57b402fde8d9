"""The plan of a sweep: its first line, its file, and the limits that the guards hold it to."""

import datetime as dt
from pathlib import Path

from janitor import __version__
from janitor.archive.plan import PlanHeader, PlanPolicy, PlanTable
from janitor.dynamodb.locate import Table
from janitor.run.guards import DeletionLimits
from janitor.settings.deletion import DeletionSettings
from janitor.temporary import temporary_folder
from janitor.tokens.dialect import Gate
from janitor.tokens.policy import Policy
from janitor.wiring.places import find_plan_folder


def make_limits(deletion: DeletionSettings) -> DeletionLimits:
    """The limits that the guards hold a plan to."""
    return DeletionLimits(
        max_deletes=deletion.max_deletes,
        max_delete_percent=deletion.max_delete_percent,
        max_clock_skew=deletion.max_clock_skew,
    )


def build_header(table: Table, policy: Policy, run_id: str, now: int, as_of: int | None) -> PlanHeader:
    """Build the first line of the run's plan, and of its archive."""
    return PlanHeader(
        run_id=run_id,
        created_at=f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        now=now,
        as_of=as_of,
        version=__version__,
        table=PlanTable(table.name, table.region, table.account_id),
        policy=PlanPolicy(
            dialect=policy.dialect,
            thresholds_seconds=list(policy.thresholds),
            grace_seconds=policy.grace,
            include=list(policy.included),
            protect_users=list(policy.protect_users),
            protect_system=policy.protect_system,
            gates=list(policy.gates),
            unlock_after_seconds=policy.unlock_after,
            narrowing=policy.narrowing,
        ),
    )


def read_policy(header: PlanHeader) -> Policy:
    """Read the rules of a plan from its first line. A grace below zero, which nobody can give, counts as none."""
    planned = header.policy
    return Policy(
        dialect=planned.dialect,
        thresholds=tuple(planned.thresholds_seconds),
        grace=max(0, planned.grace_seconds),
        protect_users=tuple(planned.protect_users),
        protect_system=planned.protect_system,
        include_legacy="legacy" in planned.include,
        include_undated="undated" in planned.include,
        has_workbench=Gate.WORKBENCH in planned.gates,
        unlock_after=None if planned.unlock_after_seconds is None else max(0, planned.unlock_after_seconds),
        narrowing=planned.narrowing,
    )


def make_temporary_plan_path(run_id: str, suffix: str = "") -> Path:
    """The file of a plan that nobody keeps.

    No one else can make it first: the run's id has 64 random bits, and the file must not exist yet.
    """
    return temporary_folder() / f"janitor-plan-{run_id}{suffix}.ndjson"


def find_refused_plan_path(table: Table) -> Path | None:
    """Where a plan of the table is kept if a guard refuses it; None if no folder outlives the run."""
    folder = find_plan_folder()
    return folder and folder / f"{table.name}-{table.region}-{table.account_id or 'unknown'}.ndjson"
