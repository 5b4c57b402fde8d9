"""The plan file: header, a line a row, outcomes, closing line (docs/architecture.md, "Plan and archive").

    {"schema":"janitor.plan/v1","run_id":…,"created_at":…,"now":…,"as_of":…,"version":…,"table":{…},"policy":{…}}
    {"row":0,"fingerprint":"3f0c…","row_name":"3f0c…-7b21c0","state":"stale","item":{…}}    the item as DynamoDB sent it
    {"row":0,"fingerprint":"3f0c…","outcome":"deleted"}                  in an archive
    {"rows":1,"scanned":20,"dated":12,"complete":true,"unused_patterns":[],"sha256":"…"}  of every byte before this line

It holds bearer tokens of classic tables: its mode is 0600, and no line of it is ever logged.
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
from janitor.tokens.dialect import Dialect
from janitor.whole_file import WholeFile

SCHEMA: Literal["janitor.plan/v1"] = "janitor.plan/v1"

_BLOCK_BYTES = 256 * 1024
_ENCODE_LINES = msgspec.json.Encoder().encode_lines


class PlanTable(msgspec.Struct, frozen=True):
    """The table the rows are from."""

    name: str
    region: str
    account_id: str | None


class PlanPolicy(msgspec.Struct, frozen=True):
    """The rules that made the rows stale; durations in seconds."""

    dialect: Dialect
    thresholds_seconds: Annotated[list[int], msgspec.Meta(min_length=1)]
    grace_seconds: int
    include: list[str]
    protect_users: list[str]
    protect_system: bool


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line. `now` and `as_of` are UNIX seconds, `created_at` is the clock's time in ISO 8601."""

    schema: Literal["janitor.plan/v1"] = SCHEMA
    run_id: str
    created_at: str
    now: int
    as_of: int | None
    version: str
    table: PlanTable
    policy: PlanPolicy


class PlannedRow(msgspec.Struct, frozen=True):
    """A row's line. Its `repr` shows nothing of the item.

    Attributes:
        row: its number in the file, from 0.
        fingerprint, row_name, state: what the report calls it.
        item: the row exactly as DynamoDB JSON.
    """

    row: int
    fingerprint: str
    row_name: str
    state: str
    item: msgspec.Raw

    def __repr__(self) -> str:
        return f"PlannedRow({self.row}, {self.fingerprint})"


class RowOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a row. Its `repr` shows nothing of the item.

    Attributes:
        row, fingerprint: of the row's own line.
        outcome: that.
        item: the row as it went, where that is not as its line has it.
    """

    row: int
    fingerprint: str
    outcome: str
    item: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return f"RowOutcome({self.row}, {self.fingerprint}, {self.outcome})"


class Population(msgspec.Struct, frozen=True):
    """What the scan behind a plan saw, for the guards.

    Attributes:
        scanned, dated: how many rows the table held, and how many of them carried a date.
        complete: whether the scan reached the table's end.
        unused_patterns: those of protected users that fitted the owner of no row.
    """

    scanned: int
    dated: int
    complete: bool
    unused_patterns: tuple[str, ...] = ()


# Of a part of a plan, or of one that was cut off: nothing that a guard could take for the table.
UNKNOWN = Population(0, 0, complete=False)


def is_unknown(population: Population) -> bool:
    """Whether a population says nothing of a table."""
    return population.scanned == 0 and not population.complete


class Closing(Population, frozen=True, kw_only=True):
    """The last line.

    Attributes:
        rows: how many rows the file holds.
        sha256: of every byte before this line, unzipped.
    """

    rows: int
    sha256: str


class LinePosition(NamedTuple):
    """A place between two lines: how many rows stand before it, and the sum of what does."""

    rows: int
    sum: "hashlib._Hash"


class Lines:
    """Puts the lines of a plan into bytes, and keeps the count and the sum that the closing line states."""

    def __init__(self, header: Header) -> None:
        self.rows = 0
        self._sum = hashlib.sha256()
        self.header = self._encoded([header])

    def block(self, rows: Iterable[tuple[str, str, str, bytes | msgspec.Raw]]) -> bytes:
        """The next rows' lines: of each its fingerprint, its name, its state and its item."""
        lines = [
            PlannedRow(number, fingerprint, row_name, state, _on_one_line(item))
            for number, (fingerprint, row_name, state, item) in enumerate(rows, self.rows)
        ]
        self.rows += len(lines)
        return self._encoded(lines)

    def outcomes(self, outcomes: Iterable[tuple[int, str, str, bytes | None]]) -> bytes:
        """The lines that say what became of rows: number, fingerprint, outcome, and the row as it went if otherwise."""
        return self._encoded(
            [
                RowOutcome(row, fingerprint, outcome, msgspec.UNSET if item is None else _on_one_line(item))
                for row, fingerprint, outcome, item in outcomes
            ]
        )

    def closing(self, population: Population) -> bytes:
        """The last line."""
        closing = Closing(
            rows=self.rows,
            sha256=self._sum.hexdigest(),
            scanned=population.scanned,
            dated=population.dated,
            complete=population.complete,
            unused_patterns=population.unused_patterns,
        )
        return self._encoded([closing])

    def mark(self) -> "LinePosition":
        """Where the lines stand, for `back_to`."""
        return LinePosition(self.rows, self._sum.copy())

    def back_to(self, mark: "LinePosition") -> None:
        """Take back every line since then, for they could not be written."""
        self.rows, self._sum = mark

    def _encoded(self, parts: Sequence[msgspec.Struct]) -> bytes:
        lines = _ENCODE_LINES(parts)
        self._sum.update(lines)
        return lines


class Plan:
    """A plan on its way to its file: rows wait in memory until a block is full, so memory stays flat.

    Attributes:
        path: where the file is.
    """

    def __init__(self, path: Path) -> None:
        self._file = BlockFile(path)
        self.path = path
        self._lines: Lines | None = None
        self._waiting: list[tuple[str, str, str, bytes]] = []
        self._waiting_bytes = 0

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return self._lines.rows + len(self._waiting) if self._lines else 0

    def open(self, header: Header) -> None:
        """Make the file, and prove it writable with its first line.

        Raises:
            SinkError: it is there already, or cannot be written.
        """
        self._file.create()
        self._lines = Lines(header)
        self._file.append(self._lines.header, to_disk=False)

    def add(self, fingerprint: str, row_name: str, state: str, item: bytes) -> None:
        """Plan a row.

        Raises:
            SinkError: the disk is full or broken.
        """
        self._waiting.append((fingerprint, row_name, state, item))
        self._waiting_bytes += len(item)
        if self._waiting_bytes >= _BLOCK_BYTES:
            self._flush()

    def close(self, population: Population) -> None:
        """Write the closing line, and see the file to the disk.

        Raises:
            SinkError: that failed.
        """
        self._flush()
        self._file.append(self._opened.closing(population), to_disk=True)
        self._file.close()

    def leave(self) -> None:
        """Let go of the file as it is, without a closing line unless `close` has written it. Never raises."""
        self._file.close()

    def move(self, path: Path) -> None:
        """Put the file in this place, whatever is there; its folder is made (0700) where there is none.

        Raises:
            SinkError: it cannot be written there; the file is where it was.
        """
        self._file.close()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Copied, for the two places may be on different disks. Nobody else can read it: mode 0600.
            with WholeFile(path) as target, self.path.open("rb") as source:
                shutil.copyfileobj(source, target.stream)
        except OSError as error:
            raise SinkError(f"{path} could not be written: {error.strerror}", code="disk") from None
        self.remove()
        self.path = path

    def remove(self) -> None:
        """Take the file away, if this plan has made it. Never raises."""
        self._file.close()
        if self._lines is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _flush(self) -> None:
        lines = self._opened
        before = lines.mark()
        try:
            self._file.append(lines.block(self._waiting), to_disk=False)
        except SinkError:
            lines.back_to(before)
            raise
        self._waiting, self._waiting_bytes = [], 0

    @property
    def _opened(self) -> Lines:
        assert self._lines is not None  # noqa: S101  # opened first
        return self._lines


def _on_one_line(item: bytes | msgspec.Raw) -> msgspec.Raw:
    content = bytes(item)
    # DynamoDB sends an item without line breaks; whitespace between its parts is all that may be taken away.
    return msgspec.Raw(msgspec.json.format(content, indent=-1) if b"\n" in content else content)
