"""The archive keeps the rows that a sweep is about to delete, and what became of each. `restore` reads it.

An archive has the format of a plan. Rows come in groups; each group is stored safely before its first delete is sent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from janitor.archive.block_file import BlockFile
from janitor.archive.plan import LineEncoder, PlanHeader, PlannedRow, RowOutcome, ScanFacts
from janitor.errors import SinkError
from janitor.whole_file import explain_unwritable


class Archive(Protocol):
    """Storage that outlives the run, and best also the machine that it runs on."""

    @property
    def location(self) -> str | None:
        """Where the archive is, for the user; None for nowhere."""

    def open(self, header: PlanHeader) -> None:
        """Check that the archive can be written. Raises SinkError if it cannot."""

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """Store a group of rows as a whole before returning; return the number of the first, the others count on.

        Raises SinkError if that fails: then none of the rows may be deleted.
        """

    def record_outcomes(self, outcomes: Sequence[RowOutcome]) -> None:
        """Record what became of rows, by the numbers that `store` gave them. Raises SinkError."""

    def close(self, scan_facts: ScanFacts | None) -> None:
        """Write the closing line, with the facts about the scan if they are known. Raises SinkError."""

    def abandon(self) -> None:
        """Release the archive as it is, without a closing line. Never raises."""


class NoArchive:
    """Stores nothing, for --no-archive."""

    location = None

    def __init__(self) -> None:
        self._rows = 0

    def open(self, header: PlanHeader) -> None:
        """Do nothing."""

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """Only count the rows."""
        first, self._rows = self._rows, self._rows + len(rows)
        return first

    def record_outcomes(self, outcomes: Sequence[RowOutcome]) -> None:
        """Do nothing."""

    def close(self, scan_facts: ScanFacts | None) -> None:
        """Do nothing."""

    def abandon(self) -> None:
        """Do nothing."""


class FileArchive:
    """Stores every group in one file, flushed to the disk before its deletes are sent."""

    def __init__(self, path: Path) -> None:
        self._file = BlockFile(path)
        self._encoder: LineEncoder | None = None
        self.path = path
        self.location = str(path.absolute())

    def open(self, header: PlanHeader) -> None:
        """Create the file and its folder, and write the header to the disk.

        Raises:
            SinkError: that failed.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            another = "give --archive another path"
            raise SinkError(*explain_unwritable(self.path.parent, error, another), "unwritable") from None
        self._file.create()
        self._encoder = LineEncoder(header)
        self._file.append(self._encoder.header, fsync=True)

    def store(self, rows: Sequence[PlannedRow]) -> int:
        """Append the rows, and flush them to the disk (fsync)."""
        encoder = self._open_encoder
        first, before = encoder.rows, encoder.position()
        block = encoder.encode_rows(rows)
        try:
            self._file.append(block, fsync=True)
        except SinkError:
            encoder.rewind(before)
            raise
        return first

    def record_outcomes(self, outcomes: Sequence[RowOutcome]) -> None:
        """Append the outcomes; they are flushed to the disk with the next group."""
        encoder = self._open_encoder
        before = encoder.position()
        block = encoder.encode_outcomes(outcomes)
        try:
            self._file.append(block, fsync=False)
        except SinkError:
            encoder.rewind(before)
            raise

    def close(self, scan_facts: ScanFacts | None) -> None:
        """Append the closing line, flush it to the disk, and close the file."""
        self._file.append(self._open_encoder.encode_closing(scan_facts), fsync=True)
        self._file.close()

    def abandon(self) -> None:
        """Close the file without a closing line, which tells readers that it is not complete."""
        self._file.close()

    @property
    def _open_encoder(self) -> LineEncoder:
        if self._encoder is None:
            raise SinkError(f"{self.location} is not open")
        return self._encoder
