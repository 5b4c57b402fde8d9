"""A new row into the table, or an archived one back into it: only where no row stands under its key."""

from typing import TYPE_CHECKING

import msgspec

from janitor.dynamodb.conditional_write import ConditionalWriter
from janitor.dynamodb.locate import KEY
from janitor.dynamodb.target import is_same_row
from janitor.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENCODE = msgspec.json.Encoder().encode


class UnknownEndError(AwsError):
    """A row was sent, and nobody can tell whether it stands."""

    default_code = "unknown-end"


class Adder:
    """Adds rows to one table, exactly as they are given. Threads may share it."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Prepare; nothing is sent."""
        self._writer = ConditionalWriter(client, table, "PutItem")
        self._table = table

    def add(self, item: bytes) -> bytes | None:
        """Add a row, and never overwrite one. A row that stands counts as added where an earlier send has put it there.

        Args:
            item: the row as DynamoDB JSON.

        Returns:
            the row that stands in its way, as DynamoDB JSON, and is left alone; None where the new row stands.

        Raises:
            AwsError: DynamoDB refused, and the row does not stand; `dynamodb:PutItem` may be missing.
            UnknownEndError: nobody can tell whether it stands.
        """
        request = {
            "TableName": self._table,
            "Item": msgspec.Raw(item),
            "ConditionExpression": "attribute_not_exists(#k)",
            "ExpressionAttributeNames": {"#k": KEY},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        key = msgspec.json.decode(item)[KEY]
        end = self._writer.write(_ENCODE(request), key, lambda standing: is_same_row(standing, item))
        if end.is_done:
            return None
        if end.unseen is not None:
            why = f"{end.error.sentence}, and " if end.error is not None and end.error is not end.unseen else ""
            raise UnknownEndError(f"{why}whether the row stands cannot be told: {end.unseen.sentence}")
        if end.error is not None:
            raise end.error
        if end.standing is None:
            sentence = f"dynamodb:PutItem on the table {self._table}: a row stood in the way, and has gone since"
            raise AwsError(sentence, "run it again", "gone-since")
        return msgspec.json.encode(end.standing)
