"""The store in a DynamoDB table that `create_table` has made.

    scope (partition key)      item (sort key)      attributes
    account/region/table       the record's name    content, expiresAt, version

DynamoDB removes an item some time after `expiresAt`, if the table's TTL is on. So a record is removed by emptying its
item, and two permissions are enough: dynamodb:BatchGetItem and dynamodb:UpdateItem (a transaction of updates needs the
same).

Only calls are used whose answers botocore parses. janitor's client leaves the answers of Scan, Query, GetItem and
BatchExecuteStatement unparsed, for the token table. So a single item is read with BatchGetItem too.
"""

import email.utils
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from janitor.aws.errors import DENIALS, NOT_FOUND, TRANSIENT_STATEMENT_ERRORS, aws_errors
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
# Another write came first, or is in progress.
_REFUSALS = frozenset(
    {"ConditionalCheckFailedException", "TransactionConflictException", "TransactionInProgressException"}
)
_PASSING_REASONS = {"None", "ConditionalCheckFailed", *TRANSIENT_STATEMENT_ERRORS}

Attributes = Mapping[str, Any]
"""An item, or values of an expression, as boto3's client has them: `{"expiresAt": {"N": "1"}}`."""


class DynamoDbBackend:
    """Keeps records in one table. Its clock is the `Date` header of DynamoDB's answers."""

    max_read = 100  # of one BatchGetItem
    max_written = 100  # of one TransactWriteItems, which takes 4 MB, and twice the write units of as many UpdateItem
    max_bytes = 400_000
    max_removed = 1
    can_run_full = False

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Callable[[], float] = time.time) -> None:
        """Prepare; nothing is sent.

        Args:
            client: the run's client; the caller closes it.
            table: the table's name.
            clock: the present UNIX second, by which DynamoDB removes what was emptied.
        """
        # Not typed by the stubs: an answer that was cut short lacks keys that they promise.
        self._client: Any = client
        self.location = str(DynamoDbUrl(table))
        self.place = f"the state table {table}"
        self._table, self._clock = table, clock

    def read(self, scope: str, names: Sequence[str]) -> RecordReading:
        """Read at most 100 records in one request, consistently."""
        keys = [_key(scope, name) for name in names]
        with self._store_errors(_READ):
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            # An answer that was cut short on every try has none of its keys, so a missing one is an error.
            items = answer["Responses"].get(self._table, ())
            records = {
                item[SORT_KEY]["S"]: _decode_record(item) for item in items if "content" in item or "version" in item
            }
            unread = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", ())
            return RecordReading(records, _read_date(answer), [key[SORT_KEY]["S"] for key in unread])

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:
        """Make one change with UpdateItem, several with a transaction. BatchWriteItem has no conditions."""
        updates = [self._update(scope, change) for change in changes]
        with self._store_errors(_WRITE):
            try:
                if len(updates) == 1:
                    self._client.update_item(**updates[0])
                else:
                    self._client.transact_write_items(TransactItems=[{"Update": update} for update in updates])
            except ClientError as error:
                if not _is_refused_for_now(error):
                    raise
                return False
        return True

    def forget(self) -> None:
        """Do nothing: the table's TTL removes expired items."""

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
    def _store_errors(self, call: str) -> Iterator[None]:
        with state_table_errors(call, self._table, f"{_READ} and {_WRITE}"):
            yield


@contextmanager
def state_table_errors(call: str, table: str, permissions: str) -> Iterator[None]:
    """Turn botocore's errors inside the block into StoreError, with what to do about a state table.

    Args:
        call: the permission that the call needs.
        table: the state table's name.
        permissions: all permissions that are needed, for the message to somebody who lacks one.
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
            # As when somebody gives the name of a token table.
            way_out = "see that it is a table that `janitor doctor --create-state` has made, and no other"
        raise StoreError(error.sentence, way_out, error.code) from None


def _key(scope: str, name: str) -> dict[str, Attributes]:
    return {PARTITION_KEY: {"S": scope}, SORT_KEY: {"S": name}}


def _decode_record(item: Attributes) -> Record:
    content, expires_at = item.get("content", {}).get("B"), item.get(EXPIRES_AT, {}).get("N")
    return Record(content, expires_at, item.get("version"))


def _read_date(answer: Mapping[str, Any]) -> int | None:
    """Read the answer's date; None if it has none, or one without a time zone."""
    date_header = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        date = email.utils.parsedate_to_datetime(date_header)
    except (TypeError, ValueError):
        return None
    return int(date.timestamp()) if date.tzinfo is not None else None


def _is_refused_for_now(error: ClientError) -> bool:
    """Whether a write was refused only for reasons that may pass, so that it may be tried again."""
    code = error.response.get("Error", {}).get("Code", "")
    if code != _CANCELLED:
        return code in _REFUSALS
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return bool(reasons) and {reason.get("Code", "None") for reason in reasons} <= _PASSING_REASONS
