"""What only one daemon may use at a time: the address that it listens on, and its state folder."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from janitor.errors import ConfigurationError
from janitor.file_lock import UnlockableError, file_lock
from janitor.settings.serve import Address
from janitor.whole_file import explain_unwritable


@contextlib.contextmanager
def open_listener(address: Address) -> Iterator[socket.socket]:
    """Listen on an address; yield the socket.

    Raises:
        ConfigurationError: there is no such address, or another process listens there.
    """
    try:
        family, *_ = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address, family=family)
    except OSError as error:
        # A failed look-up has its own message; to the others Python adds the address, which is named already.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        sentence = f"--listen {address}: {why}"
        raise ConfigurationError(sentence, "give another address or port", "listen") from None
    with listener:
        yield listener


@contextlib.contextmanager
def lock_state_folder(state: Path) -> Iterator[None]:
    """Lock the state folder against other daemons; create it if need be.

    Raises:
        ConfigurationError: another daemon uses it, or it cannot be written.
    """
    with contextlib.ExitStack() as held:
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.enter_context(file_lock(state / "lock"))
        except OSError as error:
            raise ConfigurationError(*_explain_lock_error(state, error), "state-dir") from None
        yield


def _explain_lock_error(state: Path, error: OSError) -> tuple[str, str]:
    """Return what happened, and the way out."""
    match error:
        case BlockingIOError():
            sentence = f"another `janitor serve` keeps its state in {state}"
            return sentence, "end it, or give this one a --state-dir of its own"
        case UnlockableError():
            return f"{state} cannot be locked: {error.strerror}", "give --state-dir a folder on a local disk"
        case _:
            return explain_unwritable(state, error, "give --state-dir another folder")
