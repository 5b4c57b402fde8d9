"""Slow down when DynamoDB throttles: lower the budget's rate, and log it once each time."""

from janitor.dynamodb.budget import Budget, Budgets
from janitor.logs import get_logger

log = get_logger("janitor.capacity")

_READS = frozenset({"Scan", "Query", "GetItem"})
_WRITES = frozenset({"BatchExecuteStatement", "DeleteItem"})


def slow_down_on_throttle(budgets: Budgets, table: str, operation: str, of_table: str | None) -> None:
    """Lower the rate of the budget that a throttled request belongs to, if it belongs to one.

    Args:
        budgets: the table's budgets.
        table: the table's name.
        operation: the operation of the request.
        of_table: the table of the request; None if the request had a raw body, which only requests to `table` have.
    """
    if of_table not in (table, None):
        return
    if operation in _READS:
        _slow_down(budgets.reads, operation)
    elif operation in _WRITES:
        _slow_down(budgets.writes, operation)


def _slow_down(budget: Budget, operation: str) -> None:
    rate = budget.slow_down()
    if rate is not None:
        log.warning("capacity.throttled", operation=operation, units_per_second=round(rate, 1))
