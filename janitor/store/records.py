"""The store as the program uses it: what is the same for all backends.

That is: any number of records at a time, retries when the store was too busy, writes whose answer was lost, and the
proof that there is room.
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
from janitor.store.record_times import second_in

# How often something is tried. Besides, botocore sends each request several times.
ROUNDS = 9
# Full jitter, as for deletes: about three seconds over all rounds.
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0

_PROOF_SECONDS = 86_400
# If room cannot run out, two records prove as much as many: they are already written like many.
_FEW = 2

_decode = msgspec.json.Decoder(dict[str, object]).decode
Item = TypeVar("Item")


class Store:
    """Records in any backend. Threads may share one. Its methods raise StoreError where the store does not work.

    No argument holds a token or a row's key.

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
            wait: waits so many seconds before a retry.
            jitter: spreads the retries.
        """
        self._backend = backend
        self._wait = wait
        self._jitter = jitter or random.Random()  # noqa: S311  # no secret comes of it
        self.location, self.place = backend.location, backend.place

    def read(self, scope: str, names: Iterable[str]) -> RecordReading:
        """Read the records of these names that exist, any number of them."""
        records: dict[str, Record] = {}
        now = None
        for portion in _in_portions(dict.fromkeys(names), self._backend.max_read):
            unread: Sequence[str] = portion
            for _ in self._rounds():
                reading = self._backend.read(scope, unread)
                records |= reading.records
                unread, now = reading.unread, reading.now
                if not unread:
                    break
        return RecordReading(records, now)

    def readings(self, scope: str, names: Iterable[str]) -> Iterator[RecordReading]:
        """Read the records again and again, with a growing pause between. The caller breaks off once it has written.

        Raises:
            StoreError: also where the caller has not broken off after `ROUNDS` readings.
        """
        names = list(names)
        for _ in self._rounds():
            yield self.read(scope, names)

    def portions(self, items: Iterable[Item]) -> Iterator[Sequence[Item]]:
        """Split items into portions of as many small records as one `write` takes."""
        return _in_portions(items, self._backend.max_written)

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:
        """Make changes, all of them or none; at most as many as one of the `portions`.

        Returns:
            whether they were made. If not, a record was not the expected one, or the store was too busy.
        """
        if not changes or self._backend.write(scope, changes):
            return True
        # They may have been made by a first request whose answer was lost, so that its retry was refused.
        standing = self.read(scope, [change.name for change in changes]).records
        return all(_is_made(change, standing.get(change.name)) for change in changes)

    def put(self, scope: str, changes: Iterable[RecordChange]) -> None:
        """Write any number of records over what is there. If this raises, some of them may be written.

        At most a few megabytes of them are in memory at a time.
        """
        waiting: list[RecordChange] = []
        size = 0
        for change in changes:
            length = len(change.content or b"")
            if waiting and (len(waiting) == self._backend.max_written or size + length > self._backend.max_bytes):
                self._write_in_the_end(scope, waiting)
                waiting, size = [], 0
            waiting.append(change)
            size += length
        self._write_in_the_end(scope, waiting)

    def remove(self, scope: str, names: Iterable[str]) -> None:
        """Remove any number of records, whatever they hold. If this raises, some of them may remain."""
        for portion in _in_portions(names, self._backend.max_removed):
            self._write_in_the_end(scope, [RecordChange(name, None) for name in portion])

    def prove(self, scope: str, names: Sequence[str], now: int) -> None:
        """Prove that records of these names can be written and read, and that there is room for all of them.

        Others of the same size are written and removed again. So a later write does not fail for lack of a permission
        or of room, and no notice is sent every night because it cannot be remembered.

        Args:
            scope: the records' scope.
            names: any number of them.
            now: the run's UNIX second.
        """
        folder = uuid4().hex  # different for every run: two may do this at once
        count = len(names) if self._backend.can_run_full else _FEW
        proofs = [f"proof/{folder}/{name}" for name in names[:count]]
        content = encode_fields({"at": now})
        self.put(scope, [RecordChange(proof, content, now + _PROOF_SECONDS) for proof in proofs])
        if self.read(scope, proofs).records.keys() != {*proofs}:
            sentence = f"{self.place} does not give back what was just written to it"
            raise StoreError(sentence, "check that it is not damaged, and not a stale copy of another")
        self.remove(scope, proofs)

    def forget(self) -> None:
        """Remove records of every scope that have expired by the store's clock, unless it does so by itself."""
        self._backend.forget()

    def _write_in_the_end(self, scope: str, changes: Sequence[RecordChange]) -> None:
        for _ in self._rounds():
            if self.write(scope, changes):
                break

    def _rounds(self) -> Iterator[int]:
        """Count tries, with a growing pause between. The caller breaks off once it has succeeded.

        Raises:
            StoreError: the caller has not succeeded after `ROUNDS` tries.
        """
        for number in range(ROUNDS):
            if number:
                longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0**number)
                self._wait(self._jitter.uniform(0, longest))
            yield number
        sentence = f"{self.place} was too busy {ROUNDS} times, or others kept changing the same records"
        raise StoreError(sentence, "try again later", "throttled")


class ReadOnlyStore(Store):
    """The store of a run that must not write: writes are ignored, and seem to succeed."""

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:  # noqa: ARG002  # the signature is the store's
        """Write nothing; return True."""
        return True

    def prove(self, scope: str, names: Sequence[str], now: int) -> None:  # noqa: ARG002  # likewise
        """Prove only that the store can be read."""
        self.read(scope, names[:1])

    def forget(self) -> None:
        """Remove nothing."""


def encode_fields(fields: Mapping[str, object]) -> bytes:
    """Encode fields as a record's content."""
    return msgspec.json.encode(fields)


def decode_fields(content: object) -> Mapping[str, object]:
    """Decode the fields of a record's content; empty if it has none."""
    if not isinstance(content, bytes):
        return {}
    try:
        return _decode(content)
    except (ValueError, RecursionError):
        return {}


def _is_made(change: RecordChange, standing: Record | None) -> bool:
    if change.content is None or standing is None:
        return change.content is None and standing is None
    return standing.content == change.content and second_in(standing.expires_at) == change.expires_at


def _in_portions(items: Iterable[Item], size: int) -> Iterator[Sequence[Item]]:
    rest = iter(items)
    while portion := list(itertools.islice(rest, size)):
        yield portion
