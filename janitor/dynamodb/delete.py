"""Rows to conditional deletes to an outcome each.

    targets ──budget──send──> replies ──passing──> wait, send those again ──> still open ──look──> outcome
                                 └───settled──────────────────────────────────────────────────────────┘

A 200 answer does not mean that every statement worked, and botocore retries requests, never statements. So every
statement's reply is read; throttled and broken ones are sent again, those alone, with exponential backoff and full
jitter. A row whose outcome an answer leaves open, because its condition failed without a word on why, or because the
answer was lost after the server may have acted, is looked at: what counts is what the table holds.

Each request waits until the write budget lets it through, and names fewer rows where 25 would take more of it than one
should. A statement that the server throttled brings the budget's rate down for every thread (see `Aws.on_throttle`).
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from janitor.aws.errors import DENIALS, UNKNOWN_OPERATIONS
from janitor.backoff import Backoff
from janitor.dynamodb.bodies import guard_bodies
from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.read_row import read_row
from janitor.dynamodb.statements import UNSENT, Items, Partiql, Replies, Reply, Way
from janitor.dynamodb.target import Target
from janitor.errors import JanitorError, StoreError
from janitor.logs import get_logger
from janitor.tokens.outcome import DeletionOutcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = get_logger("janitor.delete")

LEASE_LOST = "lease-lost"

_BYTES_OF_A_READ_UNIT = 4096

# Sends of one statement, the first included, and of a request that brings no usable answer, each of which botocore has
# tried several times already.
_ROUNDS = 9
_UNANSWERED_ROUNDS = 3
# About three seconds over all rounds.
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
# How long a wait for the budget goes on before the lease is looked at again.
_WAKE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one row.

    Attributes:
        outcome: that.
        code: the server's name for what went wrong, empty for nothing.
        item: the deleted row as DynamoDB JSON, if it went as another than was seen, in what no condition names.
    """

    outcome: DeletionOutcome
    code: str = ""
    item: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of each row of a batch, in their order.

    Attributes:
        fatal: why nothing more is worth sending; None as long as it is.
    """

    settled: list[Settled]
    fatal: JanitorError | None = None


class Deleter:
    """Deletes rows of one table on condition. Threads may share it.

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
        """Prepare; nothing is sent.

        Args:
            client: made with the page parser.
            table: the table's name.
            api: `partiql`, `item`, or `auto` for PartiQL until it is denied or unknown.
            pause: waits so many seconds, and says True when the run was asked to stop.
            jitter: spreads the retries; None for one of its own.
            may_go_on: False from the moment on when no delete may be sent any more, not even once more.
            budgets: what the deletes and looks may cost; None for as much as the table gives.
        """
        self.write_units = 0.0
        self._may_go_on = may_go_on
        guard_bodies(client, ("BatchExecuteStatement", "DeleteItem"), self._check_lease)
        self._client = client
        self._table = table
        self._pause = pause
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, jitter)
        self._budgets = budgets or Budgets.unlimited(time.monotonic)
        self._items = Items(client, table)
        self._way: Way = self._items if api == "item" else Partiql(client, table)
        self._may_fall_back = api == "auto"
        self._lock = threading.Lock()

    def delete(self, targets: Sequence[Target]) -> BatchResult:
        """Delete at most 25 rows with different keys, each if its conditions are met. Never raises for what AWS does.

        Returns:
            an outcome for each: `deleted`, `changed`, `already_gone` or `failed`; `planned` where nothing was sent.
        """
        replies = [Reply(None)] * len(targets)
        waiting = list(range(len(targets)))
        fatal: JanitorError | None = None
        unanswered = 0
        for number in range(_ROUNDS):
            if number and self._pause(self._backoff.seconds(number)):
                break
            sent = self._send_within_budget([targets[position] for position in waiting])
            for position, reply in zip(waiting, sent.replies, strict=True):
                if reply is not UNSENT or not number:
                    replies[position] = reply
            fatal = sent.fatal
            unanswered += sent.unanswered is not None
            waiting = [position for position in waiting if replies[position].is_passing]
            if fatal is not None or not waiting or unanswered == _UNANSWERED_ROUNDS or UNSENT in sent.replies:
                break
        settled = [self._settled(target, reply, fatal) for target, reply in zip(targets, replies, strict=True)]
        return BatchResult(settled, fatal)

    def _send_within_budget(self, targets: Sequence[Target]) -> Replies:
        """Send the deletes in as many requests as the budget asks for; none more after one that was in vain."""
        together = Replies([])
        for part, units in self._parts(targets):
            if together.fatal is not None:
                together.fail(together.fatal, len(part))
                continue
            if UNSENT in together.replies or not self._budgets.writes.take(units, self._wait):
                together.replies += [UNSENT] * len(part)
                continue
            sent = self._send(part)
            self._budgets.writes.settle(units, sent.write_units or units)
            together.replies += sent.replies
            together.unanswered = sent.unanswered or together.unanswered
            together.fatal = sent.fatal
        return together

    def _parts(self, targets: Sequence[Target]) -> Iterator[tuple[list[Target], float]]:
        """The rows of each request, and the write units that these will cost at most."""
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
        way = self._way
        sent = way.send(targets)
        error = sent.fatal
        is_refused = error is not None and error.code in DENIALS | UNKNOWN_OPERATIONS
        if error is not None and is_refused and way is not self._items and self._may_fall_back:
            self._fall_back(error)
            sent = self._sent_one_by_one(targets, sent)
        with self._lock:
            self.write_units += sent.write_units
        return sent

    def _sent_one_by_one(self, targets: Sequence[Target], refused: Replies) -> Replies:
        """Send again what a refused batch left open, and nothing that it settled."""
        still_open = [position for position, reply in enumerate(refused.replies) if reply.outcome is None]
        sent = self._items.send([targets[position] for position in still_open])
        replies = list(refused.replies)
        for position, reply in zip(still_open, sent.replies, strict=True):
            replies[position] = reply
        return Replies(replies, refused.write_units + sent.write_units, sent.unanswered, sent.fatal)

    def _fall_back(self, error: JanitorError) -> None:
        with self._lock:
            if self._way is not self._items:
                log.warning("delete.without_partiql", code=error.code, error=str(error), instead="DeleteItem")
            self._way = self._items

    def _check_lease(self) -> None:
        if not self._may_go_on():
            raise StoreError("the lease of the table was lost", "run it again", LEASE_LOST)

    def _settled(self, target: Target, reply: Reply, fatal: JanitorError | None) -> Settled:
        if reply.outcome is not None:
            return Settled(
                reply.outcome, reply.code, None if reply.item is None else target.other_than_seen(reply.item)
            )
        if fatal is not None and reply.code == fatal.code and fatal.code != LEASE_LOST:
            return Settled(DeletionOutcome.FAILED, reply.code)
        try:
            outcome = self._looked(target)
        except JanitorError as error:
            log.warning("delete.not_looked_at", code=error.code, error=str(error))
            return Settled(DeletionOutcome.FAILED, reply.code or error.code)
        return Settled(outcome, reply.code if outcome is DeletionOutcome.FAILED else "")

    def _looked(self, target: Target) -> DeletionOutcome:
        units = float(-(-len(target.item) // _BYTES_OF_A_READ_UNIT))
        # A look is worth its units even when the run is about to end: it says what became of the row.
        self._budgets.reads.take(units, self._wait)
        item = read_row(self._client, self._table, msgspec.json.decode(target.key))
        if item is None:
            return DeletionOutcome.ALREADY_GONE
        return DeletionOutcome.FAILED if target.is_met_by(item) else DeletionOutcome.CHANGED
