"""Notices that wait for the end of a run, on disk: sorted by urgency, and memory does not grow with them."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator

import msgspec

from janitor.notices.audience import Kind
from janitor.notices.notice import Event, Notice, notice_urgency
from janitor.store.sqlite_file import sqlite_errors

# What SQLite holds; a date further off is as far off as any.
_FURTHEST = 2**62
_DECODE = msgspec.json.Decoder(Notice).decode
_ENCODE = msgspec.json.Encoder().encode
_WHAT = "the temporary file of due notices"
_NOT_FOR_IT, _DUE, _TOLD = range(3)
# For each kind of message what is to become of the notice in it.
_SCHEMA = f"""
    CREATE TABLE notice (
        id TEXT PRIMARY KEY, rank INTEGER, distance INTEGER, fingerprint TEXT, content BLOB, is_deletion INTEGER,
        digest INTEGER DEFAULT {_NOT_FOR_IT}, owner INTEGER DEFAULT {_NOT_FOR_IT}
    ) WITHOUT ROWID
"""


class Spool:
    """As many notices as there are, each once, with the kinds of message it is due for.

    The file has no name, and is gone when it is closed. For one thread.

    Methods raise StoreError where the disk is full or broken.
    """

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute(_SCHEMA)

    def add(self, kinds: Iterable[Kind], notices: Iterable[Notice]) -> None:
        """Take notices that are due in these kinds of message, besides those in which they are already."""
        rows = [
            (notice.notice_id, *_sortable(notice), _ENCODE(notice), notice.event is Event.DELETED) for notice in notices
        ]
        with sqlite_errors(_WHAT):
            for kind in kinds:
                into = f"INSERT INTO notice (id, rank, distance, fingerprint, content, is_deletion, {kind.value})"
                again = f"ON CONFLICT (id) DO UPDATE SET {kind.value} = {_DUE}"
                self._rows.executemany(f"{into} VALUES (?, ?, ?, ?, ?, ?, {_DUE}) {again}", rows)

    def tell(self, kind: Kind, notices: Iterable[Notice]) -> None:
        """Take note that these were told in this kind of message."""
        self._set(kind, _TOLD, notices)

    def drop(self, kind: Kind, notices: Iterable[Notice]) -> None:
        """Take these out of this kind of message."""
        self._set(kind, _NOT_FOR_IT, notices)

    def leave(self) -> int:
        """Take out everything but deletions, and say how many that were."""
        with sqlite_errors(_WHAT):
            return max(0, self._rows.execute("DELETE FROM notice WHERE NOT is_deletion").rowcount)

    def drop_deletions(self) -> None:
        """Take the deletions out: they will not be."""
        with sqlite_errors(_WHAT):
            self._rows.execute("DELETE FROM notice WHERE is_deletion")

    def drop_deleted(self) -> None:
        """Take out what else is due of tokens whose deletion is there: it will not be told."""
        deletions = "SELECT id FROM notice WHERE is_deletion"
        with sqlite_errors(_WHAT):
            self._rows.execute(f"DELETE FROM notice WHERE id || ':{Event.DELETED.value}' IN ({deletions})")  # noqa: S608  # ours

    def of(self, kind: Kind) -> "Due":
        """Those that are for this kind of message, told or not."""
        return Due(self._rows, f"{kind.value} <> {_NOT_FOR_IT}")

    @property
    def crossings(self) -> "Due":
        """All but the deletions, in any kind of message."""
        return Due(self._rows, f"NOT is_deletion AND {_IS_DUE}")

    def is_told(self, kind: Kind) -> bool:
        """Whether all that is for this kind of message was told."""
        return not len(Due(self._rows, f"{kind.value} = {_DUE}"))

    @property
    def told(self) -> int:
        """How many were told in every kind of message that they were due for."""
        return len(Due(self._rows, f"{_IS_DUE} AND digest <> {_DUE} AND owner <> {_DUE}"))

    def __len__(self) -> int:
        """How many are due in any kind of message."""
        return len(Due(self._rows, _IS_DUE))

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()

    def _set(self, kind: Kind, value: int, notices: Iterable[Notice]) -> None:
        with sqlite_errors(_WHAT):
            ids = ((notice.notice_id,) for notice in notices)
            self._rows.executemany(f"UPDATE notice SET {kind.value} = {value} WHERE id = ?", ids)  # noqa: S608  # no text of anybody's


_IS_DUE = f"(digest <> {_NOT_FOR_IT} OR owner <> {_NOT_FOR_IT})"


class Due(Collection[Notice]):
    """Notices of a spool that meet a condition, as they are when they are asked for. They stay on disk."""

    def __init__(self, rows: sqlite3.Connection, condition: str) -> None:
        self._rows, self._condition = rows, condition

    def __len__(self) -> int:
        with sqlite_errors(_WHAT):
            [(count,)] = self._rows.execute(f"SELECT count(*) FROM notice WHERE {self._condition}")  # noqa: S608  # ours
        return int(count)

    def __iter__(self) -> Iterator[Notice]:
        """Most urgent first."""
        query = f"SELECT content FROM notice WHERE {self._condition} ORDER BY rank, distance, fingerprint"  # noqa: S608  # ours
        with sqlite_errors(_WHAT):
            for (content,) in self._rows.execute(query):
                yield _DECODE(content)

    def __contains__(self, notice: object) -> bool:
        return any(notice == each for each in self)


def _sortable(notice: Notice) -> tuple[int, int, str]:
    rank, distance, fingerprint = notice_urgency(notice)
    return rank, max(-_FURTHEST, min(_FURTHEST, distance)), fingerprint
