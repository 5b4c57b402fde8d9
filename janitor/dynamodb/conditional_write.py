"""Write one row on a condition, and find out what became of it even if the answer does not say.

botocore resends a request that got no answer, so a condition may fail because the first send was already carried out.
A request without any usable answer may have been carried out too. In both cases the table decides: if the row is as the
write would leave it, the write is done.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from botocore.exceptions import ClientError

from janitor.aws.errors import TRANSIENT_ERRORS, aws_errors
from janitor.dynamodb.raw_bodies import accept_raw_bodies
from janitor.dynamodb.read_row import read_row
from janitor.errors import JanitorError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The codes of a failed condition: of a request, and of one statement of a batch.
CONDITION_FAILED = frozenset({"ConditionalCheckFailedException", "ConditionalCheckFailed"})


class UnmetCondition(NamedTuple):
    """The condition of a write failed.

    Attributes:
        current_row: the row as it is now; None if the server does not return it.
        was_sent_again: whether an earlier send of the request may have carried it out.
    """

    current_row: Mapping[str, Any] | None
    was_sent_again: bool


def send_on_condition(
    send: Callable[..., Any], body: bytes, call: str, table: str
) -> Mapping[str, Any] | UnmetCondition:
    """Send a write whose condition may fail.

    Args:
        send: the client's method; it must accept raw bodies (`accept_raw_bodies`).
        body: the request; it asks for the row to be returned if its condition fails.
        call: the name of the permission that the request needs.
        table: the table's name.

    Returns:
        the answer, or an `UnmetCondition`.

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
            return UnmetCondition(response.get("Item"), bool(response.get("ResponseMetadata", {}).get("RetryAttempts")))
    return answer


class WriteResult(NamedTuple):
    """What became of a write.

    Attributes:
        is_done: whether the row is as the write leaves it.
        was_read: if the write is not done, whether `current_row` is known.
        current_row: the row that the table holds, as DynamoDB JSON; None for none.
        error: why the write failed, or the read of the row after it.
        read_error: why that read failed, if nobody can tell whether the write is done.
    """

    is_done: bool = False
    was_read: bool = False
    current_row: Mapping[str, Any] | None = None
    error: JanitorError | None = None
    read_error: JanitorError | None = None


class ConditionalWriter:
    """Writes rows of one table on a condition. Thread-safe."""

    def __init__(self, client: "DynamoDBClient", table: str, operation: Literal["PutItem", "UpdateItem"]) -> None:
        """Prepare; sends nothing. The client must have been made with the page parser."""
        accept_raw_bodies(client, [operation])
        self._client = client
        self._table = table
        self._call = f"dynamodb:{operation}"
        self._send = client.put_item if operation == "PutItem" else client.update_item

    def write(self, body: bytes, key: Any, is_as_written: Callable[[Mapping[str, Any]], bool]) -> WriteResult:
        """Write a row. Never raises for a failure of AWS.

        Args:
            body: the request; it asks for the row to be returned if its condition fails.
            key: the row's key, as DynamoDB JSON.
            is_as_written: whether a row, from botocore or JSON, is as the write leaves it.
        """
        try:
            answer = send_on_condition(self._send, body, self._call, self._table)
        except JanitorError as error:
            if error.code not in TRANSIENT_ERRORS:
                return WriteResult(error=error)
            return self._check_row(key, is_as_written, may_be_done=True, error=error)
        if not isinstance(answer, UnmetCondition):
            return WriteResult(is_done=True)
        if answer.current_row is None:
            return self._check_row(key, is_as_written, may_be_done=answer.was_sent_again)
        if answer.was_sent_again and is_as_written(answer.current_row):
            return WriteResult(is_done=True)
        return WriteResult(was_read=True, current_row=answer.current_row)

    def _check_row(
        self,
        key: Any,
        is_as_written: Callable[[Mapping[str, Any]], bool],
        *,
        may_be_done: bool,
        error: JanitorError | None = None,
    ) -> WriteResult:
        """Read the row, because the answer does not say what became of it; `error` is why, if there was one."""
        try:
            current = read_row(self._client, self._table, key)
        except JanitorError as read_error:
            return WriteResult(error=error or read_error, read_error=read_error if may_be_done else None)
        if may_be_done and current is not None and is_as_written(current):
            return WriteResult(is_done=True)
        return WriteResult(was_read=True, current_row=current, error=error)
