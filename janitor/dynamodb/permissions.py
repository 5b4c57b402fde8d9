"""Whether each action is allowed, tried in a way that leaves the table as it is.

Reads ask for one row, or for one that is not there. Writes name a random key and a condition that no row can meet: who
may not write is denied before DynamoDB looks at the condition, and whoever may is told that it failed.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from botocore.exceptions import ClientError

from janitor.aws.errors import aws_errors
from janitor.dynamodb.conditional_write import CONDITION_FAILED
from janitor.dynamodb.locate import KEY, OWNER_INDEX
from janitor.dynamodb.statements import ALREADY_GONE, CHANGED, UNMET, Items, Partiql, Way
from janitor.dynamodb.target import Target
from janitor.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SCAN = "dynamodb:Scan"
QUERY = "dynamodb:Query"
GET = "dynamodb:GetItem"
PUT = "dynamodb:PutItem"
UPDATE = "dynamodb:UpdateItem"
DELETE = "dynamodb:DeleteItem"
PARTIQL_DELETE = "dynamodb:PartiQLDelete"

# A row is there or it is not.
_NEVER: Mapping[str, Any] = {
    "ConditionExpression": "attribute_exists(#k) AND attribute_not_exists(#k)",
    "ExpressionAttributeNames": {"#k": KEY},
}
_EXPIRATION = "tokenExpiration"
# What the doctor's keys begin with.
_NOBODY = "janitor-doctor-"
_ANY_NUMBER = msgspec.Raw(b'{"N":"0"}')


class Permissions:
    """The permissions of one session on one table. For one thread."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Prepare; nothing is sent."""
        # Typed as it is used: an answer that was cut short lacks what the stubs promise.
        self._client: Any = client
        self._table = table
        self._ways: Mapping[str, Way] = {PARTIQL_DELETE: Partiql(client, table), DELETE: Items(client, table)}
        self._reads: Mapping[str, Callable[[], object]] = {SCAN: self._scan, QUERY: self._query, GET: self._get}

    def check(self, action: str) -> None:
        """Try an action, one of those above.

        Raises:
            AwsError: it is denied, or DynamoDB failed or could not be reached.
        """
        if action in self._reads:
            index = f"the index {OWNER_INDEX} of " if action == QUERY else ""
            with aws_errors(action, f"{index}the table {self._table}"):
                self._reads[action]()
        elif action in self._ways:
            self._delete(action, self._ways[action])
        else:
            self._write(action)

    def _scan(self) -> None:
        self._client.scan(TableName=self._table, Limit=1, Select="COUNT")

    def _query(self) -> None:
        self._client.query(
            TableName=self._table,
            IndexName=OWNER_INDEX,
            Select="COUNT",
            KeyConditionExpression="#o = :owner",
            ExpressionAttributeNames={"#o": "username"},
            ExpressionAttributeValues={":owner": {"S": _name_of_nobody()}},
        )

    def _get(self) -> None:
        self._client.get_item(TableName=self._table, Key=_key())

    def _write(self, action: str) -> None:
        with aws_errors(action, f"the table {self._table}"):
            try:
                if action == PUT:
                    self._client.put_item(TableName=self._table, Item=_key(), **_NEVER)
                else:
                    self._client.update_item(TableName=self._table, Key=_key(), **_NEVER)
            except ClientError as error:
                if error.response["Error"]["Code"] not in CONDITION_FAILED:
                    raise
            else:
                sentence = f"{action} on the table {self._table} was carried out against a condition that cannot hold"
                way_out = f"see what answers there; a row whose key begins with {_NOBODY} is the doctor's: remove it"
                raise AwsError(sentence, way_out, "no-conditions")

    def _delete(self, action: str, way: Way) -> None:
        """Send what a sweep sends, for a row that is not there and has a `tokenExpiration` and has none."""
        never = ((_EXPIRATION, _ANY_NUMBER), (_EXPIRATION, msgspec.UNSET))
        sent = way.send([Target(msgspec.Raw(msgspec.json.encode({"S": _name_of_nobody()})), never, b"{}")])
        error = sent.fatal or sent.unanswered
        if error is not None:
            raise error
        [reply] = sent.replies
        # DynamoDB says of a missing row that nothing was to be done, or that the condition failed: both after it had
        # looked whether the caller may delete.
        if reply not in (ALREADY_GONE, UNMET, CHANGED):
            sentence = f"{action} on the table {self._table} failed with {reply.code}"
            raise AwsError(sentence, "try again later", reply.code)


def _key() -> dict[str, dict[str, str]]:
    return {KEY: {"S": _name_of_nobody()}}


def _name_of_nobody() -> str:
    """A key, or an owner, that is in no table: 122 random bits."""
    return f"{_NOBODY}{uuid4().hex}"
