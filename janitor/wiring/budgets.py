"""The capacity that a run may use of a table: what the settings say, or a quarter of what is provisioned."""

import functools
import math
import time

from janitor.dynamodb.budget import Budget, Budgets
from janitor.dynamodb.client import AwsSession
from janitor.dynamodb.locate import Table
from janitor.dynamodb.table_features import Throughput
from janitor.dynamodb.throttling import slow_down_on_throttle
from janitor.logs import get_logger

log = get_logger("janitor.capacity")

# The rest is for LISA: its authorizer reads the same table for every request that it lets in.
SHARE_OF_PROVISIONED = 0.25


def compute_unit_limits(
    throughput: Throughput, *, max_rcu: float | None, max_wcu: float | None
) -> tuple[float | None, float | None]:
    """Read and write units a second that a run may use, each None for no limit.

    Args:
        throughput: the table's own.
        max_rcu: read units, `inf` for no limit; None for the default.
        max_wcu: write units, likewise.
    """
    return (
        _compute_limit(max_rcu, throughput.provisioned_reads),
        _compute_limit(max_wcu, throughput.provisioned_writes),
    )


def make_budgets(
    aws: AwsSession, table: Table, *, max_rcu: float | None = None, max_wcu: float | None = None
) -> Budgets:
    """Make the budgets that every request to the table draws on; throttling slows them down from now on.

    `max_rcu` and `max_wcu` are read and write units a second: `inf` for no limit, None for the default.
    """
    reads, writes = compute_unit_limits(table.throughput, max_rcu=max_rcu, max_wcu=max_wcu)
    budgets = Budgets(
        reads=Budget(reads, time.monotonic),
        writes=Budget(writes, time.monotonic),
        copies=1 + table.throughput.indexes,
    )
    aws.on_throttle = functools.partial(slow_down_on_throttle, budgets, table.name)
    return budgets


def log_limits(budgets: Budgets, *, deletes: bool) -> None:
    """Log the run's limits, if it has any: a run that waits for units would otherwise seem to hang."""
    limits = {"max_rcu": budgets.reads.limit, "max_wcu": budgets.writes.limit if deletes else None}
    present = {name: limit for name, limit in limits.items() if limit is not None}
    if present:
        log.info("capacity.limited", **present)


def _compute_limit(setting: float | None, provisioned: int | None) -> float | None:
    if setting is None:
        setting = provisioned * SHARE_OF_PROVISIONED if provisioned else math.inf
    return None if math.isinf(setting) else setting
