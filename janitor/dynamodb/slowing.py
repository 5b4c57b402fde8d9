"""What happens when DynamoDB throttles: the budget's rate comes down, and the log says so once for each time."""

from janitor.dynamodb.budget import Budget, Budgets
from janitor.logs import get_logger

log = get_logger("janitor.capacity")

_READS = frozenset({"Scan", "Query", "GetItem"})
_WRITES = frozenset({"BatchExecuteStatement", "DeleteItem"})


def throttle_of(budgets: Budgets, table: str, operation: str, of_table: str | None) -> None:
    """Bring down the rate that a throttled request draws on, if it does on any.

    Args:
        budgets: of the table.
        table: its name.
        operation: of the request.
        of_table: whose request it was; None where it came with a body of its own, as only those to the table do.
    """
    if of_table not in (table, None):
        return
    if operation in _READS:
        _slow_down(budgets.reads, operation)
    elif operation in _WRITES:
        _slow_down(budgets.writes, operation)


def _slow_down(budget: Budget, operation: str) -> None:
    """Bring the rate down after a throttled request."""
    rate = budget.throttled()
    if rate is not None:
        log.warning("capacity.throttled", operation=operation, units_per_second=round(rate, 1))
