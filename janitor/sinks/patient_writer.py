"""Writes to a pipe, a terminal or a device, whose reader may take nothing for ever."""

import errno
import os
import select
import stat
from collections.abc import Callable

# A pipe that is ready takes so many bytes without making the writer wait.
_CHUNK_BYTES = select.PIPE_BUF
_LOOK_EVERY_MS = 200


class PatientWriter:
    """Waits for the reader for as long as it may, and never in a call that nothing ends."""

    def __init__(self, descriptor: int, is_over: Callable[[], bool], *, closes: bool) -> None:
        """Write to a descriptor.

        Args:
            descriptor: open for writing.
            is_over: whether the run has to end, and can wait no longer.
            closes: whether it is closed with this.
        """
        self._descriptor = descriptor
        self._is_over = is_over
        self._closes = closes
        # What is a file on a disk takes everything, and is always ready.
        self._most = None if stat.S_ISREG(os.fstat(descriptor).st_mode) else _CHUNK_BYTES
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLOUT)

    def write(self, content: bytes) -> int:
        """Write all of it.

        Raises:
            OSError: it cannot be written; ETIMEDOUT where the run has to end and the reader took nothing.
        """
        view = memoryview(content)
        while view:
            # On an error or a reader that has gone it is ready too, and the write says which.
            if self._ready.poll(_LOOK_EVERY_MS):
                view = view[os.write(self._descriptor, view[: self._most]) :]
            elif self._is_over():
                raise OSError(errno.ETIMEDOUT, "nobody read it before the run had to end")
        return len(content)

    def flush(self) -> None:
        """Nothing is kept back."""

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Close the descriptor, once, where that is this writer's to do."""
        if self._closes:
            self._closes = False
            os.close(self._descriptor)
