"""A file that appears whole or not at all: written under a hidden name in the same folder, and renamed at the end."""

import contextlib
import errno
import os
import pwd
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_MAX_PREFIX = 50


def explain_unwritable(path: Path, error: OSError, another: str = "give another path") -> tuple[str, str]:
    """Why nothing can be written at a path, and the way out.

    Args:
        path: where a file or a folder was to be made.
        error: what the attempt raised.
        another: how another place is given, for the way out.
    """
    existing = next(folder for folder in (*path.parents, Path("/")) if os.path.lexists(folder))
    match error.errno:
        case errno.ENOENT if existing != path.parent:
            why, way_out = f"there is no folder {path.parent}", f"make it, or {another}"
        case errno.EACCES | errno.EPERM:
            place = path if os.path.lexists(path) else existing
            why, way_out = f"{_name_user()} has no permission to write {place}", f"grant it, or {another}"
        case errno.EROFS:
            why, way_out = f"{existing} is on a disk that is mounted read-only", f"mount it writable, or {another}"
        case errno.EISDIR:
            why, way_out = "it is a folder", "give the path of a file in it"
        case errno.ENOTDIR | errno.EEXIST:
            why, way_out = f"{path if os.path.lexists(path) else existing} is not a folder", another
        case errno.ENOSPC | errno.EDQUOT:
            why, way_out = str(error.strerror), f"free some space, or {another}"
        case _:
            why, way_out = str(error.strerror or error), another
    return f"{path} cannot be written: {why}", way_out


def _name_user() -> str:
    try:
        return f"the user {pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        # As in a container that runs under an id without a name.
        return f"the user with the id {os.geteuid()}"


class WholeFile:
    """The file while it is written. As a context manager it commits if the block ends without an error.

    Attributes:
        stream: where to write; the content goes to the hidden file until the commit.
    """

    def __init__(self, path: Path, mode: int | None = None) -> None:
        """Make the hidden file.

        Args:
            path: the file's place; a file that is there is replaced. Its folder has to exist.
            mode: the file's mode; None for 0600.

        Raises:
            OSError: the hidden file cannot be made.
        """
        self._path = path
        # Shortened, so that what is added does not make a long name too long for the file system.
        prefix = f".{path.name[:_MAX_PREFIX]}."
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
        """Write the content to the disk, and rename the file to its place.

        Raises:
            OSError: that failed; the place is as it was, and the hidden file is removed.
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
        """Remove the hidden file, if it still exists. Never raises."""
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
