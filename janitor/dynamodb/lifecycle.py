"""The expiration of a row that somebody named, set on the condition that the row still is as it was seen.

A write whose answer was lost counts by what the table holds then: as done, where the row is as the write leaves it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from botocore.exceptions import ClientError

from janitor.aws_errors import PASSING_ERRORS, aws_errors
from janitor.dynamodb.bodies import take_bodies
from janitor.dynamodb.decode import item_of
from janitor.dynamodb.find import Found
from janitor.dynamodb.locate import KEY
from janitor.dynamodb.target import Target, is_same_row
from janitor.errors import JanitorError
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, row_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CONDITION_FAILED = "ConditionalCheckFailedException"
_UPDATE_CALL = "dynamodb:UpdateItem"
_LOOK_CALL = "dynamodb:GetItem"


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


class _Unmet(NamedTuple):
    """The condition failed.

    Attributes:
        standing: the row as it is; None where the server does not say.
        was_retried: whether an earlier send may have done the work.
    """

    standing: Mapping[str, Any] | None
    was_retried: bool


class Expirations:
    """Sets the expiration of rows of one table. Threads may share it."""

    def __init__(self, client: "DynamoDBClient", table: str, policy: Policy) -> None:
        """Prepare; nothing is sent.

        Args:
            client: made with the page parser.
            table: the table's name.
            policy: says what protects a row; whoever sets the expiration must have seen that as it is.
        """
        take_bodies(client, ["UpdateItem"])
        self._update_item: Any = client.update_item
        self._get_item: Any = client.get_item
        self._table = table
        self._policy = policy

    def set(self, found: Found, second: int) -> Updated:
        """Set a row's expiration to a UNIX second. What AWS does never raises."""
        target = Target.as_seen(found.item, self._policy)
        try:
            unmet = self._sent(target, second)
        except JanitorError as error:
            if error.code not in PASSING_ERRORS:
                return Updated(UpdateOutcome.FAILED, error=error)
            return self._looked(target, second, is_maybe_done=True, error=error)
        if unmet is None:
            return Updated(UpdateOutcome.SET)
        if unmet.standing is None:
            return self._looked(target, second, is_maybe_done=unmet.was_retried)
        return _settled(unmet.standing, target, second, is_maybe_done=unmet.was_retried)

    def _sent(self, target: Target, second: int) -> _Unmet | None:
        with aws_errors(_UPDATE_CALL, f"the table {self._table}"):
            try:
                self._update_item(JanitorBody=target.update_item(self._table, second))
            except ClientError as error:
                if error.response["Error"]["Code"] != _CONDITION_FAILED:
                    raise
                response: Mapping[str, Any] = error.response
                was_retried = bool(response.get("ResponseMetadata", {}).get("RetryAttempts"))
                return _Unmet(response.get("Item"), was_retried)
        return None

    def _looked(
        self, target: Target, second: int, *, is_maybe_done: bool, error: JanitorError | None = None
    ) -> Updated:
        """Look at the row, because the answer left open what became of it; `error` is why, if it was one."""
        try:
            with aws_errors(_LOOK_CALL, f"the table {self._table}"):
                key = msgspec.json.decode(target.key)
                response = self._get_item(TableName=self._table, Key={KEY: key}, ConsistentRead=True)
            item = item_of(response, _LOOK_CALL)
        except JanitorError as unseen:
            return Updated(UpdateOutcome.FAILED, error=error or unseen)
        if item is None:
            return Updated(UpdateOutcome.ALREADY_GONE)
        if error is not None and target.is_met_by(item):
            return Updated(UpdateOutcome.FAILED, error=error)
        return _settled(item, target, second, is_maybe_done=is_maybe_done)


def _settled(standing: Mapping[str, Any], target: Target, second: int, *, is_maybe_done: bool) -> Updated:
    """What became of a row that is not as it was seen; `is_maybe_done` where an earlier send may have done it."""
    content = msgspec.json.encode(standing)
    if is_maybe_done and is_same_row(target.with_expiration(second), content):
        return Updated(UpdateOutcome.SET)
    return Updated(UpdateOutcome.CHANGED, row_of(content))
