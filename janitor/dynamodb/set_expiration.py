"""The expiration of a row that somebody named, set on the condition that the row still is as it was seen.

A write whose answer was lost counts by what the table holds then: as done, where the row is as the write leaves it.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from janitor.dynamodb.conditional_write import ConditionalWriter
from janitor.dynamodb.find import FoundItem
from janitor.dynamodb.target import Target, is_same_row
from janitor.errors import JanitorError
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, row_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class UpdateOutcome(StrEnum):
    """What became of a row that was to be updated.

    `set`: it has the new expiration. `changed`: it is another row by now, and stays. `already_gone`: no such row is
    there. `failed`: it is as it was, or nobody could tell.
    """

    SET = "set"
    CHANGED = "changed"
    ALREADY_GONE = "already_gone"
    FAILED = "failed"


class Updated(NamedTuple):
    """What became of a row.

    Attributes:
        outcome: that.
        standing: the row as somebody else left it, where it has changed.
        error: why it failed, if it did.
    """

    outcome: UpdateOutcome
    standing: Row | None = None
    error: JanitorError | None = None


class Expirations:
    """Sets the expiration of rows of one table. Threads may share it."""

    def __init__(self, client: "DynamoDBClient", table: str, policy: Policy) -> None:
        """Prepare; nothing is sent.

        Args:
            client: made with the page parser.
            table: the table's name.
            policy: says what protects a row; whoever sets the expiration must have seen that as it is.
        """
        self._writer = ConditionalWriter(client, table, "UpdateItem")
        self._table = table
        self._policy = policy

    def set(self, found: FoundItem, second: int) -> Updated:
        """Set a row's expiration to a UNIX second. What AWS does never raises."""
        target = Target.as_seen(found.item, self._policy)
        written = msgspec.json.encode(target.with_expiration(second))
        end = self._writer.write(
            target.update_item(self._table, second),
            msgspec.json.decode(target.key),
            lambda standing: is_same_row(standing, written),
        )
        if end.is_done:
            return Updated(UpdateOutcome.SET)
        if not end.was_seen:
            return Updated(UpdateOutcome.FAILED, error=end.error)
        if end.standing is None:
            return Updated(UpdateOutcome.ALREADY_GONE)
        if end.error is not None and target.is_met_by(end.standing):
            return Updated(UpdateOutcome.FAILED, error=end.error)
        return Updated(UpdateOutcome.CHANGED, row_of(msgspec.json.encode(end.standing)))
