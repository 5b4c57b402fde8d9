"""The archive: what a sweep is about to delete, kept before it is, and what became of it. `restore` reads it.

An archive has the form of a plan. Rows come in groups; each is durable before the first of its deletes is sent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from janitor.archive.block_file import BlockFile
from janitor.archive.plan import Header, Lines, PlannedRow, Population
from janitor.errors import SinkError
from janitor.tokens.outcome import DeletionOutcome


class Settlement(NamedTuple):
    """What became of a row that was stored.

    Attributes:
        number: as `store` gave it.
        fingerprint: the row's.
        outcome: that.
        item: the row as it went, as DynamoDB JSON, where that is not as it was stored.
    """

    number: int
    fingerprint: str
    outcome: DeletionOutcome
    item: bytes | None = None

    def __repr__(self) -> str:
        return f"Settlement({self.number}, {self.outcome})"


class Archive(Protocol):
    """A place that outlives the machine the run is on, or at least the run."""

    @property
    def location(self) -> str | None:
        """What the user calls the place; None for nowhere."""

    def open(self, header: Header) -> None:
        """Prove that the place can be written. Raises SinkError where it cannot."""

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """Keep a group of rows, whole, before it returns; the rows are numbered from the number it returns.

        Raises SinkError where it cannot: then none of them may be deleted.
        """

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Write down what became of rows that were stored. Raises SinkError."""

    def close(self, population: Population) -> None:
        """Write the closing line. Raises SinkError."""

    def abandon(self) -> None:
        """Let go of the place, as it is. Never raises."""


class NoArchive:
    """Keeps nothing, as --no-archive says."""

    location = None

    def __init__(self) -> None:
        self._rows = 0

    def open(self, header: Header) -> None:
        """Nothing."""

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """Only the numbers."""
        first, self._rows = self._rows, self._rows + len(rows)
        return first

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Nothing."""

    def close(self, population: Population) -> None:
        """Nothing."""

    def abandon(self) -> None:
        """Nothing."""


class FileArchive:
    """One file, of which every group is flushed to the disk before its deletes are sent."""

    def __init__(self, path: Path) -> None:
        self._file = BlockFile(path)
        self._lines: Lines | None = None
        self.path = path
        self.location = str(path.absolute())

    def open(self, header: Header) -> None:
        """Make the file and its folder, and write the header through to the disk.

        Raises:
            SinkError: that failed.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            sentence = f"the folder {self.path.parent} cannot be made: {error.strerror}"
            raise SinkError(sentence, "give --archive PATH", "unwritable") from None
        self._file.create()
        self._lines = Lines(header)
        self._file.append(self._lines.header, to_disk=True)

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """As `Archive.store`: flushed and fsynced."""
        lines = self._opened
        first, before = lines.rows, lines.mark()
        block = lines.block((row.fingerprint, row.row_name, row.state, row.item) for row in rows)
        try:
            self._file.append(block, to_disk=True)
        except SinkError:
            lines.back_to(before)
            raise
        return first

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """As `Archive.settle`: written, and on the disk with the next group."""
        lines = self._opened
        before = lines.mark()
        block = lines.outcomes(settlements)
        try:
            self._file.append(block, to_disk=False)
        except SinkError:
            lines.back_to(before)
            raise

    def close(self, population: Population) -> None:
        """As `Archive.close`."""
        self._file.append(self._opened.closing(population), to_disk=True)
        self._file.close()

    def abandon(self) -> None:
        """As `Archive.abandon`: without a closing line, so that whoever reads it knows that it was cut off."""
        self._file.close()

    @property
    def _opened(self) -> Lines:
        if self._lines is None:
            raise SinkError(f"{self.location} is not open")
        return self._lines
