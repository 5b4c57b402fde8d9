"""Signals as a queue, which the daemon's main thread waits on: no code runs in a signal handler."""

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_MAX_BYTES = 4_096


class SignalQueue:
    """The queue of signals."""

    def __init__(self, receiver: socket.socket) -> None:
        self._receiver = receiver

    def wait(self, seconds: float) -> list[int]:
        """Wait at most that many seconds for a signal; return those that came since the last call, in order."""
        ready, _, _ = select.select([self._receiver], [], [], seconds)
        return list(self._receiver.recv(_MAX_BYTES)) if ready else []


@contextmanager
def ignore_hangups() -> Iterator[None]:
    """Ignore SIGHUP while the block runs. In the main thread only.

    For the time before `queue_signals`: a daemon that is still starting has nothing to reload, and must not end by it.
    """
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def queue_signals() -> Iterator[SignalQueue]:
    """Queue the signals that come while the block runs. In the main thread only.

    A Python signal handler may run between any two instructions of the main thread, so it must not wait for a lock that
    the thread may hold. Instead, the interpreter writes a byte per signal to a socket, which is read in the loop.
    """
    receiver, sender = socket.socketpair()
    with receiver, sender:
        sender.settimeout(0)
        descriptor = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        # Only signals with a Python handler are written to the socket.
        before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
        try:
            yield SignalQueue(receiver)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(descriptor)
