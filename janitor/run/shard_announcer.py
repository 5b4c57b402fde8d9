"""The end of a shard for those who are to hear of it: nobody, until the last one makes one report of all.

    findings ──> sights on disk ──┐
    report ───────────────────────┴──> left in the state store ──everybody there?──> claim ──> one report, one digest

The claim is a lease: of two that come to their ends together one makes the report, and where that one is killed
another may. What was announced is remembered as ever, so that a report that is made twice announces nothing twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from janitor.errors import JanitorError, LedgerError, StopRequestedError
from janitor.report.merge import is_whole, merged
from janitor.report.model import Outcome, Remark, Report
from janitor.run.announce import Announcer
from janitor.run.findings import Told
from janitor.run.lease_keeper import LeaseKeeper
from janitor.run.outlets import Outlets
from janitor.run.shard_guards import Patience
from janitor.run.sharded_run import Counts, Left, ShardedRun
from janitor.run.sights import SightFile
from janitor.run.stopping import NOTICE_SECONDS, Stop
from janitor.run.watch import Watch
from janitor.run.workers import answer_of

log = structlog.get_logger("janitor.shards")

_WHERE = "shards"
# What the merged report says besides the shards' own errors; whoever made it says so too, and ends with its exit code.
_OF_THE_WHOLE = frozenset({"shards", "notices", "state"})
_FINAL = frozenset({Outcome.COMPLETE, Outcome.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """What the one report of all shards takes.

    Attributes:
        claim: the right to make it, anew for each try.
        guards: what the guards would say of the whole, of a dry run; nothing otherwise.
        outlets: where the report goes.
        max_findings: how many findings it lists.
        version: the program's.
        table_lease: the table's lease, which the shards share; None where they take none.
        stop: who may ask for an early end.
    """

    claim: Callable[[], LeaseKeeper]
    guards: Callable[[Mapping[int, Counts]], list[Remark]]
    outlets: Outlets
    max_findings: int
    version: str
    table_lease: LeaseKeeper | None
    stop: Stop


class ShardAnnouncer:
    """As `Announcer`, of a shard. For one thread.

    Attributes:
        merged: the report of all shards, where this one made it.
    """

    def __init__(
        self, announcer: Announcer, watch: Watch, run: ShardedRun, merging: Merging, patience: Patience | None
    ) -> None:
        """Prepare; nothing is opened or sent.

        Args:
            announcer: announces what all shards found.
            watch: what that is held against.
            run: the run that the shards share.
            merging: what their report takes.
            patience: how long to wait for the others; None to leave the rest to whoever comes last.
        """
        self.merged: Report | None = None
        self._announcer, self._watch, self._run = announcer, watch, run
        self._merging, self._patience = merging, patience
        self._sights: SightFile | None = None
        self._error: LedgerError | None = None

    def open(self) -> None:
        """Open the store, and prove that the merged report can be written.

        Raises:
            ConfigurationError: it cannot.
        """
        self._watch.open_store()
        self._sights = SightFile()
        self._merging.outlets.open()

    def see(self, told: Sequence[Told]) -> None:
        """Take findings, each once. A disk that is full is said at the end: it breaks no delete off."""
        if self._sights is None or self._error is not None:
            return
        try:
            self._sights.add(self._watch.sights_of(told))
        except LedgerError as error:
            log.error("shards.sights_lost", code=error.code, error=str(error))  # noqa: TRY400  # a sentence
            self._error = error

    def finish(self, report: Report, *, is_complete: bool) -> Report:
        """Leave what this shard found to the others; make the one report of all, if this is the last.

        Args:
            report: of this shard.
            is_complete: whether all of its part was read.
        """
        is_final = is_complete and report.run.outcome in _FINAL and self._error is None
        if self._merging.table_lease is not None:
            # Every delete has been answered. From here on it is the others' alone.
            self._merging.table_lease.retire()
        try:
            errors = self._merged_with_others() if self._left_to_others(report, is_final=is_final) else []
        except JanitorError as error:
            errors = [_not_known(error)]
        if self._error is not None:
            errors.append(_not_known(self._error))
        return report.model_copy(update={"errors": [*report.errors, *errors]})

    def catch_up(self) -> list[Remark]:
        """What is left for a shard that was started again after it had come to its end: the merging, perhaps.

        Returns:
            what went wrong with that.
        """
        try:
            return self._merged_with_others()
        except JanitorError as error:
            return [_not_known(error)]

    def close(self) -> None:
        """Let go of everything. Never raises."""
        self._announcer.close()
        self._merging.outlets.discard()
        if self._sights is not None:
            self._sights.close()

    def _left_to_others(self, report: Report, *, is_final: bool) -> bool:
        """Leave the report in the store; whether it is worth looking for those of others."""
        chunks = self._sights.chunks() if self._sights is not None else ()

        def leave() -> bool:
            self._run.report(report, chunks, is_final=is_final)
            return True

        if not answer_of(leave, lambda: self._merging.stop.is_over(NOTICE_SECONDS)):
            raise LedgerError(f"{self._run.location} did not answer before the run had to end", "run it again")
        return is_final

    def _merged_with_others(self) -> list[Remark]:
        """See that the one report is made: by this shard if it can be, and without those that do not come in time."""
        try:
            return self._merged_in_time()
        except StopRequestedError:
            log.warning("shards.not_waited_for", shard_run=self._run.name)
            return []

    def _merged_in_time(self) -> list[Remark]:
        left: dict[int, Left] = {}
        for _ in self._rounds():
            with self._merging.stop.waiting():
                if self._run.is_merged():
                    return []
                left = self._run.everybody()
            if self._are_all_there(left) and self._merge(left):
                return self._said()
        if self._patience is None:
            log.info("shards.left_to_others", shard_run=self._run.name, there=len(left), of=self._run.shard.count)
            return []
        return self._merged_without_the_rest()

    def _merged_without_the_rest(self) -> list[Remark]:
        """The wait is over: see that the one report is made of what is there."""
        if self._run.is_merged():
            return []
        if self._merge(self._run.everybody()):
            return self._said()
        message = "another shard makes the report of all, and has not come to an end with it; see what became of it"
        return [Remark(where=_WHERE, code="claimed", message=message)]

    def _rounds(self) -> Iterator[None]:
        return iter((None,)) if self._patience is None else self._patience.pauses()

    def _are_all_there(self, left: Mapping[int, Left]) -> bool:
        return len(left) == self._run.shard.count and all(each.is_final for each in left.values())

    def _merge(self, left: Mapping[int, Left]) -> bool:
        """Make the one report of what these shards left; False where another shard is about to."""
        claim = self._merging.claim()
        with claim as other:
            if other is not None:
                return False
            with self._merging.stop.waiting():
                if self._run.is_merged():
                    return True
            whole = self._announced(left, claim)
            self._run.set_merged()
            if self._are_all_there(left) and self._merging.table_lease is not None:
                self._merging.table_lease.give_back()
            self._write(whole)
        log.info(
            "shards.merged",
            shard_run=self._run.name,
            outcome=whole.run.outcome,
            shards=len(left),
            of=self._run.shard.count,
            **whole.counts.model_dump(),
            **whole.deletion.model_dump(),
        )
        self.merged = whole
        return True

    def _announced(self, left: Mapping[int, Left], claim: LeaseKeeper) -> Report:
        with self._merging.stop.waiting():
            reports = [self._run.report_of(index, each) for index, each in left.items()]
            counts = self._run.counts()
        whole = merged(
            reports,
            run_id=self._run.name,
            version=self._merging.version,
            max_findings=self._merging.max_findings,
        )
        warnings = [*whole.warnings, *self._merging.guards(counts)]
        with self._merging.stop.waiting():
            self._watch.load()
            for index, each in left.items():
                for sights in self._run.sights_of(index, each):
                    self._watch.take(sights)
        if not claim.is_held():
            sentence = f"{self._run.location}: it took so long that another shard may do it"
            raise LedgerError(sentence, "run one of the shards again", "claim")
        whole = whole.model_copy(update={"warnings": warnings})
        return self._announcer.finish(whole, is_complete=is_whole(whole))

    def _write(self, whole: Report) -> None:
        outlets = self._merging.outlets
        if outlets.streams:
            outlets.lines(whole.findings)
        outlets.finish(whole, is_complete=is_whole(whole))

    def _said(self) -> list[Remark]:
        """What went wrong with the whole, for this shard's own report and exit code."""
        if self.merged is None:
            return []
        failures = [
            Remark(where="report", code=failure.code, message=f"the merged report: {failure}")
            for failure in self._merging.outlets.failures
        ]
        return [*(error for error in self.merged.errors if error.where in _OF_THE_WHOLE), *failures]


def _not_known(error: JanitorError) -> Remark:
    message = f"the shards' reports were not merged: {error}"
    return Remark(where=_WHERE, code=error.code, message=message)
