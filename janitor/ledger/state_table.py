"""Calls to the state table: items by their names, repeated where the server says that it was too busy.

Only calls whose answers botocore parses. janitor's client decodes those of Scan, Query, GetItem and
BatchExecuteStatement itself, in a way that is the token table's and not known here: one item is read with
BatchGetItem too. And only three permissions, which `open` proves: dynamodb:BatchGetItem, dynamodb:UpdateItem (a
transaction of updates asks for the same) and dynamodb:DeleteItem.
"""

import email.utils
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from janitor.aws_errors import DENIALS, NOT_FOUND, PASSING_STATEMENT_ERRORS, aws_errors
from janitor.errors import JanitorError, StoreError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION_KEY = "scope"
SORT_KEY = "item"
EXPIRES_AT = "expiresAt"

MOST_KEYS = 100  # of one BatchGetItem, and updates of one TransactWriteItems
# Sends of what the server left undone, the first included; botocore has repeated each of its requests several times.
ROUNDS = 9
# Full jitter, as for deletes: about three seconds over all rounds.
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0

CONDITION_FAILED = "ConditionalCheckFailed"
_DONE = "None"
_CANCELLED = "TransactionCanceledException"
_IN_PROGRESS = "TransactionInProgressException"
_WRONG_KEY = "ValidationException"

_READ = "dynamodb:BatchGetItem"
_WRITE = "dynamodb:UpdateItem"
_DELETE = "dynamodb:DeleteItem"
_PERMISSIONS = f"{_READ}, {_WRITE} and {_DELETE}"

_NAME = re.compile(r"#(\w+)").findall

Attributes = Mapping[str, Any]
"""An item, or values of an expression, as boto3's client has them: `{"at": {"N": "1"}}`."""


class StateTable:
    """One table, and the items of one scope in it. Every method raises StoreError where DynamoDB refuses.

    Attributes:
        answered_at: the server's UNIX second at the last answer to `get`; None before one, or where it had no date.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        scope: str,
        *,
        wait: Callable[[float], object] = time.sleep,
        jitter: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            client: of the run.
            table: the table's name.
            scope: the partition key of every item.
            wait: waits so many seconds.
            jitter: spreads the retries.
        """
        # Typed as they are used: an answer that was cut short lacks what the stubs promise.
        self._client: Any = client
        self._scope = scope
        self._wait = wait
        self._jitter = jitter or random.Random()  # noqa: S311  # no secret comes of it
        self.table = table
        self.answered_at: int | None = None

    def get(self, items: Sequence[str]) -> dict[str, Attributes]:
        """Those of at most 100 different items that are there, as they are after every write before."""
        found: dict[str, Attributes] = {}
        keys: Sequence[Attributes] = [self._key(item) for item in items]
        for _ in self.rounds(_READ):
            with self.errors(_READ):
                request = {self.table: {"Keys": keys, "ConsistentRead": True}}
                answer = self._client.batch_get_item(RequestItems=request)
                self.answered_at = _second_of(answer)
                # An answer that was cut short on every try comes without any of its parts, as if nothing was there.
                for attributes in answer["Responses"].get(self.table, ()):
                    found[attributes[SORT_KEY]["S"]] = attributes
                keys = answer.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys", ())
            if not keys:
                break
        return found

    def update(self, item: str, expression: str, values: Attributes, condition: str | None = None) -> bool:
        """Update or make an item; False where its condition is not met."""
        with self.errors(_WRITE):
            try:
                self._client.update_item(**self.to_update(item, expression, values, condition))
            except ClientError as error:
                if _code(error) != f"{CONDITION_FAILED}Exception":
                    raise
                return False
        return True

    def update_together(self, updates: Sequence[Attributes]) -> list[str] | None:
        """Make at most 100 updates of different items (`to_update`), all of them or none.

        Returns:
            None when they are made; otherwise a code for each: `ConditionalCheckFailed`, or one that says nothing of
            this update, which is worth another try.
        """
        with self.errors(_WRITE):
            try:
                self._client.transact_write_items(TransactItems=[{"Update": update} for update in updates])
            except ClientError as error:
                if _code(error) == _IN_PROGRESS:
                    return [_DONE] * len(updates)
                if _code(error) != _CANCELLED:
                    raise
                return _passing_codes(error)
        return None

    def to_update(
        self, item: str, expression: str, values: Attributes, condition: str | None = None
    ) -> dict[str, object]:
        """The update of an item. Attributes stand in the texts as `#name`, and the values as `:name`."""
        request: dict[str, object] = {
            "TableName": self.table,
            "Key": self._key(item),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": {f"#{name}": name for name in _NAME(f"{expression} {condition}")},
            "ExpressionAttributeValues": values,
        }
        return request if condition is None else {**request, "ConditionExpression": condition}

    def delete(self, item: str) -> None:
        """Delete an item, if it is there."""
        with self.errors(_DELETE):
            self._client.delete_item(TableName=self.table, Key=self._key(item))

    def rounds(self, call: str) -> Iterator[int]:
        """Numbers of tries, with a growing pause between; to be left by whoever has succeeded.

        Raises:
            StoreError: none of them did.
        """
        for number in range(ROUNDS):
            if number:
                longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0**number)
                self._wait(self._jitter.uniform(0, longest))
            yield number
        sentence = f"{call} on the state table {self.table} was left undone {ROUNDS} times"
        raise StoreError(sentence, "try again later", "throttled")

    @contextmanager
    def errors(self, call: str) -> Iterator[None]:
        """Turn botocore's errors inside the block into StoreError."""
        with ledger_errors(call, self.table, _PERMISSIONS):
            yield

    def _key(self, item: str) -> dict[str, Attributes]:
        return {PARTITION_KEY: {"S": self._scope}, SORT_KEY: {"S": item}}


@contextmanager
def ledger_errors(call: str, table: str, permissions: str) -> Iterator[None]:
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


def _second_of(answer: Mapping[str, Any]) -> int | None:
    """The answer's date; None where it has none that names its time zone, as HTTP's do."""
    stamp = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        date = email.utils.parsedate_to_datetime(stamp)
    except (TypeError, ValueError):
        return None
    return int(date.timestamp()) if date.tzinfo is not None else None


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _passing_codes(error: ClientError) -> list[str]:
    """Why each part of a transaction was refused, if none of the reasons is there to stay; else the error is raised."""
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    codes = [reason.get("Code", _DONE) for reason in reasons]
    if not codes or not {*codes} <= {_DONE, CONDITION_FAILED, *PASSING_STATEMENT_ERRORS}:
        raise error
    return codes
