"""Leases in a file of this machine: the ledger's own file, and a table in it."""

import contextlib
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from janitor.ledger.lease import GRAIN_SECONDS, Held, Lease, nobody
from janitor.ledger.sqlite import check_schema, writing_beside
from janitor.store.sqlite_file import connect, is_empty, sqlite_errors
from janitor.store.url import SqliteUrl

_TABLE = """CREATE TABLE IF NOT EXISTS lease (
    scope TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL
) WITHOUT ROWID"""

# SQLite keeps what it is given, whatever a column is declared as. As bytes, for a text need not be valid UTF-8.
_SEEN = """
    SELECT CASE typeof(holder) WHEN 'text' THEN CAST(holder AS BLOB) END,
        CASE typeof(until) WHEN 'integer' THEN until END
    FROM lease WHERE scope = ?
"""
# strftime, for unixepoch() is younger than some SQLite that Python comes with.
_NOW = "SELECT CAST(strftime('%s', 'now') AS INTEGER)"


class SqliteLeaseStore:
    """As `LeaseStore`. Its clock is the machine's, so machines that share a file need clocks that agree."""

    def __init__(self, path: Path) -> None:
        """Prepare; the file is not touched."""
        self.location = str(SqliteUrl(path))
        self._path = path

    def take(
        self, scope: str, holder: str, seconds: int, may_take_over: Callable[[Held], bool] = nobody
    ) -> Lease | Held:
        """As `LeaseStore.take`. Makes the file (mode 0600) and its folder (0700) where there are none."""
        with self._leases() as leases:
            seen, now = _seen(leases, scope), _now(leases)
            if seen is not None and not seen.is_free_for(holder, now, may_take_over):
                return seen
            until = now + GRAIN_SECONDS + seconds
            leases.execute("REPLACE INTO lease (scope, holder, until) VALUES (?, ?, ?)", (scope, holder, until))
        return Lease(scope, holder, until, seen if seen is not None and seen.is_broken(now) else None)

    def holder(self, scope: str) -> Held | None:
        """As `LeaseStore.holder`."""
        if is_empty(self._path):
            return None
        with sqlite_errors(f"the state file {self._path}"), contextlib.closing(connect(self._path)) as leases:
            check_schema(leases, self._path)
            [(is_there,)] = leases.execute("SELECT count(*) FROM sqlite_master WHERE name = 'lease'")
            seen = _seen(leases, scope) if is_there else None
            return None if seen is None or seen.is_over(_now(leases)) else seen

    def renew(self, scope: str, holder: str, seconds: int) -> bool:
        """As `LeaseStore.renew`."""
        with self._leases() as leases:
            seen = _seen(leases, scope)
            if seen is None or seen.holder != holder:
                return False
            until = _now(leases) + GRAIN_SECONDS + seconds
            leases.execute("UPDATE lease SET until = ? WHERE scope = ?", (until, scope))
        return True

    def release(self, scope: str, holder: str) -> None:
        """As `LeaseStore.release`."""
        with self._leases() as leases:
            leases.execute("DELETE FROM lease WHERE scope = ? AND holder = ?", (scope, holder))

    def _leases(self) -> AbstractContextManager[sqlite3.Connection]:
        """The file, while no other process writes: what is read in the block still stands when it writes."""
        return writing_beside(self._path, _TABLE)


def _seen(leases: sqlite3.Connection, scope: str) -> Held | None:
    row = leases.execute(_SEEN, (scope,)).fetchone()
    if row is None:
        return None
    holder, until = row
    return Held.of(None if holder is None else holder.decode("utf-8", "replace"), until)


def _now(leases: sqlite3.Connection) -> int:
    """The present UNIX second, once the lock is held: a wait for it is not taken for time that is left."""
    [(now,)] = leases.execute(_NOW)
    return int(now)
