"""The two ways to delete rows on conditions: 25 PartiQL statements in one request, or a DeleteItem for each row.

Both say what became of every row, as far as the server's answer tells. Neither retries; `delete.Deleter` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from janitor.aws.errors import DENIALS, TRANSIENT_ERRORS, TRANSIENT_STATEMENT_ERRORS, aws_errors
from janitor.dynamodb.conditional_write import CONDITION_FAILED, UnmetCondition, send_on_condition
from janitor.dynamodb.decode import MAX_UNITS, BatchAnswer, StatementAnswer, batch_answer_of
from janitor.dynamodb.raw_bodies import accept_raw_bodies
from janitor.dynamodb.target import Target
from janitor.errors import AwsError, JanitorError
from janitor.tokens.deletion_outcome import DeletionOutcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# BatchExecuteStatement takes no more.
BATCH = 25

_ENCODE = msgspec.json.Encoder().encode
_PARTIQL_CALL = "dynamodb:PartiQLDelete"


class Reply(NamedTuple):
    """What an answer tells about one row.

    Attributes:
        outcome: what became of the row; None if the answer leaves that open.
        code: the server's error code, empty for none.
        is_transient: whether the failure is temporary, so that sending again may help.
        item: the deleted row, as the server returned it.
    """

    outcome: DeletionOutcome | None
    code: str = ""
    is_transient: bool = False
    item: Mapping[str, Any] | msgspec.Raw | None = None

    def __repr__(self) -> str:
        return f"Reply({self.outcome}, {self.code})"


ALREADY_GONE = Reply(DeletionOutcome.ALREADY_GONE)
CHANGED = Reply(DeletionOutcome.CHANGED)
# No request was sent for the row.
UNSENT = Reply(DeletionOutcome.PLANNED)
# The condition failed, and the server did not return the row: it has changed, or there is none.
UNMET = Reply(None, "ConditionalCheckFailed")


@dataclass(slots=True)
class Replies:
    """The replies to the deletes of some rows.

    Attributes:
        replies: one for each row, in their order.
        write_units: what the deletes cost.
        no_answer_error: why a request got no usable answer, if one did not; its rows are open, and may be deleted.
        fatal_error: why nothing more is worth sending, if so; the rows that are still open were not touched.
    """

    replies: list[Reply]
    write_units: float = 0.0
    no_answer_error: JanitorError | None = None
    fatal_error: JanitorError | None = None

    def fail(self, error: JanitorError, rows: int) -> None:
        """Leave the next `rows` rows open, because their request failed as a whole."""
        is_transient = error.code in TRANSIENT_ERRORS
        self.replies += [Reply(None, error.code, is_transient)] * rows
        if is_transient:
            self.no_answer_error = error
        else:
            self.fatal_error = error


class DeleteMethod(Protocol):
    """A way to delete rows on conditions."""

    def send(self, targets: Sequence[Target]) -> Replies:
        """Send the deletes of at most 25 rows with different keys, and read the answers.

        Never raises for a failure of AWS.
        """


class PartiqlDeletes:
    """Deletes by PartiQL: one request for all rows, one statement a row."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        accept_raw_bodies(client, ["BatchExecuteStatement"])
        self._execute: Any = client.batch_execute_statement
        self._table = table

    def send(self, targets: Sequence[Target]) -> Replies:
        """Send all deletes in one request. A denied statement is fatal, and its row open; other replies still count."""
        sent = Replies([])
        try:
            answers = self._ask(targets)
        except JanitorError as error:
            sent.fail(error, len(targets))
            return sent
        sent.replies = [_reply_of(answer) for answer in answers.responses]
        sent.write_units = answers.write_units
        denied = next((reply.code for reply in sent.replies if reply.code in DENIALS), None)
        if denied is not None:
            sentence = f"{_PARTIQL_CALL} on the table {self._table} was denied"
            sent.fatal_error = AwsError(sentence, f"allow {_PARTIQL_CALL} on it", denied)
        return sent

    def _ask(self, targets: Sequence[Target]) -> BatchAnswer:
        statements = [target.build_delete_statement(self._table) for target in targets]
        body = _ENCODE({"Statements": statements, "ReturnConsumedCapacity": "TOTAL"})
        with aws_errors(_PARTIQL_CALL, f"the table {self._table}"):
            response = self._execute(JanitorBody=body)
        answers = batch_answer_of(response, _PARTIQL_CALL)
        if len(answers.responses) != len(targets):
            sentence = f"{_PARTIQL_CALL}: {len(answers.responses)} results for {len(targets)} statements"
            raise AwsError(sentence, "run it again", "corrupt-answer")
        return answers


def _reply_of(answer: StatementAnswer) -> Reply:
    error = answer.error
    if error is None:
        # A DELETE of a missing row succeeds, and returns nothing (DynamoDB developer guide, PartiQL DELETE).
        return ALREADY_GONE if answer.item is msgspec.UNSET else Reply(DeletionOutcome.DELETED, item=answer.item)
    if error.code in CONDITION_FAILED:
        return UNMET if error.item is msgspec.UNSET else CHANGED
    if error.code in TRANSIENT_STATEMENT_ERRORS:
        return Reply(None, error.code, is_transient=True)
    return Reply(None if error.code in DENIALS else DeletionOutcome.FAILED, error.code)


class ItemDeletes:
    """Deletes by DeleteItem: one request a row, one after the other."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        accept_raw_bodies(client, ["DeleteItem"])
        self._delete: Any = client.delete_item
        self._table = table

    def send(self, targets: Sequence[Target]) -> Replies:
        """Send the deletes one after the other. A missing answer does not stop that; a denial does."""
        sent = Replies([])
        for position, target in enumerate(targets):
            try:
                reply, units = self._send(target)
            except JanitorError as error:
                sent.fail(error, 1)
            else:
                sent.replies.append(reply)
                sent.write_units += units
            if sent.fatal_error is not None:
                sent.fail(sent.fatal_error, len(targets) - position - 1)
                break
        return sent

    def _send(self, target: Target) -> tuple[Reply, float]:
        body = target.build_delete_item(self._table)
        response = send_on_condition(self._delete, body, "dynamodb:DeleteItem", self._table)
        if isinstance(response, UnmetCondition):
            # The table's part of the write is paid for nevertheless, and an error does not say how much that is.
            return (UNMET if response.current_row is None else CHANGED), float(target.write_units)
        units = response.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
        if not (isinstance(units, int | float) and 0 <= units < MAX_UNITS):
            # The number is wrong, but the rest of the answer still says what became of the row.
            units = float(target.write_units)
        old = response.get("Attributes")
        # A DeleteItem on a condition never succeeds without a row, so an answer without one was truncated.
        reply = Reply(DeletionOutcome.DELETED, item=old) if old else Reply(None, "corrupt-answer", is_transient=True)
        return reply, units
