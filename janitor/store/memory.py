"""What runs of one table remember between each other, as records of the store.

    name                       content
    mark/NAME                  at: the UNIX second
    note/NAME                  whatever whoever keeps it makes of it
    run/PROFILE                the last run, and the generation of its snapshot and how many chunks that has
    chunk/GENERATION/NUMBER    a chunk of a snapshot

A snapshot is written in chunks of a new generation; then the record of the run is made to point to them, and then the
chunks of the old one are removed. So a run that is killed in between leaves chunks that nobody reads, until their time
is over.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from janitor.errors import StoreError
from janitor.logs import get_logger
from janitor.store.interface import Record, RecordChange, RecordReading
from janitor.store.moments import REMEMBER_SECONDS, BrokenRecords, RecordCheck, moment_in
from janitor.store.records import Store, encoded, fields_in

log = get_logger("janitor.store")

# What a chunk of a snapshot may be: DynamoDB takes 400 KB with the names and the keys.
LARGEST_CHUNK = 350_000  # bytes
# Of a snapshot: a chunk holds thousands of findings.
_MOST_CHUNKS = 10_000

_MARK, _NOTE, _RUN = "a mark", "a record", "what the last run found"


class StoredMark(NamedTuple):
    """A mark that stands.

    Attributes:
        at: the UNIX second at which it was made.
        until: the UNIX second from which on it is absent, unless it is remembered anew.
    """

    at: int
    until: int


class LastRun(NamedTuple):
    """The run that left the snapshot.

    Attributes:
        run_id: its id.
        started_at, finished_at: in UNIX seconds.
        outcome: how it ended, in the report's word.
    """

    run_id: str
    started_at: int
    finished_at: int
    outcome: str


class _Snapshot(NamedTuple):
    """Where the snapshot is that the next run reads.

    Attributes:
        run: who left it.
        generation: is in the names of its chunks.
        chunks: how many there are.
    """

    run: LastRun
    generation: str
    chunks: int

    @property
    def names(self) -> list[str]:
        return [_chunk_name(self.generation, number) for number in range(self.chunks)]


class RunMemory:
    """Marks (a name, and when that was told), snapshots (what a run found, one for each set of settings) and notes.

    Two runs may remember at once, each with a memory of its own; one memory is used from one thread. What is past its
    time (`REMEMBER_SECONDS` after it was last written) is absent. So is a record that no run can have left (`moments`);
    it is replaced by the next one of its name. Every method raises StoreError where the store cannot be reached, read
    or written; it names the store and the way out. Nothing that is handed in holds a token or a row's key.

    Attributes:
        broken: the records that were met and that no run can have left.
    """

    def __init__(
        self,
        store: Store,
        scope: str,
        now: int,
        *,
        broken: BrokenRecords | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is read or written.

        Args:
            store: where the records are; several tables may share it.
            scope: the table that the run is about, `account/region/table`; all else is within it.
            now: the run's UNIX second, by which what is past its time is told.
            broken: where broken records are noted.
            clock: the present UNIX second.
        """
        self._store, self._scope = store, scope
        self.broken = BrokenRecords() if broken is None else broken
        self._check = RecordCheck(self.broken, now, int(clock()))

    def open(self) -> None:
        """Prove that the store can be read and written, each in the very way that the other methods do.

        A run that sends notices and then cannot mark them would send them again every night.
        """
        self._store.prove(self._scope, ["opening"], self._check.now)

    def marked(self, names: Iterable[str]) -> dict[str, StoredMark]:
        """Those of the names that are marked, any number of them, with their marks."""
        by_record = {_mark_name(name): name for name in names}
        records = self._store.read(self._scope, by_record).records
        marks = {by_record[name]: self._mark(name, record, self._check) for name, record in records.items()}
        return {name: mark for name, mark in marks.items() if mark is not None}

    def mark(self, moments: Mapping[str, int], at: int) -> None:
        """Mark names at the UNIX second `at`; on disk when it returns. Where this raises, some of them may be marked.

        Args:
            moments: names, each with a UNIX second: a mark that is as late as that, or later, keeps its time, and is
                only remembered anew from `at` on.
            at: the UNIX second of the new marks.
        """
        check = RecordCheck(self.broken, at, self._check.latest)
        for portion in self._store.portions(moments.items()):
            for reading in self._store.readings(self._scope, [_mark_name(name) for name, _ in portion]):
                changes = [self._marking(name, moment, reading, check) for name, moment in portion]
                if self._store.write(self._scope, changes):
                    break

    def prove(self, names: Sequence[str]) -> None:
        """Prove that these can be marked, and that the marks will be kept, without marking them."""
        self._store.prove(self._scope, [_mark_name(name) for name in names], self._check.now)

    def note(self, name: str) -> bytes | None:
        """What was kept under the name last; None where nothing is."""
        record = self._store.read(self._scope, [_note_name(name)]).records.get(_note_name(name))
        if record is None or self._check.times_of(name, _NOTE, record.expires_at) is None:
            return None
        if not isinstance(record.content, bytes):
            self.broken.add(name, _NOTE, None)
            return None
        return record.content

    def keep_note(self, name: str, content: bytes, at: int) -> None:
        """Keep a few kilobytes at most under the name, in the place of what is there, at the UNIX second `at`."""
        self._store.put(self._scope, [RecordChange(_note_name(name), content, at + REMEMBER_SECONDS)])

    def last_run(self, profile: str) -> LastRun | None:
        """The run that left the snapshot; None where there is none."""
        snapshot = self._snapshot(profile, self._store.read(self._scope, [_run_name(profile)]))
        return None if snapshot is None else snapshot.run

    def snapshot(self, profile: str) -> Iterator[bytes]:
        """The chunks that the last complete run left, in their order; nothing where there was none.

        Args:
            profile: names the settings that what a run finds depends on. Runs of other settings have another snapshot.

        Raises:
            StoreError: also where another run replaced them in the middle.
        """
        snapshot = self._snapshot(profile, self._store.read(self._scope, [_run_name(profile)]))
        for name in snapshot.names if snapshot is not None else ():
            chunk = self._store.read(self._scope, [name]).records.get(name)
            if chunk is None:
                raise StoreError(f"{self._store.location}: another run replaced what is being read", "run again")
            if not isinstance(chunk.content, bytes):
                sentence = f"{self._store.place} holds a chunk of what the last run left that is none"
                raise StoreError(sentence, "run again: the next complete run leaves a new one", "damaged")
            yield chunk.content

    def replace_snapshot(self, profile: str, chunks: Iterable[bytes], run: LastRun) -> None:
        """Leave these chunks in the place of the old ones, and the run that left them: all or nothing for a reader.

        The chunks are taken one at a time, each of at most `LARGEST_CHUNK` bytes. Of two runs that do this at once one
        stands, whole.
        """
        generation, until = uuid4().hex, run.finished_at + REMEMBER_SECONDS
        count = 0

        def counted() -> Iterator[RecordChange]:
            nonlocal count
            for chunk in chunks:
                # Counted before it is written: it may be there though that fails.
                count += 1
                yield RecordChange(_chunk_name(generation, count - 1), chunk, until)

        try:
            self._store.put(self._scope, counted())
        except BaseException:
            self._remove(_Snapshot(run, generation, count))
            raise
        self._remove(self._point(profile, _Snapshot(run, generation, count), until))

    def forget(self) -> None:
        """Remove what is past its time from the store, unless it does so by itself."""
        self._store.forget()

    def _mark(self, name: str, record: Record, check: RecordCheck) -> StoredMark | None:
        times = check.times_of(name, _MARK, record.expires_at, fields_in(record.content).get("at"))
        if times is None:
            return None
        until, at = times
        return StoredMark(at, until)

    def _marking(self, name: str, moment: int, reading: RecordReading, check: RecordCheck) -> RecordChange:
        record = reading.records.get(_mark_name(name))
        standing = None if record is None else self._mark(_mark_name(name), record, check)
        at = standing.at if standing is not None and standing.at >= moment else check.now
        return RecordChange(_mark_name(name), encoded({"at": at}), check.now + REMEMBER_SECONDS, record)

    def _snapshot(self, profile: str, reading: RecordReading) -> _Snapshot | None:
        """Where the snapshot is; None where there is none that a run can have left."""
        record = reading.records.get(_run_name(profile))
        if record is None:
            return None
        fields = fields_in(record.content)
        times = self._check.times_of(
            profile, _RUN, record.expires_at, fields.get("started_at"), fields.get("finished_at")
        )
        if times is None:
            return None
        _, started_at, finished_at = times
        run_id, outcome, generation = fields.get("run_id"), fields.get("outcome"), fields.get("generation")
        chunks = moment_in(fields.get("chunks"))
        if (
            not (isinstance(run_id, str) and isinstance(outcome, str) and isinstance(generation, str))
            or chunks is None
            or not 0 <= chunks <= _MOST_CHUNKS
        ):
            self.broken.add(profile, _RUN, None)
            return None
        return _Snapshot(LastRun(run_id, started_at, finished_at, outcome), generation, chunks)

    def _point(self, profile: str, mine: _Snapshot, until: int) -> _Snapshot | None:
        """Let the next run read this snapshot, if what it would have read still is what that was a moment ago.

        Where another run came in between, that one's stands: had the answer to the first try of this one been lost, the
        other may have removed its chunks already.

        Returns:
            the one that nobody reads any more; None where there is none.
        """
        name = _run_name(profile)
        content = encoded({**mine.run._asdict(), "generation": mine.generation, "chunks": mine.chunks})
        first: Record | None = None
        for number, reading in enumerate(self._store.readings(self._scope, [name])):
            record = reading.records.get(name)
            if number == 0:
                first = record
            elif record != first:
                return mine
            if self._store.write(self._scope, [RecordChange(name, content, until, record)]):
                break
        return self._snapshot(profile, reading)

    def _remove(self, snapshot: _Snapshot | None) -> None:
        try:
            self._store.remove(self._scope, snapshot.names if snapshot is not None else ())
        except StoreError as error:
            # Nobody reads them, and they go when their time is over.
            log.warning("store.old_snapshot_left", code=error.code, error=str(error))


def _mark_name(name: str) -> str:
    return f"mark/{name}"


def _note_name(name: str) -> str:
    return f"note/{name}"


def _run_name(profile: str) -> str:
    return f"run/{profile}"


def _chunk_name(generation: str, number: int) -> str:
    return f"chunk/{generation}/{number:05}"
