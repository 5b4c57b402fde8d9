"""SQLite files: connections without surprises, and errors that a user can act on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from janitor.errors import StoreError

BUSY_SECONDS = 5.0

_WAYS_OUT = {
    sqlite3.SQLITE_BUSY: f"another process has held it for {BUSY_SECONDS:.0f} seconds: wait for it, then run again",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "give the path of a file in a folder that can be written",
    sqlite3.SQLITE_PERM: "make the file and its folder writable",
    sqlite3.SQLITE_FULL: "free some space, then run again",
    sqlite3.SQLITE_IOERR: "check whether the disk is full or broken",
    sqlite3.SQLITE_NOTADB: "give the path of another file, or of a new one",
    sqlite3.SQLITE_CORRUPT: "move the file away: a new one is made, and what it remembered is announced again",
}


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that exists, without implicit transactions. For one thread."""
    # As a URI: SQLite gives names that begin with a colon another meaning, and would create a missing file.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=BUSY_SECONDS, isolation_level=None, uri=True)


def is_empty(path: Path) -> bool:
    """Whether the file is empty or missing."""
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        # SQLite will report what is wrong.
        return False


@contextmanager
def sqlite_errors(what: str) -> Iterator[None]:
    """Turn SQLite's errors inside the block into StoreError.

    Args:
        what: the file, as the sentence names it.
    """
    try:
        yield
    except sqlite3.Error as error:
        # The lowest byte is the primary code; the extended ones say more than anybody can act on.
        way_out = _WAYS_OUT.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        raise StoreError(f"{what}: {error}", way_out) from None


@contextmanager
def write_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in a transaction that writes: all of it, or nothing if an error leaves it.

    It takes the write lock at once. A transaction that reads first could fail for the lock without waiting for it.
    """
    connection.execute("BEGIN IMMEDIATE")
    with _finished(connection):
        yield


@contextmanager
def read_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in a transaction that reads, so that many look-ups take one lock."""
    connection.execute("BEGIN")
    with _finished(connection):
        yield


@contextmanager
def _finished(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # When the disk is full, SQLite has rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
