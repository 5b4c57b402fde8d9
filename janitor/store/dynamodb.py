"""The store in a DynamoDB table that `create_table` has made.

    scope (partition key)      item (sort key)      attributes
    account/region/table       the record's name    content, expiresAt, version

DynamoDB removes an item some time after `expiresAt`, where the table's TTL is on. So a record is removed by emptying
its item, and two permissions are enough: dynamodb:BatchGetItem and dynamodb:UpdateItem (a transaction of updates asks
for the same).

Only calls whose answers botocore parses. janitor's client decodes those of Scan, Query, GetItem and
BatchExecuteStatement itself, in a way that is the token table's and not known here: one item is read with
BatchGetItem too.
"""

import email.utils
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from janitor.aws.errors import DENIALS, NOT_FOUND, PASSING_STATEMENT_ERRORS, aws_errors
from janitor.errors import JanitorError, StoreError
from janitor.settings.store_url import DynamoDbUrl
from janitor.store.interface import ANYTHING, Record, RecordChange, RecordReading

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION_KEY = "scope"
SORT_KEY = "item"
EXPIRES_AT = "expiresAt"

_READ = "dynamodb:BatchGetItem"
_WRITE = "dynamodb:UpdateItem"

_SET = "SET #content = :content, #expiresAt = :expiresAt, #version = :version"
_EMPTY = "SET #expiresAt = :expiresAt REMOVE #content, #version"
_IS_ABSENT = "attribute_not_exists(#version)"
_IS_AS_READ = "#version = :read"

_NAME = re.compile(r"#(\w+)").findall
_WRONG_KEY = "ValidationException"
_CANCELLED = "TransactionCanceledException"
# Another write came first, or is under way.
_REFUSALS = frozenset(
    {"ConditionalCheckFailedException", "TransactionConflictException", "TransactionInProgressException"}
)
_PASSING_REASONS = {"None", "ConditionalCheckFailed", *PASSING_STATEMENT_ERRORS}

Attributes = Mapping[str, Any]
"""An item, or values of an expression, as boto3's client has them: `{"expiresAt": {"N": "1"}}`."""


class DynamoDbBackend:
    """Keeps records in one table. Its clock is that of the `Date` header of the table's own answers."""

    most_read = 100  # of one BatchGetItem
    most_written = 100  # of one TransactWriteItems, which takes 4 MB, and twice the write units of as many UpdateItem
    most_bytes = 400_000
    most_removed = 1
    can_run_full = False

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Callable[[], float] = time.time) -> None:
        """Prepare; nothing is sent.

        Args:
            client: of the run; it stays the caller's to close.
            table: the table's name.
            clock: the present UNIX second, by which DynamoDB removes what was emptied.
        """
        # Typed as it is used: an answer that was cut short lacks what the stubs promise.
        self._client: Any = client
        self.location = str(DynamoDbUrl(table))
        self.place = f"the state table {table}"
        self._table, self._clock = table, clock

    def read(self, scope: str, names: Sequence[str]) -> RecordReading:
        """Read at most 100 records in one request, consistently."""
        keys = [_key(scope, name) for name in names]
        with self._errors(_READ):
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            # An answer that was cut short on every try comes without any of its parts, as if nothing was there.
            items = answer["Responses"].get(self._table, ())
            records = {item[SORT_KEY]["S"]: _record(item) for item in items if "content" in item or "version" in item}
            unread = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", ())
            return RecordReading(records, _second_of(answer), [key[SORT_KEY]["S"] for key in unread])

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:
        """Make a change with a request, or several with a transaction.

        Not with BatchWriteItem, which knows no condition.
        """
        updates = [self._update(scope, change) for change in changes]
        with self._errors(_WRITE):
            try:
                if len(updates) == 1:
                    self._client.update_item(**updates[0])
                else:
                    self._client.transact_write_items(TransactItems=[{"Update": update} for update in updates])
            except ClientError as error:
                if not _may_pass(error):
                    raise
                return False
        return True

    def forget(self) -> None:
        """Nothing: the table's TTL does it."""

    def _update(self, scope: str, change: RecordChange) -> dict[str, object]:
        values: dict[str, Attributes] = {}
        if change.content is None:
            expression, expires_at = _EMPTY, int(self._clock())
        else:
            expression, expires_at = _SET, change.expires_at
            values |= {":content": {"B": change.content}, ":version": {"B": uuid4().bytes}}
        values[f":{EXPIRES_AT}"] = {"N": str(expires_at)}
        condition = ""
        if change.expected is not ANYTHING:
            version = None if change.expected is None else change.expected.version
            condition = _IS_ABSENT if version is None else _IS_AS_READ
            values |= {} if version is None else {":read": version}  # type: ignore[dict-item]  # it came from an item
        request: dict[str, object] = {
            "TableName": self._table,
            "Key": _key(scope, change.name),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": {f"#{name}": name for name in _NAME(f"{expression} {condition}")},
            "ExpressionAttributeValues": values,
        }
        return {**request, "ConditionExpression": condition} if condition else request

    @contextmanager
    def _errors(self, call: str) -> Iterator[None]:
        with state_table_errors(call, self._table, f"{_READ} and {_WRITE}"):
            yield


@contextmanager
def state_table_errors(call: str, table: str, permissions: str) -> Iterator[None]:
    """Turn botocore's errors inside the block into StoreError, with the way out for a state table.

    Args:
        call: the permission's name for the call.
        table: the state table's name.
        permissions: all that are needed, for whoever lacks one.
    """
    try:
        with aws_errors(call, f"the state table {table}"):
            yield
    except StoreError:
        raise
    except JanitorError as error:
        way_out = error.way_out
        if error.code in NOT_FOUND:
            way_out = "check its name, or make it with `janitor doctor --create-state`"
        elif error.code in DENIALS:
            way_out = f"allow {permissions} on it"
        elif error.code == _WRONG_KEY:
            # What comes of the name of a token table.
            way_out = "see that it is a table that `janitor doctor --create-state` has made, and no other"
        raise StoreError(error.sentence, way_out, error.code) from None


def _key(scope: str, name: str) -> dict[str, Attributes]:
    return {PARTITION_KEY: {"S": scope}, SORT_KEY: {"S": name}}


def _record(item: Attributes) -> Record:
    content, expires_at = item.get("content", {}).get("B"), item.get(EXPIRES_AT, {}).get("N")
    return Record(content, expires_at, item.get("version"))


def _second_of(answer: Mapping[str, Any]) -> int | None:
    """The answer's date; None where it has none that names its time zone, as HTTP's do."""
    stamp = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        date = email.utils.parsedate_to_datetime(stamp)
    except (TypeError, ValueError):
        return None
    return int(date.timestamp()) if date.tzinfo is not None else None


def _may_pass(error: ClientError) -> bool:
    """Whether a write was refused for reasons of which none is there to stay."""
    code = error.response.get("Error", {}).get("Code", "")
    if code != _CANCELLED:
        return code in _REFUSALS
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return bool(reasons) and {reason.get("Code", "None") for reason in reasons} <= _PASSING_REASONS
