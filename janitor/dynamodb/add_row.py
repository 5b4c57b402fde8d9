"""Add a new or an archived row to the table, on the condition that no row has its key."""

from typing import TYPE_CHECKING

import msgspec

from janitor.dynamodb.conditional_write import ConditionalWriter
from janitor.dynamodb.target import is_same_row
from janitor.errors import AwsError
from janitor.tokens.attribute_names import KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENCODE = msgspec.json.Encoder().encode


class UnknownOutcomeError(AwsError):
    """A row was sent, and nobody can tell whether the table has it."""

    default_code = "unknown-end"


class RowAdder:
    """Adds rows to one table exactly as they are given. Thread-safe."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Prepare; sends nothing."""
        self._writer = ConditionalWriter(client, table, "PutItem")
        self._table = table

    def add(self, item: bytes) -> bytes | None:
        """Add a row; never overwrite one. A row that an earlier send of this request added counts as added.

        Args:
            item: the row as DynamoDB JSON.

        Returns:
            None if the row was added; else the row that already has its key, as DynamoDB JSON, left as it is.

        Raises:
            AwsError: DynamoDB refused, and the row was not added; `dynamodb:PutItem` may be missing.
            UnknownOutcomeError: nobody can tell whether it was added.
        """
        request = {
            "TableName": self._table,
            "Item": msgspec.Raw(item),
            "ConditionExpression": "attribute_not_exists(#k)",
            "ExpressionAttributeNames": {"#k": KEY},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        key = msgspec.json.decode(item)[KEY]
        result = self._writer.write(_ENCODE(request), key, lambda current: is_same_row(current, item))
        if result.is_done:
            return None
        if result.read_error is not None:
            error, read_error = result.error, result.read_error
            why = f"{error.sentence}, and " if error is not None and error is not read_error else ""
            raise UnknownOutcomeError(f"{why}janitor cannot tell whether the row was added: {read_error.sentence}")
        if result.error is not None:
            raise result.error
        if result.current_row is None:
            sentence = f"dynamodb:PutItem on the table {self._table}: a row had this key, and is gone now"
            raise AwsError(sentence, "run it again", "gone-since")
        return msgspec.json.encode(result.current_row)
