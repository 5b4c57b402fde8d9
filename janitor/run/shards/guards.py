"""The guards of a run that several shards share: they hold for the whole, so each shard waits for what the others read.

    own plan ──own guards──> counts ──wait──> verdict: everybody's counts ──guards of the whole──> may delete
                                        └───> verdict: refused, because somebody would not, or did not come in time

The verdict is made once, in the state store, by whichever shard comes first: nobody deletes by other counts than the
others do, and nobody who comes late deletes what the others have refused to.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from janitor.errors import LedgerError, StopRequestedError
from janitor.logs import get_logger
from janitor.report.model import Remark
from janitor.report.shard_names import named_shards
from janitor.run.guards import Limits, Situation, refusals
from janitor.run.patience import Patience
from janitor.run.plan import Population
from janitor.run.shards.records import Counts, Verdict
from janitor.run.shards.sharded_run import ShardedRun, Standing
from janitor.tokens.duration import spoken_duration

log = get_logger("janitor.shards")

_WHERE = "guard"
_SHARDS = "shards"
# A shard that was started again may still go by a verdict of so long ago.
_LATEST_SECONDS = 3_600
_AGAIN = "start all of them anew, under another --shard-run NAME if they have one"


class ShardGuards:
    """Asks the guards of a shard, and with its counts those of the whole."""

    def __init__(self, run: ShardedRun, patience: Patience) -> None:
        """Prepare; nothing is asked of the store."""
        self._run, self._patience = run, patience
        self._standing = Standing({}, frozenset())

    def refusals(self, situation: Situation, limits: Limits, *, is_enabled: bool) -> list[Remark]:
        """Every reason not to delete, of this shard's own and of the whole.

        Args:
            situation: of this shard.
            limits: of the whole.
            is_enabled: whether the run deletes; one that does not waits for nobody.
        """
        alone = replace(situation, misread={})
        own = list(refusals(alone, _of_one(limits, situation.planned), is_dry_run=not is_enabled))
        try:
            counts = self._counted(situation, own)
            if not is_enabled:
                return own
            verdict = self._verdict()
            if own or not counts.planned:
                return own
            return list(self._by(verdict, counts, situation, limits))
        except StopRequestedError:
            # A plan that nobody was asked about is not carried out.
            return [*own, _refusal("this run had to end before all shards knew what the others read")]
        except LedgerError as error:
            return own if not is_enabled else [*own, _refusal(f"nobody knows what the other shards read: {error}")]

    def _counted(self, situation: Situation, own: list[Remark]) -> Counts:
        population = situation.population or Population(0, 0, complete=False)
        counts = Counts(
            attempt=self._run.attempt,
            planned=situation.planned,
            protected=situation.protected,
            scanned=population.scanned,
            dated=population.dated,
            problems=tuple(remark.message for remark in own),
            unused_patterns=population.unused_patterns,
            misread=dict(situation.misread),
        )
        with self._patience.stop.waiting():
            self._run.count(counts)
        return counts

    def _verdict(self) -> Verdict:
        """What all go by: what another has said already, or what there is to say once it is known."""
        waited, is_said = 0.0, False
        for seconds in self._patience.pauses(lambda: self._missing() <= self._standing.alive):
            waited = seconds
            try:
                with self._patience.stop.waiting():
                    verdict = self._looked()
            except LedgerError as error:
                # One look of many that fails is no reason to refuse; of a store that is gone the last one says so.
                log.warning("shards.not_looked", code=error.code, error=str(error))
                self._standing = Standing({}, frozenset())
                continue
            if verdict is not None:
                return verdict
            if not is_said:
                log.info("shards.waiting", there=len(self._standing.counts), of=self._run.shard.count)
                is_said = True
        missing = sorted(self._missing())
        shards = f"{named_shards(missing)} of {self._run.shard.count} {'has' if len(missing) == 1 else 'have'}"
        said = f"waited {spoken_duration(round(waited))}, and {shards} not read all there is; see why, and {_AGAIN}"
        with self._patience.stop.waiting():
            return self._run.decide(self._standing.counts, said)

    def _looked(self) -> Verdict | None:
        verdict = self._run.verdict()
        if verdict is None:
            self._standing = self._run.standing()
            verdict = self._said_of(self._standing.counts)
        return verdict

    def _said_of(self, everybody: Mapping[int, Counts]) -> Verdict | None:
        """The verdict, where there is one already."""
        for index, why in _problems(everybody):
            return self._run.decide(everybody, f"shard {index} would not: {why}")
        return None if self._missing() else self._run.decide(everybody)

    def _missing(self) -> frozenset[int]:
        return frozenset(range(self._run.shard.count)) - self._standing.counts.keys()

    def _by(self, verdict: Verdict, counts: Counts, situation: Situation, limits: Limits) -> Iterator[Remark]:
        if verdict.refusal is not None:
            yield _refusal(verdict.refusal)
            return
        everybody = {int(index): each for index, each in verdict.counts.items()}
        told = list(refusals(whole_of(everybody, situation), limits))
        if everybody[self._run.shard.index].attempt != self._run.attempt:
            # Started again since. What it read now counts as well; and what the others read has to be true still.
            # Counts are left before others are read, so that of two that were started again one sees both. What an
            # attempt before had deleted is in no sum.
            everybody |= {**self._run.all_counts(), self._run.shard.index: counts}
            told += refusals(whole_of(everybody, situation), limits)
            told += (_refusal(f"shard {index} would not: {why}") for index, why in _problems(everybody))
            if self._run.age_of(verdict) > _LATEST_SECONDS:
                told.append(_refusal(f"what the other shards read is more than an hour old; {_AGAIN}"))
        if self._run.merged() is not None:
            told.append(_refusal(f"the other shards have made their report without this one; {_AGAIN}"))
        yield from {remark.code: remark for remark in told}.values()


def _problems(everybody: Mapping[int, Counts]) -> Iterator[tuple[int, str]]:
    """Shards that would not delete what they planned, and why."""
    for index, counts in sorted(everybody.items()):
        if counts.planned and counts.problems:
            yield index, counts.problems[0]


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
    return list(refusals(whole_of(everybody, nobody), limits, is_dry_run=True))


def whole_of(everybody: Mapping[int, Counts], own: Situation) -> Situation:
    """What the guards of the whole look at: everybody's rows. What a shard is alone with is asked of it alone."""
    return replace(
        own,
        planned=sum(counts.planned for counts in everybody.values()),
        protected=sum(counts.protected for counts in everybody.values()),
        population=Population(
            scanned=sum(counts.scanned for counts in everybody.values()),
            dated=sum(counts.dated for counts in everybody.values()),
            complete=True,
        ),
        skew_seconds=0,
        as_of=False,
        lease_problem=None,
        archive_problem=None,
        consent_problem=None,
        misread=_misread(everybody.values()),
    )


def _misread(everybody: Collection[Counts]) -> dict[str, int]:
    """The patterns that fit nobody in any part, and how many rows of all parts each would fit."""
    unused = set.intersection(*(set(counts.unused_patterns) for counts in everybody)) if everybody else set()
    found: Counter[str] = Counter()
    for counts in everybody:
        found.update({pattern: rows for pattern, rows in counts.misread.items() if pattern in unused})
    return dict(found)


def _of_one(limits: Limits, planned: int) -> Limits:
    """Without those that are for the whole."""
    return replace(limits, max_deletes=planned, max_delete_percent=100)


def _refusal(why: str) -> Remark:
    return Remark(where=_WHERE, code=_SHARDS, message=f"refused to delete: {why}")
