"""Set the expiration of a row that a user named, on the condition that the row still is as it was seen.

If the answer to the write is lost, the table decides: the write is done if the row is as the write would leave it.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from janitor.dynamodb.conditional_write import ConditionalWriter
from janitor.dynamodb.find import StoredItem
from janitor.dynamodb.target import Target, is_same_row
from janitor.errors import JanitorError
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, decode_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class UpdateOutcome(StrEnum):
    """The outcome of an update.

    `set`: the row has the new expiration. `changed`: it is no longer as it was seen, and stays. `already_gone`:
    there is no such row. `failed`: it is as it was, or nobody can tell.
    """

    SET = "set"
    CHANGED = "changed"
    ALREADY_GONE = "already_gone"
    FAILED = "failed"


class UpdateResult(NamedTuple):
    """What became of a row that was to be updated.

    Attributes:
        outcome: the outcome.
        current_row: the row as it is now, if somebody else has changed it.
        error: why the update failed, if it did.
    """

    outcome: UpdateOutcome
    current_row: Row | None = None
    error: JanitorError | None = None


class ExpirationSetter:
    """Sets the expiration of rows of one table. Thread-safe."""

    def __init__(self, client: "DynamoDBClient", table: str, policy: Policy) -> None:
        """Prepare; sends nothing.

        Args:
            client: made with the page parser.
            table: the table's name.
            policy: says what protects a row; the attributes that it depends on must still be as they were seen.
        """
        self._writer = ConditionalWriter(client, table, "UpdateItem")
        self._table = table
        self._policy = policy

    def set(self, found: StoredItem, second: int) -> UpdateResult:
        """Set a row's expiration to a UNIX second. Never raises for a failure of AWS."""
        target = Target.for_named_row(found.item, self._policy)
        written = msgspec.json.encode(target.with_expiration(second))
        result = self._writer.write(
            target.build_update_item(self._table, second),
            msgspec.json.decode(target.key),
            lambda current: is_same_row(current, written),
        )
        if result.is_done:
            return UpdateResult(UpdateOutcome.SET)
        if not result.was_read:
            return UpdateResult(UpdateOutcome.FAILED, error=result.error)
        if result.current_row is None:
            return UpdateResult(UpdateOutcome.ALREADY_GONE)
        if result.error is not None and target.are_conditions_met_by(result.current_row):
            return UpdateResult(UpdateOutcome.FAILED, error=result.error)
        return UpdateResult(UpdateOutcome.CHANGED, decode_row(msgspec.json.encode(result.current_row)))
