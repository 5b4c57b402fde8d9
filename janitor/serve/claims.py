"""What a daemon has for itself: the address that it listens on, and the folder of its state."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from janitor.config.serve import Address
from janitor.errors import ConfigurationError


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
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        sentence = f"{state} cannot be written: {error.strerror}"
        raise ConfigurationError(sentence, "give --state-dir a folder that can", "state-dir") from None
    try:
        _lock(descriptor, state)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, state: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sentence = f"another `janitor serve` keeps its state in {state}"
        raise ConfigurationError(sentence, "end it, or give this one a --state-dir of its own", "state-dir") from None
    except OSError as error:
        sentence = f"{state} cannot be locked: {error.strerror}"
        raise ConfigurationError(sentence, "give --state-dir a folder on a local disk", "state-dir") from None
