"""Standard output."""

from typing import BinaryIO

from janitor.errors import SinkError
from janitor.sinks.patient_writer import PatientWriter


class Stdout:
    """Bytes to a stream as they come: what is written cannot be taken back."""

    target = "standard output"

    def __init__(self, stream: BinaryIO | PatientWriter) -> None:
        self._stream = stream

    def open(self) -> None:
        """Nothing to prove: a stream that is open can only fail later."""

    def write(self, content: bytes) -> None:
        """Write to the stream's buffer.

        Raises:
            SinkError: the reader has gone, or the device is full.
        """
        try:
            self._stream.write(content)
        except OSError as error:
            raise _failure(error) from None

    def commit(self) -> None:
        """Flush what is buffered."""
        try:
            self._stream.flush()
        except OSError as error:
            raise _failure(error) from None

    def discard(self) -> None:
        """Nothing can be taken back."""


def _failure(error: OSError) -> SinkError:
    if isinstance(error, BrokenPipeError):
        return SinkError("standard output was closed by its reader", code="broken-pipe")
    return SinkError(f"standard output: {error.strerror or error}", "write the report to a file with --report")
