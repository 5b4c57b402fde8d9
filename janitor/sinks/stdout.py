"""Standard output."""

from typing import BinaryIO

from janitor.errors import SinkError
from janitor.sinks.pipe_writer import PipeWriter


class Stdout:
    """Writes to a stream at once: what is written cannot be undone."""

    target = "standard output"

    def __init__(self, stream: BinaryIO | PipeWriter) -> None:
        self._stream = stream

    def open(self) -> None:
        """Do nothing: an open stream can only fail later."""

    def write(self, content: bytes) -> None:
        """Write to the stream's buffer.

        Raises:
            SinkError: the reader has gone, or the device is full.
        """
        try:
            self._stream.write(content)
        except OSError as error:
            raise _write_error(error) from None

    def commit(self) -> None:
        """Flush the stream's buffer."""
        try:
            self._stream.flush()
        except OSError as error:
            raise _write_error(error) from None

    def discard(self) -> None:
        """Do nothing: what is written cannot be undone."""


def _write_error(error: OSError) -> SinkError:
    if isinstance(error, BrokenPipeError):
        return SinkError("standard output was closed by its reader", code="broken-pipe")
    return SinkError(f"standard output: {error.strerror or error}", "write the report to a file with --report")
