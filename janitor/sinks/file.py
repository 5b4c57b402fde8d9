"""A file that appears whole or not at all."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from janitor.errors import ConfigurationError, SinkError
from janitor.sinks.pipe_writer import PipeWriter
from janitor.whole_file import WholeFile, explain_unwritable


class File:
    """Writes to a hidden file in the same folder, which replaces the file at the path at the end.

    A device or a pipe is written to directly, because it cannot be replaced. Opening a pipe waits for its reader.
    """

    def __init__(self, path: Path, must_end: Callable[[], bool] = lambda: False) -> None:
        """Prepare; opens nothing.

        Args:
            path: the file's path.
            must_end: whether the run has to end, and can no longer wait for a reader of a pipe.
        """
        self._must_end = must_end
        self.target = str(path)
        # A link stays a link, and the file that it points to is replaced; a pipe's path cannot be resolved.
        self._path = path if _is_special(path) else path.resolve()
        self._stream: BinaryIO | PipeWriter | None = None
        self._whole: WholeFile | None = None

    def open(self) -> None:
        """Create the hidden file.

        Raises:
            ConfigurationError: the folder does not exist or cannot be written.
        """
        try:
            if self._path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            self._stream = self._open_special() if _is_special(self._path) else self._open_hidden()
        except OSError as error:
            raise ConfigurationError(*explain_unwritable(Path(self.target), error), "report-path") from None

    def write(self, content: bytes) -> None:
        """Write to the hidden file.

        Raises:
            SinkError: the disk is full or broken.
        """
        try:
            self._open_stream.write(content)
        except OSError as error:
            raise self._write_error(error) from None

    def commit(self) -> None:
        """Flush the hidden file to the disk, and replace the file at the path with it.

        Raises:
            SinkError: that failed; the file at the path is as it was.
        """
        try:
            if self._whole is not None:
                self._whole.commit()
            else:
                self._open_stream.flush()
                self._open_stream.close()
        except OSError as error:
            self.discard()
            raise self._write_error(error) from None
        self._whole = None

    def discard(self) -> None:
        """Remove the hidden file."""
        with contextlib.suppress(OSError):
            if self._stream is not None:
                self._stream.close()
        if self._whole is not None:
            self._whole.discard()
            self._whole = None

    @property
    def _open_stream(self) -> BinaryIO | PipeWriter:
        if self._stream is None:
            raise SinkError(f"{self.target} was not opened")
        return self._stream

    def _open_special(self) -> PipeWriter:
        return PipeWriter(os.open(self._path, os.O_WRONLY | os.O_CLOEXEC), self._must_end, closes=True)

    def _open_hidden(self) -> BinaryIO:
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise PermissionError(errno.EACCES, "it is write-protected")
        self._whole = WholeFile(self._path, self._mode())
        return self._whole.stream

    def _mode(self) -> int:
        if self._path.exists():
            return stat.S_IMODE(self._path.stat().st_mode)
        # The usual mode of a new file; that of mkstemp is for secrets, which a report does not hold.
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

    def _write_error(self, error: OSError) -> SinkError:
        return SinkError(f"{self.target} could not be written: {error.strerror or error}", "free some space, run again")


def _is_special(path: Path) -> bool:
    """Whether the path is a device, a pipe or a socket."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
