"""One write of one row on a condition, and what became of it where its answer leaves that open.

botocore sends again what brought no answer: the condition of such a write may have failed because its first send was
carried out. And a request without any usable answer may have been carried out too. What counts then is what the table
holds: where the row is as the write leaves it, the write is done.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from botocore.exceptions import ClientError

from janitor.aws.errors import PASSING_ERRORS, aws_errors
from janitor.dynamodb.bodies import take_bodies
from janitor.dynamodb.read_row import read_row
from janitor.errors import JanitorError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Of a request, and of one statement of a batch.
CONDITION_FAILED = frozenset({"ConditionalCheckFailedException", "ConditionalCheckFailed"})


class Unmet(NamedTuple):
    """The condition failed.

    Attributes:
        standing: the row as it is; None where the server does not say.
        was_sent_again: whether an earlier send may have done the work.
    """

    standing: Mapping[str, Any] | None
    was_sent_again: bool


def send_on_condition(send: Callable[..., Any], body: bytes, call: str, table: str) -> Mapping[str, Any] | Unmet:
    """Send a write whose condition may fail.

    Args:
        send: the client's method, which takes bodies (`take_bodies`).
        body: the request, which asks for the row where its condition fails.
        call: the permission's name for it.
        table: the table's name.

    Returns:
        the answer, or that the condition failed.

    Raises:
        AwsError: DynamoDB refused or could not be reached.
    """
    with aws_errors(call, f"the table {table}"):
        try:
            answer: Mapping[str, Any] = send(JanitorBody=body)
        except ClientError as error:
            if error.response["Error"]["Code"] not in CONDITION_FAILED:
                raise
            response: Mapping[str, Any] = error.response
            return Unmet(response.get("Item"), bool(response.get("ResponseMetadata", {}).get("RetryAttempts")))
    return answer


class WriteEnd(NamedTuple):
    """What became of a write.

    Attributes:
        is_done: whether the row stands as the write leaves it.
        was_seen: where it is not done, whether `standing` is what the table holds.
        standing: that row, as DynamoDB JSON; None for none.
        error: what the write, or the look at the row after it, failed with.
        unseen: what the look failed with, where nobody can tell whether the write is done.
    """

    is_done: bool = False
    was_seen: bool = False
    standing: Mapping[str, Any] | None = None
    error: JanitorError | None = None
    unseen: JanitorError | None = None


class ConditionalWriter:
    """Writes rows of one table on condition. Threads may share it."""

    def __init__(self, client: "DynamoDBClient", table: str, operation: Literal["PutItem", "UpdateItem"]) -> None:
        """Prepare; nothing is sent. The client is one that was made with the page parser."""
        take_bodies(client, [operation])
        self._client = client
        self._table = table
        self._call = f"dynamodb:{operation}"
        self._send = client.put_item if operation == "PutItem" else client.update_item

    def write(self, body: bytes, key: Any, is_as_written: Callable[[Mapping[str, Any]], bool]) -> WriteEnd:
        """Write a row. What AWS does never raises.

        Args:
            body: the request, which asks for the row where its condition fails.
            key: the row's, as DynamoDB JSON.
            is_as_written: whether a row, as botocore or JSON has it, is as the write leaves it.
        """
        try:
            answer = send_on_condition(self._send, body, self._call, self._table)
        except JanitorError as error:
            if error.code not in PASSING_ERRORS:
                return WriteEnd(error=error)
            return self._look(key, is_as_written, may_be_done=True, error=error)
        if not isinstance(answer, Unmet):
            return WriteEnd(is_done=True)
        if answer.standing is None:
            return self._look(key, is_as_written, may_be_done=answer.was_sent_again)
        if answer.was_sent_again and is_as_written(answer.standing):
            return WriteEnd(is_done=True)
        return WriteEnd(was_seen=True, standing=answer.standing)

    def _look(
        self,
        key: Any,
        is_as_written: Callable[[Mapping[str, Any]], bool],
        *,
        may_be_done: bool,
        error: JanitorError | None = None,
    ) -> WriteEnd:
        """Look at the row, because the answer left open what became of it; `error` is why, if it was one."""
        try:
            standing = read_row(self._client, self._table, key)
        except JanitorError as unseen:
            return WriteEnd(error=error or unseen, unseen=unseen if may_be_done else None)
        if may_be_done and standing is not None and is_as_written(standing):
            return WriteEnd(is_done=True)
        return WriteEnd(was_seen=True, standing=standing, error=error)
