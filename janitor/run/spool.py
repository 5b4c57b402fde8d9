"""Notices that wait for the end of a run, on disk: sorted by urgency, and memory does not grow with them."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator

import msgspec

from janitor.ledger.sqlite_file import sqlite_errors
from janitor.notify.notice import Notice, urgency

# What SQLite holds; a date further off is as far off as any.
_FURTHEST = 2**62
_DECODE = msgspec.json.Decoder(Notice).decode
_ENCODE = msgspec.json.Encoder().encode
_WHAT = "the temporary file of due notices"
_SCHEMA = """
    CREATE TABLE notice (
        id TEXT PRIMARY KEY, rank INTEGER, distance INTEGER, fingerprint TEXT, content BLOB, is_taken INTEGER DEFAULT 0
    ) WITHOUT ROWID
"""


class Spool(Collection[Notice]):
    """As many notices as there are, each once. The file has no name, and is gone when it is closed. For one thread.

    Methods raise LedgerError where the disk is full or broken.
    """

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute(_SCHEMA)
        self._count = 0

    def add(self, notices: Iterable[Notice]) -> None:
        """Take notices; one that is there already, as of a token with two rows, stays as it is."""
        rows = [(notice.notice_id, *_sortable(notice), _ENCODE(notice)) for notice in notices]
        with sqlite_errors(_WHAT):
            into = "INSERT OR IGNORE INTO notice (id, rank, distance, fingerprint, content) VALUES (?, ?, ?, ?, ?)"
            self._count += max(0, self._rows.executemany(into, rows).rowcount)

    def take(self, notices: Iterable[Notice]) -> None:
        """Take note that those to whom these matter have heard of them."""
        with sqlite_errors(_WHAT):
            ids = ((notice.notice_id,) for notice in notices)
            self._rows.executemany("UPDATE notice SET is_taken = 1 WHERE id = ?", ids)

    def is_taken(self, notice: Notice) -> bool:
        """Whether that was noted of this one."""
        with sqlite_errors(_WHAT):
            found = self._rows.execute("SELECT is_taken FROM notice WHERE id = ?", (notice.notice_id,)).fetchone()
        return bool(found and found[0])

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Notice]:
        """Most urgent first."""
        with sqlite_errors(_WHAT):
            for (content,) in self._rows.execute("SELECT content FROM notice ORDER BY rank, distance, fingerprint"):
                yield _DECODE(content)

    def __contains__(self, notice: object) -> bool:
        return any(notice == each for each in self)

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()


def _sortable(notice: Notice) -> tuple[int, int, str]:
    rank, distance, fingerprint = urgency(notice)
    return rank, max(-_FURTHEST, min(_FURTHEST, distance)), fingerprint
