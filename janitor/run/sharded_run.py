"""The run that the shards of a table share: how each joins it, and what each leaves in the state store for the others.

    round                      which run is open: its name, and since when      (where no name was given)
    NAME/terms                 what all of them have to agree on                first come, and it stands
    NAME/INDEX/counts          what this shard read, for the guards             likewise
    NAME/INDEX/report          how it ended, and where its report is            the last one stands
    NAME/INDEX/GENERATION/…    the report and the sights, in pieces
    NAME/merged                that the one report is made, and by whom

A shard that is killed and started again joins the same run: its counts stand, for others may have acted by them, and
its report replaces the one it left.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
import structlog

from janitor.errors import ConfigurationError, LedgerError
from janitor.ledger.interface import LARGEST_CHUNK
from janitor.ledger.shard_store import ShardStore
from janitor.report.model import Report
from janitor.run.sights import Sight, sights_in
from janitor.shard import Shard

log = structlog.get_logger("janitor.shards")

# Without a name, whoever comes within this time of the first belongs to its run.
JOIN_SECONDS = 3_600
# No run lasts longer. A name that is given again after that would stand for counts that are not true any more.
MOST_SECONDS = 86_400
_TRIES = 9
_ROUND = "round"
_REPORT, _SIGHTS = "report", "sights"

_Record = TypeVar("_Record")


class _Terms(msgspec.Struct, frozen=True):
    """What the shards of a run have alike; `opened_at` in UNIX seconds."""

    opened_at: int
    terms: dict[str, Any]


class _Round(msgspec.Struct, frozen=True):
    """Which run is open; `opened_at` in UNIX seconds."""

    name: str
    opened_at: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What one shard has read, and why it would not delete.

    Attributes:
        planned, protected: rows of its plan, and those it would hold besides.
        scanned, dated: rows of its part, and how many of them carry a date.
        problems: reasons of its own not to delete: its clock, its archive.
    """

    planned: int
    protected: int
    scanned: int
    dated: int
    problems: tuple[str, ...] = ()


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """How a shard ended.

    Attributes:
        is_final: whether it came to its end, deleting or not; one that broke off may be started again.
        generation: names the pieces.
        reports, sights: how many pieces of each there are.
    """

    is_final: bool
    generation: str
    reports: int
    sights: int


class ShardedRun:
    """One shard's view of the run that it shares. Methods raise LedgerError where the store does not work.

    Attributes:
        shard: which part this is.
        name: the run's.
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
        self.shard, self.location = shard, store.location
        self._store, self._given, self._run_id, self._clock = store, name, run_id, clock
        self.name = name or ""

    def join(self, terms: Mapping[str, object]) -> None:
        """Join the run, or open it.

        Args:
            terms: what all shards have to have alike, JSON's values by what the user calls them.

        Raises:
            ConfigurationError: the run was opened on other terms, or is over.
        """
        now = int(self._clock())
        ours = _Terms(now, {"shards": self.shard.count, **terms})
        if self._given is None:
            self.name = self._open_round(ours)
        name = f"{self.name}/terms"
        if not self._store.create(name, msgspec.json.encode(ours)):
            theirs = self._decoded(self._store.read([name]), _Terms).get(name, ours)
            _see_that_they_agree(self.name, ours.terms, theirs.terms)
            if now - theirs.opened_at > MOST_SECONDS:
                sentence = f"the sharded run {self.name} was opened more than a day ago, and is over"
                raise ConfigurationError(sentence, "give every run a --shard-run NAME of its own", "shard-run-over")
        log.info("shard.joined", shard=str(self.shard), shard_run=self.name)

    def has_reported(self) -> bool:
        """Whether this shard, before it was started again, had come to its end."""
        left = self.left([self.shard.index]).get(self.shard.index)
        return left is not None and left.is_final

    def count(self, counts: Counts) -> Counts:
        """Leave what this shard has read; what it left before it was started again stands, and is returned."""
        name = f"{self.name}/{self.shard.index}/counts"
        if self._store.create(name, msgspec.json.encode(counts)):
            return counts
        return self._decoded(self._store.read([name]), Counts).get(name, counts)

    def counts(self) -> dict[int, Counts]:
        """What each shard has read that has come so far."""
        names = {f"{self.name}/{index}/counts": index for index in range(self.shard.count)}
        found = self._decoded(self._store.read([*names]), Counts)
        return {names[name]: counts for name, counts in found.items()}

    def report(self, report: Report, sights: Iterable[bytes], *, is_final: bool) -> None:
        """Leave this shard's report and what it saw, in pieces first and then at once."""
        generation = uuid4().hex
        before = self.left([self.shard.index]).get(self.shard.index)
        content = zlib.compress(report.model_dump_json(by_alias=True).encode())
        reports = self._put_pieces(generation, _REPORT, _cut(content))
        seen = self._put_pieces(generation, _SIGHTS, sights)
        left = Left(is_final=is_final, generation=generation, reports=reports, sights=seen)
        self._store.put(f"{self.name}/{self.shard.index}/report", msgspec.json.encode(left))
        if before is not None:
            self._remove_pieces(self.shard.index, before)

    def left(self, indices: Sequence[int]) -> dict[int, Left]:
        """How each of these shards ended that has."""
        names = {f"{self.name}/{index}/report": index for index in indices}
        found = self._decoded(self._store.read([*names]), Left)
        return {names[name]: left for name, left in found.items()}

    def everybody(self) -> dict[int, Left]:
        """How every shard ended that has."""
        return self.left(range(self.shard.count))

    def report_of(self, index: int, left: Left) -> Report:
        """The report that a shard left.

        Raises:
            LedgerError: also where it is damaged, or was replaced meanwhile.
        """
        content = b"".join(self._pieces(index, left.generation, _REPORT, left.reports))
        try:
            return Report.model_validate_json(zlib.decompress(content))
        except (ValueError, zlib.error) as error:
            # The error's own words may hold a piece of a text.
            sentence = f"the report that shard {index} left is damaged ({type(error).__name__})"
            raise LedgerError(sentence, "run that shard again", "shards") from None

    def sights_of(self, index: int, left: Left) -> Iterator[list[Sight]]:
        """What a shard saw, some thousand at once."""
        for chunk in self._pieces(index, left.generation, _SIGHTS, left.sights):
            yield sights_in(chunk)

    def is_merged(self) -> bool:
        """Whether the one report of all shards was made."""
        return f"{self.name}/merged" in self._store.read([f"{self.name}/merged"])

    def set_merged(self) -> None:
        """Remember that it was, and drop what it was made of."""
        self._store.put(f"{self.name}/merged", self._run_id.encode())
        try:
            for index, left in self.everybody().items():
                self._remove_pieces(index, left)
        except LedgerError as error:
            # They are no more in anybody's way than what a killed run leaves, and go with it.
            log.warning("shards.pieces_left", code=error.code, error=str(error))

    def _open_round(self, ours: _Terms) -> str:
        """The name of the run that is open and that this shard belongs to; its own, where there is none."""
        now = ours.opened_at
        new = msgspec.json.encode(_Round(self._run_id, now))
        for _ in range(_TRIES):
            before = self._store.read([_ROUND]).get(_ROUND)
            if before is None:
                is_opened = self._store.create(_ROUND, new)
            else:
                [opened] = self._decoded({_ROUND: before}, _Round).values()
                if abs(now - opened.opened_at) < JOIN_SECONDS and self._belongs_to(opened.name, ours):
                    return opened.name
                is_opened = self._store.replace(_ROUND, before, new)
            if is_opened:
                return self._run_id
        sentence = f"{self.location}: other shards opened runs of the table all the time"
        raise LedgerError(sentence, "give all shards of one run the same --shard-run NAME")

    def _belongs_to(self, name: str, ours: _Terms) -> bool:
        terms, merged, report = f"{name}/terms", f"{name}/merged", f"{name}/{self.shard.index}/report"
        found = self._store.read([terms, merged, report])
        if merged in found:
            return False
        if report in found and self._decoded({report: found[report]}, Left)[report].is_final:
            return False
        return terms not in found or self._decoded({terms: found[terms]}, _Terms)[terms].terms == ours.terms

    def _put_pieces(self, generation: str, kind: str, pieces: Iterable[bytes]) -> int:
        number = 0
        for number, piece in enumerate(pieces, 1):
            self._store.put(self._piece(self.shard.index, generation, kind, number - 1), piece)
        return number

    def _pieces(self, index: int, generation: str, kind: str, count: int) -> Iterator[bytes]:
        for number in range(count):
            name = self._piece(index, generation, kind, number)
            piece = self._store.read([name]).get(name)
            if piece is None:
                sentence = f"what shard {index} left is not there any more"
                raise LedgerError(f"{self.location}: {sentence}", "run it again", "shards")
            yield piece

    def _remove_pieces(self, index: int, left: Left) -> None:
        counts = {_REPORT: left.reports, _SIGHTS: left.sights}
        self._store.remove(
            [self._piece(index, left.generation, kind, number) for kind in counts for number in range(counts[kind])]
        )

    def _piece(self, index: int, generation: str, kind: str, number: int) -> str:
        return f"{self.name}/{index}/{generation}/{kind}/{number:05}"

    def _decoded(self, records: Mapping[str, bytes], kind: type[_Record]) -> dict[str, _Record]:
        try:
            return {name: msgspec.json.decode(content, type=kind) for name, content in records.items()}
        except ValueError:
            sentence = f"{self.location}: what other shards left there is damaged, or of another version"
            raise LedgerError(sentence, "give this run another --shard-run NAME", "shards") from None


def _cut(content: bytes) -> Iterator[bytes]:
    return (content[start : start + LARGEST_CHUNK] for start in range(0, len(content), LARGEST_CHUNK))


def _see_that_they_agree(name: str, ours: Mapping[str, object], theirs: Mapping[str, object]) -> None:
    for term in dict.fromkeys([*theirs, *ours]):
        if ours.get(term) != theirs.get(term):
            sentence = f"the sharded run {name} was opened with {term} {theirs.get(term)}, and this shard has "
            way_out = "give all shards of a run the same settings, or this one another --shard-run NAME"
            raise ConfigurationError(f"{sentence}{ours.get(term)}", way_out, "shard-terms")
