"""What becomes of a row that a run set out to delete."""

from enum import StrEnum


class DeletionOutcome(StrEnum):
    """One for every row of a plan.

    `planned`: nothing was sent. `deleted`: the server handed the row back as it went. `changed`: it is another row by
    now, and stays. `already_gone`: no such row is there. `failed`: it is still there, or nobody could tell.
    """

    PLANNED = "planned"
    DELETED = "deleted"
    CHANGED = "changed"
    ALREADY_GONE = "already_gone"
    FAILED = "failed"

    # Enum's own is a Python function, and outcomes are counted for every row.
    __hash__ = str.__hash__
