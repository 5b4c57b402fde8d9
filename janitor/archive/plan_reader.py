"""Read plans and archives, incomplete ones as far as they go."""

import codecs
import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, cast

import msgspec

from janitor.archive.plan import SCHEMA, PlanClosing, PlanHeader, PlannedRow, RowOutcome
from janitor.errors import ConfigurationError
from janitor.tokens.row import Row, decode_row

# janitor never writes them.
_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TRUNCATED = (EOFError, zlib.error, gzip.BadGzipFile)
# msgspec's errors are ValueErrors, and so is the error for bytes that are not UTF-8.
_UNREADABLE = (ValueError, RecursionError)

# More than any row needs: DynamoDB's have 400 KB, which JSON makes at most seven times as long (a list of nulls).
_MAX_LINE_BYTES = 4 * 1024 * 1024

# DynamoDB nests attributes at most 32 deep (developer guide, "Constraints"), each of them an object or a list in an
# object; the line itself is one more. From Python 3.14 on a decoder takes what the stack has room for, so this counts.
_MAX_DEPTH = 70
_FIND_BRACKETS = re.compile(rb'"(?:\\.|[^"\\])*+"|[\[{]|[\]}]', re.DOTALL).finditer


class ReadRow(NamedTuple):
    """A row of a plan or an archive, with its item decoded. Its `repr` shows nothing of the item."""

    planned: PlannedRow
    row: Row


Entry = ReadRow | RowOutcome
_Stream = BinaryIO | gzip.GzipFile


class _Line(msgspec.Struct):
    """Any line but the first; the members that are set show which kind of line it is."""

    number: int = msgspec.field(name="row", default=-1)
    fingerprint: str = ""
    row_name: str = ""
    state: str = ""
    item: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    reasons: tuple[str, ...] = ()
    outcome: str | None = None
    rows: int = 0
    scanned: int = 0
    dated: int = 0
    complete: bool = False
    unused_patterns: tuple[str, ...] = ()
    withheld: int = 0
    sha256: str | None = None

    def __repr__(self) -> str:
        return f"_Line({self.number})"


_HEADER = msgspec.json.Decoder(PlanHeader)
_LINE = msgspec.json.Decoder(_Line)


class PlanReader:
    """One plan or archive.

    Attributes:
        name: its name for the user.
        header: its first line.
        closing: its last line, once `entries` has been read to the end; None if the file is not complete.
    """

    def __init__(self, name: str, open_file: Callable[[], BinaryIO]) -> None:
        """Read the header.

        Args:
            name: the path or URL; if it ends in .gz, the file is decompressed.
            open_file: opens the file at its start, each time anew.

        Raises:
            ConfigurationError: the file is not a plan.
            OSError: it cannot be read.
        """
        self.name = name
        self._open_file = open_file
        self.closing: PlanClosing | None = None
        with self._open_stream() as stream:
            self.header = self._read_header(stream)

    def check(self, *, partial: bool = False) -> None:
        """Read the whole file, and check that it is complete and holds each row only once.

        Raises:
            ConfigurationError: it is damaged, or it is not complete and `partial` does not allow that.
        """
        for _ in self.unique_entries():
            pass
        if self.closing is None and not partial:
            raise ConfigurationError(
                f"{self.name} is not complete: its closing line is missing",
                "make the plan again, or use the rows that it has with --partial",
                "plan-cut-off",
            )

    def rows(self) -> Iterator[ReadRow]:
        """Read every row, without the outcomes."""
        return (entry for entry in self.entries() if isinstance(entry, ReadRow))

    def entries(self) -> Iterator[Entry]:
        """Read every row and outcome in the file's order, as far as it goes.

        Raises:
            ConfigurationError: a line is damaged, or the digest or the count at the end does not match the lines.
        """
        self.closing = None
        count, checksum = 0, hashlib.sha256()
        with self._open_stream() as stream:
            lines = self._read_lines(stream)
            checksum.update(next(lines, b""))
            for line in lines:
                if self.closing is not None:
                    raise self._damaged_error("there is more after its closing line")
                entry = self._parse_line(line, count)
                if isinstance(entry, PlanClosing):
                    self._check_closing(entry, count, checksum.hexdigest())
                    self.closing = entry
                    continue
                count += isinstance(entry, ReadRow)
                checksum.update(line)
                yield entry

    def unique_entries(self) -> Iterator[Entry]:
        """Read every row and outcome, and refuse a file that holds a row twice: it would be counted twice.

        Raises:
            ConfigurationError: the same as for `entries`; or a key occurs twice, in whatever JSON spelling.
        """
        # Hashes, because a file may be large.
        keys: set[bytes] = set()
        for entry in self.entries():
            if isinstance(entry, ReadRow):
                keys.add(hash_key(entry.row))
                if len(keys) <= entry.planned.number:
                    raise ConfigurationError(
                        f"{self.name} holds one key twice: row {entry.planned.number} repeats an earlier row",
                        "make it again, from a table or a dump that holds each row once",
                        "plan-damaged",
                    )
            yield entry

    def _parse_line(self, text: bytes, count: int) -> Entry | PlanClosing:
        if _is_nested_too_deeply(text):
            raise self._damaged_error(f"row {count} is nested more deeply than a row can be")
        try:
            # msgspec parses no more of an item than it has to.
            line = _LINE.decode(str(text, "utf-8"))
        except _UNREADABLE:
            raise self._damaged_error(f"row {count} is not a line of a plan") from None
        if line.sha256 is not None:
            return PlanClosing(
                rows=line.rows,
                scanned=line.scanned,
                dated=line.dated,
                complete=line.complete,
                unused_patterns=line.unused_patterns,
                withheld=line.withheld,
                sha256=line.sha256,
            )
        if line.outcome is not None:
            return RowOutcome(line.number, line.fingerprint, line.outcome, line.item)
        if line.item is msgspec.UNSET or line.number != count:
            raise self._damaged_error(f"row {count} is not in its place")
        row = _decode_row_with_key(line.item)
        if row is None:
            raise self._damaged_error(f"row {count} is not a row of a token table")
        planned = PlannedRow(line.number, line.fingerprint, line.row_name, line.state, line.item, line.reasons)
        return ReadRow(planned, row)

    def _check_closing(self, closing: PlanClosing, count: int, checksum: str) -> None:
        if closing.rows != count:
            raise self._damaged_error(f"its closing line says {closing.rows:,} rows, but it holds {count:,}")
        if closing.sha256 != checksum:
            raise self._damaged_error("its lines do not match the digest in its closing line")

    def _read_lines(self, stream: _Stream) -> Iterator[bytes]:
        """Read whole lines; a last line without its end is dropped.

        Raises:
            ConfigurationError: a line is longer than any that janitor writes, and may have no end.
        """
        try:
            while (line := stream.readline(_MAX_LINE_BYTES)).endswith(b"\n"):
                yield line
        except _TRUNCATED:
            return
        if len(line) == _MAX_LINE_BYTES:
            raise self._damaged_error(f"it has a line longer than {_MAX_LINE_BYTES // 2**20} MiB")

    def _read_header(self, stream: _Stream) -> PlanHeader:
        line = next(self._read_lines(stream), b"")
        try:
            return _HEADER.decode(line)
        except _UNREADABLE:
            if line.startswith(_BYTE_ORDER_MARKS):
                raise ConfigurationError(
                    f"{self.name} begins with a byte order mark: an editor or a shell has rewritten it",
                    "give the file as sweep --plan or --archive wrote it",
                    "not-a-plan",
                ) from None
            raise ConfigurationError(
                f"{self.name} is not a plan: its first line is not that of {SCHEMA}",
                "give a file that sweep --plan or --archive wrote",
                "not-a-plan",
            ) from None

    @contextmanager
    def _open_stream(self) -> Iterator[_Stream]:
        with self._open_file() as stream:
            if not self.name.endswith(".gz"):
                yield stream
                return
            with gzip.GzipFile(fileobj=stream) as decompressed:
                yield cast("BinaryIO", decompressed)

    def _damaged_error(self, how: str) -> ConfigurationError:
        # An editor is the likeliest cause: somebody takes out the lines of rows that are to stay.
        way_out = "use the file as it was written, and choose a part of its rows with --user or --fingerprint"
        return ConfigurationError(f"{self.name} is damaged or was edited: {how}", way_out, "plan-damaged")


def hash_key(row: Row) -> bytes:
    """Return a hash of the row's key, which is the same for every JSON spelling of the key."""
    return hashlib.blake2b((row.key.S or "").encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _decode_row_with_key(item: msgspec.Raw) -> Row | None:
    """Decode a row that can be judged and found; None for any other item, which would end the run half way."""
    try:
        row = decode_row(item)
    except _UNREADABLE:
        return None
    return row if row.key.S else None


def _is_nested_too_deeply(text: bytes) -> bool:
    """Whether JSON has more levels than a row of a table. Most lines have too few brackets for that."""
    if text.count(b"{") + text.count(b"[") <= _MAX_DEPTH:
        return False
    depth = 0
    for found in _FIND_BRACKETS(text):
        depth += found[0] in (b"{", b"[")
        depth -= found[0] in (b"}", b"]")
        if depth > _MAX_DEPTH:
            return True
    return False
