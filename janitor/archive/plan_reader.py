"""Reading plans and archives back: whole, or as far as one that was cut off goes."""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import msgspec

from janitor.archive.plan import SCHEMA, Closing, Header, PlannedRow, RowOutcome
from janitor.errors import ConfigurationError
from janitor.tokens.row import Row, row_of

# Which janitor never writes.
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CUT_OFF = (EOFError, zlib.error, gzip.BadGzipFile)
# msgspec's own errors are ValueErrors, and so is that of bytes that are no UTF-8.
_UNREADABLE = (ValueError, RecursionError)

# More than any row takes: DynamoDB's have 400 KB, which JSON makes seven times as long at most (a list of nulls).
_LONGEST_LINE = 4 * 1024 * 1024  # bytes

Entry = PlannedRow | RowOutcome
_Stream = BinaryIO | gzip.GzipFile


class _Line(msgspec.Struct):
    """Any line but the first: which one it is shows in what it has."""

    row: int = -1
    fingerprint: str = ""
    row_name: str = ""
    state: str = ""
    item: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    outcome: str | None = None
    rows: int = 0
    scanned: int = 0
    dated: int = 0
    complete: bool = False
    unused_patterns: tuple[str, ...] = ()
    sha256: str | None = None

    def __repr__(self) -> str:
        return f"_Line({self.row})"


_HEADER = msgspec.json.Decoder(Header)
_LINE = msgspec.json.Decoder(_Line)


class PlanReader:
    """One plan or archive.

    Attributes:
        name: what the user calls it.
        header: its first line.
        closing: its last line once `entries` has been read to the end; None where the file was cut off.
    """

    def __init__(self, name: str, opened: Callable[[], BinaryIO]) -> None:
        """Read the header.

        Args:
            name: the path or URL; one that ends in .gz is unzipped.
            opened: opens the file anew, at its start.

        Raises:
            ConfigurationError: the file is no plan.
            OSError: it cannot be read.
        """
        self.name = name
        self._opened = opened
        self.closing: Closing | None = None
        with self._stream() as stream:
            self.header = self._header(stream)

    def check(self, *, partial: bool = False) -> None:
        """Read it all, and see whether it is whole, and holds each row once.

        Raises:
            ConfigurationError: it is damaged, or it was cut off and `partial` does not allow that.
        """
        for _ in self.entries_once():
            pass
        if self.closing is None and not partial:
            raise ConfigurationError(
                f"{self.name} was cut off: its closing line is missing",
                "make the plan anew, or take the rows that are there with --partial",
                "plan-cut-off",
            )

    def rows(self) -> Iterator[PlannedRow]:
        """Every row, without the outcomes."""
        return (entry for entry in self.entries() if isinstance(entry, PlannedRow))

    def entries(self) -> Iterator[Entry]:
        """Every row and outcome in the file's order, as far as it goes.

        Raises:
            ConfigurationError: a line is damaged, or the sum or the count at the end is not that of the lines.
        """
        self.closing = None
        count, checksum = 0, hashlib.sha256()
        with self._stream() as stream:
            lines = self._lines(stream)
            checksum.update(next(lines, b""))
            for line in lines:
                if self.closing is not None:
                    raise self._damaged("there is more after its closing line")
                entry = self._entry(line, count)
                if isinstance(entry, Closing):
                    self._check_end(entry, count, checksum.hexdigest())
                    self.closing = entry
                    continue
                count += isinstance(entry, PlannedRow)
                checksum.update(line)
                yield entry

    def entries_once(self) -> Iterator[Entry]:
        """As `entries`, of a file that must not hold a row twice, in whatever spelling: it would be counted twice.

        Raises:
            ConfigurationError: as `entries`; or a key is there twice.
        """
        # Digests, because a file may be large.
        keys: set[bytes] = set()
        for entry in self.entries():
            if isinstance(entry, PlannedRow):
                keys.add(digest_of(row_of(entry.item)))
                if len(keys) <= entry.row:
                    raise ConfigurationError(
                        f"{self.name} names one key twice: row {entry.row} is a row that stands before it already",
                        "make it anew, from a table or a dump that names each row once",
                        "plan-damaged",
                    )
            yield entry

    def _entry(self, line: bytes, count: int) -> Entry | Closing:
        try:
            # msgspec looks at no more of an item than it has to.
            read = _LINE.decode(str(line, "utf-8"))
        except _UNREADABLE:
            raise self._damaged(f"row {count} is not a line of a plan") from None
        if read.sha256 is not None:
            return Closing(
                rows=read.rows,
                scanned=read.scanned,
                dated=read.dated,
                complete=read.complete,
                unused_patterns=read.unused_patterns,
                sha256=read.sha256,
            )
        if read.outcome is not None:
            return RowOutcome(read.row, read.fingerprint, read.outcome, read.item)
        if read.item is msgspec.UNSET or read.row != count:
            raise self._damaged(f"row {count} is not where it belongs")
        if not _has_key(read.item):
            raise self._damaged(f"row {count} is no row of a token table")
        return PlannedRow(read.row, read.fingerprint, read.row_name, read.state, read.item)

    def _check_end(self, closing: Closing, count: int, checksum: str) -> None:
        if closing.rows != count:
            raise self._damaged(f"its closing line speaks of {closing.rows:,} rows, and {count:,} are there")
        if closing.sha256 != checksum:
            raise self._damaged("its lines are not those that its closing line was written for")

    def _lines(self, stream: _Stream) -> Iterator[bytes]:
        """Whole lines; one without its end was cut off, and is none.

        Raises:
            ConfigurationError: a line is longer than any that janitor writes, and may have no end.
        """
        try:
            while (line := stream.readline(_LONGEST_LINE)).endswith(b"\n"):
                yield line
        except _CUT_OFF:
            return
        if len(line) == _LONGEST_LINE:
            raise self._damaged(f"a line of it is longer than {_LONGEST_LINE // 2**20} MiB")

    def _header(self, stream: _Stream) -> Header:
        line = next(self._lines(stream), b"")
        try:
            return _HEADER.decode(line)
        except _UNREADABLE:
            if line.startswith(_MARKS):
                raise ConfigurationError(
                    f"{self.name} begins with a byte order mark: an editor or a shell has written it anew",
                    "give the file as sweep --plan or --archive wrote it",
                    "not-a-plan",
                ) from None
            raise ConfigurationError(
                f"{self.name} is no plan: its first line is not that of {SCHEMA}",
                "give a file that sweep --plan or --archive wrote",
                "not-a-plan",
            ) from None

    @contextmanager
    def _stream(self) -> Iterator[_Stream]:
        with self._opened() as stream:
            if not self.name.endswith(".gz"):
                yield stream
                return
            with gzip.GzipFile(fileobj=stream) as unzipped:
                yield cast("BinaryIO", unzipped)

    def _damaged(self, how: str) -> ConfigurationError:
        return ConfigurationError(f"{self.name} is damaged: {how}", "take another copy of it", "plan-damaged")


def digest_of(row: Row) -> bytes:
    """What stands for the row's key, however the file spells it."""
    return hashlib.blake2b((row.key.S or "").encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _has_key(item: msgspec.Raw) -> bool:
    """Whether an item is a row that can be judged and found: one that is not would break off the run half way."""
    try:
        return bool(row_of(item).key.S)
    except _UNREADABLE:
        return False
