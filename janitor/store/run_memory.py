"""What runs of one table remember for the next run, as records of the store.

    name                       content
    mark/NAME                  at: the UNIX second
    note/NAME                  anything; only who keeps it knows what it means
    run/PROFILE                the last run, the generation of its snapshot, and how many chunks that has
    chunk/GENERATION/NUMBER    a chunk of a snapshot

A snapshot is written in chunks of a new generation; then the record of the run is made to point to them; then the
chunks of the old one are removed. So a run that is killed in between leaves chunks that nobody reads; they expire.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from janitor.errors import StoreError
from janitor.logs import get_logger
from janitor.store.interface import Record, RecordChange, RecordReading
from janitor.store.record_times import REMEMBER_SECONDS, BrokenRecords, RecordCheck, second_in
from janitor.store.records import Store, decode_fields, encode_fields

log = get_logger("janitor.store")

# How large a chunk of a snapshot may be: DynamoDB takes items of 400 KB, with names and keys.
MAX_CHUNK_BYTES = 350_000
# How many chunks a snapshot may have. A chunk holds thousands of findings.
_MAX_CHUNKS = 10_000

_MARK, _NOTE, _RUN = "a mark", "a record", "the findings of the last run"


class StoredMark(NamedTuple):
    """A mark that has not expired.

    Attributes:
        at: the UNIX second at which it was made.
        expires_at: the UNIX second from which on it counts as absent, unless it is renewed.
    """

    at: int
    expires_at: int


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
    """Where a snapshot is.

    Attributes:
        run: the run that left it.
        generation: part of the names of its chunks.
        chunks: how many chunks it has.
    """

    run: LastRun
    generation: str
    chunks: int

    @property
    def names(self) -> list[str]:
        return [_chunk_name(self.generation, number) for number in range(self.chunks)]


class RunMemory:
    """Marks (a name, and when it was announced), snapshots (what a run found, one for each set of settings) and notes.

    Two runs may use the store at once, each with its own memory; one memory is used from one thread. A record expires
    `REMEMBER_SECONDS` after it was last written. A record that no run can have left (`record_times`) counts as absent,
    and is replaced by the next one of its name. Every method raises StoreError where the store cannot be reached, read
    or written; it names the store and what to do. No argument holds a token or a row's key.

    Attributes:
        broken: records that were read and that no run can have left.
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
            scope: the scope of all records: the table, `account/region/table`.
            now: the run's UNIX second, by which records expire.
            broken: where broken records are noted.
            clock: the present UNIX second.
        """
        self._store, self._scope = store, scope
        self.broken = BrokenRecords() if broken is None else broken
        self._check = RecordCheck(self.broken, now, int(clock()))

    def open(self) -> None:
        """Prove that the store can be read and written, with the same requests as the other methods.

        A run that sends notices and then cannot mark them would send them again every night.
        """
        self._store.prove(self._scope, ["opening"], self._check.now)

    def find_marks(self, names: Iterable[str]) -> dict[str, StoredMark]:
        """Find which of the names, any number of them, are marked; return their marks by name."""
        by_record = {_mark_name(name): name for name in names}
        records = self._store.read(self._scope, by_record).records
        marks = {by_record[name]: self._mark(name, record, self._check) for name, record in records.items()}
        return {name: mark for name, mark in marks.items() if mark is not None}

    def mark(self, moments: Mapping[str, int], at: int) -> None:
        """Mark names; the marks are on disk when it returns. If this raises, some of them may be marked.

        Args:
            moments: the names, each with a UNIX second. A mark from then or later keeps its time, and is only renewed.
            at: the UNIX second of the new marks, and of the renewal.
        """
        check = RecordCheck(self.broken, at, self._check.latest)
        for portion in self._store.portions(moments.items()):
            for reading in self._store.readings(self._scope, [_mark_name(name) for name, _ in portion]):
                changes = [self._build_mark(name, moment, reading, check) for name, moment in portion]
                if self._store.write(self._scope, changes):
                    break

    def prove(self, names: Sequence[str]) -> None:
        """Prove that there is room for the marks of these names, without marking them."""
        self._store.prove(self._scope, [_mark_name(name) for name in names], self._check.now)

    def note(self, name: str) -> bytes | None:
        """Read the note of this name; None if there is none."""
        record = self._store.read(self._scope, [_note_name(name)]).records.get(_note_name(name))
        if record is None or self._check.times_of(name, _NOTE, record.expires_at) is None:
            return None
        if not isinstance(record.content, bytes):
            self.broken.add(name, _NOTE, None)
            return None
        return record.content

    def keep_note(self, name: str, content: bytes, at: int) -> None:
        """Keep a note of a few kilobytes at most under the name, at the UNIX second `at`; it replaces the last one."""
        self._store.put(self._scope, [RecordChange(_note_name(name), content, at + REMEMBER_SECONDS)])

    def last_run(self, findings_scheme: str) -> LastRun | None:
        """Read which run left the snapshot; None if there is none."""
        snapshot = self._snapshot(findings_scheme, self._store.read(self._scope, [_run_name(findings_scheme)]))
        return None if snapshot is None else snapshot.run

    def snapshot(self, findings_scheme: str) -> Iterator[bytes]:
        """Read the chunks that the last complete run left, in order; empty if there was no such run.

        Args:
            findings_scheme: names the settings that a run's findings depend on. Each has its own snapshot.

        Raises:
            StoreError: also if another run replaced them meanwhile.
        """
        snapshot = self._snapshot(findings_scheme, self._store.read(self._scope, [_run_name(findings_scheme)]))
        for name in snapshot.names if snapshot is not None else ():
            chunk = self._store.read(self._scope, [name]).records.get(name)
            if chunk is None:
                raise StoreError(f"{self._store.location}: another run replaced what is being read", "run again")
            if not isinstance(chunk.content, bytes):
                sentence = f"{self._store.place} holds a damaged chunk of what the last run left"
                raise StoreError(sentence, "run again: the next complete run leaves a new one", "damaged")
            yield chunk.content

    def replace_snapshot(self, findings_scheme: str, chunks: Iterable[bytes], run: LastRun) -> None:
        """Replace the snapshot and the run that left it. A reader sees either the old one or the new one.

        The chunks are taken one at a time, each of at most `MAX_CHUNK_BYTES` bytes. Of two runs that do this at once,
        the snapshot of one remains, complete.
        """
        generation, expires_at = uuid4().hex, run.finished_at + REMEMBER_SECONDS
        count = 0

        def count_changes() -> Iterator[RecordChange]:
            nonlocal count
            for chunk in chunks:
                # Counted before it is written: it may be in the store even if the write fails.
                count += 1
                yield RecordChange(_chunk_name(generation, count - 1), chunk, expires_at)

        try:
            self._store.put(self._scope, count_changes())
        except BaseException:
            self._remove(_Snapshot(run, generation, count))
            raise
        self._remove(self._point_to(findings_scheme, _Snapshot(run, generation, count), expires_at))

    def forget(self) -> None:
        """Remove expired records from the store, unless it does so by itself."""
        self._store.forget()

    def _mark(self, name: str, record: Record, check: RecordCheck) -> StoredMark | None:
        times = check.times_of(name, _MARK, record.expires_at, decode_fields(record.content).get("at"))
        if times is None:
            return None
        expires_at, at = times
        return StoredMark(at, expires_at)

    def _build_mark(self, name: str, moment: int, reading: RecordReading, check: RecordCheck) -> RecordChange:
        record = reading.records.get(_mark_name(name))
        current = None if record is None else self._mark(_mark_name(name), record, check)
        at = current.at if current is not None and current.at >= moment else check.now
        return RecordChange(_mark_name(name), encode_fields({"at": at}), check.now + REMEMBER_SECONDS, record)

    def _snapshot(self, findings_scheme: str, reading: RecordReading) -> _Snapshot | None:
        """Find where the snapshot is; None if there is none that a run can have left."""
        record = reading.records.get(_run_name(findings_scheme))
        if record is None:
            return None
        fields = decode_fields(record.content)
        times = self._check.times_of(
            findings_scheme, _RUN, record.expires_at, fields.get("started_at"), fields.get("finished_at")
        )
        if times is None:
            return None
        _, started_at, finished_at = times
        run_id, outcome, generation = fields.get("run_id"), fields.get("outcome"), fields.get("generation")
        chunks = second_in(fields.get("chunks"))
        if (
            not (isinstance(run_id, str) and isinstance(outcome, str) and isinstance(generation, str))
            or chunks is None
            or not 0 <= chunks <= _MAX_CHUNKS
        ):
            self.broken.add(findings_scheme, _RUN, None)
            return None
        return _Snapshot(LastRun(run_id, started_at, finished_at, outcome), generation, chunks)

    def _point_to(self, findings_scheme: str, snapshot: _Snapshot, expires_at: int) -> _Snapshot | None:
        """Make the record of the run point to this snapshot, if no other run has changed the record meanwhile.

        If one has, its snapshot stays: if the answer to our first try was lost, that run may have removed our chunks
        already.

        Returns:
            the snapshot that is not used any more; None if there is none.
        """
        name = _run_name(findings_scheme)
        content = encode_fields(
            {**snapshot.run._asdict(), "generation": snapshot.generation, "chunks": snapshot.chunks}
        )
        first: Record | None = None
        for number, reading in enumerate(self._store.readings(self._scope, [name])):
            record = reading.records.get(name)
            if number == 0:
                first = record
            elif record != first:
                return snapshot
            if self._store.write(self._scope, [RecordChange(name, content, expires_at, record)]):
                break
        return self._snapshot(findings_scheme, reading)

    def _remove(self, snapshot: _Snapshot | None) -> None:
        try:
            self._store.remove(self._scope, snapshot.names if snapshot is not None else ())
        except StoreError as error:
            # Nobody reads them, and they expire.
            log.warning("store.old_snapshot_left", code=error.code, error=str(error))


def _mark_name(name: str) -> str:
    return f"mark/{name}"


def _note_name(name: str) -> str:
    return f"note/{name}"


def _run_name(findings_scheme: str) -> str:
    return f"run/{findings_scheme}"


def _chunk_name(generation: str, number: int) -> str:
    return f"chunk/{generation}/{number:05}"
