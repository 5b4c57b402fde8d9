"""The ledger in a DynamoDB table.

    scope (partition key)      item (sort key)              attributes
    account/region/table       mark/NAME                    at, expiresAt
    account/region/table       record/NAME                  content, expiresAt
    account/region/table       run/PROFILE                  generation, chunks, the run's own, expiresAt
    account/region/table       chunk/GENERATION/NUMBER      data, expiresAt
    account/region/table       lease                        see `dynamodb_lease`

Every item has its time (`expiresAt`), after which it counts as absent; DynamoDB removes it some days later, where the
table's TTL is on. That also clears away what a run left that was killed half way.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from janitor.errors import LedgerError
from janitor.ledger.interface import MOST_CHUNKS, REMEMBER_SECONDS, LastRun, Mark
from janitor.ledger.state_table import CONDITION_FAILED, EXPIRES_AT, MOST_KEYS, Attributes, StateTable
from janitor.ledger.url import DynamoDbUrl
from janitor.logs import get_logger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = get_logger("janitor.ledger")

_READ = "dynamodb:BatchGetItem"
_WRITE = "dynamodb:UpdateItem"

_PROOF_SECONDS = 86_400

# A mark is made, unless one stands that is late enough and not past its time; that one is only remembered longer. A
# condition for each of the two, of which one is met.
_MARK = "SET #at = :at, #expiresAt = :until"
_IS_TO_BE_MADE = "attribute_not_exists(#at) OR #at < :moment OR #expiresAt <= :at"
_REMEMBER = "SET #expiresAt = :until"
_STANDS = "#at >= :moment AND #expiresAt > :at"

_KEEP = "SET #content = :content, #expiresAt = :until"
_LEAVE_CHUNK = "SET #data = :data, #expiresAt = :until"
_POINT = (
    "SET #generation = :generation, #chunks = :chunks, #runId = :runId, #startedAt = :startedAt, "
    "#finishedAt = :finishedAt, #outcome = :outcome, #expiresAt = :until"
)


class _Pointer(NamedTuple):
    """Where the snapshot is: its chunks have the generation in their names."""

    generation: str
    chunks: int
    run: LastRun
    expires_at: int


class DynamoDbLedger:
    """As `Ledger`, in a table that `create_table` has made."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        wait: Callable[[float], object] = time.sleep,
        jitter: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            client: of the run; it stays the caller's to close.
            table: the state table's name.
            wait: waits so many seconds, before something is tried again.
            jitter: spreads the retries.
        """
        self.location = str(DynamoDbUrl(table))
        self._client, self._name, self._wait, self._jitter = client, table, wait, jitter
        self._table: StateTable | None = None
        self._now = 0

    def open(self, scope: str, now: int) -> None:
        """As `Ledger.open`: writes, reads and deletes an item."""
        table = StateTable(self._client, self._name, scope, wait=self._wait, jitter=self._jitter)
        # Its own for every run: two may be here at once.
        proof = f"opening/{uuid4().hex}"
        table.update(proof, _MARK, {":at": _number(now), ":until": _number(now + _PROOF_SECONDS)})
        self._take_back(table, proof)
        self._table, self._now = table, now

    def _take_back(self, table: StateTable, proof: str) -> None:
        if proof not in table.get([proof]):
            sentence = f"the state table {self._name} does not give back what was just written to it"
            raise LedgerError(sentence, "see that it is no stale copy of another")
        table.delete(proof)

    def open_to_read(self, scope: str, now: int) -> None:
        """As `Ledger.open_to_read`: reads an item, whether it is there or not."""
        table = StateTable(self._client, self._name, scope, wait=self._wait, jitter=self._jitter)
        table.get(["opening"])
        self._table, self._now = table, now

    def marked(self, names: Sequence[str]) -> dict[str, Mark]:
        """As `Ledger.marked`, a hundred a request."""
        found: dict[str, Mark] = {}
        wanted = {_mark(name): name for name in names}
        for items in _hundreds([*wanted]):
            marks = self._opened.get(items)
            with self._opened.errors(_READ):
                stand = {wanted[item]: mark for item, mark in marks.items() if not self._is_over(mark)}
                found |= {name: Mark(int(mark["at"]["N"]), int(mark[EXPIRES_AT]["N"])) for name, mark in stand.items()}
        return found

    def mark(self, moments: Mapping[str, int], at: int) -> None:
        """As `Ledger.mark`: transactions of a hundred, each all or nothing.

        Not BatchWriteItem, which knows no condition: the first time would be lost to whoever comes second.
        """
        until = at + REMEMBER_SECONDS
        for names in _hundreds([*moments]):
            self._mark_together({_mark(name): moments[name] for name in names}, at, until)

    def prove(self, names: Sequence[str]) -> None:
        """As `Ledger.prove`, by one mark, for a table does not run out of room."""
        if names:
            proof = _mark(f"proof/{uuid4().hex}")
            self._mark_together({proof: self._now}, self._now, self._now + _PROOF_SECONDS)
            self._take_back(self._opened, proof)

    def snapshot(self, profile: str) -> Iterator[bytes]:
        """As `Ledger.snapshot`, a chunk a request."""
        pointer = self._pointer(profile)
        if pointer is None or pointer.expires_at <= self._now:
            return
        for number in range(pointer.chunks):
            item = _chunk(pointer.generation, number)
            attributes = self._opened.get([item]).get(item)
            if attributes is None:
                raise LedgerError(f"{self.location}: another run replaced what is being read", "run again")
            with self._opened.errors(_READ):
                data = bytes(attributes["data"]["B"])
            yield data

    def replace_snapshot(self, profile: str, chunks: Iterable[bytes], run: LastRun) -> None:
        """As `Ledger.replace_snapshot`: a new generation is written, then pointed to, then the old one deleted."""
        generation, count = uuid4().hex, 0
        until = _number(run.finished_at + REMEMBER_SECONDS)
        for count, chunk in enumerate(chunks, 1):
            self._opened.update(_chunk(generation, count - 1), _LEAVE_CHUNK, {":data": {"B": chunk}, ":until": until})
        values = {
            ":generation": {"S": generation},
            ":chunks": _number(count),
            ":runId": {"S": run.run_id},
            ":startedAt": _number(run.started_at),
            ":finishedAt": _number(run.finished_at),
            ":outcome": {"S": run.outcome},
            ":until": until,
        }
        replaced = self._point(profile, generation, values)
        if replaced is not None:
            self._delete(replaced)

    def last_run(self, profile: str) -> LastRun | None:
        """As `Ledger.last_run`."""
        pointer = self._pointer(profile)
        return None if pointer is None or pointer.expires_at <= self._now else pointer.run

    def record(self, name: str) -> bytes | None:
        """As `Ledger.record`."""
        item = _record(name)
        attributes = self._opened.get([item]).get(item)
        if attributes is None:
            return None
        with self._opened.errors(_READ):
            return None if self._is_over(attributes) else bytes(attributes["content"]["B"])

    def keep(self, name: str, content: bytes, at: int) -> None:
        """As `Ledger.keep`."""
        values = {":content": {"B": content}, ":until": _number(at + REMEMBER_SECONDS)}
        self._opened.update(_record(name), _KEEP, values)

    def forget(self, now: int) -> None:
        """Nothing: the table's TTL does it, and nobody here sees what is past its time."""

    def close(self) -> None:
        """As `Ledger.close`."""
        self._table = None

    @property
    def _opened(self) -> StateTable:
        if self._table is None:
            raise LedgerError(f"{self.location} is not open")
        return self._table

    def _is_over(self, attributes: Attributes) -> bool:
        return int(attributes[EXPIRES_AT]["N"]) <= self._now

    def _mark_together(self, moments: Mapping[str, int], at: int, until: int) -> None:
        """Mark at most a hundred items. Whoever else marks some of them at once comes before or after."""
        standing: set[str] = set()
        for _ in self._opened.rounds(_WRITE):
            updates = []
            for item, moment in moments.items():
                values = {":at": _number(at), ":until": _number(until), ":moment": _number(moment)}
                update, condition = (_REMEMBER, _STANDS) if item in standing else (_MARK, _IS_TO_BE_MADE)
                updates.append(self._opened.to_update(item, update, values, condition))
            codes = self._opened.update_together(updates)
            if codes is None:
                break
            # Whichever of the two conditions failed, the other is met now.
            standing ^= {item for item, code in zip(moments, codes, strict=True) if code == CONDITION_FAILED}

    def _pointer(self, profile: str) -> _Pointer | None:
        """Where the snapshot is, past its time or not."""
        item = _run(profile)
        attributes = self._opened.get([item]).get(item)
        if attributes is None:
            return None
        with self._opened.errors(_READ):
            run = LastRun(
                run_id=attributes["runId"]["S"],
                started_at=int(attributes["startedAt"]["N"]),
                finished_at=int(attributes["finishedAt"]["N"]),
                outcome=attributes["outcome"]["S"],
            )
            chunks, expires_at = int(attributes["chunks"]["N"]), int(attributes[EXPIRES_AT]["N"])
            generation = attributes["generation"]["S"]
        if run.is_possible and 0 <= chunks <= MOST_CHUNKS:
            return _Pointer(generation, chunks, run, expires_at)
        # Past its time, so that it is read by nobody and replaced by the next run.
        log.warning("ledger.record_broken", location=self.location, chunks=chunks, finished_at=run.finished_at)
        return _Pointer(generation, 0, run, 0)

    def _point(self, profile: str, generation: str, values: Attributes) -> _Pointer | None:
        """Let the pointer show this generation, on the condition that it still shows what it did a moment ago.

        Returns:
            what it showed, whose chunks nobody finds any more.
        """
        replaced: _Pointer | None = None
        for _ in self._opened.rounds(_WRITE):
            before = self._pointer(profile)
            if before is not None and before.generation == generation:
                # The answer to the last try was lost, after it had worked.
                break
            replaced = before
            if before is None:
                is_done = self._opened.update(_run(profile), _POINT, values, "attribute_not_exists(#generation)")
            else:
                shown = {**values, ":before": {"S": before.generation}}
                is_done = self._opened.update(_run(profile), _POINT, shown, "#generation = :before")
            if is_done:
                break
        return replaced

    def _delete(self, replaced: _Pointer) -> None:
        try:
            for number in range(replaced.chunks):
                self._opened.delete(_chunk(replaced.generation, number))
        except LedgerError as error:
            # The new ones stand, and the table's TTL takes the old ones.
            log.warning("ledger.old_snapshot_left", code=error.code, error=str(error))


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _mark(name: str) -> str:
    return f"mark/{name}"


def _record(name: str) -> str:
    return f"record/{name}"


def _run(profile: str) -> str:
    return f"run/{profile}"


def _chunk(generation: str, number: int) -> str:
    return f"chunk/{generation}/{number:05}"


def _hundreds(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), MOST_KEYS):
        yield items[start : start + MOST_KEYS]
