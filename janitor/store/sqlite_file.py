"""SQLite files: connections that do as they are told, and their errors in a user's words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from janitor.errors import StoreError

BUSY_SECONDS = 5.0

_WAYS_OUT = {
    sqlite3.SQLITE_BUSY: f"another process has held it for {BUSY_SECONDS:.0f} seconds: wait for it, run again",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "give the path of a file in a folder that can be written",
    sqlite3.SQLITE_PERM: "make the file and its folder writable",
    sqlite3.SQLITE_FULL: "free some space, run again",
    sqlite3.SQLITE_IOERR: "see whether the disk is full or broken",
    sqlite3.SQLITE_NOTADB: "give the path of another file, or of none",
    sqlite3.SQLITE_CORRUPT: "move the file away: a new one is made, and what it remembered is announced again",
}


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that is there, without a transaction of its own accord. For one thread."""
    # As a URI, for SQLite takes names that begin with a colon for something else, and makes what is not there.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", timeout=BUSY_SECONDS, isolation_level=None, uri=True)


def is_empty(path: Path) -> bool:
    """Whether nothing is in the file, or no file is there."""
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        # SQLite says what is wrong.
        return False


@contextmanager
def sqlite_errors(what: str) -> Iterator[None]:
    """Turn SQLite's errors inside the block into ours.

    Args:
        what: the file, as the sentence names it.
    """
    try:
        yield
    except sqlite3.Error as error:
        # The extended codes say more than anybody can act on; the lowest byte is the primary one.
        way_out = _WAYS_OUT.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        raise StoreError(f"{what}: {error}", way_out) from None


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that writes: all of the block, or nothing of it whatever breaks it off.

    It asks for the right to write at once. One that reads first and asks later can fail beside another without a wait.
    """
    connection.execute("BEGIN IMMEDIATE")
    with _finished(connection):
        yield


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that reads: many look-ups for the price of one lock."""
    connection.execute("BEGIN")
    with _finished(connection):
        yield


@contextmanager
def _finished(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
