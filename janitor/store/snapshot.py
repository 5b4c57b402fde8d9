"""Compares a run's findings with those of the last run, to find what changed.

Both are kept in a file without a name, so that memory stays flat however many there are, and nothing is left behind
however the run ends.

A snapshot holds findings, and active tokens are not findings. So a token that was extended beyond the horizon seems
gone, until it is found by a look-up of the `missing` ones, and added.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.errors import StoreError
from janitor.store.chunks import RememberedToken, decode_chunk, encode_chunks
from janitor.store.sqlite_file import connect, sqlite_errors
from janitor.tokens.expiration import FIRST_SECOND, LAST_SECOND
from janitor.tokens.redact import shorten_text

_DATED = "('active', 'expiring', 'expired', 'stale')"
_SCHEMA = (
    # The file is lost in a crash anyway, so nothing is written to survive one.
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA cache_size = -4096",  # kibibytes
    """CREATE TABLE seen (
        fingerprint TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, expiry INTEGER, username TEXT, name TEXT
    ) WITHOUT ROWID""",
    """CREATE TABLE remembered (
        fingerprint TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, expiry INTEGER, username TEXT, name TEXT
    ) WITHOUT ROWID""",
    "CREATE TABLE deleted (fingerprint TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
    """CREATE VIEW missing AS
    SELECT fingerprint, state, expiry, username, name FROM remembered
    WHERE NOT EXISTS (SELECT 1 FROM seen WHERE seen.fingerprint = remembered.fingerprint)
      AND NOT EXISTS (SELECT 1 FROM deleted WHERE deleted.fingerprint = remembered.fingerprint)""",
    # The next four views have the names of the fields of `TokenChanges`.
    """CREATE VIEW newly_expiring AS
    SELECT seen.fingerprint, seen.username, seen.name, seen.expiry, remembered.expiry AS previous_expiry
    FROM seen LEFT JOIN remembered USING (fingerprint)
    WHERE seen.state = 'expiring' AND remembered.state IS NOT 'expiring'""",
    """CREATE VIEW newly_expired AS
    SELECT seen.fingerprint, seen.username, seen.name, seen.expiry, remembered.expiry AS previous_expiry
    FROM seen LEFT JOIN remembered USING (fingerprint)
    WHERE seen.state IN ('expired', 'stale')
      AND (remembered.fingerprint IS NULL OR remembered.state NOT IN ('expired', 'stale')
           OR seen.expiry > remembered.expiry)""",
    f"""CREATE VIEW extended AS
    SELECT seen.fingerprint, seen.username, seen.name, seen.expiry, remembered.expiry AS previous_expiry
    FROM seen JOIN remembered USING (fingerprint)
    WHERE seen.expiry > remembered.expiry AND seen.state IN {_DATED} AND remembered.state IN {_DATED}""",  # noqa: S608  # no text of anybody's
    """CREATE VIEW vanished AS
    SELECT fingerprint, username, name, NULL AS expiry, expiry AS previous_expiry FROM missing""",
)

# A token may have several rows: in a hashed table its legacy row beside its present one. In whatever order they come,
# the one with the latest expiry counts, as it does for whoever uses the token.
_ADD = """
    INSERT INTO seen (fingerprint, state, expiry, username, name) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (fingerprint) DO UPDATE SET
        state = excluded.state, expiry = excluded.expiry, username = excluded.username, name = excluded.name
    WHERE seen.expiry IS NULL AND excluded.expiry IS NOT NULL
       OR excluded.expiry > seen.expiry
       OR excluded.expiry IS seen.expiry AND excluded.state < seen.state
"""


class ChangedEntry(NamedTuple):
    """A token that changed.

    Attributes:
        fingerprint: the token's.
        username, name: redacted, but still to be escaped; None if there is none.
        expiry: the present one in UNIX seconds; None if it has none, or has vanished.
        previous_expiry: the one that the last run found; None if it found none.
    """

    fingerprint: str
    username: str | None
    name: str | None
    expiry: int | None
    previous_expiry: int | None


@dataclass(frozen=True, slots=True)
class ChangedGroup:
    """Tokens that changed in one way.

    Attributes:
        count: how many there are.
        first: the most urgent of them, as many as were asked for: those whose dates are nearest to now.
    """

    count: int = 0
    first: tuple[ChangedEntry, ...] = ()


class TokenChanges(NamedTuple):
    """What changed since the last run. A token may be in several groups; all are empty if there was no run before.

    Attributes:
        newly_expiring: expiring now, and not then.
        newly_expired: expired or stale now, and then neither, or with an earlier date.
        extended: with a later expiry than then; only tokens with a valid expiry then and now.
        vanished: found then and not now, and not deleted by this run: deleted by somebody else, or extended beyond the
            horizon.
    """

    newly_expiring: ChangedGroup = ChangedGroup()
    newly_expired: ChangedGroup = ChangedGroup()
    extended: ChangedGroup = ChangedGroup()
    vanished: ChangedGroup = ChangedGroup()


class Snapshot:
    """The findings of this run and of the last one; for one thread. Its methods raise StoreError where the file fails.

    Attributes:
        has_previous: whether there was a run before, even if it found nothing.
    """

    def __init__(self, folder: Path) -> None:
        """Make the file.

        Args:
            folder: a folder with room for about 200 bytes for each finding.

        Raises:
            StoreError: the folder cannot be written.
        """
        self.has_previous = False
        self._what = f"a temporary file in {folder}"
        self._connection: sqlite3.Connection | None = _without_a_name(folder, self._what)

    def load(self, chunks: Iterable[bytes]) -> None:
        """Load what the last run left. No chunks at all mean that there was no run before.

        Raises:
            StoreError: a chunk is damaged; the snapshot is then as if there had been no run before.
        """
        self.has_previous = False
        try:
            for chunk in chunks:
                with self._writing() as connection:
                    rows = map(_row, decode_chunk(chunk))
                    connection.executemany("REPLACE INTO remembered VALUES (?, ?, ?, ?, ?)", rows)
                self.has_previous = True
        except StoreError:
            self.has_previous = False
            with self._writing() as connection:
                connection.execute("DELETE FROM remembered")
            raise

    def add(self, entries: Sequence[RememberedToken]) -> None:
        """Add findings of this run, and `missing` tokens that turned out to be active."""
        with self._writing() as connection:
            connection.executemany(_ADD, map(_row, entries))

    def vanish(self, fingerprints: Iterable[str]) -> None:
        """Note that this run deleted these: they have not vanished, and the next run need not know them."""
        with self._writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO deleted VALUES (?)", ((each,) for each in fingerprints))

    def missing(self) -> Iterator[RememberedToken]:
        """What the last run found, and this one neither found nor deleted, with the state and expiry of then.

        Those that turn out to be active may be added while this is iterated.
        """
        return self._entries("SELECT * FROM missing ORDER BY fingerprint")

    def changes(self, now: int, most: int) -> TokenChanges:
        """What changed since the last run.

        Args:
            now: the run's UNIX second.
            most: how many tokens of each group to return.
        """
        if not self.has_previous:
            return TokenChanges()
        return TokenChanges(**{name: self._group(name, now, most) for name in TokenChanges._fields})

    def chunks(self) -> Iterator[bytes]:
        """What this run leaves to the next one, at least one chunk: its findings, except those that it deleted."""
        return encode_chunks(
            self._entries("""
                SELECT * FROM seen WHERE state <> 'active' AND fingerprint NOT IN (SELECT fingerprint FROM deleted)
                ORDER BY fingerprint
            """)
        )

    def close(self) -> None:
        """Close the file, which removes it. Never raises."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self._what} is closed")
        return self._connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        # The transaction is only for speed. Without a journal there is no rollback; after a failure nothing is read.
        connection = self._opened
        with sqlite_errors(self._what):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def _entries(self, query: str) -> Iterator[RememberedToken]:
        with sqlite_errors(self._what):
            for row in self._opened.execute(query):
                yield RememberedToken(*row)

    def _group(self, name: str, now: int, most: int) -> ChangedGroup:
        with sqlite_errors(self._what):
            [(count,)] = self._opened.execute(f"SELECT count(*) FROM {name}")  # noqa: S608  # a name of `TokenChanges`
            rows = self._opened.execute(
                f"""
                SELECT * FROM {name}
                ORDER BY ifnull(expiry, previous_expiry) IS NULL, abs(ifnull(expiry, previous_expiry) - ?), fingerprint
                LIMIT ?
                """,  # noqa: S608  # likewise
                (now, most),
            )
            return ChangedGroup(count, tuple(ChangedEntry(*row) for row in rows))


def _without_a_name(folder: Path, what: str) -> sqlite3.Connection:
    """Make a database in a file that is unlinked at once, so that it goes with the process, however that ends."""
    with sqlite_errors(what):
        try:
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".janitor-") as file:
                connection = connect(Path(file.name))
                try:
                    for statement in _SCHEMA:
                        connection.execute(statement)
                except BaseException:
                    connection.close()
                    raise
        except OSError as error:
            way_out = "give a folder that can be written"
            raise StoreError(f"{what} cannot be made: {error.strerror}", way_out) from None
    return connection


def _row(entry: RememberedToken) -> RememberedToken:
    """The entry as it is stored: its date clamped to the years 1 to 9999, its texts to 256 characters."""
    fingerprint, state, expiry, username, name = entry
    return RememberedToken(
        shorten_text(fingerprint),
        shorten_text(state),
        None if expiry is None else min(max(expiry, FIRST_SECOND), LAST_SECOND),
        None if username is None else shorten_text(username),
        None if name is None else shorten_text(name),
    )
