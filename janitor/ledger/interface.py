"""What a store of the ledger does. Written for whoever adds one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from janitor.store.moments import BrokenRecords, can_be_written, moment_in

# How long something is remembered after it was last written: longer than any horizon, and no longer than it is of use.
REMEMBER_SECONDS = 400 * 86_400

# What a chunk of a snapshot may be: DynamoDB takes 400 KB with the names and the keys.
LARGEST_CHUNK = 350_000  # bytes


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

    @classmethod
    def of(cls, run_id: object, started_at: object, finished_at: object, outcome: object) -> "LastRun | None":
        """What a store holds, whatever that is; None where that is no run. Its times are still to be checked."""
        started, finished = moment_in(started_at), moment_in(finished_at)
        if started is None or finished is None or not isinstance(run_id, str) or not isinstance(outcome, str):
            return None
        return cls(run_id, started, finished, outcome)


_RUN = "what the last run found"

# Of a snapshot: a chunk holds thousands of findings.
MOST_CHUNKS = 10_000


class Mark(NamedTuple):
    """A mark that stands.

    Attributes:
        at: the UNIX second at which it was made.
        until: the UNIX second from which on it is absent, unless it is remembered anew.
    """

    at: int
    until: int


class RecordCheck:
    """Tells the records that stand from those that are past their time, and from those that no run can have left.

    Attributes:
        now: the run's UNIX second.
        latest: the present one, which is later where a run tells what was found long before.
        broken: what no run can have left.
    """

    def __init__(self, broken: BrokenRecords, now: int = 0, latest: int = 0) -> None:
        """Args: where broken records are noted; and the times."""
        self.broken = broken
        self.now, self.latest = now, max(now, latest)

    def standing(self, name: str, what: str, until: object, *written: object) -> tuple[int, ...] | None:
        """The times of a record that stands, in this order; None for one that is absent.

        Args:
            name: tells it from other records.
            what: says what it is, in words.
            until: from when on it is past its time, as the store has it.
            written: when it was written, as the store has it.
        """
        over_at, moments = moment_in(until), tuple(moment_in(each) for each in written)
        if over_at is not None and 0 <= over_at <= self.now:
            return None
        for moment in moments:
            if not can_be_written(moment, self.latest):
                self.broken.add(name, what, moment)
                return None
        if not can_be_written(over_at, self.latest, REMEMBER_SECONDS):
            self.broken.add(name, what, over_at)
            return None
        return tuple(moment for moment in (over_at, *moments) if moment is not None)

    def content(self, name: str, content: object, until: object) -> bytes | None:
        """What a record that stands holds; None for one that is absent."""
        if self.standing(name, "a record", until) is None:
            return None
        if isinstance(content, bytes):
            return content
        self.broken.add(name, "a record", None)
        return None

    def pointed(
        self, profile: str, generation: object, chunks: object, run: LastRun | None, until: object
    ) -> tuple[str, int, LastRun] | None:
        """Which snapshot the next run reads, how many chunks it has and which run left it; None for none.

        Args:
            profile: names the settings of the snapshot.
            generation: names its chunks, as the store has it.
            chunks: how many there are, as the store has it.
            run: who left it; None where that is none.
            until: from when on it is past its time, as the store has it.
        """
        times = () if run is None else (run.started_at, run.finished_at)
        if self.standing(profile, _RUN, until, *times) is None:
            return None
        count = moment_in(chunks)
        if run is None or not isinstance(generation, str) or count is None or not 0 <= count <= MOST_CHUNKS:
            self.broken.add(profile, _RUN, None)
            return None
        return generation, count, run


class Ledger(Protocol):
    """What runs of one table remember between each other, in a store that several tables may share.

    Three kinds of things: marks (a name, and when that was told), snapshots (what a run found, as chunks, one for each
    set of settings that it depends on), and records (a name and a few bytes).

    Two runs may use a store at once, each with a ledger of its own; one ledger is used from one thread. What is past
    its time (`REMEMBER_SECONDS` after it was last written) is absent, whether the store has dropped it or not.

    Every method but `close` raises StoreError where the store cannot be reached, read or written; it names the store
    and the way out. Nothing that is handed in holds a token or a row's key.

    A record that no run can have left (`moments`) is absent too, and is replaced by the next one of its name.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
        broken: the records that were met and that no run can have left.
    """

    location: str
    broken: BrokenRecords

    def open(self, scope: str, now: int) -> None:
        """Prove that the store can be read and written, each in the very way that the other methods do.

        A run that sends notices and then cannot mark them would send them again every night.

        Args:
            scope: the table that the run is about, `account/region/table`; all else is within it.
            now: the run's UNIX second, by which what is past its time is told.
        """

    def open_to_read(self, scope: str, now: int) -> None:
        """As `open`, for a run that leaves nothing behind: nothing is made or written, and it never calls what writes.

        A store that is not there yet holds nothing.
        """

    def marked(self, names: Sequence[str]) -> dict[str, Mark]:
        """Those of the names that are marked, any number of them, with their marks."""

    def mark(self, moments: Mapping[str, int], at: int) -> None:
        """Mark names at the UNIX second `at`; on disk when it returns. Where this raises, some of them may be marked.

        Args:
            moments: names, each with a UNIX second: a mark that is as late as that, or later, keeps its time, and is
                only remembered anew from `at` on.
            at: the UNIX second of the new marks.
        """

    def prove(self, names: Sequence[str]) -> None:
        """Prove that these can be marked, and that the marks will be kept, without marking them.

        Room for all of them is made where room can run out; so what fails later is not for want of it.
        """

    def snapshot(self, profile: str) -> Iterator[bytes]:
        """The chunks that the last complete run left, in their order; nothing where there was none.

        Args:
            profile: names the settings that what a run finds depends on. Runs of other settings have another snapshot.

        Raises:
            StoreError: also where another run replaced them in the middle.
        """

    def replace_snapshot(self, profile: str, chunks: Iterable[bytes], run: LastRun) -> None:
        """Leave these chunks in the place of the old ones, and the run that left them: all or nothing for a reader.

        The chunks are taken one at a time, each of at most `LARGEST_CHUNK` bytes. Of two runs that do this at once one
        stands, whole.
        """

    def last_run(self, profile: str) -> LastRun | None:
        """The run that left the snapshot; None where there is none."""

    def record(self, name: str) -> bytes | None:
        """What was kept under the name last; None where nothing is."""

    def keep(self, name: str, content: bytes, at: int) -> None:
        """Keep a few kilobytes at most under the name, in the place of what is there, at the UNIX second `at`."""

    def forget(self, now: int) -> None:
        """Drop what is past its time at the UNIX second `now`, unless the store does so by itself."""

    def close(self) -> None:
        """Let go of the store. Never raises, opened or not."""
