"""Archived rows back into the table: each only where no row with its key stands."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from janitor.aws_errors import aws_errors
from janitor.dynamodb.bodies import take_bodies
from janitor.dynamodb.decode import item_of
from janitor.dynamodb.locate import KEY
from janitor.dynamodb.target import is_same_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENCODE = msgspec.json.Encoder().encode
_CONDITION_FAILED = "ConditionalCheckFailedException"


class PutBack:
    """Puts rows of one table back, exactly as they were. Threads may share it."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        take_bodies(client, ["PutItem"])
        self._put: Any = client.put_item
        self._get: Any = client.get_item
        self._table = table

    def put(self, item: msgspec.Raw) -> bool:
        """Put a row back.

        Args:
            item: the row as DynamoDB JSON.

        Returns:
            False where a row with its key stands, which is left alone.

        Raises:
            AwsError: DynamoDB refused or could not be reached; `dynamodb:PutItem` may be missing.
        """
        request = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(#k)",
            "ExpressionAttributeNames": {"#k": KEY},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        with aws_errors("dynamodb:PutItem", f"the table {self._table}"):
            try:
                self._put(JanitorBody=_ENCODE(request))
            except ClientError as error:
                if error.response["Error"]["Code"] != _CONDITION_FAILED:
                    raise
                return self._is_own(item, error.response)
        return True

    def _is_own(self, item: msgspec.Raw, response: Mapping[str, Any]) -> bool:
        """Whether the row that stands is this one, put there by an earlier try whose answer was lost."""
        if not response.get("ResponseMetadata", {}).get("RetryAttempts"):
            return False
        standing = response.get("Item")
        return standing is not None and is_same_row(standing, bytes(item))

    def stands(self, key: str) -> bool:
        """Whether a row with this key is there.

        Raises:
            AwsError: DynamoDB refused or could not be reached; `dynamodb:GetItem` may be missing.
        """
        call = "dynamodb:GetItem"
        with aws_errors(call, f"the table {self._table}"):
            response = self._get(TableName=self._table, Key={KEY: {"S": key}}, ConsistentRead=True)
        return item_of(response, call) is not None
