"""What a store of the ledger does. Written for whoever adds one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from janitor.tokens.crossing import Crossing

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


class Ledger(Protocol):
    """What runs of one table remember between each other, in a store that several tables may share.

    Two runs may use a store at once, each with a ledger of its own; one ledger is used from one thread. What is past
    its time (`REMEMBER_SECONDS` after it was last written) is absent, whether the store has dropped it or not.

    Every method but `close` raises LedgerError where the store cannot be reached, read or written; it names the store
    and the way out. Nothing that is handed in holds a token or a row's key.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
    """

    location: str

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

    def announced(self, crossings: Sequence[Crossing]) -> dict[Crossing, int]:
        """Those of the crossings that are marked, any number of them, with the UNIX second of their first mark."""

    def mark(self, crossings: Sequence[Crossing], at: int) -> None:
        """Remember that these were announced at the UNIX second `at`; on disk when it returns.

        One that is marked already keeps its first time, and is remembered anew from `at` on. Where this raises, some
        of them may be marked.
        """

    def snapshot(self) -> Iterator[bytes]:
        """The chunks that the last complete run left, in their order; nothing where there was none.

        Raises:
            LedgerError: also where another run replaced them in the middle.
        """

    def replace_snapshot(self, chunks: Iterable[bytes], run: LastRun) -> None:
        """Leave these chunks in the place of the old ones, and the run that left them: all or nothing for a reader.

        The chunks are taken one at a time, each of at most `LARGEST_CHUNK` bytes. Of two runs that do this at once one
        stands, whole.
        """

    def last_run(self) -> LastRun | None:
        """The run that left the snapshot; None where there is none."""

    def forget(self, now: int) -> None:
        """Drop what is past its time at the UNIX second `now`, unless the store does so by itself."""

    def close(self) -> None:
        """Let go of the store. Never raises, opened or not."""
