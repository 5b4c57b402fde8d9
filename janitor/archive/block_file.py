"""A private file that grows by whole blocks: if a block cannot be written, the file stays as it was before."""

import contextlib
import gzip
import os
from pathlib import Path

from janitor.errors import SinkError
from janitor.whole_file import explain_unwritable

_GZIP_LEVEL = 3


class BlockFile:
    """A new file with mode 0600. If its name ends in .gz, each block is a gzip member of its own.

    Attributes:
        path: where the file is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_zipped = path.name.endswith(".gz")
        self._file: int | None = None

    def create(self) -> None:
        """Create the file.

        Raises:
            SinkError: it exists already, or cannot be created.
        """
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            _sync_folder(self.path.parent)
        except FileExistsError:
            raise SinkError(f"{self.path} exists already", "give the path of a new file", "exists") from None
        except OSError as error:
            raise SinkError(*explain_unwritable(self.path, error), "unwritable") from None

    def append(self, block: bytes, *, fsync: bool) -> None:
        """Write a block at the end; with `fsync` flush it to the disk before returning.

        Raises:
            SinkError: the disk is full or broken; the file is as it was before.
        """
        if self._file is None:
            raise SinkError(f"{self.path} is not open")
        end = os.lseek(self._file, 0, os.SEEK_CUR)
        try:
            _write(self._file, gzip.compress(block, _GZIP_LEVEL) if self._is_zipped else block)
            if fsync:
                os.fsync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, end)
                os.lseek(self._file, end, os.SEEK_SET)
            sentence = f"{self.path} could not be written: {error.strerror}"
            raise SinkError(sentence, "free some space, or give another path", "disk") from None

    def close(self) -> None:
        """Close the file as it is. Never raises."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
        self._file = None


def _sync_folder(folder: Path) -> None:
    """Flush a new file's name to the disk: without it a crash could lose the file although its content was flushed."""
    # Some network file systems cannot do this, and leave it to their server; and the folder may not be readable.
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _write(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
