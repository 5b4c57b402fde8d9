"""The run that the shards of a table share: how each joins it, and what each leaves in the state store for the others.

    round/COMMAND/N             which run is open: its name, and since when     (where no name was given)
    NAME/terms                  what all of them have to agree on               first come, and it stands
    NAME@TIME/INDEX/life        that a process is at work on this shard         written anew every 20 seconds
    NAME@TIME/INDEX/counts      what this shard read, for the guards            the last process's stand
    NAME@TIME/verdict           what all go by when they delete, or do not      first come, and it stands
    NAME@TIME/INDEX/report      how it ended, and where its report is           the last one stands
    NAME@TIME/announced         the one report, once whoever is to hear of it has
    NAME@TIME/merged            that it is written, of which shards, and by whom

TIME is when the run was opened: what is left of an earlier run of that name is nobody's any more.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar
from uuid import uuid4

import msgspec

from janitor.errors import ConfigurationError, LedgerError
from janitor.ledger.shard_store import ShardStore
from janitor.logs import get_logger
from janitor.report.model import Outcome, Report
from janitor.report.part import json_line
from janitor.run.shards.records import Announced, Counts, Left, Life, Merged, Records, Round, Terms, Verdict
from janitor.run.sights import Sight, sights_in
from janitor.shard import Shard

log = get_logger("janitor.shards")

# Without a name, whoever comes within this time of the first belongs to its run.
JOIN_SECONDS = 3_600
# No run lasts longer. A name that is given again after that would stand for what is not true any more.
MOST_SECONDS = 86_400
# A process that has shown no life for so long is gone. Machines' clocks may be a minute apart.
LIFE_SECONDS = 180
_TRIES = 9
_ROUND = "round"

_Record = TypeVar("_Record")


class Standing(NamedTuple):
    """Who is there.

    Attributes:
        counts: what each shard read that has read its part, and whose process is still at work.
        alive: shards whose process is at work.
    """

    counts: dict[int, Counts]
    alive: frozenset[int]


class ShardedRun:
    """One process's view of the run that it shares. Methods raise LedgerError where the store does not work.

    Attributes:
        shard: which part this is.
        name: the run's.
        attempt: this process's run id.
        location: the store, as the user calls it.
    """

    def __init__(
        self, store: ShardStore, shard: Shard, *, name: str | None, run_id: str, clock: Callable[[], float]
    ) -> None:
        """Prepare; nothing is asked of the store.

        Args:
            store: shared by all shards of the table.
            shard: which part this is.
            name: the run's, None for the one that is open.
            run_id: this process's, which a run that it opens is called by.
            clock: the present UNIX second.
        """
        self.shard, self.attempt, self.location = shard, run_id, store.location
        self.name = name or run_id
        self._store, self._is_named, self._clock = store, name is not None, clock
        self._records = Records(store, "")

    def join(self, terms: Mapping[str, object]) -> None:
        """Join the run, or open it.

        Args:
            terms: what all shards have to have alike, JSON's values by what the user calls them.

        Raises:
            ConfigurationError: the run was opened on other terms, or is over.
        """
        ours = Terms(self._now(), {"shards": self.shard.count, **terms})
        if not self._is_named:
            self.name = self._open_round(ours)
        theirs = self._records.create(f"{self.name}/terms", ours)
        _see_that_they_agree(self.name, ours, theirs)
        if abs(ours.opened_at - theirs.opened_at) > MOST_SECONDS:
            sentence = f"the sharded run {self.name} was opened more than a day ago, or by a wrong clock"
            raise ConfigurationError(sentence, "give every run a --shard-run NAME of its own", "shard-run-over")
        self._records = self._of(self.name, theirs)
        log.info("shard.joined", shard=str(self.shard), shard_run=self.name)

    def show_life(self) -> None:
        """Let the others know that this process is at work."""
        self._records.put(self._own("life"), Life(self.attempt, self._now()))

    def count(self, counts: Counts) -> None:
        """Leave what this shard has read."""
        self.show_life()
        self._records.put(self._own("counts"), counts)

    def standing(self) -> Standing:
        """Who is there, and what they have read. A process that is gone has read nothing that is still true."""
        now = self._now()
        lives = {
            index: life
            for index, life in self._of_each("life", Life).items()
            if abs(now - life.at) <= LIFE_SECONDS or index == self.shard.index
        }
        counts = {
            index: counts
            for index, counts in self._of_each("counts", Counts).items()
            if index in lives and lives[index].attempt == counts.attempt
        }
        return Standing(counts, frozenset(lives))

    def all_counts(self) -> dict[int, Counts]:
        """What each shard has read that has, whether its process is still there or not."""
        return self._of_each("counts", Counts)

    def verdict(self) -> Verdict | None:
        """What all go by, once somebody has said it."""
        return self._records.get("verdict", Verdict)

    def decide(self, counts: Mapping[int, Counts], refusal: str | None = None) -> Verdict:
        """Say what all go by; what stands then, for another may have come first."""
        said = Verdict(at=self._now(), counts={str(index): each for index, each in counts.items()}, refusal=refusal)
        return self._records.create("verdict", said)

    def age_of(self, verdict: Verdict) -> int:
        """How many seconds ago that was."""
        return self._now() - verdict.at

    def own_end(self) -> Left | None:
        """How this shard, before it was started again, had come to its end; None where it had not."""
        left = self._records.get(self._own("report"), Left)
        return left if left is not None and left.is_final else None

    def report(self, report: Report, sights: Iterable[bytes], *, is_final: bool) -> None:
        """Leave this shard's report and what it saw, in pieces first and then at once."""
        generation = uuid4().hex
        before = self._records.get(self._own("report"), Left)
        reports = self._records.put_pieces(self._own(f"{generation}/report"), [_packed(report)])
        seen = self._records.put_pieces(self._own(f"{generation}/sights"), sights)
        is_refused = report.run.outcome is Outcome.REFUSED
        left = Left(is_final=is_final, is_refused=is_refused, generation=generation, reports=reports, sights=seen)
        self._records.put(self._own("report"), left)
        if before is not None:
            self._remove_pieces({self.shard.index: before})

    def everybody(self) -> dict[int, Left]:
        """How every shard ended that has."""
        return self._of_each("report", Left)

    def report_of(self, index: int, left: Left) -> Report:
        """The report that a shard left.

        Raises:
            LedgerError: also where it is damaged, or was replaced meanwhile.
        """
        name = f"{index}/{left.generation}/report"
        return _unpacked(self._records.pieces(name, left.reports), f"the report that shard {index} left")

    def sights_of(self, index: int, left: Left) -> Iterator[list[Sight]]:
        """What a shard saw, some thousand at once."""
        for chunk in self._records.pieces(f"{index}/{left.generation}/sights", left.sights):
            yield sights_in(chunk)

    def announced(self) -> tuple[Report, tuple[int, ...]] | None:
        """The one report, and of which shards it is, where it was announced and perhaps not written."""
        found = self._records.get("announced", Announced)
        if found is None:
            return None
        pieces = self._records.pieces(f"{found.generation}/report", found.reports)
        return _unpacked(pieces, "the merged report"), found.shards

    def set_announced(self, whole: Report, shards: Iterable[int]) -> None:
        """Keep the one report, so that nobody who comes later announces it again."""
        generation = uuid4().hex
        reports = self._records.put_pieces(f"{generation}/report", [_packed(whole)])
        self._records.put("announced", Announced(tuple(shards), generation, reports))

    def merged(self) -> Merged | None:
        """Of which shards the one report is, and by whom; None where it is not written."""
        return self._records.get("merged", Merged)

    def set_merged(self, merged: Merged) -> None:
        """Remember that the one report is written, and drop what it was made of."""
        self._records.put("merged", merged)
        try:
            self._remove_pieces(self.everybody())
            if (announced := self._records.get("announced", Announced)) is not None:
                self._records.remove_pieces({f"{announced.generation}/report": announced.reports})
        except LedgerError as error:
            # They are no more in anybody's way than what a killed run leaves, and go with it.
            log.warning("shards.pieces_left", code=error.code, error=str(error))

    def _open_round(self, ours: Terms) -> str:
        """The name of the run that is open and that this shard belongs to; its own, where there is none."""
        # Scans and sweeps, and runs of other numbers of shards, do not close each other's.
        place = f"{_ROUND}/{ours.terms.get('command')}/{self.shard.count}"
        new = Round(self.attempt, ours.opened_at)
        for _ in range(_TRIES):
            opened = self._records.create(place, new)
            if opened == new:
                return new.name
            if abs(ours.opened_at - opened.opened_at) < JOIN_SECONDS and self._belongs_to(opened.name, ours):
                return opened.name
            if self._records.replace(place, opened, new):
                return new.name
        sentence = f"{self.location}: other shards opened runs of the table all the time"
        raise LedgerError(sentence, "give all shards of one run the same --shard-run NAME")

    def _belongs_to(self, name: str, ours: Terms) -> bool:
        """Whether this shard is one that the run still lacks.

        Raises:
            ConfigurationError: it is, and has other settings than the run was opened with.
        """
        theirs = self._records.get(f"{name}/terms", Terms)
        if theirs is None:
            return True
        records = self._of(name, theirs)
        left = records.get(self._own("report"), Left)
        if records.get("merged", Merged) is not None or (left is not None and left.is_final):
            return False
        _see_that_they_agree(name, ours, theirs)
        return True

    def _of(self, name: str, terms: Terms) -> Records:
        return Records(self._store, f"{name}@{terms.opened_at}/")

    def _own(self, name: str) -> str:
        return f"{self.shard.index}/{name}"

    def _of_each(self, name: str, kind: type[_Record]) -> dict[int, _Record]:
        names = {f"{index}/{name}": index for index in range(self.shard.count)}
        return {names[found]: record for found, record in self._records.get_all([*names], kind).items()}

    def _remove_pieces(self, left: Mapping[int, Left]) -> None:
        counts = {f"{index}/{each.generation}/report": each.reports for index, each in left.items()}
        counts |= {f"{index}/{each.generation}/sights": each.sights for index, each in left.items()}
        self._records.remove_pieces(counts)

    def _now(self) -> int:
        return int(self._clock())


def _packed(report: Report) -> bytes:
    return zlib.compress(json_line(report))


def _unpacked(pieces: Iterable[bytes], what: str) -> Report:
    try:
        return msgspec.json.decode(zlib.decompress(b"".join(pieces)), type=Report)
    except (ValueError, msgspec.MsgspecError, zlib.error) as error:
        # The error's own words may hold a piece of a text.
        raise LedgerError(f"{what} is damaged ({type(error).__name__})", "run it again", "shards") from None


def _see_that_they_agree(name: str, ours: Terms, theirs: Terms) -> None:
    for term in dict.fromkeys([*theirs.terms, *ours.terms]):
        said, here = theirs.terms.get(term), ours.terms.get(term)
        if said != here:
            sentence = f"the sharded run {name} was opened with {term} {said}, and this shard has {here}"
            way_out = "give all shards of a run the same settings, or this one another --shard-run NAME"
            raise ConfigurationError(sentence, way_out, "shard-terms")
