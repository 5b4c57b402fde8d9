"""The outcome of a row that a run set out to delete."""

from enum import StrEnum


class DeletionOutcome(StrEnum):
    """The outcome of one row of a plan.

    `planned`: nothing was sent. `deleted`: the server deleted it and returned it. `changed`: it is no longer as it was
    seen, or its owner has a token that works by now, and it stays. `already_gone`: there is no such row. `failed`: it
    is still there, or nobody can tell.
    """

    PLANNED = "planned"
    DELETED = "deleted"
    CHANGED = "changed"
    ALREADY_GONE = "already_gone"
    FAILED = "failed"

    # Enum's own hash is a Python function, and outcomes are counted for every row.
    __hash__ = str.__hash__
