"""What shards of one run leave for each other in the state store: records, and pieces of what is too long for one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from janitor.errors import LedgerError
from janitor.ledger.interface import LARGEST_CHUNK
from janitor.ledger.shard_store import ShardStore

_Record = TypeVar("_Record")


class Round(msgspec.Struct, frozen=True):
    """Which run is open; `opened_at` in UNIX seconds."""

    name: str
    opened_at: int


class Terms(msgspec.Struct, frozen=True):
    """What the shards of a run have alike; `opened_at` in UNIX seconds."""

    opened_at: int
    terms: dict[str, Any]


class Life(msgspec.Struct, frozen=True):
    """That a process is at work on a shard: its run id, and the UNIX second."""

    attempt: str
    at: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What one shard has read, and why it would not delete.

    Attributes:
        attempt: the run id of the process that read it.
        planned, protected: rows of its plan, and those it would hold besides.
        scanned, dated: rows of its part, and how many of them carry a date.
        problems: reasons of its own not to delete: its clock, its archive, nobody who says yes.
        unused_patterns: of protected users, those that fit the owner of no row of its part.
        misread: those of them that would fit so many planned rows if they were read a little differently.
    """

    attempt: str
    planned: int
    protected: int
    scanned: int
    dated: int
    problems: tuple[str, ...] = ()
    unused_patterns: tuple[str, ...] = ()
    misread: dict[str, int] = {}  # msgspec makes each record one of its own


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the shards go by when they delete, or do not: made once, by whichever comes first.

    Attributes:
        at: the UNIX second.
        counts: of each shard by its index, as text, those that were in.
        refusal: why nothing may be deleted, whatever the guards would say; None where all counts were in.
    """

    at: int
    counts: dict[str, Counts]
    refusal: str | None = None


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """How a shard ended.

    Attributes:
        is_final: whether it came to its end, deleting or not; one that broke off may be started again.
        is_refused: whether its guards refused to delete.
        generation: names the pieces.
        reports, sights: how many pieces of each there are.
    """

    is_final: bool
    is_refused: bool
    generation: str
    reports: int
    sights: int


class Announced(msgspec.Struct, frozen=True):
    """That the one report was announced, of which shards it is, and where it is."""

    shards: tuple[int, ...]
    generation: str
    reports: int


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """That the one report of all shards was made and written.

    Attributes:
        by: the index of the shard that made it.
        shards: those that are in it.
        failures: what it says went wrong with the whole.
    """

    by: int
    shards: tuple[int, ...]
    failures: tuple[str, ...] = ()


class Records:
    """The records of one run, typed. Every method raises LedgerError where the store does not work."""

    def __init__(self, store: ShardStore, prefix: str) -> None:
        """Args: where they are, and what their names begin with."""
        self._store, self._prefix = store, prefix

    def get(self, name: str, kind: type[_Record]) -> _Record | None:
        """One record; None where it is not there."""
        return self.get_all([name], kind).get(name)

    def get_all(self, names: Sequence[str], kind: type[_Record]) -> dict[str, _Record]:
        """Those of the records that are there."""
        found = self._store.read([f"{self._prefix}{name}" for name in names])
        return {name.removeprefix(self._prefix): self._decoded(content, kind) for name, content in found.items()}

    def put(self, name: str, record: msgspec.Struct) -> None:
        """Write a record, in the place of the one that is there."""
        self._store.put(f"{self._prefix}{name}", msgspec.json.encode(record))

    def create(self, name: str, record: _Record) -> _Record:
        """Write a record that is not there yet; whatever stands then, this one or another."""
        if self._store.create(f"{self._prefix}{name}", msgspec.json.encode(record)):
            return record
        return self.get(name, type(record)) or record

    def replace(self, name: str, seen: msgspec.Struct, record: msgspec.Struct) -> bool:
        """Write a record in the place of one that still is as it was seen."""
        before, after = msgspec.json.encode(seen), msgspec.json.encode(record)
        return self._store.replace(f"{self._prefix}{name}", before, after)

    def put_pieces(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write something long, cut or to be cut into pieces; how many there are."""
        number = 0
        for number, piece in enumerate(_cut(pieces), 1):
            self._store.put(self._piece(name, number - 1), piece)
        return number

    def pieces(self, name: str, count: int) -> Iterator[bytes]:
        """The pieces of something long, one after the other.

        Raises:
            LedgerError: also where one is not there any more.
        """
        for number in range(count):
            piece = self._piece(name, number)
            content = self._store.read([piece]).get(piece)
            if content is None:
                sentence = f"{self._store.location}: what a shard left there is not there any more"
                raise LedgerError(sentence, "run it again", "shards")
            yield content

    def remove_pieces(self, counts: Mapping[str, int]) -> None:
        """Take away something long, or several: how many pieces each has, by name."""
        self._store.remove([self._piece(name, number) for name, count in counts.items() for number in range(count)])

    def _piece(self, name: str, number: int) -> str:
        return f"{self._prefix}{name}/{number:05}"

    def _decoded(self, content: bytes, kind: type[_Record]) -> _Record:
        try:
            return msgspec.json.decode(content, type=kind)
        except (ValueError, RecursionError):
            sentence = f"{self._store.location}: what other shards left there is damaged, or of another version"
            raise LedgerError(sentence, "give this run another --shard-run NAME", "shards") from None


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), LARGEST_CHUNK):
            yield piece[start : start + LARGEST_CHUNK]
