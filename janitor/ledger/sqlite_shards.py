"""Records of shards in a file of this machine: the ledger's own file, and a table in it."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from janitor.ledger.shard_store import KEEP_SECONDS
from janitor.ledger.sqlite import writing_beside
from janitor.ledger.url import SqliteUrl

_TABLE = """CREATE TABLE IF NOT EXISTS shard (
    scope TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, expires_at INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
)"""


class SqliteShardStore:
    """As `ShardStore`, for processes of one machine."""

    def __init__(self, path: Path, scope: str, *, clock: Callable[[], float] = time.time) -> None:
        """Prepare; the file is not touched.

        Args:
            path: the file.
            scope: the table, `account/region/table`.
            clock: the present UNIX second, by which records are dropped that are long over.
        """
        self.location = str(SqliteUrl(path))
        self._path, self._scope, self._clock = path, scope, clock

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """As `ShardStore.read`."""
        query = "SELECT CAST(content AS BLOB) FROM shard WHERE scope = ? AND name = ? AND expires_at > ?"
        now = int(self._clock())
        with self._records() as records:
            found = ((name, records.execute(query, (self._scope, name, now)).fetchone()) for name in names)
            return {name: bytes(row[0]) for name, row in found if row is not None}

    def create(self, name: str, content: bytes) -> bool:
        """As `ShardStore.create`. Drops what is past its time, in every table's scope."""
        with self._records() as records:
            records.execute("DELETE FROM shard WHERE expires_at <= ?", (int(self._clock()),))
            added = records.execute("INSERT OR IGNORE INTO shard VALUES (?, ?, ?, ?)", self._row(name, content))
            return added.rowcount > 0

    def put(self, name: str, content: bytes) -> None:
        """As `ShardStore.put`."""
        with self._records() as records:
            records.execute("REPLACE INTO shard VALUES (?, ?, ?, ?)", self._row(name, content))

    def replace(self, name: str, seen: bytes, content: bytes) -> bool:
        """As `ShardStore.replace`."""
        with self._records() as records:
            _, _, _, until = self._row(name, content)
            changed = records.execute(
                "UPDATE shard SET content = ?, expires_at = ? WHERE scope = ? AND name = ? AND content = ?",
                (content, until, self._scope, name, seen),
            )
            return changed.rowcount > 0

    def remove(self, names: Sequence[str]) -> None:
        """As `ShardStore.remove`."""
        with self._records() as records:
            rows = ((self._scope, name) for name in names)
            records.executemany("DELETE FROM shard WHERE scope = ? AND name = ?", rows)

    def _row(self, name: str, content: bytes) -> tuple[str, str, bytes, int]:
        return self._scope, name, content, int(self._clock()) + KEEP_SECONDS

    def _records(self) -> AbstractContextManager[sqlite3.Connection]:
        return writing_beside(self._path, _TABLE)
