"""Delete rows on conditions, and find out the outcome of each.

    targets ──budget──send──> replies ──failed for now──> wait, send those again ──> still open ──read row──> outcome
                                 └───outcome known──────────────────────────────────────────────────────────────┘

The status 200 does not mean that every statement worked, and botocore retries requests, never statements. So every
statement's reply is read; only those that were throttled or failed for the moment are sent again, with exponential
backoff and full jitter. If an answer leaves a row's outcome open, because its condition failed without a reason or
because the answer was lost after the server may have acted, the row is read: the table decides.

Each request waits for the write budget, and names fewer rows if 25 would take too large a share of it. A statement
that the server throttles lowers the budget's rate for every thread (see `AwsSession.on_throttle`).
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from janitor.aws.errors import DENIALS, UNKNOWN_OPERATIONS
from janitor.backoff import Backoff
from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.delete_methods import UNSENT, DeleteMethod, ItemDeletes, PartiqlDeletes, Replies, Reply
from janitor.dynamodb.raw_bodies import check_before_send
from janitor.dynamodb.read_row import read_row
from janitor.dynamodb.target import Target
from janitor.errors import JanitorError, StoreError
from janitor.logs import get_logger
from janitor.tokens.deletion_outcome import DeletionOutcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = get_logger("janitor.delete")

LEASE_LOST = "lease-lost"

_BYTES_OF_A_READ_UNIT = 4096

# How often one statement is sent, the first time included; and how often a request that gets no usable answer, each
# time after several tries by botocore.
_ROUNDS = 9
_UNANSWERED_ROUNDS = 3
# About three seconds over all rounds.
_FIRST_PAUSE_SECONDS = 0.05
_MAX_PAUSE_SECONDS = 2.0
# A wait for the budget is cut into pieces, between which the lease is checked.
_WAKE_SECONDS = 0.2


class RowResult(msgspec.Struct, frozen=True, gc=False):
    """What became of one row.

    Attributes:
        outcome: the outcome of its delete.
        code: the server's error code, empty for none.
        item: the deleted row as DynamoDB JSON, if it had changed in attributes that no condition names.
    """

    outcome: DeletionOutcome
    code: str = ""
    item: bytes | None = None

    def __repr__(self) -> str:
        return f"RowResult({self.outcome}, {self.code})"


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of each row of a batch.

    Attributes:
        rows: one result for each row, in their order.
        fatal_error: why no further batch is worth sending; None if it is.
    """

    rows: list[RowResult]
    fatal_error: JanitorError | None = None


class Deleter:
    """Deletes rows of one table on conditions. Thread-safe.

    Attributes:
        write_units: what the deletes have cost so far.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        api: str,
        pause: Callable[[float], bool],
        jitter: random.Random | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
        budgets: Budgets | None = None,
    ) -> None:
        """Prepare; sends nothing.

        Args:
            client: made with the page parser.
            table: the table's name.
            api: `partiql`, `item`, or `auto` for PartiQL until it is denied or unknown.
            pause: waits so many seconds, and returns True when the run was asked to stop.
            jitter: spreads the retries; None for a new one.
            may_go_on: returns False once no delete may be sent any more, not even as a retry.
            budgets: what deletes and reads may cost; None for no limit.
        """
        self.write_units = 0.0
        self._may_go_on = may_go_on
        check_before_send(client, ("BatchExecuteStatement", "DeleteItem"), self._check_lease)
        self._client = client
        self._table = table
        self._pause = pause
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS, jitter)
        self._budgets = budgets or Budgets.unlimited(time.monotonic)
        self._item_deletes = ItemDeletes(client, table)
        self._method: DeleteMethod = self._item_deletes if api == "item" else PartiqlDeletes(client, table)
        self._may_fall_back = api == "auto"
        self._lock = threading.Lock()

    def delete(self, targets: Sequence[Target]) -> BatchResult:
        """Delete at most 25 rows with different keys, each if its conditions are met. Never raises when AWS fails.

        Returns:
            an outcome for each: `deleted`, `changed`, `already_gone` or `failed`; `planned` if nothing was sent.
        """
        replies = [Reply(None)] * len(targets)
        waiting = list(range(len(targets)))
        fatal_error: JanitorError | None = None
        unanswered = 0
        for number in range(_ROUNDS):
            if number and self._pause(self._backoff.seconds(number)):
                break
            sent = self._send_within_budget([targets[position] for position in waiting])
            for position, reply in zip(waiting, sent.replies, strict=True):
                if reply is not UNSENT or not number:
                    replies[position] = reply
            fatal_error = sent.fatal_error
            unanswered += sent.no_answer_error is not None
            waiting = [position for position in waiting if replies[position].is_transient]
            if fatal_error is not None or not waiting or unanswered == _UNANSWERED_ROUNDS or UNSENT in sent.replies:
                break
        rows = [self._find_result(target, reply, fatal_error) for target, reply in zip(targets, replies, strict=True)]
        return BatchResult(rows, fatal_error)

    def _send_within_budget(self, targets: Sequence[Target]) -> Replies:
        """Send the deletes in as many requests as the budget asks for; stop after the first fatal error."""
        combined = Replies([])
        for part, units in self._split_by_budget(targets):
            if combined.fatal_error is not None:
                combined.fail(combined.fatal_error, len(part))
                continue
            if UNSENT in combined.replies or not self._budgets.writes.take(units, self._wait):
                combined.replies += [UNSENT] * len(part)
                continue
            sent = self._send(part)
            self._budgets.writes.correct(units, sent.write_units or units)
            combined.replies += sent.replies
            combined.no_answer_error = sent.no_answer_error or combined.no_answer_error
            combined.fatal_error = sent.fatal_error
        return combined

    def _split_by_budget(self, targets: Sequence[Target]) -> Iterator[tuple[list[Target], float]]:
        """Yield the rows of each request, and the most write units that they will cost."""
        share = self._budgets.writes.share
        part: list[Target] = []
        units = 0.0
        for target in targets:
            cost = float(target.write_units * self._budgets.copies)
            if part and share is not None and units + cost > share:
                yield part, units
                part, units = [], 0.0
            part.append(target)
            units += cost
        if part:
            yield part, units

    def _wait(self, seconds: float) -> bool:
        return self._pause(min(seconds, _WAKE_SECONDS))

    def _send(self, targets: Sequence[Target]) -> Replies:
        method = self._method
        sent = method.send(targets)
        error = sent.fatal_error
        is_refused = error is not None and error.code in DENIALS | UNKNOWN_OPERATIONS
        if error is not None and is_refused and method is not self._item_deletes and self._may_fall_back:
            self._fall_back(error)
            sent = self._send_one_by_one(targets, sent)
        with self._lock:
            self.write_units += sent.write_units
        return sent

    def _send_one_by_one(self, targets: Sequence[Target], refused: Replies) -> Replies:
        """Send again the rows that a refused batch left open, and only those."""
        still_open = [position for position, reply in enumerate(refused.replies) if reply.outcome is None]
        sent = self._item_deletes.send([targets[position] for position in still_open])
        replies = list(refused.replies)
        for position, reply in zip(still_open, sent.replies, strict=True):
            replies[position] = reply
        return Replies(replies, refused.write_units + sent.write_units, sent.no_answer_error, sent.fatal_error)

    def _fall_back(self, error: JanitorError) -> None:
        with self._lock:
            if self._method is not self._item_deletes:
                log.warning("delete.without_partiql", code=error.code, error=str(error), instead="DeleteItem")
            self._method = self._item_deletes

    def _check_lease(self) -> None:
        if not self._may_go_on():
            raise StoreError("the lease of the table was lost", "run it again", LEASE_LOST)

    def _find_result(self, target: Target, reply: Reply, fatal_error: JanitorError | None) -> RowResult:
        if reply.outcome is not None:
            item = None if reply.item is None else target.find_difference(reply.item)
            return RowResult(reply.outcome, reply.code, item)
        if fatal_error is not None and reply.code == fatal_error.code and fatal_error.code != LEASE_LOST:
            return RowResult(DeletionOutcome.FAILED, reply.code)
        try:
            outcome = self._read_outcome(target)
        except JanitorError as error:
            log.warning("delete.not_looked_at", code=error.code, error=str(error))
            return RowResult(DeletionOutcome.FAILED, reply.code or error.code)
        return RowResult(outcome, reply.code if outcome is DeletionOutcome.FAILED else "")

    def _read_outcome(self, target: Target) -> DeletionOutcome:
        units = float(-(-len(target.item) // _BYTES_OF_A_READ_UNIT))
        # The row is read even if the run is about to end: nothing else says what became of it.
        self._budgets.reads.take(units, self._wait)
        item = read_row(self._client, self._table, msgspec.json.decode(target.key))
        if item is None:
            return DeletionOutcome.ALREADY_GONE
        return DeletionOutcome.FAILED if target.are_conditions_met_by(item) else DeletionOutcome.CHANGED
