"""Notices that wait for the end of a run, on disk, so that memory does not grow with them. Read in order of urgency."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator

import msgspec

from janitor.notices.audience import MessageKind
from janitor.notices.notice import Event, Notice, notice_urgency
from janitor.store.sqlite_file import sqlite_errors

# What SQLite holds; a date further off is as far off as any.
_FURTHEST = 2**62
_DECODE = msgspec.json.Decoder(Notice).decode
_ENCODE = msgspec.json.Encoder().encode
_WHAT = "the temporary file of due notices"
_NOT_FOR_IT, _DUE, _SENT = range(3)
# The columns `digest` and `owner` say whether the notice is due, or was sent, in that kind of message.
_SCHEMA = f"""
    CREATE TABLE notice (
        id TEXT PRIMARY KEY, rank INTEGER, distance INTEGER, fingerprint TEXT, content BLOB, is_deletion INTEGER,
        digest INTEGER DEFAULT {_NOT_FOR_IT}, owner INTEGER DEFAULT {_NOT_FOR_IT}
    ) WITHOUT ROWID
"""


class NoticeSpool:
    """Any number of notices, each once, with the kinds of message that it is due in.

    The file has no name, and is removed when it is closed. For one thread.

    Methods raise StoreError where the disk is full or broken.
    """

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute(_SCHEMA)

    def add(self, kinds: Iterable[MessageKind], notices: Iterable[Notice]) -> None:
        """Add notices that are due in these kinds of message. Kinds that a notice was added for before stay."""
        rows = [
            (notice.notice_id, *_sortable(notice), _ENCODE(notice), notice.event is Event.DELETED) for notice in notices
        ]
        with sqlite_errors(_WHAT):
            for kind in kinds:
                into = f"INSERT INTO notice (id, rank, distance, fingerprint, content, is_deletion, {kind.value})"
                again = f"ON CONFLICT (id) DO UPDATE SET {kind.value} = {_DUE}"
                self._connection.executemany(f"{into} VALUES (?, ?, ?, ?, ?, ?, {_DUE}) {again}", rows)

    def mark_sent(self, kind: MessageKind, notices: Iterable[Notice]) -> None:
        """Mark these as sent in this kind of message."""
        self._set(kind, _SENT, notices)

    def drop(self, kind: MessageKind, notices: Iterable[Notice]) -> None:
        """Remove these from this kind of message."""
        self._set(kind, _NOT_FOR_IT, notices)

    def drop_all_but_deletions(self) -> int:
        """Remove everything but deletions; return how many notices that were."""
        with sqlite_errors(_WHAT):
            return max(0, self._connection.execute("DELETE FROM notice WHERE NOT is_deletion").rowcount)

    def drop_deletions(self) -> None:
        """Remove the deletions, because nothing will be deleted."""
        with sqlite_errors(_WHAT):
            self._connection.execute("DELETE FROM notice WHERE is_deletion")

    def drop_superseded(self) -> None:
        """Remove what else is due of tokens whose deletion is here: a run that deletes them announces only that."""
        deletions = "SELECT id FROM notice WHERE is_deletion"
        with sqlite_errors(_WHAT):
            self._connection.execute(f"DELETE FROM notice WHERE id || ':{Event.DELETED.value}' IN ({deletions})")  # noqa: S608  # ours

    def for_kind(self, kind: MessageKind) -> "SpooledNotices":
        """The notices of this kind of message, sent or not."""
        return SpooledNotices(self._connection, f"{kind.value} <> {_NOT_FOR_IT}")

    @property
    def crossings(self) -> "SpooledNotices":
        """All but the deletions, of any kind of message."""
        return SpooledNotices(self._connection, f"NOT is_deletion AND {_IS_DUE}")

    def are_all_sent(self, kind: MessageKind) -> bool:
        """Whether all notices of this kind of message were sent."""
        return not len(SpooledNotices(self._connection, f"{kind.value} = {_DUE}"))

    @property
    def sent_count(self) -> int:
        """How many were sent in every kind of message that they were due in."""
        return len(SpooledNotices(self._connection, f"{_IS_DUE} AND digest <> {_DUE} AND owner <> {_DUE}"))

    def __len__(self) -> int:
        """How many are due in any kind of message."""
        return len(SpooledNotices(self._connection, _IS_DUE))

    def close(self) -> None:
        """Remove the file."""
        self._connection.close()

    def _set(self, kind: MessageKind, value: int, notices: Iterable[Notice]) -> None:
        with sqlite_errors(_WHAT):
            ids = ((notice.notice_id,) for notice in notices)
            self._connection.executemany(f"UPDATE notice SET {kind.value} = {value} WHERE id = ?", ids)  # noqa: S608  # no text of anybody's


_IS_DUE = f"(digest <> {_NOT_FOR_IT} OR owner <> {_NOT_FOR_IT})"


class SpooledNotices(Collection[Notice]):
    """The notices of a spool that meet a condition, read anew each time. They stay on disk."""

    def __init__(self, rows: sqlite3.Connection, condition: str) -> None:
        self._connection, self._condition = rows, condition

    def __len__(self) -> int:
        with sqlite_errors(_WHAT):
            [(count,)] = self._connection.execute(f"SELECT count(*) FROM notice WHERE {self._condition}")  # noqa: S608  # ours
        return int(count)

    def __iter__(self) -> Iterator[Notice]:
        """Most urgent first."""
        query = f"SELECT content FROM notice WHERE {self._condition} ORDER BY rank, distance, fingerprint"  # noqa: S608  # ours
        with sqlite_errors(_WHAT):
            for (content,) in self._connection.execute(query):
                yield _DECODE(content)

    def __contains__(self, notice: object) -> bool:
        return any(notice == each for each in self)


def _sortable(notice: Notice) -> tuple[int, int, str]:
    rank, distance, fingerprint = notice_urgency(notice)
    return rank, max(-_FURTHEST, min(_FURTHEST, distance)), fingerprint
