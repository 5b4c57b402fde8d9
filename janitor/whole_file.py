"""A file that appears whole or not at all: written beside its place under a hidden name, and put there at the end."""

import contextlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_MOST_OF_A_NAME = 50


class WholeFile:
    """The file on its way. As a context manager it is put in its place where the block ends without an error.

    Attributes:
        stream: what is written, until then in the hidden file.
    """

    def __init__(self, path: Path, mode: int | None = None) -> None:
        """Make the hidden file.

        Args:
            path: the place, whatever is there; its folder has to be there.
            mode: of the file; None for 0600.

        Raises:
            OSError: it cannot be made.
        """
        self._path = path
        # Cut, so that a name which the file system just takes is not too long with what is added to it.
        prefix = f".{path.name[:_MOST_OF_A_NAME]}."
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=".part")
        self._hidden = Path(name)
        self.stream: BinaryIO = os.fdopen(descriptor, "wb")
        if mode is not None:
            try:
                self._hidden.chmod(mode)
            except OSError:
                self.discard()
                raise

    def commit(self) -> None:
        """See the content to the disk, and put the file in its place.

        Raises:
            OSError: that failed; the place is as it was, and the hidden file is gone.
        """
        try:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()
            self._hidden.replace(self._path)
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove the hidden file, if it is still there. Never raises."""
        with contextlib.suppress(OSError):
            self.stream.close()
        with contextlib.suppress(OSError):
            self._hidden.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()
