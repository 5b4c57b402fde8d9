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

from janitor.errors import StoreError
from janitor.ledger.interface import REMEMBER_SECONDS, LastRun, Mark, RecordCheck
from janitor.ledger.state_table import CONDITION_FAILED, EXPIRES_AT, MOST_KEYS, Attributes, StateTable
from janitor.logs import get_logger
from janitor.store.moments import MOST_AHEAD_SECONDS, BrokenRecords
from janitor.store.url import DynamoDbUrl

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = get_logger("janitor.ledger")

_READ = "dynamodb:BatchGetItem"
_WRITE = "dynamodb:UpdateItem"

_PROOF_SECONDS = 86_400

# A mark is made, unless one stands that is late enough, not past its time, and of times that a run can have written;
# that one is only remembered longer. A condition for each of the two, of which one is met: what is not there, or no
# number, compares to none.
_MARK = "SET #at = :at, #expiresAt = :until"
_REMEMBER = "SET #expiresAt = :until"
_STANDS = "#at >= :moment AND #at <= :latest AND #expiresAt > :at AND #expiresAt <= :furthest"
_IS_TO_BE_MADE = f"NOT ({_STANDS})"

_KEEP = "SET #content = :content, #expiresAt = :until"
_LEAVE_CHUNK = "SET #data = :data, #expiresAt = :until"
_POINT = (
    "SET #generation = :generation, #chunks = :chunks, #runId = :runId, #startedAt = :startedAt, "
    "#finishedAt = :finishedAt, #outcome = :outcome, #expiresAt = :until"
)


class _Pointer(NamedTuple):
    """Where the snapshot is: its chunks have the generation in their names.

    Attributes:
        generation: as the table has it, of whatever type; None where it has none.
        stands: the generation, how many chunks it has, and who left it; None for what nobody reads.
    """

    generation: Attributes | None
    stands: tuple[str, int, LastRun] | None


class DynamoDbLedger:
    """As `Ledger`, in a table that `create_table` has made."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], object] = time.sleep,
        jitter: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            client: of the run; it stays the caller's to close.
            table: the state table's name.
            clock: the present UNIX second.
            wait: waits so many seconds, before something is tried again.
            jitter: spreads the retries.
        """
        self.location = str(DynamoDbUrl(table))
        self._client, self._name, self._wait, self._jitter = client, table, wait, jitter
        self.broken = BrokenRecords()
        self._clock = clock
        self._table: StateTable | None = None
        self._check = RecordCheck(self.broken)

    def open(self, scope: str, now: int) -> None:
        """As `Ledger.open`: writes, reads and deletes an item."""
        table = StateTable(self._client, self._name, scope, wait=self._wait, jitter=self._jitter)
        # Its own for every run: two may be here at once.
        proof = f"opening/{uuid4().hex}"
        table.update(proof, _MARK, {":at": _number(now), ":until": _number(now + _PROOF_SECONDS)})
        self._take_back(table, proof)
        self._table, self._check = table, self._judged_at(now)

    def _judged_at(self, now: int) -> RecordCheck:
        return RecordCheck(self.broken, now, int(self._clock()))

    def _take_back(self, table: StateTable, proof: str) -> None:
        if proof not in table.get([proof]):
            sentence = f"the state table {self._name} does not give back what was just written to it"
            raise StoreError(sentence, "see that it is no stale copy of another")
        table.delete(proof)

    def open_to_read(self, scope: str, now: int) -> None:
        """As `Ledger.open_to_read`: reads an item, whether it is there or not."""
        table = StateTable(self._client, self._name, scope, wait=self._wait, jitter=self._jitter)
        table.get(["opening"])
        self._table, self._check = table, self._judged_at(now)

    def marked(self, names: Sequence[str]) -> dict[str, Mark]:
        """As `Ledger.marked`, a hundred a request."""
        found: dict[str, Mark] = {}
        wanted = {_mark(name): name for name in names}
        for items in _hundreds([*wanted]):
            for item, mark in self._opened.get(items).items():
                name = wanted[item]
                moments = self._check.standing(name, "a mark", _number_in(mark, EXPIRES_AT), _number_in(mark, "at"))
                if moments is not None:
                    until, at = moments
                    found[name] = Mark(at, until)
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
            now = self._check.now
            self._mark_together({proof: now}, now, now + _PROOF_SECONDS)
            self._take_back(self._opened, proof)

    def snapshot(self, profile: str) -> Iterator[bytes]:
        """As `Ledger.snapshot`, a chunk a request."""
        pointer = self._pointer(profile)
        if pointer is None or pointer.stands is None:
            return
        generation, chunks, _ = pointer.stands
        for number in range(chunks):
            item = _chunk(generation, number)
            attributes = self._opened.get([item]).get(item)
            if attributes is None:
                raise StoreError(f"{self.location}: another run replaced what is being read", "run again")
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
        replaced = self._point(profile, values)
        if replaced is not None:
            self._delete(replaced)

    def last_run(self, profile: str) -> LastRun | None:
        """As `Ledger.last_run`."""
        pointer = self._pointer(profile)
        return None if pointer is None or pointer.stands is None else pointer.stands[2]

    def record(self, name: str) -> bytes | None:
        """As `Ledger.record`."""
        item = _record(name)
        attributes = self._opened.get([item]).get(item)
        if attributes is None:
            return None
        return self._check.content(name, attributes.get("content", {}).get("B"), _number_in(attributes, EXPIRES_AT))

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
            raise StoreError(f"{self.location} is not open")
        return self._table

    def _mark_together(self, moments: Mapping[str, int], at: int, until: int) -> None:
        """Mark at most a hundred items. Whoever else marks some of them at once comes before or after."""
        standing: set[str] = set()
        bounds = {
            ":latest": _number(max(at, self._check.latest) + MOST_AHEAD_SECONDS),
            ":furthest": _number(max(until, self._check.latest + REMEMBER_SECONDS) + MOST_AHEAD_SECONDS),
        }
        for _ in self._opened.rounds(_WRITE):
            updates = []
            for item, moment in moments.items():
                values = {":at": _number(at), ":until": _number(until), ":moment": _number(moment), **bounds}
                update, condition = (_REMEMBER, _STANDS) if item in standing else (_MARK, _IS_TO_BE_MADE)
                updates.append(self._opened.to_update(item, update, values, condition))
            codes = self._opened.update_together(updates)
            if codes is None:
                break
            # Whichever of the two conditions failed, the other is met now.
            standing ^= {item for item, code in zip(moments, codes, strict=True) if code == CONDITION_FAILED}

    def _pointer(self, profile: str) -> _Pointer | None:
        """Where the snapshot is, whether anybody may read it or not."""
        item = _run(profile)
        attributes = self._opened.get([item]).get(item)
        if attributes is None:
            return None
        run = LastRun.of(
            _text_in(attributes, "runId"),
            _number_in(attributes, "startedAt"),
            _number_in(attributes, "finishedAt"),
            _text_in(attributes, "outcome"),
        )
        generation, chunks = _text_in(attributes, "generation"), _number_in(attributes, "chunks")
        stands = self._check.pointed(profile, generation, chunks, run, _number_in(attributes, EXPIRES_AT))
        return _Pointer(attributes.get("generation"), stands)

    def _point(self, profile: str, values: Attributes) -> _Pointer | None:
        """Let the pointer show this generation, on the condition that it still shows what it did a moment ago.

        Returns:
            what it showed, whose chunks nobody finds any more.
        """
        replaced: _Pointer | None = None
        for _ in self._opened.rounds(_WRITE):
            before = self._pointer(profile)
            if before is not None and before.generation == values[":generation"]:
                # The answer to the last try was lost, after it had worked.
                break
            replaced = before
            if before is None or before.generation is None:
                is_done = self._opened.update(_run(profile), _POINT, values, "attribute_not_exists(#generation)")
            else:
                shown = {**values, ":before": before.generation}
                is_done = self._opened.update(_run(profile), _POINT, shown, "#generation = :before")
            if is_done:
                break
        return replaced

    def _delete(self, replaced: _Pointer) -> None:
        # Of one that nobody reads the table's TTL takes what there is.
        generation, chunks = replaced.stands[:2] if replaced.stands is not None else ("", 0)
        try:
            for number in range(chunks):
                self._opened.delete(_chunk(generation, number))
        except StoreError as error:
            # The new ones stand, and the table's TTL takes the old ones.
            log.warning("ledger.old_snapshot_left", code=error.code, error=str(error))


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _number_in(attributes: Attributes, name: str) -> str | None:
    """The text of a number; None for what is none, and where nothing is."""
    number: str | None = attributes.get(name, {}).get("N")
    return number


def _text_in(attributes: Attributes, name: str) -> str | None:
    text: str | None = attributes.get(name, {}).get("S")
    return text


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
