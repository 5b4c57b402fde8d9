"""The store in an SQLite file."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from janitor.errors import StoreError
from janitor.settings.store_url import SqliteUrl
from janitor.store.interface import Record, RecordChange, RecordReading
from janitor.store.sqlite_file import connect, is_empty, read_transaction, sqlite_errors, write_transaction

# "jani", in the file's header, where the command `file` shows it. A file with another id is another program's.
_APPLICATION_ID = 0x6A616E69
_SCHEMA_VERSION = 3
# Not WITHOUT ROWID: chunks of a snapshot are so long that the index would be useless with them in it.
_SCHEMA = """
    CREATE TABLE record (
        scope TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, expires_at INTEGER NOT NULL,
        version BLOB NOT NULL, PRIMARY KEY (scope, name)
    )
"""
# SQLite stores any type in any column, so versions are compared as bytes.
_READ = "SELECT content, expires_at, CAST(version AS BLOB) FROM record WHERE scope = ? AND name = ?"
_INSERT = """
    INSERT INTO record (scope, name, content, expires_at, version)
    VALUES (:scope, :name, :content, :expires_at, :version) ON CONFLICT (scope, name) DO
"""
_SET = "UPDATE SET content = excluded.content, expires_at = excluded.expires_at, version = excluded.version"
_UPDATE = "UPDATE record SET content = :content, expires_at = :expires_at, version = :version"
_REMOVE = "DELETE FROM record"
_NAMED = "WHERE scope = :scope AND name = :name"
_REMOVE_ANY = f"{_REMOVE} {_NAMED}"
_AS_READ = "AND CAST(version AS BLOB) = :read"


class SqliteBackend:
    """Keeps records in an SQLite file that several processes may use at once, each waiting up to 5 s for another.

    It uses a rollback journal, SQLite's default, and not a write-ahead log: that needs memory shared between processes,
    which a network volume does not have, and leaves two more files. In this mode `synchronous=EXTRA` is what makes a
    commit survive a power cut (SQLite, "PRAGMA synchronous").

    Its clock is the machine's, so machines that share a file need clocks that agree. The file is opened for every call,
    because SQLite's connections are bound to a thread.
    """

    max_read = 10_000
    max_written = 10_000
    max_bytes = 8_000_000
    max_removed = 10_000
    can_run_full = True

    def __init__(self, path: Path) -> None:
        """Prepare; the file is not touched."""
        self.location = str(SqliteUrl(path))
        self.place = f"the state file {path}"
        self._path = path

    def read(self, scope: str, names: Sequence[str]) -> RecordReading:
        """Read records; none where the file is missing or empty."""
        records = {}
        if not is_empty(self._path):
            with sqlite_errors(self.place), contextlib.closing(self._connected()) as file, read_transaction(file):
                if self._has_records(file):
                    for name in names:
                        row = file.execute(_READ, (scope, name)).fetchone()
                        if row is not None:
                            records[name] = Record(*row)
        return RecordReading(records, int(time.time()))

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:
        """Make changes in one transaction. Creates a missing file (mode 0600) and its folder (0700)."""
        self._make_file()
        try:
            with sqlite_errors(self.place), contextlib.closing(self._connected()) as file:
                file.execute("PRAGMA synchronous = EXTRA")
                with write_transaction(file):
                    if not self._has_records(file):
                        file.execute(_SCHEMA)
                        file.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                        file.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
                    _make(file, scope, changes)
        except _UnexpectedError:
            return False
        return True

    def forget(self) -> None:
        """Remove expired records of every scope, because some tables are never swept again."""
        if not is_empty(self._path):
            with sqlite_errors(self.place), contextlib.closing(self._connected()) as file, write_transaction(file):
                if self._has_records(file):
                    file.execute("DELETE FROM record WHERE expires_at <= ?", (int(time.time()),))

    def _connected(self) -> sqlite3.Connection:
        connection = connect(self._path)
        # So that a text that is not valid UTF-8 is no error.
        connection.text_factory = lambda content: content.decode("utf-8", "replace")
        return connection

    def _make_file(self) -> None:
        """Create the file if it is missing, readable only by its owner; SQLite would leave that to the umask."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            sentence = f"{self.place} cannot be made: {error.strerror}"
            raise StoreError(sentence, "give a path in a folder that can be written") from None

    def _has_records(self, file: sqlite3.Connection) -> bool:
        """Whether it is a state file; False for an empty database.

        Raises:
            StoreError: it belongs to another program, or another version.
        """
        [(application,)] = file.execute("PRAGMA application_id")
        [(version,)] = file.execute("PRAGMA user_version")
        [(tables,)] = file.execute("SELECT count(*) FROM sqlite_master")
        if (application, version, tables) == (0, 0, 0):
            return False
        if application != _APPLICATION_ID:
            sentence = f"{self.place} is a database of another program"
            raise StoreError(sentence, "give the path of another file, or of a new one")
        if version != _SCHEMA_VERSION:
            sentence = f"{self.place} has version {version}, and this janitor knows {_SCHEMA_VERSION}"
            raise StoreError(sentence, "use the janitor that made it, or give another path")
        return True


class _UnexpectedError(Exception):
    """A record is not the expected one; the transaction is rolled back."""


def _make(file: sqlite3.Connection, scope: str, changes: Sequence[RecordChange]) -> None:
    """Make changes. Raises _UnexpectedError if one of them finds another record than it expects."""
    version = uuid4().bytes
    by_statement: dict[str, list[dict[str, object]]] = {}
    for change in changes:
        read = change.expected.version if isinstance(change.expected, Record) else None
        values = change._asdict() | {"scope": scope, "version": version, "read": read}
        by_statement.setdefault(_statement(change), []).append(values)
    for statement, rows in by_statement.items():
        changed_rows = file.executemany(statement, rows).rowcount
        if changed_rows != len(rows) and statement != _REMOVE_ANY:
            raise _UnexpectedError


def _statement(change: RecordChange) -> str:
    """The statement that makes a change where the record is the expected one."""
    match change.content, change.expected:
        case None, Record():
            return f"{_REMOVE} {_NAMED} {_AS_READ}"
        case None, _:
            return _REMOVE_ANY
        case _, Record():
            return f"{_UPDATE} {_NAMED} {_AS_READ}"
        case _, None:
            return f"{_INSERT} NOTHING"
        case _:
            return f"{_INSERT} {_SET}"
