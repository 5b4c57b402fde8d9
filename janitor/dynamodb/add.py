"""A new row into the table, only where no row stands under its key."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from janitor.aws_errors import PASSING_ERRORS, aws_errors
from janitor.dynamodb.bodies import take_bodies
from janitor.dynamodb.decode import item_of
from janitor.dynamodb.locate import KEY
from janitor.dynamodb.target import is_same_row
from janitor.errors import AwsError, JanitorError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENCODE = msgspec.json.Encoder().encode
_CALL = "dynamodb:PutItem"
_LOOK_CALL = "dynamodb:GetItem"
_CONDITION_FAILED = "ConditionalCheckFailedException"


class UnknownEndError(AwsError):
    """A row was sent, and nobody can tell whether it stands."""

    default_code = "unknown-end"


class Adder:
    """Adds rows to one table. For one thread."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Prepare; nothing is sent."""
        take_bodies(client, ["PutItem"])
        self._put: Any = client.put_item
        self._get: Any = client.get_item
        self._table = f"the table {table}"
        self._name = table

    def add(self, item: bytes) -> bytes | None:
        """Add a row, and never overwrite one.

        botocore sends again what brought no answer. So a row that stands in the way counts as added where it is this
        very one; and after a request without any answer at all the table is looked at.

        Args:
            item: the row as DynamoDB JSON.

        Returns:
            the row that stands in its way, as DynamoDB JSON, and is left alone; None where the new row stands.

        Raises:
            AwsError: DynamoDB refused, and the row does not stand; `dynamodb:PutItem` may be missing.
            UnknownEndError: nobody can tell whether it stands.
        """
        request = {
            "TableName": self._name,
            "Item": msgspec.Raw(item),
            "ConditionExpression": "attribute_not_exists(#k)",
            "ExpressionAttributeNames": {"#k": KEY},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            with aws_errors(_CALL, self._table):
                return self._answered(item, _ENCODE(request))
        except JanitorError as error:
            if error.code not in PASSING_ERRORS or not self._stands(item, error):
                raise
        return None

    def _answered(self, item: bytes, body: bytes) -> bytes | None:
        try:
            self._put(JanitorBody=body)
        except ClientError as error:
            if error.response["Error"]["Code"] != _CONDITION_FAILED:
                raise
            # A server that does not hand the row back is asked for it.
            response: Mapping[str, Any] = error.response
            standing = response.get("Item") or self._at(item)
            if standing is None:
                sentence = f"{_CALL} on {self._table}: a row stood in the way, and has gone since"
                raise AwsError(sentence, "run it again", "gone-since") from None
            was_sent_again = bool(response.get("ResponseMetadata", {}).get("RetryAttempts"))
            if was_sent_again and is_same_row(standing, item):
                return None
            return msgspec.json.encode(standing)
        return None

    def _stands(self, item: bytes, unanswered: JanitorError) -> bool:
        """Whether the row got there although no answer said so."""
        try:
            standing = self._at(item)
        except JanitorError as error:
            sentence = f"{unanswered.sentence}, and whether the row stands cannot be told: {error.sentence}"
            raise UnknownEndError(sentence) from None
        return standing is not None and is_same_row(standing, item)

    def _at(self, item: bytes) -> Mapping[str, Any] | None:
        """The row under the same key as the server has it now."""
        key = msgspec.json.decode(item)[KEY]
        with aws_errors(_LOOK_CALL, self._table):
            response = self._get(TableName=self._name, Key={KEY: key}, ConsistentRead=True)
        return item_of(response, _LOOK_CALL)
