"""The end of a shard for those who are to hear of it: nobody, until the last one makes one report of all.

findings ──> sights on disk ──┐
report ───────────────────────┴──> left in the state store ──everybody there, or waited for long enough──> merged
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from janitor.errors import JanitorError, LedgerError, StopRequestedError
from janitor.logs import get_logger
from janitor.readers.interface import FoundRow
from janitor.report.model import Outcome, Remark, Report
from janitor.run.lease_keeper import LEASE_SECONDS
from janitor.run.patience import Patience
from janitor.run.shards.life import LifeSign
from janitor.run.shards.merge import Merger, Merging
from janitor.run.shards.records import Left, Merged
from janitor.run.shards.sharded_run import ShardedRun
from janitor.run.sights import SightFile
from janitor.run.watch import Watch

log = get_logger("janitor.shards")

_WHERE = "shards"
_FINAL = frozenset({Outcome.COMPLETE, Outcome.REFUSED})
# Whoever has the claim to the report and is killed has it for a lease's time; a second for each clock's.
_CLAIM_SECONDS = LEASE_SECONDS + 2


class ShardAnnouncer:
    """As `Announcer`, of a shard. For one thread."""

    def __init__(
        self, watch: Watch, run: ShardedRun, merger: Merger, merging: Merging, patience: Patience, *, waits: bool
    ) -> None:
        """Prepare; nothing is opened or sent.

        Args:
            watch: what findings are held against.
            run: the run that the shards share.
            merger: makes the report of all.
            merging: what that takes.
            patience: how long to wait for the others.
            waits: whether to wait for them; otherwise the rest is left to whoever comes last.
        """
        self._watch, self._run, self._merger, self._merging = watch, run, merger, merging
        self._patience, self._waits = patience, waits
        self._life = LifeSign(run)
        self._sights: SightFile | None = None
        self._error: LedgerError | None = None
        self._left: dict[int, Left] = {}

    @property
    def merged(self) -> Report | None:
        """The report of all shards, where this one made it."""
        return self._merger.merged

    def open(self) -> None:
        """Open the store, and prove that the merged report can be written.

        Raises:
            ConfigurationError: it cannot.
        """
        self._life.start()
        self._watch.open_store()
        self._sights = SightFile()
        self._merging.outlets.open()

    def see(self, told: Sequence[FoundRow]) -> None:
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
            chunks = self._sights.chunks() if self._sights is not None else ()
            self._merger.asked(lambda: self._run.report(report, chunks, is_final=is_final))
            errors = self._merged_with_others() if is_final else []
        except JanitorError as error:
            errors = [_not_known(error)]
        if self._error is not None:
            errors.append(_not_known(self._error))
        return structs.replace(report, errors=[*report.errors, *errors])

    def catch_up(self, before: Left) -> list[Remark]:
        """What is left for a shard that was started again after it had come to its end: the merging, perhaps.

        Returns:
            what went wrong, with that and before.
        """
        refused = "it had refused to delete; start all shards anew, under another --shard-run NAME"
        errors = [Remark(where=_WHERE, code="refused-before", message=refused)] if before.is_refused else []
        try:
            merged = self._merger.asked(self._run.merged)
            if merged is None:
                return [*errors, *self._merged_with_others()]
        except JanitorError as error:
            return [*errors, _not_known(error)]
        failures = merged.failures if merged.by == self._run.shard.index else ()
        errors += [Remark(where=_WHERE, code="failed-before", message=failure) for failure in failures]
        return [*errors, *self._left_out(merged)]

    def close(self) -> None:
        """Let go of everything. Never raises."""
        self._life.end()
        self._watch.close()
        self._merging.outlets.discard()
        if self._sights is not None:
            self._sights.close()

    def _merged_with_others(self) -> list[Remark]:
        """See that the one report is made: by this shard if it can be, and without those that do not come in time."""
        try:
            return self._merged_in_time()
        except StopRequestedError:
            log.warning("shards.not_waited_for", shard_run=self._run.name)
            # Whoever has not looked does not know whether somebody is left to make the report.
            if self._left and not self._merger.is_under_way and not self._are_all_there():
                return []
            message = "the report of all shards was not made, for this run had to end; run this shard again"
            return [Remark(where=_WHERE, code="interrupted", message=message)]

    def _merged_in_time(self) -> list[Remark]:
        if (errors := self._looked()) is not None:
            return errors
        if not self._waits and not self._are_all_there():
            log.info("shards.left_to_others", shard_run=self._run.name, there=len(self._left), of=self._run.shard.count)
            return []
        # Somebody else may have the claim, and may be dead.
        patience = self._patience if self._waits else replace(self._patience, seconds=_CLAIM_SECONDS)
        for _ in patience.pauses(self._are_the_others_at_work):
            if (errors := self._looked()) is not None:
                return errors
            if self._are_all_there() and self._merger.merge():
                return self._ended()
        return self._merged_without_the_rest()

    def _merged_without_the_rest(self) -> list[Remark]:
        """The wait is over: see that the one report is made of what is there."""
        # A claim that stays another's is a live one's: it runs out a minute after whoever has it is gone.
        for _ in replace(self._patience, seconds=_CLAIM_SECONDS).pauses(lambda: True):
            if self._merger.merge():
                return self._ended()
        message = "another shard makes the report of all, and has not come to an end with it; run this one again"
        return [Remark(where=_WHERE, code="claimed", message=message)]

    def _ended(self) -> list[Remark]:
        """The report of all is made, by this shard or by another."""
        if self._merger.merged is not None:
            return self._merger.said()
        return self._looked() or []

    def _looked(self) -> list[Remark] | None:
        """Look who has come to an end. What to say where the report of all is made already; None where it is not."""
        with self._merging.stop.waiting():
            merged = self._run.merged()
            self._left = self._run.everybody()
        return None if merged is None else self._left_out(merged)

    def _left_out(self, merged: Merged) -> list[Remark]:
        if self._run.shard.index in merged.shards:
            return []
        message = (
            f"the report of all shards was made without shard {self._run.shard.index}, which came later: what it found "
            "and did is in no report but its own; start all shards anew"
        )
        return [Remark(where=_WHERE, code="left-out", message=message)]

    def _are_all_there(self) -> bool:
        return len(_final(self._left)) == self._run.shard.count

    def _are_the_others_at_work(self) -> bool:
        missing = set(range(self._run.shard.count)) - _final(self._left)
        with self._merging.stop.waiting():
            return bool(missing) and missing <= self._run.standing().alive


def _final(left: Mapping[int, Left]) -> set[int]:
    """Those that came to their end; one that broke off may have been started again."""
    return {index for index, each in left.items() if each.is_final}


def _not_known(error: JanitorError) -> Remark:
    message = f"the shards' reports were not merged: {error}"
    return Remark(where=_WHERE, code=error.code, message=message)
