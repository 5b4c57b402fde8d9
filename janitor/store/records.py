"""The store as the program uses it: what all backends have in common stands here, once.

That is: many records at a time, trying again what a store was too busy for, writes whose answer was lost, and the proof
that there is room.
"""

import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar
from uuid import uuid4

import msgspec

from janitor.errors import StoreError
from janitor.store.interface import Backend, Record, RecordChange, RecordReading
from janitor.store.moments import moment_in

# How often something is tried; botocore has repeated each of its requests several times.
ROUNDS = 9
# Full jitter, as for deletes: about three seconds over all rounds.
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0

_PROOF_SECONDS = 86_400
# Where room cannot run out, a few records prove as much as many: two, for those are written as many are.
_FEW = 2

_decode = msgspec.json.Decoder(dict[str, object]).decode
Item = TypeVar("Item")


class Store:
    """Records, over any backend. Threads may share one. Its methods raise StoreError where the store does not work.

    Nothing that is handed in holds a token or a row's key.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
        place: the same in a sentence, for example "the state table janitor-state".
    """

    def __init__(
        self,
        backend: Backend,
        *,
        wait: Callable[[float], object] = time.sleep,
        jitter: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is read or written.

        Args:
            backend: keeps the records.
            wait: waits so many seconds, before something is tried again.
            jitter: spreads the retries.
        """
        self._backend = backend
        self._wait = wait
        self._jitter = jitter or random.Random()  # noqa: S311  # no secret comes of it
        self.location, self.place = backend.location, backend.place

    def read(self, scope: str, names: Iterable[str]) -> RecordReading:
        """Those of the names that are there, any number of them."""
        records: dict[str, Record] = {}
        now = None
        for portion in _in_portions(dict.fromkeys(names), self._backend.most_read):
            unread: Sequence[str] = portion
            for _ in self._rounds():
                reading = self._backend.read(scope, unread)
                records |= reading.records
                unread, now = reading.unread, reading.now
                if not unread:
                    break
        return RecordReading(records, now)

    def readings(self, scope: str, names: Iterable[str]) -> Iterator[RecordReading]:
        """Read the records again and again, with a growing pause between; to be left by whoever has written them.

        Raises:
            StoreError: also where that did not come to pass in `ROUNDS` readings.
        """
        names = list(names)
        for _ in self._rounds():
            yield self.read(scope, names)

    def portions(self, items: Iterable[Item]) -> Iterator[Sequence[Item]]:
        """The items, as many at a time as one `write` takes of small records."""
        return _in_portions(items, self._backend.most_written)

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:
        """Make at most as many changes as one of the `portions`, all of them or none.

        Returns:
            whether all stand now. Where not, a record was not the expected one, or the store was too busy.
        """
        if not changes or self._backend.write(scope, changes):
            return True
        # The answer may have been lost after the changes were made, and the same sent again.
        standing = self.read(scope, [change.name for change in changes]).records
        return all(_is_made(change, standing.get(change.name)) for change in changes)

    def put(self, scope: str, changes: Iterable[RecordChange]) -> None:
        """Write any number of records, whatever is there. Where this raises, some of them may be written.

        They are taken a few megabytes at a time.
        """
        waiting: list[RecordChange] = []
        size = 0
        for change in changes:
            length = len(change.content or b"")
            if waiting and (len(waiting) == self._backend.most_written or size + length > self._backend.most_bytes):
                self._write_in_the_end(scope, waiting)
                waiting, size = [], 0
            waiting.append(change)
            size += length
        self._write_in_the_end(scope, waiting)

    def remove(self, scope: str, names: Iterable[str]) -> None:
        """Remove any number of records, whatever they are. Where this raises, some of them may be there still."""
        for portion in _in_portions(names, self._backend.most_removed):
            self._write_in_the_end(scope, [RecordChange(name, None) for name in portion])

    def prove(self, scope: str, names: Sequence[str], now: int) -> None:
        """Prove that records of these names can be written and read, and that there is room for all of them.

        Others are written in their place, and removed again. What fails later is not for want of a permission or of
        room, and so nobody is told something over and over that cannot be remembered.

        Args:
            scope: the records'.
            names: any number of them.
            now: the run's UNIX second.
        """
        folder = uuid4().hex  # its own for every run: two may be here at once
        count = len(names) if self._backend.can_run_full else _FEW
        proofs = [f"proof/{folder}/{name}" for name in names[:count]]
        content = encoded({"at": now})
        self.put(scope, [RecordChange(proof, content, now + _PROOF_SECONDS) for proof in proofs])
        if self.read(scope, proofs).records.keys() != {*proofs}:
            sentence = f"{self.place} does not give back what was just written to it"
            raise StoreError(sentence, "see that it is whole, and no stale copy of another")
        self.remove(scope, proofs)

    def forget(self) -> None:
        """Remove the records of every scope whose time is over by the store's clock, unless it does so by itself."""
        self._backend.forget()

    def _write_in_the_end(self, scope: str, changes: Sequence[RecordChange]) -> None:
        for _ in self._rounds():
            if self.write(scope, changes):
                break

    def _rounds(self) -> Iterator[int]:
        """Numbers of tries, with a growing pause between; to be left by whoever has succeeded.

        Raises:
            StoreError: none of them did.
        """
        for number in range(ROUNDS):
            if number:
                longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0**number)
                self._wait(self._jitter.uniform(0, longest))
            yield number
        sentence = f"what was asked of {self.place} was left undone {ROUNDS} times"
        raise StoreError(sentence, "try again later", "throttled")


class ReadOnlyStore(Store):
    """A store of a run that leaves nothing behind: what it would write goes nowhere."""

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:  # noqa: ARG002  # the signature is the store's
        """Write nothing, as if all went well."""
        return True

    def prove(self, scope: str, names: Sequence[str], now: int) -> None:  # noqa: ARG002  # likewise
        """Prove only that the store can be read."""
        self.read(scope, names[:1])

    def forget(self) -> None:
        """Remove nothing."""


def encoded(fields: Mapping[str, object]) -> bytes:
    """A record's content, of fields."""
    return msgspec.json.encode(fields)


def fields_in(content: object) -> Mapping[str, object]:
    """The fields that a record's content was made of; none where it was not."""
    if not isinstance(content, bytes):
        return {}
    try:
        return _decode(content)
    except (ValueError, RecursionError):
        return {}


def _is_made(change: RecordChange, standing: Record | None) -> bool:
    if change.content is None or standing is None:
        return change.content is None and standing is None
    return standing.content == change.content and moment_in(standing.expires_at) == change.expires_at


def _in_portions(items: Iterable[Item], size: int) -> Iterator[Sequence[Item]]:
    rest = iter(items)
    while portion := list(itertools.islice(rest, size)):
        yield portion
