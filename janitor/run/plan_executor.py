"""Two ways to execute a plan: a dry run, and one that deletes.

The deleting executor works in groups. Each group takes these steps while the deletes of the one before still run:

    rows of the plan ──check again──> archive ──durable──> batches of 25 ──workers──> outcomes ──> archive, report
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from janitor.archive.archive import Archive
from janitor.archive.plan import PlannedRow, RowOutcome
from janitor.archive.plan_reader import ReadRow
from janitor.background import WAKE_SECONDS, NoThreadError, Workers
from janitor.dynamodb.delete import LEASE_LOST, BatchResult, RowResult
from janitor.dynamodb.delete_methods import BATCH
from janitor.dynamodb.target import Target
from janitor.errors import JanitorError, SinkError, StoreError
from janitor.logs import get_logger
from janitor.report.model import Remark
from janitor.stopping import IN_FLIGHT_SECONDS, Stop
from janitor.tokens.classify import State, classify, is_deletable
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.lockout import UNLOCKS_OWNER, make_early_policy
from janitor.tokens.policy import Policy
from janitor.tokens.protection import find_protection
from janitor.tokens.row import Row
from janitor.tokens.words import format_count

log = get_logger("janitor.delete")

# Requests at once. A table on demand takes 4,000 writes a second from its first day; 16 at once use about that.
WORKERS = 16
# Rows that are archived at once. Each group waits for the disk, or for S3, so few large ones are faster.
_GROUP_ROWS = 2 * WORKERS * BATCH
# Batches that may still be pending when the next group is prepared, so that no worker is idle meanwhile.
_MAX_WAITING_BATCHES = 2 * WORKERS

_NO_ANSWER = "no-answer"
_LEASE_LOST = "the lease of the table was lost, so another run may sweep it by now; the remaining rows were not deleted"


CandidateOutcomes = Iterator[tuple[ReadRow, DeletionOutcome]]


class PlanExecutor(Protocol):
    """Executes the rows of a plan."""

    @property
    def errors(self) -> list[Remark]:
        """What has gone wrong so far."""

    def execute(self, candidates: Iterable[ReadRow]) -> CandidateOutcomes:
        """Yield every row with its outcome, in any order."""


class DryRunExecutor:
    """Touches nothing: every row stays planned."""

    @property
    def errors(self) -> list[Remark]:
        """Always empty."""
        return []

    def execute(self, candidates: Iterable[ReadRow]) -> CandidateOutcomes:
        """Yield every row as planned."""
        return ((candidate, DeletionOutcome.PLANNED) for candidate in candidates)


class _SubmittedRow(NamedTuple):
    """A row that is in the archive, so it may be deleted.

    Attributes:
        number: its position in the archive.
        candidate: the row.
        target: what the delete is sent for, with its conditions.
    """

    number: int
    candidate: ReadRow
    target: Target


class DeletingExecutor:
    """Archives rows, then deletes them."""

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
            archive: where rows are kept before they are deleted; it is open.
            policy: the rules.
            clock: the UNIX second by which rows are judged: never ahead of LISA's.
            stop: after a request the batches in flight finish, and no others are sent.
            may_go_on: False from the moment when another run may begin to sweep the table; threads share it.
            batch: how many rows `delete` gets at once, 25 at most.
        """
        self._delete = delete
        self._archive = archive
        self._policy = policy
        self._clock = clock
        self._stop = stop
        self._may_go_on = may_go_on
        self._batch = batch
        self._break_off_errors: list[Remark] = []
        self._failures: Counter[str] = Counter()
        self._is_broken_off = False
        self._takes_back_batches = False

    @property
    def errors(self) -> list[Remark]:
        """What broke the deletes off, and how many rows failed for each reason."""
        return [*self._break_off_errors, *(_failure_remark(code, rows) for code, rows in self._failures.items())]

    def execute(self, candidates: Iterable[ReadRow]) -> CandidateOutcomes:
        """Delete the rows; yield every row with its outcome, `planned` if no delete was sent for it."""
        groups = _split_into_groups(candidates)
        workers: Workers[list[_SubmittedRow], BatchResult]
        try:
            workers = Workers(self._delete_batch, WORKERS, "delete")
        except NoThreadError as error:
            self._break_off("delete", error)
            yield from _leave_planned(itertools.chain.from_iterable(groups))
            return
        try:
            for group in groups:
                if self._must_stop():
                    yield from _leave_planned(group)
                    break
                yield from self._archive_and_submit(group, workers)
                yield from self._collect_results(workers, most=_MAX_WAITING_BATCHES)
            yield from self._collect_results(workers, most=0)
        finally:
            workers.shut_down()
        for group in groups:
            yield from _leave_planned(group)

    def _archive_and_submit(
        self, group: list[ReadRow], workers: Workers[list[_SubmittedRow], BatchResult]
    ) -> CandidateOutcomes:
        """Check a group again, archive it, and submit its deletes to the workers."""
        deletable: list[tuple[ReadRow, Target]] = []
        # Read once a group, just before it is archived: an earlier time only ever keeps more rows.
        now = int(self._clock())
        for candidate in group:
            unlocks_owner = UNLOCKS_OWNER in candidate.planned.reasons
            state = find_deletable_state(candidate.row, now, self._policy, unlocks_owner=unlocks_owner)
            if state is None:
                # The clock went back, or somebody edited the plan. A gate might still accept the row.
                self._failures["no-longer-deletable"] += 1
                yield candidate, DeletionOutcome.FAILED
            else:
                is_legacy = state is State.LEGACY
                target = Target.for_sweep(bytes(candidate.planned.item), self._policy, is_legacy=is_legacy)
                deletable.append((candidate, target))
        first = self._archive_rows([candidate.planned for candidate, _ in deletable])
        if first is None:
            yield from _leave_planned([candidate for candidate, _ in deletable])
            return
        archived = [_SubmittedRow(first + offset, *pair) for offset, pair in enumerate(deletable)]
        for batch in _split_into_batches(archived, self._batch):
            workers.submit(batch)

    def _archive_rows(self, rows: list[PlannedRow]) -> int | None:
        try:
            return self._archive.store(rows)
        except SinkError as error:
            self._break_off("archive", error, "nothing of this batch was deleted")
        return None

    def _delete_batch(self, batch: list[_SubmittedRow]) -> BatchResult:
        if self._stop.is_requested() or not self._may_go_on():
            return BatchResult([RowResult(DeletionOutcome.PLANNED)] * len(batch))
        return self._delete([archived.target for archived in batch])

    def _collect_results(self, workers: Workers[list[_SubmittedRow], BatchResult], most: int) -> CandidateOutcomes:
        """Collect results until no more than `most` batches are pending."""
        while workers.pending > most:
            if self._must_stop() and (self._takes_back_batches or self._stop.is_requested()):
                for batch in workers.cancel_waiting():
                    self._archive_outcomes(batch, [RowResult(DeletionOutcome.PLANNED)] * len(batch))
                    yield from _leave_planned([archived.candidate for archived in batch])
            done = workers.next_result(WAKE_SECONDS)
            if done is not None:
                yield from self._record_result(*done)
            elif self._stop.has_passed(IN_FLIGHT_SECONDS):
                yield from self._fail_unanswered(workers)

    def _record_result(self, batch: list[_SubmittedRow], result: BatchResult) -> CandidateOutcomes:
        if result.fatal_error is not None and result.fatal_error.code != LEASE_LOST:
            self._takes_back_batches = True
            self._break_off("delete", result.fatal_error)
        self._archive_outcomes(batch, result.rows)
        for submitted, row_result in zip(batch, result.rows, strict=True):
            if row_result.outcome is DeletionOutcome.FAILED:
                self._failures[row_result.code] += 1
            yield submitted.candidate, row_result.outcome

    def _fail_unanswered(self, workers: Workers[list[_SubmittedRow], BatchResult]) -> CandidateOutcomes:
        """Fail the rows that no answer came for. They may be gone or not; the archive holds them."""
        for batch in workers.abandon_pending():
            for archived in batch:
                self._failures[_NO_ANSWER] += 1
                yield archived.candidate, DeletionOutcome.FAILED

    def _archive_outcomes(self, batch: list[_SubmittedRow], results: list[RowResult]) -> None:
        try:
            self._archive.record_outcomes(
                [
                    RowOutcome.of_row(
                        submitted.number, submitted.candidate.planned.fingerprint, each.outcome, each.item
                    )
                    for submitted, each in zip(batch, results, strict=True)
                ]
            )
        except SinkError as error:
            self._break_off("archive", error, "the archive holds these rows, but not their outcomes")

    def _must_stop(self) -> bool:
        """Whether nothing more may be sent. Breaks off where the table's lease is lost."""
        if not self._may_go_on():
            self._takes_back_batches = True
            self._break_off("lease", StoreError(_LEASE_LOST, "run it again", LEASE_LOST))
        return self._is_broken_off or self._stop.is_requested()

    def _break_off(self, where: str, error: JanitorError, effect: str | None = None) -> None:
        """Send nothing more from now on; the first reason is reported."""
        if not self._is_broken_off:
            log.error("sweep.broken_off", where=where, code=error.code, error=str(error))
            message = f"{effect}: {error}" if effect else str(error)
            self._break_off_errors.append(Remark(where=where, code=error.code, message=message))
        self._is_broken_off = True


def _failure_remark(code: str, count: int) -> Remark:
    rows = format_count(count, "row")
    if code == _NO_ANSWER:
        message = f"no answer came for {rows} before the run had to end; they may be gone, and the archive holds them"
    else:
        message = f"{rows} could not be deleted ({code})"
    return Remark(where="delete", code=code, message=message)


def _split_into_groups(candidates: Iterable[ReadRow]) -> Iterator[list[ReadRow]]:
    remaining = iter(candidates)
    while group := list(itertools.islice(remaining, _GROUP_ROWS)):
        yield group


def _split_into_batches(archived: Iterable[_SubmittedRow], most: int) -> Iterator[list[_SubmittedRow]]:
    """Split rows into batches of at most `most`, no key twice in one: DynamoDB refuses such a batch as a whole."""
    batch: list[_SubmittedRow] = []
    # Decoded, because JSON has many ways to write the same text.
    keys: set[str | None] = set()
    for archived_row in archived:
        key = archived_row.candidate.row.key.S
        if len(batch) == most or key in keys:
            yield batch
            batch, keys = [], set()
        batch.append(archived_row)
        keys.add(key)
    if batch:
        yield batch


def _leave_planned(candidates: Iterable[ReadRow]) -> CandidateOutcomes:
    return ((candidate, DeletionOutcome.PLANNED) for candidate in candidates)


def find_deletable_state(row: Row, now: int, policy: Policy, *, unlocks_owner: bool = False) -> State | None:
    """Find the state of a row that may be deleted at the UNIX second `now`; None if it may not be.

    `unlocks_owner` says that the row was planned because it keeps its owner from a new token.
    """
    if unlocks_owner:
        policy = make_early_policy(policy) or policy
    verdict = classify(row, now, policy)
    may_go = is_deletable(verdict, now, policy) and find_protection(row, policy) is None
    return verdict.state if may_go else None
