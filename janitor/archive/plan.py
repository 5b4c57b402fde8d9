"""The plan file: header, one line for each row, outcomes, closing line (docs/reference/plans-and-archives.md).

    {"schema":"janitor.plan/v1","run_id":…,"created_at":…,"now":…,"as_of":…,"version":…,"table":{…},"policy":{…}}
    {"row":0,"fingerprint":"3f0c…","row_name":"3f0c…-7b21c0","state":"stale","item":{…}}    the item as DynamoDB sent it
    {"row":0,"fingerprint":"3f0c…","outcome":"deleted"}                  in an archive
    {"rows":1,"scanned":20,"dated":12,"complete":true,"unused_patterns":[],"withheld":0,
     "sha256":"…"}                                                       on the same line; of every byte before it

For a classic table it holds bearer tokens: its mode is 0600, and no line of it is ever logged.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from janitor.archive.block_file import BlockFile
from janitor.errors import SinkError
from janitor.tokens.dialect import BOTH_GATES, Dialect, Gate
from janitor.tokens.narrowing import NO_NARROWING, Narrowing
from janitor.whole_file import WholeFile

SCHEMA: Literal["janitor.plan/v1"] = "janitor.plan/v1"

_BLOCK_BYTES = 256 * 1024
_ENCODE_LINES = msgspec.json.Encoder().encode_lines


class PlanTable(msgspec.Struct, frozen=True):
    """The table that the rows are from."""

    name: str
    region: str
    account_id: str | None


class PlanPolicy(msgspec.Struct, frozen=True):
    """The rules that made the rows stale; durations in seconds.

    A plan of an earlier version lacks the last three: every gate counted then, no row went before its grace was over,
    and every such row was planned.
    """

    dialect: Dialect
    thresholds_seconds: Annotated[list[int], msgspec.Meta(min_length=1)]
    grace_seconds: int
    include: list[str]
    protect_users: list[str]
    protect_system: bool
    gates: list[Gate] = msgspec.field(default_factory=lambda: list(BOTH_GATES))
    unlock_after_seconds: int | None = None
    narrowing: Narrowing = NO_NARROWING


class PlanHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The first line. `now` and `as_of` are UNIX seconds, `created_at` is the clock's time in ISO 8601."""

    schema: Literal["janitor.plan/v1"] = SCHEMA
    run_id: str
    created_at: str
    now: int
    as_of: int | None
    version: str
    table: PlanTable
    policy: PlanPolicy


class PlannedRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """The line of a row. Its `repr` shows nothing of the item.

    Attributes:
        number: its number in the file, from 0.
        fingerprint, row_name, state: the same as in the report.
        item: the row's DynamoDB JSON, exactly as DynamoDB sent it.
        reasons: the same as in the report; left out of the line if there is none.
    """

    number: int = msgspec.field(name="row")
    fingerprint: str
    row_name: str
    state: str
    item: msgspec.Raw
    reasons: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"PlannedRow({self.number}, {self.fingerprint})"


class RowOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The line that says what became of a row. Its `repr` shows nothing of the item.

    Attributes:
        number, fingerprint: the same as in the row's own line.
        outcome: the outcome of its delete.
        item: the deleted row, if it differs from the row's own line.
    """

    number: int = msgspec.field(name="row")
    fingerprint: str
    outcome: str
    item: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of_row(cls, number: int, fingerprint: str, outcome: str, item: bytes | None) -> "RowOutcome":
        """Make the line of a row; `item` is the deleted row as DynamoDB JSON, None if it equals the line of the row."""
        return cls(number, fingerprint, outcome, msgspec.UNSET if item is None else _on_one_line(msgspec.Raw(item)))

    def __repr__(self) -> str:
        return f"RowOutcome({self.number}, {self.fingerprint}, {self.outcome})"


class ScanFacts(msgspec.Struct, frozen=True):
    """Facts about the scan that made a plan, for the guards.

    Attributes:
        scanned, dated: how many rows the table held, and how many of them had a date.
        complete: whether the scan reached the table's end.
        unused_patterns: the `--protect-user` patterns that matched the owner of no row.
        withheld: how many rows with a date could have been deleted, but the plan does not hold them: protected, left
            out by `--user` or `--fingerprint`, or waiting for their notice. A plan of an earlier version lacks it.
    """

    scanned: int
    dated: int
    complete: bool
    unused_patterns: tuple[str, ...] = ()
    withheld: int = 0


# For a part of a plan, or an incomplete one: no guard can mistake it for facts about a table.
_UNKNOWN_FACTS = ScanFacts(0, 0, complete=False)


def is_unknown(scan_facts: ScanFacts) -> bool:
    """Whether these facts say nothing about a table."""
    return scan_facts.scanned == 0 and not scan_facts.complete


class PlanClosing(ScanFacts, frozen=True, kw_only=True):
    """The last line.

    Attributes:
        rows: how many rows the file holds.
        sha256: the digest of every byte before this line, uncompressed.
    """

    rows: int
    sha256: str


class LinePosition(NamedTuple):
    """A position between two lines: the number of rows before it, and the digest of all bytes before it."""

    rows: int
    digest: "hashlib._Hash"


class LineEncoder:
    """Encodes the lines of a plan, and keeps the count and the digest for the closing line.

    Attributes:
        rows: how many rows have been encoded.
        header: the encoded header line.
    """

    def __init__(self, header: PlanHeader) -> None:
        self.rows = 0
        self._digest = hashlib.sha256()
        self.header = self._encode([header])

    def encode_rows(self, rows: Iterable[PlannedRow]) -> bytes:
        """Encode the lines of the next rows, with the numbers that follow."""
        lines = [_at_number(number, row) for number, row in enumerate(rows, self.rows)]
        self.rows += len(lines)
        return self._encode(lines)

    def encode_outcomes(self, outcomes: Sequence[RowOutcome]) -> bytes:
        """Encode the lines of outcomes."""
        return self._encode(outcomes)

    def encode_closing(self, scan_facts: ScanFacts | None) -> bytes:
        """Encode the last line; None stands for unknown facts."""
        facts = _UNKNOWN_FACTS if scan_facts is None else scan_facts
        closing = PlanClosing(
            rows=self.rows,
            sha256=self._digest.hexdigest(),
            scanned=facts.scanned,
            dated=facts.dated,
            complete=facts.complete,
            unused_patterns=facts.unused_patterns,
            withheld=facts.withheld,
        )
        return self._encode([closing])

    def position(self) -> LinePosition:
        """Return the current position, for `rewind`."""
        return LinePosition(self.rows, self._digest.copy())

    def rewind(self, position: LinePosition) -> None:
        """Forget every line after a position, because it could not be written."""
        self.rows, self._digest = position

    def _encode(self, parts: Sequence[msgspec.Struct]) -> bytes:
        lines = _ENCODE_LINES(parts)
        self._digest.update(lines)
        return lines


class PlanWriter:
    """Writes a plan block by block. Rows wait in memory until a block is full, so memory stays flat.

    Attributes:
        path: where the file is.
    """

    def __init__(self, path: Path) -> None:
        self._file = BlockFile(path)
        self.path = path
        self._encoder: LineEncoder | None = None
        self._unwritten: list[PlannedRow] = []
        self._unwritten_bytes = 0

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return self._encoder.rows + len(self._unwritten) if self._encoder else 0

    def open(self, header: PlanHeader) -> None:
        """Create the file, and write its first line to check that it can be written.

        Raises:
            SinkError: it exists already, or cannot be written.
        """
        self._file.create()
        self._encoder = LineEncoder(header)
        self._file.append(self._encoder.header, fsync=False)

    def add(self, fingerprint: str, row_name: str, state: str, item: bytes, reasons: tuple[str, ...] = ()) -> None:
        """Add a row to the plan.

        Raises:
            SinkError: the disk is full or broken.
        """
        self._unwritten.append(PlannedRow(self.rows, fingerprint, row_name, state, msgspec.Raw(item), reasons))
        self._unwritten_bytes += len(item)
        if self._unwritten_bytes >= _BLOCK_BYTES:
            self._flush()

    def close(self, scan_facts: ScanFacts | None) -> None:
        """Write the closing line with the facts, None if unknown, flush the file to the disk, and close it.

        Raises:
            SinkError: that failed.
        """
        self._flush()
        self._file.append(self._open_encoder.encode_closing(scan_facts), fsync=True)
        self._file.close()

    def close_unfinished(self) -> None:
        """Close the file as it is, without a closing line unless `close` has written it. Never raises."""
        self._file.close()

    def move(self, path: Path) -> None:
        """Move the file to this path, and replace what is there; create its folder (0700) if it is missing.

        Raises:
            SinkError: it cannot be written there; the file stays where it was.
        """
        self._file.close()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Copied, because the two paths may be on different disks. The new file has the mode 0600 too.
            with WholeFile(path) as target, self.path.open("rb") as source:
                shutil.copyfileobj(source, target.stream)
        except OSError as error:
            raise SinkError(f"{path} could not be written: {error.strerror}", code="disk") from None
        self.remove()
        self.path = path

    def remove(self) -> None:
        """Delete the file, if this plan has created it. Never raises."""
        self._file.close()
        if self._encoder is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _flush(self) -> None:
        encoder = self._open_encoder
        before = encoder.position()
        try:
            self._file.append(encoder.encode_rows(self._unwritten), fsync=False)
        except SinkError:
            encoder.rewind(before)
            raise
        self._unwritten, self._unwritten_bytes = [], 0

    @property
    def _open_encoder(self) -> LineEncoder:
        assert self._encoder is not None  # noqa: S101  # `open` comes first
        return self._encoder


def _at_number(number: int, row: PlannedRow) -> PlannedRow:
    """Give a row its number and an item on one line; the row itself if it has both."""
    item = _on_one_line(row.item)
    if item is row.item and number == row.number:
        return row
    return PlannedRow(number, row.fingerprint, row.row_name, row.state, item, row.reasons)


def _on_one_line(item: msgspec.Raw) -> msgspec.Raw:
    content = bytes(item)
    # DynamoDB sends an item without line breaks; a file may have them. Nothing but white space may be removed.
    return msgspec.Raw(msgspec.json.format(content, indent=-1)) if b"\n" in content else item
