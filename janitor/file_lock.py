"""Locks between processes, on a file or a folder of this machine (flock(2))."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path


class UnlockableError(OSError):
    """The file system does not support locks, as some network disks."""


@contextlib.contextmanager
def file_lock(path: Path, *, waits: bool = False) -> Iterator[int]:
    """Hold the lock of a file, which is created (mode 0600) if needed, or of an existing folder.

    It is released when the block has ended, and every process that inherited the descriptor.

    Args:
        path: the file or folder.
        waits: whether to wait until another process releases it.

    Returns:
        the descriptor that holds the lock.

    Raises:
        BlockingIOError: another process holds it, and `waits` is false.
        UnlockableError: it cannot be locked.
        OSError: it cannot be opened.
    """
    with contextlib.ExitStack() as opened:
        flags = os.O_RDONLY | os.O_DIRECTORY if _is_folder(path) else os.O_RDWR | os.O_CREAT
        descriptor = os.open(path, flags, 0o600)
        opened.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError as error:
            raise UnlockableError(error.errno, error.strerror) from None
        yield descriptor


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False
