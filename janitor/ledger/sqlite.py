"""The ledger in a file of this machine."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from janitor.errors import StoreError
from janitor.ledger.interface import REMEMBER_SECONDS, LastRun, Mark, RecordCheck
from janitor.store.moments import MOST_AHEAD_SECONDS, BrokenRecords
from janitor.store.sqlite_file import connect, is_empty, reading, sqlite_errors, writing
from janitor.store.url import SqliteUrl

# In the file's header, where `file` shows it: "jani". A file with another one belongs to another program.
_APPLICATION_ID = 0x6A616E69
_SCHEMA_VERSION = 2
_SCHEMA = (
    """CREATE TABLE mark (
        scope TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
        PRIMARY KEY (scope, name)
    ) WITHOUT ROWID""",
    """CREATE TABLE record (
        scope TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL, expires_at INTEGER NOT NULL,
        PRIMARY KEY (scope, name)
    ) WITHOUT ROWID""",
    """CREATE TABLE run (
        scope TEXT NOT NULL, profile TEXT NOT NULL, run_id TEXT NOT NULL, started_at INTEGER NOT NULL,
        finished_at INTEGER NOT NULL, outcome TEXT NOT NULL, generation TEXT NOT NULL, chunks INTEGER NOT NULL,
        expires_at INTEGER NOT NULL, PRIMARY KEY (scope, profile)
    ) WITHOUT ROWID""",
    # With row ids: rows this long would leave the index without any use.
    """CREATE TABLE chunk (
        scope TEXT NOT NULL, generation TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (scope, generation, number)
    )""",
    "CREATE TABLE opening (scope TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID",
)
_MARK = """
    INSERT INTO mark (scope, name, at, expires_at) VALUES (:scope, :name, :at, :until)
    ON CONFLICT (scope, name) DO UPDATE SET
        at = CASE
            WHEN expires_at > :at AND expires_at <= :furthest AND at >= :moment AND at <= :latest THEN at
            ELSE excluded.at
        END,
        expires_at = excluded.expires_at
"""
# SQLite keeps what it is given, whatever a column is declared as; every text and every blob is more than any number.
_AT, _UNTIL, _STARTED_AT, _FINISHED_AT, _CHUNKS = (
    f"CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} END"
    for column in ("at", "expires_at", "started_at", "finished_at", "chunks")
)
_PROOF = "REPLACE INTO mark (scope, name, at, expires_at) VALUES (?, ?, ?, ?)"
_PROOF_SECONDS = 86_400


class SqliteLedger:
    """As `Ledger`, in an SQLite file that several processes may use at once, each waiting up to 5 s for another.

    With a rollback journal, SQLite's default, and not a write-ahead log: that one needs memory shared between
    processes, which a volume on the network does not have, and leaves two more files beside. `synchronous=EXTRA` is
    what makes a commit outlive a power cut in this mode (SQLite, "PRAGMA synchronous").
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Prepare; the file is not touched.

        Args:
            path: of the file.
            clock: the present UNIX second.
        """
        self.location = str(SqliteUrl(path))
        self.broken = BrokenRecords()
        self._path, self._clock = path, clock
        self._connection: sqlite3.Connection | None = None
        self._scope = ""
        self._check = RecordCheck(self.broken)

    def open(self, scope: str, now: int) -> None:
        """As `Ledger.open`. Makes the file (mode 0600) and its folder (0700) where there are none."""
        self._opening(scope, now)
        try:
            make_file(self._path)
            with self._errors():
                self._connection = _tolerant(connect(self._path))
                self._connection.execute("PRAGMA synchronous = EXTRA")
                with writing(self._connection):
                    check_schema(self._connection, self._path)
                    self._connection.execute("REPLACE INTO opening (scope, at) VALUES (?, ?)", (scope, now))
        except BaseException:
            self.close()
            raise

    def open_to_read(self, scope: str, now: int) -> None:
        """As `Ledger.open_to_read`. Of a file that is not there, or empty, an empty one in memory is read."""
        self._opening(scope, now)
        try:
            with self._errors():
                if is_empty(self._path):
                    self._connection = sqlite3.connect(":memory:", isolation_level=None)
                    check_schema(self._connection, self._path)
                else:
                    self._connection = _tolerant(connect(self._path))
                    check_schema(self._connection, self._path)
        except BaseException:
            self.close()
            raise

    def marked(self, names: Sequence[str]) -> dict[str, Mark]:
        """As `Ledger.marked`."""
        query = f"SELECT {_UNTIL}, {_AT} FROM mark WHERE scope = ? AND name = ?"  # noqa: S608  # columns
        found = {}
        with self._errors(), reading(self._opened):
            for name in names:
                row = self._opened.execute(query, (self._scope, name)).fetchone()
                moments = None if row is None else self._check.standing(name, "a mark", *row)
                if moments is not None:
                    until, at = moments
                    found[name] = Mark(at, until)
        return found

    def mark(self, moments: Mapping[str, int], at: int) -> None:
        """As `Ledger.mark`, all of them or none."""
        until = at + REMEMBER_SECONDS
        bounds = {
            "latest": max(at, self._check.latest) + MOST_AHEAD_SECONDS,
            "furthest": max(until, self._check.latest + REMEMBER_SECONDS) + MOST_AHEAD_SECONDS,
        }
        marks = (
            {"scope": self._scope, "name": name, "moment": moment, "at": at, "until": until, **bounds}
            for name, moment in moments.items()
        )
        with self._errors(), writing(self._opened):
            self._opened.executemany(_MARK, marks)

    def prove(self, names: Sequence[str]) -> None:
        """As `Ledger.prove`: writes as much as the marks will take, and deletes it. SQLite keeps the pages for them."""
        proofs = [f"proof/{name}" for name in names]
        now = self._check.now
        with self._errors():
            with writing(self._opened):
                self._opened.executemany(_PROOF, ((self._scope, proof, now, now + _PROOF_SECONDS) for proof in proofs))
            with writing(self._opened):
                delete = "DELETE FROM mark WHERE scope = ? AND name = ?"
                deleted = self._opened.executemany(delete, ((self._scope, proof) for proof in proofs)).rowcount
        if proofs and deleted < len(set(proofs)):
            sentence = f"the state file {self._path} does not give back what was just written to it"
            raise StoreError(sentence, "give a path on another disk")

    def snapshot(self, profile: str) -> Iterator[bytes]:
        """As `Ledger.snapshot`. Holds no lock between two chunks."""
        pointer = self._pointer(profile)
        if pointer is None:
            return
        generation, chunks, _ = pointer
        for number in range(chunks):
            query = "SELECT data FROM chunk WHERE scope = ? AND generation = ? AND number = ?"
            row = self._fetch(query, generation, number)
            if row is None:
                raise StoreError(f"{self.location}: another run replaced what is being read", "run again")
            yield self._blob(row[0])

    def replace_snapshot(self, profile: str, chunks: Iterable[bytes], run: LastRun) -> None:
        """As `Ledger.replace_snapshot`, in one transaction: others wait while the chunks come."""
        generation, count = uuid4().hex, 0
        with self._errors(), writing(self._opened):
            self._opened.execute(
                "DELETE FROM chunk WHERE scope = ? AND generation IN "
                "(SELECT generation FROM run WHERE run.scope = chunk.scope AND profile = ?)",
                (self._scope, profile),
            )
            for count, chunk in enumerate(chunks, 1):
                self._opened.execute(
                    "INSERT INTO chunk VALUES (?, ?, ?, ?)", (self._scope, generation, count - 1, chunk)
                )
            self._opened.execute(
                "REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self._scope, profile, *run, generation, count, run.finished_at + REMEMBER_SECONDS),
            )

    def last_run(self, profile: str) -> LastRun | None:
        """As `Ledger.last_run`."""
        pointer = self._pointer(profile)
        return None if pointer is None else pointer[2]

    def _pointer(self, profile: str) -> tuple[str, int, LastRun] | None:
        """Where the snapshot is, how many chunks it has, and who left it; None for nowhere."""
        query = (
            f"SELECT generation, {_CHUNKS}, run_id, {_STARTED_AT}, {_FINISHED_AT}, outcome, {_UNTIL} FROM run "  # noqa: S608  # columns
            "WHERE scope = ? AND profile = ?"
        )
        row = self._fetch(query, profile)
        if row is None:
            return None
        generation, chunks, *fields, until = row
        return self._check.pointed(profile, generation, chunks, LastRun.of(*fields), until)

    def record(self, name: str) -> bytes | None:
        """As `Ledger.record`."""
        query = f"SELECT content, {_UNTIL} FROM record WHERE scope = ? AND name = ?"  # noqa: S608  # columns
        row = self._fetch(query, name)
        return None if row is None else self._check.content(name, row[0], row[1])

    def keep(self, name: str, content: bytes, at: int) -> None:
        """As `Ledger.keep`."""
        with self._errors(), writing(self._opened):
            values = (self._scope, name, content, at + REMEMBER_SECONDS)
            self._opened.execute("REPLACE INTO record VALUES (?, ?, ?, ?)", values)

    def forget(self, now: int) -> None:
        """As `Ledger.forget`, of every scope: some tables are never looked at again."""
        with self._errors(), writing(self._opened):
            self._opened.execute("DELETE FROM mark WHERE expires_at <= ?", (now,))
            self._opened.execute("DELETE FROM record WHERE expires_at <= ?", (now,))
            self._opened.execute("DELETE FROM run WHERE expires_at <= ?", (now,))
            self._opened.execute("DELETE FROM chunk WHERE generation NOT IN (SELECT generation FROM run)")

    def close(self) -> None:
        """As `Ledger.close`."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _opening(self, scope: str, now: int) -> None:
        self.close()
        self._scope, self._check = scope, RecordCheck(self.broken, now, int(self._clock()))

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self.location} is not open")
        return self._connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with sqlite_errors(f"the state file {self._path}"):
                yield
        except (TypeError, ValueError, OverflowError):
            # SQLite keeps what it is given, whatever a column is declared as.
            raise self._damaged() from None

    def _blob(self, value: object) -> bytes:
        if not isinstance(value, bytes):
            raise self._damaged()
        return value

    def _damaged(self) -> StoreError:
        sentence = f"the state file {self._path} holds what no run has left"
        return StoreError(sentence, "move it away, and the next run makes a new one", "damaged")

    def _fetch(self, query: str, *arguments: object) -> tuple[Any, ...] | None:
        with self._errors():
            row: tuple[Any, ...] | None = self._opened.execute(query, (self._scope, *arguments)).fetchone()
        return row


def _tolerant(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, to which a text that is not valid UTF-8 is a text too, and no error."""
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    return connection


def make_file(path: Path) -> None:
    """Make the file where there is none, so that nobody else can read it; SQLite would leave that to the umask."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        sentence = f"the state file {path} cannot be made: {error.strerror}"
        raise StoreError(sentence, "give a path in a folder that can be written") from None


@contextmanager
def writing_beside(path: Path, table: str) -> Iterator[sqlite3.Connection]:
    """The file, within a transaction that writes, with a table in it that the ledger itself does not know.

    Such a table is made by whoever needs it first, and is not a part of the schema that has a version: with a new
    version every janitor of before would refuse the file, while to one that does not know the table it is nothing at
    all. The file is opened anew each time, for SQLite's connections are bound to a thread.

    Args:
        path: the file; made (mode 0600), and its folder (0700), where there are none.
        table: the statement that makes the table where there is none.

    Raises:
        StoreError: the file cannot be made or written, or is no state file.
    """
    make_file(path)
    with sqlite_errors(f"the state file {path}"), contextlib.closing(connect(path)) as connection, writing(connection):
        check_schema(connection, path)
        connection.execute(table)
        yield connection


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file, within a transaction that writes.

    Raises:
        StoreError: the file is another program's, or another version's.
    """
    [(application,)] = connection.execute("PRAGMA application_id")
    [(version,)] = connection.execute("PRAGMA user_version")
    [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_master")
    if (application, version, tables) == (0, 0, 0):
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    elif application != _APPLICATION_ID:
        sentence = f"the state file {path} is a database of another program"
        raise StoreError(sentence, "give the path of another file, or of none")
    elif version != _SCHEMA_VERSION:
        sentence = f"the state file {path} has version {version}, and this janitor knows {_SCHEMA_VERSION}"
        raise StoreError(sentence, "use the janitor that made it, or give another path")
