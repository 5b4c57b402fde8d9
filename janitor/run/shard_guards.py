"""The guards of a run that several shards share: they hold for the whole, so each shard waits for what the others read.

own plan ──own guards──> counts, left for the others ──wait──> everybody's counts ──guards of the whole──> may delete
                                                       └─ too long: refuse, and say for whom it waited
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import structlog

from janitor.errors import LedgerError, StopRequestedError
from janitor.report.model import Remark
from janitor.report.shard_names import named_shards
from janitor.run.guards import Limits, Situation, refusals
from janitor.run.plan import Population
from janitor.run.sharded_run import Counts, ShardedRun
from janitor.run.stopping import Stop
from janitor.tokens.duration import spoken_duration

log = structlog.get_logger("janitor.shards")

_WHERE = "guard"
_SHARDS = "shards"
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_GROWTH = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a shard waits for others.

    Attributes:
        seconds: from when it begins to wait; less where the run's deadline comes before.
        until: by `clock`, when the deadline leaves no more time to wait; None without one.
        clock: seconds, from any moment on; never set back or forth.
        sleep: sleeps so many seconds.
        stop: who may ask for an early end.
    """

    seconds: float
    until: float | None
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    stop: Stop

    def pauses(self) -> Iterator[None]:
        """Rounds of a wait of the main thread, with a growing pause after each, until the time is over; one at least.

        Raises:
            StopRequestedError: somebody asked to stop.
        """
        end = self.clock() + self.seconds
        end = end if self.until is None else min(end, self.until)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            yield
            left = end - self.clock()
            if left <= 0:
                return
            with self.stop.waiting():
                self.sleep(min(pause, left))
            pause = min(_LONGEST_PAUSE_SECONDS, pause * _GROWTH)


class ShardGuards:
    """Asks the guards of a shard, and with its counts those of the whole."""

    def __init__(self, run: ShardedRun, patience: Patience) -> None:
        """Prepare; nothing is asked of the store."""
        self._run, self._patience = run, patience

    def refusals(self, situation: Situation, limits: Limits, *, is_enabled: bool) -> list[Remark]:
        """Every reason not to delete, of this shard's own and of the whole.

        Args:
            situation: of this shard.
            limits: of the whole.
            is_enabled: whether the run deletes; one that does not, or has nothing to, waits for nobody.
        """
        own = list(refusals(situation, _of_one(limits, situation.planned)))
        population = situation.population or Population(0, 0, complete=False)
        counts = Counts(
            planned=situation.planned,
            protected=situation.protected,
            scanned=population.scanned,
            dated=population.dated,
            problems=tuple(remark.message for remark in own),
        )
        try:
            with self._patience.stop.waiting():
                standing = self._run.count(counts)
            if not is_enabled or own or not situation.planned:
                return own
            return [*self._of_the_whole(counts, standing, situation, limits)]
        except StopRequestedError:
            # What is left of the run is to say so; and a plan that nobody asked about is not carried out.
            message = "refused to delete: this run had to end before the other shards knew what it read"
            return [*own, Remark(where=_WHERE, code=_SHARDS, message=message)]
        except LedgerError as error:
            message = f"refused to delete: nobody knows what the other shards read: {error}"
            return own if not is_enabled else [*own, Remark(where=_WHERE, code=_SHARDS, message=message)]

    def _of_the_whole(self, counts: Counts, standing: Counts, situation: Situation, limits: Limits) -> Iterator[Remark]:
        if counts.planned > standing.planned:
            message = (
                f"refused to delete: {counts.planned:,} rows are planned, and the other shards were told of "
                f"{standing.planned:,} before this one was started again; run all of them again"
            )
            yield Remark(where=_WHERE, code=_SHARDS, message=message)
            return
        everybody, is_stopped = self._everybody()
        missing = [index for index in range(self._run.shard.count) if index not in everybody]
        if missing:
            yield Remark(where=_WHERE, code=_SHARDS, message=self._waited_for(missing, is_stopped=is_stopped))
            return
        yield from refusals(whole_of(everybody, situation), limits)
        for index, others in everybody.items():
            if index != self._run.shard.index and others.planned and others.problems:
                message = f"refused to delete: shard {index} would not: {others.problems[0]}"
                yield Remark(where=_WHERE, code=_SHARDS, message=message)

    def _everybody(self) -> tuple[dict[int, Counts], bool]:
        """The counts of all shards that come in time, and whether somebody asked to stop."""
        found: dict[int, Counts] = {}
        is_said = False
        try:
            for _ in self._patience.pauses():
                with self._patience.stop.waiting():
                    found = self._run.counts()
                if len(found) == self._run.shard.count:
                    break
                if not is_said:
                    log.info("shards.waiting", there=len(found), of=self._run.shard.count)
                    is_said = True
        except StopRequestedError:
            return found, True
        return found, False

    def _waited_for(self, missing: list[int], *, is_stopped: bool) -> str:
        count = self._run.shard.count
        shards = f"{named_shards(missing)} of {count} {'has' if len(missing) == 1 else 'have'}"
        if is_stopped:
            return f"refused to delete: this run had to end while {shards} not read all there is"
        waited = spoken_duration(int(self._patience.seconds))
        return (
            f"refused to delete: waited {waited}, and {shards} not read all there is; see why, and run them all again"
        )


def refusals_of_a_dry_run(everybody: Mapping[int, Counts], limits: Limits) -> list[Remark]:
    """What the guards of the whole would say of a run that does not delete."""
    nobody = Situation(
        planned=0,
        protected=0,
        population=None,
        skew_seconds=0,
        as_of=False,
        lease_problem=None,
        archive_problem=None,
    )
    return list(refusals(whole_of(everybody, nobody), limits))


def _of_one(limits: Limits, planned: int) -> Limits:
    """Without those that are for the whole."""
    return replace(limits, max_deletes=planned, max_delete_percent=100)


def whole_of(everybody: Mapping[int, Counts], own: Situation) -> Situation:
    """What the guards of the whole look at: everybody's rows, and of this shard's situation what it is alone with."""
    return replace(
        own,
        planned=sum(counts.planned for counts in everybody.values()),
        protected=sum(counts.protected for counts in everybody.values()),
        population=Population(
            scanned=sum(counts.scanned for counts in everybody.values()),
            dated=sum(counts.dated for counts in everybody.values()),
            complete=True,
        ),
        # Each shard is asked of its own, which says it in `problems`.
        skew_seconds=0,
        as_of=False,
        lease_problem=None,
        archive_problem=None,
    )
