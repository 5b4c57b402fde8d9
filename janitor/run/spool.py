"""Notices that wait for the end of a run, on disk: sorted by urgency, and memory does not grow with them."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator

import msgspec

from janitor.notify.notice import Notice, urgency

# What SQLite holds; a date further off is as far off as any.
_FURTHEST = 2**62
_DECODE = msgspec.json.Decoder(Notice).decode
_ENCODE = msgspec.json.Encoder().encode


class Spool(Collection[Notice]):
    """As many notices as there are. The file has no name, and is gone when it is closed. For one thread."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("CREATE TABLE notice (rank INTEGER, distance INTEGER, fingerprint TEXT, content BLOB)")
        self._count = 0

    def add(self, notices: Iterable[Notice]) -> None:
        """Take notices."""
        rows = [(*_sortable(notice), _ENCODE(notice)) for notice in notices]
        self._rows.executemany("INSERT INTO notice VALUES (?, ?, ?, ?)", rows)
        self._count += len(rows)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Notice]:
        """Most urgent first."""
        found = self._rows.execute("SELECT content FROM notice ORDER BY rank, distance, fingerprint")
        return (_DECODE(content) for (content,) in found)

    def __contains__(self, notice: object) -> bool:
        return any(notice == each for each in self)

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()


def _sortable(notice: Notice) -> tuple[int, int, str]:
    rank, distance, fingerprint = urgency(notice)
    return rank, max(-_FURTHEST, min(_FURTHEST, distance)), fingerprint
