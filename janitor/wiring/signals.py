"""SIGINT, SIGTERM and the deadline while a run is at work: the first asks it to stop, the second ends the program.

A run that was asked ends within five seconds. One that has not after half a minute waits for something that nobody
thought of, like a log that is not read, and is ended as it is.
"""

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from janitor.stopping import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
# A busy machine may make seconds of what takes none; the daemon ends a run a minute after its deadline.
_LAST_RESORT_SECONDS = 30.0
_STDERR = 2

# A timer of zero would be none.
_AT_ONCE = 1e-6


@contextmanager
def stoppable(deadline: int | None = None) -> Iterator[Stop]:
    """A stop request that the first signal makes, or `deadline` seconds, for as long as the block runs."""
    stop = Stop(deadline)
    last_resort = _LastResort(stop)
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def request(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the handler's signature
        signal.alarm(0)
        for each, handler in previous.items():
            signal.signal(each, handler)
        last_resort.begin()
        stop.request(number)

    for number in _SIGNALS:
        signal.signal(number, request)
    if deadline is not None:
        signal.setitimer(signal.ITIMER_REAL, max(deadline, _AT_ONCE))
    try:
        yield stop
    finally:
        last_resort.cancel()
        signal.alarm(0)
        for number, handler in previous.items():
            signal.signal(number, handler)


class _LastResort:
    """Ends the process, whatever its main thread waits for, unless it is cancelled in time."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        # A signal's handler may put something there whatever it has interrupted, which holds for no other lock.
        self._is_begun: queue.SimpleQueue[bool] = queue.SimpleQueue()
        # Where there is no thread to spare, there is no last resort.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=self._wait, name="last-resort", daemon=True).start()

    def begin(self) -> None:
        self._is_begun.put(item=True)

    def cancel(self) -> None:
        self._is_begun.put(item=False)

    def _wait(self) -> None:
        if not self._is_begun.get():
            return
        try:
            self._is_begun.get(timeout=_LAST_RESORT_SECONDS)
        except queue.Empty:
            self._end()

    def _end(self) -> None:
        number = self._stop.signal or signal.SIGTERM
        why = "its deadline came" if self._stop.is_deadline else f"{signal.Signals(number).name} came"
        ago = f"{_LAST_RESORT_SECONDS:.0f} seconds ago"
        said = f"janitor: ended: {why} {ago}, and something that it waits for held it up\n"
        with contextlib.suppress(OSError):
            # Nobody may be reading it.
            os.set_blocking(_STDERR, False)
            os.write(_STDERR, said.encode())
        os._exit(self._stop.exit_code)
