"""The two ways to delete rows on condition: 25 PartiQL statements in a request, or a DeleteItem each.

Both say what became of every row, as far as the server's answer tells. Neither retries: see `delete`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from janitor.aws.errors import DENIALS, PASSING_ERRORS, PASSING_STATEMENT_ERRORS, aws_errors
from janitor.dynamodb.bodies import take_bodies
from janitor.dynamodb.conditional_write import CONDITION_FAILED, Unmet, send_on_condition
from janitor.dynamodb.decode import MAX_UNITS, Answers, StatementAnswer, answers_of
from janitor.dynamodb.target import Target
from janitor.errors import AwsError, JanitorError
from janitor.tokens.outcome import DeletionOutcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# BatchExecuteStatement takes no more.
BATCH = 25

_ENCODE = msgspec.json.Encoder().encode
_PARTIQL_CALL = "dynamodb:PartiQLDelete"


class Reply(NamedTuple):
    """What an answer tells about one row.

    Attributes:
        outcome: what became of it; None where the answer leaves that open.
        code: the server's name for what went wrong, empty for nothing.
        is_passing: whether to send it again may help.
        item: the row that was deleted, as the server hands it back.
    """

    outcome: DeletionOutcome | None
    code: str = ""
    is_passing: bool = False
    item: Mapping[str, Any] | msgspec.Raw | None = None

    def __repr__(self) -> str:
        return f"Reply({self.outcome}, {self.code})"


ALREADY_GONE = Reply(DeletionOutcome.ALREADY_GONE)
CHANGED = Reply(DeletionOutcome.CHANGED)
# Nothing was sent for it.
UNSENT = Reply(DeletionOutcome.PLANNED)
# The condition failed, and the server does not say on what: the row has changed, or is not there.
UNMET = Reply(None, "ConditionalCheckFailed")


@dataclass(slots=True)
class Replies:
    """What one sending brought.

    Attributes:
        replies: one for each row, in their order.
        write_units: what it cost.
        unanswered: why a request brought no usable answer, if one did: its rows are open, and may be gone.
        fatal: why nothing more is worth sending, if so: the rows that are still open were not touched.
    """

    replies: list[Reply]
    write_units: float = 0.0
    unanswered: JanitorError | None = None
    fatal: JanitorError | None = None

    def fail(self, error: JanitorError, rows: int) -> None:
        """Leave the next rows open, because their request failed as a whole."""
        is_passing = error.code in PASSING_ERRORS
        self.replies += [Reply(None, error.code, is_passing)] * rows
        if is_passing:
            self.unanswered = error
        else:
            self.fatal = error


class Way(Protocol):
    """A way to delete rows on condition."""

    def send(self, targets: Sequence[Target]) -> Replies:
        """Send the deletes of at most 25 rows with different keys, and read the answers. What AWS does never raises."""


class Partiql:
    """PartiQL: one request for all rows, one statement a row."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        take_bodies(client, ["BatchExecuteStatement"])
        self._execute: Any = client.batch_execute_statement
        self._table = table

    def send(self, targets: Sequence[Target]) -> Replies:
        """As `Way.send`. A denied statement is open, and fatal; what the others of its batch did still counts."""
        sent = Replies([])
        try:
            answers = self._ask(targets)
        except JanitorError as error:
            sent.fail(error, len(targets))
            return sent
        sent.replies = [_reply(answer) for answer in answers.responses]
        sent.write_units = answers.write_units
        denied = next((reply.code for reply in sent.replies if reply.code in DENIALS), None)
        if denied is not None:
            sentence = f"{_PARTIQL_CALL} on the table {self._table} was denied"
            sent.fatal = AwsError(sentence, f"allow {_PARTIQL_CALL} on it", denied)
        return sent

    def _ask(self, targets: Sequence[Target]) -> Answers:
        statements = [target.statement(self._table) for target in targets]
        body = _ENCODE({"Statements": statements, "ReturnConsumedCapacity": "TOTAL"})
        with aws_errors(_PARTIQL_CALL, f"the table {self._table}"):
            response = self._execute(JanitorBody=body)
        answers = answers_of(response, _PARTIQL_CALL)
        if len(answers.responses) != len(targets):
            sentence = f"{_PARTIQL_CALL}: {len(answers.responses)} results for {len(targets)} statements"
            raise AwsError(sentence, "run it again", "corrupt-answer")
        return answers


def _reply(answer: StatementAnswer) -> Reply:
    error = answer.error
    if error is None:
        # A DELETE of a missing row succeeds, and hands nothing back (DynamoDB developer guide, PartiQL DELETE).
        return ALREADY_GONE if answer.item is msgspec.UNSET else Reply(DeletionOutcome.DELETED, item=answer.item)
    if error.code in CONDITION_FAILED:
        return UNMET if error.item is msgspec.UNSET else CHANGED
    if error.code in PASSING_STATEMENT_ERRORS:
        return Reply(None, error.code, is_passing=True)
    return Reply(None if error.code in DENIALS else DeletionOutcome.FAILED, error.code)


class Items:
    """DeleteItem: a request a row, one after the other."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        take_bodies(client, ["DeleteItem"])
        self._delete: Any = client.delete_item
        self._table = table

    def send(self, targets: Sequence[Target]) -> Replies:
        """As `Way.send`: a row without an answer does not keep the next from being sent; a denied one does."""
        sent = Replies([])
        for position, target in enumerate(targets):
            try:
                reply, units = self._send(target)
            except JanitorError as error:
                sent.fail(error, 1)
            else:
                sent.replies.append(reply)
                sent.write_units += units
            if sent.fatal is not None:
                sent.fail(sent.fatal, len(targets) - position - 1)
                break
        return sent

    def _send(self, target: Target) -> tuple[Reply, float]:
        body = target.delete_item(self._table)
        response = send_on_condition(self._delete, body, "dynamodb:DeleteItem", self._table)
        if isinstance(response, Unmet):
            # The table's part of the write is paid for all the same, and an error does not say how much that is.
            return (UNMET if response.standing is None else CHANGED), float(target.write_units)
        units = response.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
        if not (isinstance(units, int | float) and 0 <= units < MAX_UNITS):
            # It says nothing of the row, so what became of that still counts.
            units = float(target.write_units)
        old = response.get("Attributes")
        # A DeleteItem on condition never succeeds without a row, so an answer without one was cut short.
        reply = Reply(DeletionOutcome.DELETED, item=old) if old else Reply(None, "corrupt-answer", is_passing=True)
        return reply, units
