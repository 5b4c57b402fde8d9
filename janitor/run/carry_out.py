"""Two ways to carry a plan out: for show, and for real. Below here nothing knows of a dry run.

For real, in groups, each of which goes this way while the deletes of the one before are still under way:

    rows of the plan ──check again──> archive ──durable──> batches of 25 ──workers──> outcomes ──> archive, report
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from janitor.archive.archive import Archive, Settlement
from janitor.archive.plan import PlannedRow, Population
from janitor.background import WAKE_SECONDS, Workers
from janitor.dynamodb.delete import LEASE_LOST, BatchResult, Settled
from janitor.dynamodb.statements import BATCH
from janitor.dynamodb.target import Target
from janitor.errors import JanitorError, SinkError, StoreError
from janitor.logs import get_logger
from janitor.report.model import Remark
from janitor.stopping import LAST_SECONDS, Stop
from janitor.tokens.classify import State, classify
from janitor.tokens.deletable import is_deletable
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.policy import Policy
from janitor.tokens.protection import protected_by
from janitor.tokens.row import Row
from janitor.tokens.words import counted

log = get_logger("janitor.delete")

# Requests at once. On demand a table takes 4,000 writes a second from its first day: about what 16 of them make of it.
WORKERS = 16
# Rows that are archived at once. Each group waits for the disk, or for S3, so few large ones are faster.
_GROUP = 2 * WORKERS * BATCH
# Batches that may still wait for a worker when the next group is prepared, so that no worker waits for that.
_AHEAD = 2 * WORKERS

_NO_ANSWER = "no-answer"
_LEASE_LOST = "the lease of the table was lost, so another run may sweep it by now; the rest was left alone"


class Candidate(NamedTuple):
    """A row of the plan, and the row that its item is."""

    planned: PlannedRow
    row: Row


Settling = Iterator[tuple[Candidate, DeletionOutcome]]


class CarryOut(Protocol):
    """Settles the rows of a plan."""

    @property
    def errors(self) -> list[Remark]:
        """What has gone wrong so far."""

    def settle(self, candidates: Iterable[Candidate]) -> Settling:
        """Every row with what became of it, in any order."""


class ForShow:
    """Touches nothing: every row stays planned."""

    @property
    def errors(self) -> list[Remark]:
        """Nothing."""
        return []

    def settle(self, candidates: Iterable[Candidate]) -> Settling:
        """As `CarryOut.settle`."""
        return ((candidate, DeletionOutcome.PLANNED) for candidate in candidates)


class _Stored(NamedTuple):
    """A row that the archive holds, and may be deleted."""

    number: int
    candidate: Candidate
    target: Target


class ForReal:
    """Archives and deletes. As `CarryOut`."""

    def __init__(
        self,
        *,
        delete: Callable[[Sequence[Target]], BatchResult],
        archive: Archive,
        policy: Policy,
        clock: Callable[[], float],
        stop: Stop,
        may_go_on: Callable[[], bool],
        batch: int = BATCH,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            delete: deletes up to 25 rows with different keys, each on its conditions; threads share it.
            archive: where rows are kept before; it is open.
            policy: the rules.
            clock: the UNIX second by which rows are judged: never ahead of LISA's.
            stop: a request lets the batches in flight finish, and starts no more.
            may_go_on: False from the moment when another run may begin to sweep the table; threads share it.
            batch: how many rows are handed to `delete` at once, 25 at most.
        """
        self._delete = delete
        self._archive = archive
        self._policy = policy
        self._clock = clock
        self._stop = stop
        self._may_go_on = may_go_on
        self._batch = batch
        self._broken_off: list[Remark] = []
        self._failures: Counter[str] = Counter()
        self._is_over = False
        self._is_cut_off = False

    @property
    def errors(self) -> list[Remark]:
        """As `CarryOut.errors`."""
        return [*self._broken_off, *(_failure(code, rows) for code, rows in self._failures.items())]

    def settle(self, candidates: Iterable[Candidate]) -> Settling:
        """As `CarryOut.settle`. Rows for which nothing was sent in the end stay `planned`."""
        groups = _groups(candidates)
        workers: Workers[list[_Stored], BatchResult] = Workers(self._delete_batch, WORKERS, "delete")
        try:
            for group in groups:
                if self._must_end():
                    yield from _untouched(group)
                    break
                yield from self._begin(group, workers)
                yield from self._finish(workers, most=_AHEAD)
            yield from self._finish(workers, most=0)
        finally:
            workers.end()
        for group in groups:
            yield from _untouched(group)

    def _begin(self, group: list[Candidate], workers: Workers[list[_Stored], BatchResult]) -> Settling:
        """Check a group again, archive it, and hand its deletes to the workers."""
        going: list[tuple[Candidate, Target]] = []
        for candidate in group:
            state = deletable_state(candidate.row, int(self._clock()), self._policy)
            if state is None:
                # The clock went back, or somebody wrote the plan: never a delete of a row that a gate might accept.
                self._failures["no-longer-deletable"] += 1
                yield candidate, DeletionOutcome.FAILED
            else:
                is_legacy = state is State.LEGACY
                target = Target.of(bytes(candidate.planned.item), self._policy, is_legacy=is_legacy)
                going.append((candidate, target))
        first = self._store([candidate.planned for candidate, _ in going])
        if first is None:
            yield from _untouched([candidate for candidate, _ in going])
            return
        stored = [_Stored(first + offset, *pair) for offset, pair in enumerate(going)]
        for batch in _batches(stored, self._batch):
            workers.submit(batch)

    def _store(self, rows: list[PlannedRow]) -> int | None:
        try:
            return self._archive.store(rows)
        except SinkError as error:
            self._end("archive", error, "nothing of this batch was deleted")
        return None

    def _delete_batch(self, batch: list[_Stored]) -> BatchResult:
        if self._stop.is_requested() or not self._may_go_on():
            return BatchResult([Settled(DeletionOutcome.PLANNED)] * len(batch))
        return self._delete([stored.target for stored in batch])

    def _finish(self, workers: Workers[list[_Stored], BatchResult], most: int) -> Settling:
        """Take results back until no more than `most` batches are pending."""
        while workers.pending > most:
            if self._must_end() and (self._is_cut_off or self._stop.is_requested()):
                for batch in workers.take_back():
                    self._write_down(batch, [Settled(DeletionOutcome.PLANNED)] * len(batch))
                    yield from _untouched([stored.candidate for stored in batch])
            done = workers.done(WAKE_SECONDS)
            if done is not None:
                yield from self._taken(*done)
            elif self._stop.is_over(LAST_SECONDS):
                yield from self._given_up(workers)

    def _taken(self, batch: list[_Stored], result: BatchResult) -> Settling:
        if result.fatal is not None and result.fatal.code != LEASE_LOST:
            self._is_cut_off = True
            self._end("delete", result.fatal)
        self._write_down(batch, result.settled)
        for stored, settled in zip(batch, result.settled, strict=True):
            if settled.outcome is DeletionOutcome.FAILED:
                self._failures[settled.code] += 1
            yield stored.candidate, settled.outcome

    def _given_up(self, workers: Workers[list[_Stored], BatchResult]) -> Settling:
        """Fail what no answer came for: it may be gone or not, and the archive holds it."""
        for batch in workers.give_up():
            for stored in batch:
                self._failures[_NO_ANSWER] += 1
                yield stored.candidate, DeletionOutcome.FAILED

    def _write_down(self, batch: list[_Stored], settled: list[Settled]) -> None:
        try:
            self._archive.settle(
                [
                    Settlement(stored.number, stored.candidate.planned.fingerprint, each.outcome, each.item)
                    for stored, each in zip(batch, settled, strict=True)
                ]
            )
        except SinkError as error:
            self._end("archive", error, "the rows are in it, what became of them is not")

    def _must_end(self) -> bool:
        """Whether nothing more may be sent: asked to stop, broken off, or without the table's lease."""
        if not self._may_go_on():
            self._is_cut_off = True
            self._end("lease", StoreError(_LEASE_LOST, "run it again", LEASE_LOST))
        return self._is_over or self._stop.is_requested()

    def _end(self, where: str, error: JanitorError, more: str | None = None) -> None:
        """Send nothing more."""
        if not self._is_over:
            log.error("sweep.broken_off", where=where, code=error.code, error=str(error))
            message = f"{error}; {more}" if more else str(error)
            self._broken_off.append(Remark(where=where, code=error.code, message=message))
        self._is_over = True


def _failure(code: str, count: int) -> Remark:
    rows = counted(count, "row")
    if code == _NO_ANSWER:
        message = f"no answer came for {rows} before the run had to end; they may be gone, and the archive holds them"
    else:
        message = f"{rows} could not be deleted ({code})"
    return Remark(where="delete", code=code, message=message)


def _groups(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    remaining = iter(candidates)
    while group := list(itertools.islice(remaining, _GROUP)):
        yield group


def _batches(stored: Iterable[_Stored], most: int) -> Iterator[list[_Stored]]:
    """Up to `most` at a time, no key twice in one: DynamoDB refuses such a batch as a whole."""
    batch: list[_Stored] = []
    # By what it is, for JSON has many ways to write a text.
    keys: set[str | None] = set()
    for each in stored:
        key = each.candidate.row.key.S
        if len(batch) == most or key in keys:
            yield batch
            batch, keys = [], set()
        batch.append(each)
        keys.add(key)
    if batch:
        yield batch


def _untouched(candidates: Iterable[Candidate]) -> Settling:
    return ((candidate, DeletionOutcome.PLANNED) for candidate in candidates)


def deletable_state(row: Row, now: int, policy: Policy) -> State | None:
    """The state of a row at the UNIX second `now` if it may be deleted then, else None."""
    verdict = classify(row, now, policy)
    may_go = is_deletable(verdict, now, policy) and protected_by(row, policy) is None
    return verdict.state if may_go else None


def close_archive(archive: Archive, population: Population) -> list[Remark]:
    """Close the archive after a carrying out; what went wrong as remarks."""
    try:
        archive.close(population)
    except SinkError as error:
        archive.abandon()
        return [Remark(where="archive", code=error.code, message=str(error))]
    return []
