"""What changed since the last run: a run's findings beside those that the last one left.

Both are in a file without a name, so that memory stays flat however many there are, and nothing is left behind
whatever ends the run.

A snapshot knows findings, and an active token is none. So a token that was extended beyond the horizon looks as if it
was gone, until somebody looks it up among those `missing` and adds it.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.errors import StoreError
from janitor.store.chunks import RememberedToken, entries_of, to_chunks
from janitor.store.sqlite_file import connect, sqlite_errors
from janitor.tokens.expiration import FIRST_SECOND, LAST_SECOND
from janitor.tokens.redact import cut

_DATED = "('active', 'expiring', 'expired', 'stale')"
_SCHEMA = (
    # A crash loses the file anyway, so nothing is kept for one.
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
    # The next four are `TokenChanges`, by the names of its attributes.
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

# Several rows may hold one token: in a hashed table the legacy row of a token beside its own. Whichever comes first,
# the one with the latest expiry counts, as it does for whoever holds the token.
_ADD = """
    INSERT INTO seen (fingerprint, state, expiry, username, name) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (fingerprint) DO UPDATE SET
        state = excluded.state, expiry = excluded.expiry, username = excluded.username, name = excluded.name
    WHERE seen.expiry IS NULL AND excluded.expiry IS NOT NULL
       OR excluded.expiry > seen.expiry
       OR excluded.expiry IS seen.expiry AND excluded.state < seen.state
"""


class Changed(NamedTuple):
    """A token that changed.

    Attributes:
        fingerprint: the token's.
        username, name: as they may be shown, and still to be escaped; None where there is none.
        expiry: in UNIX seconds, as it is now; None where it has none, or has vanished.
        previous_expiry: as the last run saw it; None where that saw none.
    """

    fingerprint: str
    username: str | None
    name: str | None
    expiry: int | None
    previous_expiry: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Tokens that changed in one way.

    Attributes:
        count: all of them.
        first: the most urgent, as many as were asked for: those whose dates are nearest to now.
    """

    count: int = 0
    first: tuple[Changed, ...] = ()


class TokenChanges(NamedTuple):
    """What changed since the last run. A token may be in several groups; all are empty where no run was before.

    Attributes:
        newly_expiring: expiring now, and not then.
        newly_expired: expired or stale now, and then neither, or with an earlier date.
        extended: with a later expiry now; of tokens that had and have a valid one.
        vanished: found then and not now, and not deleted by this run: by other hands, or extended out of sight.
    """

    newly_expiring: Group = Group()
    newly_expired: Group = Group()
    extended: Group = Group()
    vanished: Group = Group()


class Snapshot:
    """The working memory of one run; for one thread. Its methods raise StoreError where the file fails, or is closed.

    Attributes:
        has_previous: whether a run before left something, be it that it found nothing.
    """

    def __init__(self, folder: Path) -> None:
        """Make the file.

        Args:
            folder: where there is room for some 100 bytes a finding, twice.

        Raises:
            StoreError: the folder cannot be written.
        """
        self.has_previous = False
        self._what = f"a temporary file in {folder}"
        self._connection: sqlite3.Connection | None = _without_a_name(folder, self._what)

    def load(self, chunks: Iterable[bytes]) -> None:
        """Take what the last run left, before anything is asked. No chunks at all mean that there was no such run.

        Raises:
            StoreError: a chunk is damaged; all is then as if there had been no run before.
        """
        self.has_previous = False
        try:
            for chunk in chunks:
                with self._writing() as connection:
                    rows = map(_row, entries_of(chunk))
                    connection.executemany("REPLACE INTO remembered VALUES (?, ?, ?, ?, ?)", rows)
                self.has_previous = True
        except StoreError:
            self.has_previous = False
            with self._writing() as connection:
                connection.execute("DELETE FROM remembered")
            raise

    def add(self, entries: Sequence[RememberedToken]) -> None:
        """Take findings of this run, a page at a time; active tokens too, of those that were `missing`."""
        with self._writing() as connection:
            connection.executemany(_ADD, map(_row, entries))

    def vanish(self, fingerprints: Iterable[str]) -> None:
        """Take note that this run deleted these itself: no other hands did, and the next run need not know them."""
        with self._writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO deleted VALUES (?)", ((each,) for each in fingerprints))

    def missing(self) -> Iterator[RememberedToken]:
        """What the last run found, and this one neither found nor deleted, with the state and the expiry of then.

        Whoever finds some of them active meanwhile may `add` them while this goes on.
        """
        return self._entries("SELECT * FROM missing ORDER BY fingerprint")

    def changes(self, now: int, most: int) -> TokenChanges:
        """What changed since the last run.

        Args:
            now: the run's UNIX second.
            most: how many of each group to name.
        """
        if not self.has_previous:
            return TokenChanges()
        return TokenChanges(**{name: self._group(name, now, most) for name in TokenChanges._fields})

    def chunks(self) -> Iterator[bytes]:
        """What this run leaves for the next, at least one chunk: its findings but those that it deleted."""
        return to_chunks(
            self._entries("""
                SELECT * FROM seen WHERE state <> 'active' AND fingerprint NOT IN (SELECT fingerprint FROM deleted)
                ORDER BY fingerprint
            """)
        )

    def close(self) -> None:
        """Let the file go. Never raises."""
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
        # A transaction for speed alone: without a journal there is no way back, and what fails here is not read again.
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

    def _group(self, name: str, now: int, most: int) -> Group:
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
            return Group(count, tuple(Changed(*row) for row in rows))


def _without_a_name(folder: Path, what: str) -> sqlite3.Connection:
    """A new database in a file that is unlinked at once: it goes with the process, however that ends."""
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
    """The entry as it is kept: a date as near to its own as the years 1 to 9999 allow, and texts of 256 characters."""
    fingerprint, state, expiry, username, name = entry
    return RememberedToken(
        cut(fingerprint),
        cut(state),
        None if expiry is None else min(max(expiry, FIRST_SECOND), LAST_SECOND),
        None if username is None else cut(username),
        None if name is None else cut(name),
    )
