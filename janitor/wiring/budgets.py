"""What a run may spend on a table: as it is told, or a quarter of what is provisioned."""

import functools
import math
import time

from janitor.dynamodb.budget import Budget, Budgets
from janitor.dynamodb.client import Aws
from janitor.dynamodb.locate import Table
from janitor.dynamodb.slowing import throttle_of
from janitor.dynamodb.upkeep import Throughput
from janitor.logs import get_logger

log = get_logger("janitor.capacity")

# The rest is LISA's: every request that its authorizer lets in reads the same table.
SHARE_OF_PROVISIONED = 0.25


def unit_limits(
    throughput: Throughput, *, max_rcu: float | None, max_wcu: float | None
) -> tuple[float | None, float | None]:
    """Read and write units a second for a run, each None for as many as there are.

    Args:
        throughput: what the table takes.
        max_rcu: read units, `inf` for no limit; None for the default.
        max_wcu: write units, likewise.
    """
    return (
        _limit(max_rcu, throughput.provisioned_reads),
        _limit(max_wcu, throughput.provisioned_writes),
    )


def budgets_for(aws: Aws, table: Table, *, max_rcu: float | None = None, max_wcu: float | None = None) -> Budgets:
    """The budgets that every request to the table draws on; from here on throttling slows them down.

    The arguments besides the table and the way to it are those of `unit_limits`.
    """
    reads, writes = unit_limits(table.throughput, max_rcu=max_rcu, max_wcu=max_wcu)
    budgets = Budgets(
        reads=Budget(reads, time.monotonic),
        writes=Budget(writes, time.monotonic),
        copies=1 + table.throughput.indexes,
    )
    aws.on_throttle = functools.partial(throttle_of, budgets, table.name)
    return budgets


def say_limits(budgets: Budgets, *, deletes: bool) -> None:
    """Log what a run is limited to, if it is: one that waits for units would else look as if it hung."""
    limits = {"max_rcu": budgets.reads.limit, "max_wcu": budgets.writes.limit if deletes else None}
    said = {name: limit for name, limit in limits.items() if limit is not None}
    if said:
        log.info("capacity.limited", **said)


def _limit(told: float | None, provisioned: int | None) -> float | None:
    if told is None:
        told = provisioned * SHARE_OF_PROVISIONED if provisioned else math.inf
    return None if math.isinf(told) else told
