"""Write to a pipe, a terminal or a device whose reader may stop reading."""

import errno
import os
import select
import stat
from collections.abc import Callable

# A pipe that is ready accepts this many bytes without blocking.
_CHUNK_BYTES = select.PIPE_BUF
_POLL_MS = 200


class PipeWriter:
    """Waits for the reader until the run has to end, and never in a call that could block for ever."""

    def __init__(self, descriptor: int, must_end: Callable[[], bool], *, closes: bool) -> None:
        """Write to a descriptor.

        Args:
            descriptor: a descriptor that is open for writing.
            must_end: whether the run has to end, and can wait no longer.
            closes: whether `close` closes the descriptor.
        """
        self._descriptor = descriptor
        self._must_end = must_end
        self._closes = closes
        # A regular file accepts any number of bytes, and is always ready.
        self._most = None if stat.S_ISREG(os.fstat(descriptor).st_mode) else _CHUNK_BYTES
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLOUT)

    def write(self, content: bytes) -> int:
        """Write all of the content.

        Raises:
            OSError: it cannot be written; ETIMEDOUT if the run has to end and the reader does not read.
        """
        view = memoryview(content)
        while view:
            # It is also ready after an error, or when the reader has gone; then the write raises.
            if self._ready.poll(_POLL_MS):
                view = view[os.write(self._descriptor, view[: self._most]) :]
            elif self._must_end():
                raise OSError(errno.ETIMEDOUT, "nobody read it before the run had to end")
        return len(content)

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Close the descriptor once, if this writer has to."""
        if self._closes:
            self._closes = False
            os.close(self._descriptor)
