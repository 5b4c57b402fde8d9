"""One report of all shards of a run: by one of them, which has the claim to it, announced once and then written.

    claim ──> reports and sights of all ──> one report ──> announced ──> kept ──> written ──> merged

The claim is a lease: of two that come to their ends together one makes the report, and where that one is killed
another may. What was announced is kept before it is written, so that whoever takes over announces nothing again.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from msgspec import structs

from janitor.errors import LedgerError
from janitor.logs import get_logger
from janitor.report.merge import is_whole, merged
from janitor.report.model import Finding, Remark, Report
from janitor.run.announce import Announcer
from janitor.run.lease_keeper import LeaseKeeper
from janitor.run.outlets import Outlets
from janitor.run.shards.records import Counts, Left, Merged
from janitor.run.shards.sharded_run import ShardedRun
from janitor.run.stopping import NOTICE_SECONDS, Stop
from janitor.run.watch import Watch
from janitor.run.workers import answer_of

log = get_logger("janitor.shards")

# What the merged report says besides the shards' own errors; whoever made it says so too, and ends with its exit code.
_OF_THE_WHOLE = frozenset({"shards", "notices", "state"})

_T = TypeVar("_T")


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


class Merger:
    """Makes the one report. For one thread.

    Attributes:
        merged: the report, where this shard made it.
        is_under_way: whether this shard has begun with it, and not come to an end.
    """

    def __init__(self, announcer: Announcer, watch: Watch, run: ShardedRun, merging: Merging) -> None:
        """Args: who announces it, what that is held against, the run that the shards share, and what it takes."""
        self.merged: Report | None = None
        self.is_under_way = False
        self._announcer, self._watch, self._run, self._merging = announcer, watch, run, merging

    def merge(self) -> bool:
        """Make the one report of what the shards have left; False where another shard is about to.

        Raises:
            LedgerError: the store does not work.
            StopRequestedError: somebody asked to stop meanwhile.
        """
        claim = self._merging.claim()
        with ExitStack() as held:
            with self._merging.stop.waiting():
                if held.enter_context(claim) is not None:
                    return False
                if self._run.merged() is not None:
                    return True
                left, kept = self._run.everybody(), self._run.announced()
            self.is_under_way = True
            final = tuple(sorted(index for index, each in left.items() if each.is_final))
            whole, shards = kept or (self._announced(left, claim), final)
            if kept is None:
                self.asked(lambda: self._run.set_announced(whole, shards))
            self.merged = whole
            self._write(whole, shards)
            if len(shards) == self._run.shard.count and self._merging.table_lease is not None:
                self._merging.table_lease.give_back()
        self.is_under_way = False
        return True

    def said(self) -> list[Remark]:
        """What went wrong with the whole, for this shard's own report and exit code."""
        if self.merged is None:
            return []
        failures = [
            Remark(where="report", code=failure.code, message=f"the merged report: {failure}")
            for failure in self._merging.outlets.failures
        ]
        return [*(error for error in self.merged.errors if error.where in _OF_THE_WHOLE), *failures]

    def asked(self, call: Callable[[], _T]) -> _T:
        """What the store answers, whatever was asked of this run, but for one that hangs when it has to end.

        Raises:
            LedgerError: also in that case.
        """
        answer = answer_of(lambda: (call(),), lambda: self._merging.stop.is_over(NOTICE_SECONDS))
        if answer is None:
            sentence = f"{self._run.location} did not answer before the run had to end"
            raise LedgerError(sentence, "run this shard again", "no-answer")
        return answer[0]

    def _announced(self, left: Mapping[int, Left], claim: LeaseKeeper) -> Report:
        with self._merging.stop.waiting():
            reports = [structs.replace(self._run.report_of(index, each), findings=[]) for index, each in left.items()]
            counts = self._run.all_counts()
            begun = self._run.standing().alive | counts.keys()
            whole = merged(
                reports,
                run_id=self._run.name,
                version=self._merging.version,
                max_findings=self._merging.max_findings,
                findings=self._findings(left),
                begun=begun,
            )
            self._watch.load()
            for index, each in left.items():
                for sights in self._run.sights_of(index, each):
                    self._watch.take(sights)
        whole = structs.replace(whole, warnings=[*whole.warnings, *self._merging.guards(counts)])
        # It may look many tokens up, and so take its time.
        whole = self._announcer.changed(whole, is_complete=is_whole(whole))
        if not claim.is_held():
            sentence = f"{self._run.location}: it took so long that another shard may do it"
            raise LedgerError(sentence, "run one of the shards again", "claim")
        return self._announcer.announced(whole, is_complete=is_whole(whole))

    def _findings(self, left: Mapping[int, Left]) -> Iterator[Finding]:
        """Those of every shard, of one shard at a time: together they are too many for a small machine."""
        for index, each in left.items():
            yield from self._run.report_of(index, each).findings

    def _write(self, whole: Report, shards: tuple[int, ...]) -> None:
        outlets = self._merging.outlets
        outlets.tell(whole, is_complete=is_whole(whole))
        log.info(
            "shards.merged",
            shard_run=self._run.name,
            outcome=whole.run.outcome,
            shards=len(shards),
            of=self._run.shard.count,
            **structs.asdict(whole.counts),
            **structs.asdict(whole.deletion),
        )
        if outlets.failures:
            # Whoever is started again writes what is kept.
            return
        failures = tuple(remark.message for remark in self.said())
        self.asked(lambda: self._run.set_merged(Merged(by=self._run.shard.index, shards=shards, failures=failures)))
