"""The rules of a plan, out of the settings: what the guards allow, and its first line."""

import datetime as dt

from janitor import __version__
from janitor.archive.plan import Header, PlanPolicy, PlanTable
from janitor.dynamodb.locate import Table
from janitor.run.guards import Limits
from janitor.settings.deletion import DeletionSettings
from janitor.tokens.policy import Policy


def limits_of(deletion: DeletionSettings) -> Limits:
    """What the guards allow."""
    return Limits(
        max_deletes=deletion.max_deletes,
        max_delete_percent=deletion.max_delete_percent,
        max_clock_skew=deletion.max_clock_skew,
    )


def header_of(table: Table, policy: Policy, run_id: str, now: int, as_of: int | None) -> Header:
    """The first line of the run's plan and archive."""
    return Header(
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
            include=["legacy"] if policy.include_legacy else [],
            protect_users=list(policy.protect_users),
            protect_system=policy.protect_system,
        ),
    )
