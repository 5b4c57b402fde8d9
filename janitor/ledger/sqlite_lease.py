"""Leases in a file of this machine: the ledger's own file, and a table in it."""

import contextlib
import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from janitor.ledger.lease import GRAIN_SECONDS, Held, Lease
from janitor.ledger.sqlite import check_schema, writing_beside
from janitor.ledger.sqlite_file import connect_to_read, is_empty, sqlite_errors
from janitor.ledger.url import SqliteUrl

_TABLE = """CREATE TABLE IF NOT EXISTS lease (
    scope TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL
) WITHOUT ROWID"""

# `now` is one moment within a statement, and read when the lock is held: a wait for it is not taken for time that is
# left. strftime, for unixepoch() is younger than some SQLite that Python comes with.
_TAKE = """
    INSERT INTO lease (scope, holder, until)
    VALUES (:scope, :holder, CAST(strftime('%s', 'now') AS INTEGER) + :seconds)
    ON CONFLICT (scope) DO UPDATE SET holder = excluded.holder, until = excluded.until
        WHERE holder = excluded.holder OR until <= CAST(strftime('%s', 'now') AS INTEGER)
"""
_RENEW = """
    UPDATE lease SET until = MAX(until, CAST(strftime('%s', 'now') AS INTEGER) + :seconds)
    WHERE scope = :scope AND holder = :holder
"""

_HOLDER = """
    SELECT holder, until FROM lease WHERE scope = ? AND until > CAST(strftime('%s', 'now') AS INTEGER)
"""


class SqliteLeaseStore:
    """As `LeaseStore`. Its clock is the machine's, so machines that share a file need clocks that agree."""

    def __init__(self, path: Path) -> None:
        """Prepare; the file is not touched."""
        self.location = str(SqliteUrl(path))
        self._path = path

    def take(self, scope: str, holder: str, seconds: int) -> Lease | Held:
        """As `LeaseStore.take`. Makes the file (mode 0600) and its folder (0700) where there are none."""
        with self._leases() as leases:
            leases.execute(_TAKE, {"scope": scope, "holder": holder, "seconds": seconds + GRAIN_SECONDS})
            [(holds, until)] = leases.execute("SELECT holder, until FROM lease WHERE scope = ?", (scope,))
        return Lease(scope, holder, until) if holds == holder else Held(holds, until)

    def holder(self, scope: str) -> Held | None:
        """As `LeaseStore.holder`."""
        if is_empty(self._path):
            return None
        with sqlite_errors(f"the state file {self._path}"), contextlib.closing(connect_to_read(self._path)) as leases:
            check_schema(leases, self._path)
            [(is_there,)] = leases.execute("SELECT count(*) FROM sqlite_master WHERE name = 'lease'")
            found = leases.execute(_HOLDER, (scope,)).fetchone() if is_there else None
        return None if found is None else Held(*found)

    def renew(self, scope: str, holder: str, seconds: int) -> bool:
        """As `LeaseStore.renew`."""
        with self._leases() as leases:
            values = {"scope": scope, "holder": holder, "seconds": seconds + GRAIN_SECONDS}
            return leases.execute(_RENEW, values).rowcount > 0

    def release(self, scope: str, holder: str) -> None:
        """As `LeaseStore.release`."""
        with self._leases() as leases:
            leases.execute("DELETE FROM lease WHERE scope = ? AND holder = ?", (scope, holder))

    def _leases(self) -> AbstractContextManager[sqlite3.Connection]:
        return writing_beside(self._path, _TABLE)
