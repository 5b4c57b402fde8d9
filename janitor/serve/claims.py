"""What a daemon has for itself: the address that it listens on, and the folder of its state."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from janitor.errors import ConfigurationError
from janitor.file_lock import UnlockableError, file_lock
from janitor.settings.serve import Address


@contextlib.contextmanager
def listening(address: Address) -> Iterator[socket.socket]:
    """A socket that takes connections.

    Raises:
        ConfigurationError: there is no such address, or another process listens there.
    """
    try:
        family, *_ = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address, family=family)
    except OSError as error:
        # What could not be looked up has a sentence of its own; Python adds an address to the others'.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        sentence = f"--listen {address}: {why}"
        raise ConfigurationError(sentence, "give another address or port", "listen") from None
    with listener:
        yield listener


@contextlib.contextmanager
def alone_in(state: Path) -> Iterator[None]:
    """Keep another daemon out of a state folder, which is made.

    Raises:
        ConfigurationError: one is there, or the folder cannot be written.
    """
    with contextlib.ExitStack() as held:
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.enter_context(file_lock(state / "lock"))
        except OSError as error:
            raise ConfigurationError(*_why_not_alone(state, error), "state-dir") from None
        yield


def _why_not_alone(state: Path, error: OSError) -> tuple[str, str]:
    """What happened, and the way out."""
    match error:
        case BlockingIOError():
            sentence = f"another `janitor serve` keeps its state in {state}"
            return sentence, "end it, or give this one a --state-dir of its own"
        case UnlockableError():
            return f"{state} cannot be locked: {error.strerror}", "give --state-dir a folder on a local disk"
        case _:
            return f"{state} cannot be written: {error.strerror}", "give --state-dir a folder that can"
