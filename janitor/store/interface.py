"""What a backend of the store does. Written for whoever adds one; whoever uses a store has `records.Store` before it.

A store holds records. A record has a scope and a name, a few bytes (350 kB at most), and the time from which on it
counts as absent, whether the backend has removed it or not.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class Record(NamedTuple):
    """A record as it was read. Whoever can write to a store can write anything there, so none of this is checked yet.

    Attributes:
        content: bytes, where all is well.
        expires_at: the UNIX second from which on it counts as absent: a number, or the text of one, where all is well.
        version: differs after every write. It means something to the backend alone.
    """

    content: object
    expires_at: object
    version: object


class RecordReading(NamedTuple):
    """What a backend read.

    Attributes:
        records: those that are there, by name.
        now: the store's own UNIX second; None where it does not tell.
        unread: names that it was too busy to read.
    """

    records: Mapping[str, Record]
    now: int | None
    unread: Sequence[str] = ()


class Anything(Enum):
    """Stands for whatever a record is."""

    ANYTHING = "anything"


ANYTHING = Anything.ANYTHING


class RecordChange(NamedTuple):
    """A record to write.

    Attributes:
        name: the record's.
        content: what it is to hold; None removes it.
        expires_at: the UNIX second from which on it counts as absent; of no use where it is removed.
        expected: the record as it was read, None where it was absent: the change is made only if that still stands.
    """

    name: str
    content: bytes | None
    expires_at: int = 0
    expected: Record | Anything | None = ANYTHING


class Backend(Protocol):
    """Keeps records. Threads may share one. Every method raises StoreError, which names the store and the way out.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
        place: the same in a sentence, for example "the state table janitor-state".
        most_read: names in one `read`.
        most_written: changes in one `write`.
        most_bytes: what they may hold together.
        most_removed: removals in one `write`; nobody knows how long the records are that go.
        can_run_full: whether there may be no room for a record, though there was for the one before.
    """

    location: str
    place: str
    most_read: int
    most_written: int
    most_bytes: int
    most_removed: int
    can_run_full: bool

    def read(self, scope: str, names: Sequence[str]) -> RecordReading:
        """Read records of different names, as they are after every write before. Makes and writes nothing."""

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:
        """Make changes of different names, all of them or none; on disk when it returns.

        Returns:
            False where none was made: a record was not the expected one, or the store was too busy. It may be False
            after they were made, too, where the answer to that was lost.
        """

    def forget(self) -> None:
        """Remove the records of every scope whose time is over, unless the store does so by itself."""
