"""The rules of a run, out of its settings: how rows are judged, what the guards allow, and the first line of a plan."""

import datetime as dt
from collections.abc import Sequence

from janitor import __version__
from janitor.config.deletion import DeletionSettings
from janitor.config.table import PolicySettings, ProtectionSettings
from janitor.dynamodb.locate import Table
from janitor.run.guards import Limits
from janitor.run.plan import Header, PlanPolicy, PlanTable
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy


def policy_of(
    policy: PolicySettings, protection: ProtectionSettings, dialect: Dialect, include: Sequence[str] = ()
) -> Policy:
    """The rules, for a table of this dialect; `include` names the states that may be deleted besides stale."""
    return Policy(
        dialect=dialect,
        thresholds=tuple(sorted(set(policy.expiring_within), reverse=True)),
        grace=policy.grace,
        protect_users=protection.protect_user,
        protect_system=protection.protect_system,
        include_legacy="legacy" in include,
    )


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
