"""What a backend of the store does, for whoever adds one. The program uses a store through `records.Store`.

A store holds records. A record has a scope and a name, a content of at most 350 kB, and an expiry: from then on it
counts as absent, whether the backend has removed it or not.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class Record(NamedTuple):
    """A record as it was read, not checked yet: whoever can write to the store can write anything there.

    Attributes:
        content: bytes, if all is well.
        expires_at: the UNIX second from which on it counts as absent: a number, or the text of one, if all is well.
        version: different after every write. Only the backend knows what it means.
    """

    content: object
    expires_at: object
    version: object


class RecordReading(NamedTuple):
    """What a backend read.

    Attributes:
        records: those that are there, by name.
        now: the UNIX second of the store's clock; None if it does not tell.
        unread: names that the store was too busy to read.
    """

    records: Mapping[str, Record]
    now: int | None
    unread: Sequence[str] = ()


class Anything(Enum):
    """The type of `ANYTHING`, which stands for any record, or none."""

    ANYTHING = "anything"


ANYTHING = Anything.ANYTHING


class RecordChange(NamedTuple):
    """A record to write, or to remove.

    Attributes:
        name: the record's name.
        content: what it is to hold; None removes it.
        expires_at: the UNIX second from which on it counts as absent; not used if it is removed.
        expected: the record as it was read, None if it was absent. The change is made only if it is still so.
    """

    name: str
    content: bytes | None
    expires_at: int = 0
    expected: Record | Anything | None = ANYTHING


class Backend(Protocol):
    """Keeps records. Threads may share one. Every method raises StoreError, which names the store and what to do.

    Attributes:
        location: the store as the user calls it, for example `dynamodb://janitor-state`.
        place: the same in a sentence, for example "the state table janitor-state".
        max_read: how many names one `read` takes.
        max_written: how many changes one `write` takes.
        max_bytes: how many bytes these changes may hold together.
        max_removed: how many removals one `write` takes; the size of a removed record is not known.
        can_run_full: whether the store may run out of room.
    """

    location: str
    place: str
    max_read: int
    max_written: int
    max_bytes: int
    max_removed: int
    can_run_full: bool

    def read(self, scope: str, names: Sequence[str]) -> RecordReading:
        """Read records of different names, as all writes before have left them. Creates and writes nothing."""

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:
        """Make changes of different names, all of them or none; they are on disk when it returns.

        Returns:
            False if none was made: a record was not the expected one, or the store was too busy. Also False if
            they were made, but the answer to the first request was lost, and the retry found the records changed.
        """

    def forget(self) -> None:
        """Remove expired records of every scope, unless the store does so by itself."""
