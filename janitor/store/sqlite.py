"""The store in a file of this machine."""

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
from janitor.store.sqlite_file import connect, is_empty, reading, sqlite_errors, writing

# In the file's header, where `file` shows it: "jani". A file with another one belongs to another program.
_APPLICATION_ID = 0x6A616E69
_SCHEMA_VERSION = 3
# With row ids: chunks of a snapshot are so long that they would leave the index without any use.
_SCHEMA = """
    CREATE TABLE record (
        scope TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, expires_at INTEGER NOT NULL,
        version BLOB NOT NULL, PRIMARY KEY (scope, name)
    )
"""
# SQLite keeps what it is given, whatever a column is declared as; a version is compared as bytes, whatever it is.
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

    With a rollback journal, SQLite's default, and not a write-ahead log: that one needs memory shared between
    processes, which a volume on the network does not have, and leaves two more files beside. `synchronous=EXTRA` is
    what makes a commit outlive a power cut in this mode (SQLite, "PRAGMA synchronous").

    Its clock is the machine's, so machines that share a file need clocks that agree. The file is opened anew for every
    call: SQLite's connections are bound to a thread.
    """

    most_read = 10_000
    most_written = 10_000
    most_bytes = 8_000_000
    most_removed = 10_000
    can_run_full = True

    def __init__(self, path: Path) -> None:
        """Prepare; the file is not touched."""
        self.location = str(SqliteUrl(path))
        self.place = f"the state file {path}"
        self._path = path

    def read(self, scope: str, names: Sequence[str]) -> RecordReading:
        """Read records; none of a file that is not there, or empty."""
        records = {}
        if not is_empty(self._path):
            with sqlite_errors(self.place), contextlib.closing(self._connected()) as file, reading(file):
                if self._has_records(file):
                    for name in names:
                        row = file.execute(_READ, (scope, name)).fetchone()
                        if row is not None:
                            records[name] = Record(*row)
        return RecordReading(records, int(time.time()))

    def write(self, scope: str, changes: Sequence[RecordChange]) -> bool:
        """Make changes in one transaction. Makes the file (mode 0600) and its folder (0700) where there are none."""
        self._make_file()
        try:
            with sqlite_errors(self.place), contextlib.closing(self._connected()) as file:
                file.execute("PRAGMA synchronous = EXTRA")
                with writing(file):
                    if not self._has_records(file):
                        file.execute(_SCHEMA)
                        file.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                        file.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
                    _make(file, scope, changes)
        except _UnexpectedError:
            return False
        return True

    def forget(self) -> None:
        """Remove what is past its time, of every scope: some tables are never looked at again."""
        if not is_empty(self._path):
            with sqlite_errors(self.place), contextlib.closing(self._connected()) as file, writing(file):
                if self._has_records(file):
                    file.execute("DELETE FROM record WHERE expires_at <= ?", (int(time.time()),))

    def _connected(self) -> sqlite3.Connection:
        connection = connect(self._path)
        # A text that is not valid UTF-8 is a text too, and no error.
        connection.text_factory = lambda content: content.decode("utf-8", "replace")
        return connection

    def _make_file(self) -> None:
        """Make the file where there is none, so that nobody else can read it; SQLite would leave that to the umask."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            sentence = f"{self.place} cannot be made: {error.strerror}"
            raise StoreError(sentence, "give a path in a folder that can be written") from None

    def _has_records(self, file: sqlite3.Connection) -> bool:
        """Whether it is a state file; False of an empty database.

        Raises:
            StoreError: it is another program's, or another version's.
        """
        [(application,)] = file.execute("PRAGMA application_id")
        [(version,)] = file.execute("PRAGMA user_version")
        [(tables,)] = file.execute("SELECT count(*) FROM sqlite_master")
        if (application, version, tables) == (0, 0, 0):
            return False
        if application != _APPLICATION_ID:
            sentence = f"{self.place} is a database of another program"
            raise StoreError(sentence, "give the path of another file, or of none")
        if version != _SCHEMA_VERSION:
            sentence = f"{self.place} has version {version}, and this janitor knows {_SCHEMA_VERSION}"
            raise StoreError(sentence, "use the janitor that made it, or give another path")
        return True


class _UnexpectedError(Exception):
    """A record is not the expected one; what the transaction has made before is undone."""


def _make(file: sqlite3.Connection, scope: str, changes: Sequence[RecordChange]) -> None:
    """Make changes. Raises _UnexpectedError where one of them finds another record than it expects."""
    version = uuid4().bytes
    by_statement: dict[str, list[dict[str, object]]] = {}
    for change in changes:
        read = change.expected.version if isinstance(change.expected, Record) else None
        values = change._asdict() | {"scope": scope, "version": version, "read": read}
        by_statement.setdefault(_statement(change), []).append(values)
    for statement, values_of_each in by_statement.items():
        made = file.executemany(statement, values_of_each).rowcount
        if made != len(values_of_each) and statement != _REMOVE_ANY:
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
