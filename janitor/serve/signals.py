"""Signals as a queue: the daemon's main thread waits for the next one, and nothing happens anywhere else."""

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_MOST = 4_096


class Signals:
    """The signals that came."""

    def __init__(self, receiver: socket.socket) -> None:
        self._receiver = receiver

    def wait(self, seconds: float) -> list[int]:
        """The signals that came since the last call, in their order; waits for the first at most so many seconds."""
        ready, _, _ = select.select([self._receiver], [], [], seconds)
        return list(self._receiver.recv(_MOST)) if ready else []


@contextmanager
def hangups_ignored() -> Iterator[None]:
    """Let no SIGHUP end the process while the block runs. In the main thread only.

    For the time before `queued`: a daemon that is only starting has nothing to reload, and must not die of being asked.
    """
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def queued() -> Iterator[Signals]:
    """Queue the signals that come while the block runs. In the main thread only.

    Python's own handlers run between any two steps of the main thread, and must not wait for a lock that it may hold;
    the bytes that the interpreter writes to a socket for each signal can be read in peace.
    """
    receiver, sender = socket.socketpair()
    with receiver, sender:
        sender.settimeout(0)
        descriptor = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        # A signal is written there only if Python handles it at all.
        before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
        try:
            yield Signals(receiver)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(descriptor)
