"""Check whether each action is allowed, by requests that leave the table as it is.

Reads ask for one row, or for a row that does not exist. Writes name a random key and a condition that no row can meet:
a caller without the permission is denied before DynamoDB checks the condition, and one with it learns that it failed.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from botocore.exceptions import ClientError

from janitor.aws.errors import aws_errors
from janitor.dynamodb.conditional_write import CONDITION_FAILED
from janitor.dynamodb.delete_methods import ALREADY_GONE, CHANGED, UNMET, DeleteMethod, ItemDeletes, PartiqlDeletes
from janitor.dynamodb.locate import OWNER_INDEX
from janitor.dynamodb.target import Target
from janitor.errors import AwsError
from janitor.tokens.attribute_names import EXPIRATION, KEY, USERNAME

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SCAN = "dynamodb:Scan"
QUERY = "dynamodb:Query"
GET = "dynamodb:GetItem"
PUT = "dynamodb:PutItem"
UPDATE = "dynamodb:UpdateItem"
DELETE = "dynamodb:DeleteItem"
PARTIQL_DELETE = "dynamodb:PartiQLDelete"

# No row exists and does not exist.
_IMPOSSIBLE_CONDITION: Mapping[str, Any] = {
    "ConditionExpression": "attribute_exists(#k) AND attribute_not_exists(#k)",
    "ExpressionAttributeNames": {"#k": KEY},
}
# The beginning of the keys that the doctor uses.
_KEY_PREFIX = "janitor-doctor-"
_ANY_NUMBER = msgspec.Raw(b'{"N":"0"}')


class Permissions:
    """The permissions of one session on one table. Not thread-safe."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Prepare; sends nothing."""
        # Not typed by the stubs: a truncated answer lacks what they promise.
        self._client: Any = client
        self._table = table
        self._delete_methods: Mapping[str, DeleteMethod] = {
            PARTIQL_DELETE: PartiqlDeletes(client, table),
            DELETE: ItemDeletes(client, table),
        }
        self._reads: Mapping[str, Callable[[], object]] = {SCAN: self._scan, QUERY: self._query, GET: self._get}

    def check(self, action: str) -> None:
        """Try one of the actions above.

        Raises:
            AwsError: the action is denied, or DynamoDB failed or could not be reached.
        """
        if action in self._reads:
            index = f"the index {OWNER_INDEX} of " if action == QUERY else ""
            with aws_errors(action, f"{index}the table {self._table}"):
                self._reads[action]()
        elif action in self._delete_methods:
            self._check_delete(action, self._delete_methods[action])
        else:
            self._check_write(action)

    def _scan(self) -> None:
        self._client.scan(TableName=self._table, Limit=1, Select="COUNT")

    def _query(self) -> None:
        self._client.query(
            TableName=self._table,
            IndexName=OWNER_INDEX,
            Select="COUNT",
            KeyConditionExpression="#o = :owner",
            ExpressionAttributeNames={"#o": USERNAME},
            ExpressionAttributeValues={":owner": {"S": _make_unused_name()}},
        )

    def _get(self) -> None:
        self._client.get_item(TableName=self._table, Key=_make_unused_key())

    def _check_write(self, action: str) -> None:
        with aws_errors(action, f"the table {self._table}"):
            try:
                if action == PUT:
                    self._client.put_item(TableName=self._table, Item=_make_unused_key(), **_IMPOSSIBLE_CONDITION)
                else:
                    self._client.update_item(TableName=self._table, Key=_make_unused_key(), **_IMPOSSIBLE_CONDITION)
            except ClientError as error:
                if error.response["Error"]["Code"] not in CONDITION_FAILED:
                    raise
            else:
                sentence = f"{action} on the table {self._table} succeeded although its condition cannot be met"
                way_out = f"check which server answers there, and remove the row whose key begins with {_KEY_PREFIX}"
                raise AwsError(sentence, way_out, "no-conditions")

    def _check_delete(self, action: str, method: DeleteMethod) -> None:
        """Send what a sweep sends, for a missing row that must both have a `tokenExpiration` and lack it."""
        impossible = ((EXPIRATION, _ANY_NUMBER), (EXPIRATION, msgspec.UNSET))
        sent = method.send([Target(msgspec.Raw(msgspec.json.encode({"S": _make_unused_name()})), impossible, b"{}")])
        error = sent.fatal_error or sent.no_answer_error
        if error is not None:
            raise error
        [reply] = sent.replies
        # For a missing row DynamoDB answers that there was nothing to do, or that the condition failed; both only after
        # it has checked the permission.
        if reply not in (ALREADY_GONE, UNMET, CHANGED):
            sentence = f"{action} on the table {self._table} failed with {reply.code}"
            raise AwsError(sentence, "try again later", reply.code)


def _make_unused_key() -> dict[str, dict[str, str]]:
    return {KEY: {"S": _make_unused_name()}}


def _make_unused_name() -> str:
    """Make a key or an owner that no table has: 122 random bits."""
    return f"{_KEY_PREFIX}{uuid4().hex}"
