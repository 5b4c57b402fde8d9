"""SIGINT, SIGTERM and the deadline during a run: the first asks the run to stop, the second ends the program.

A run that is asked to stop ends within five seconds. One that has not ended after half a minute is waiting for
something unforeseen, like a pipe for the log that nobody reads; the process is then ended.
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
# Long enough for a busy machine; the daemon ends a run a minute after its deadline.
_LAST_RESORT_SECONDS = 30.0
_STDERR = 2

# A timer of zero seconds would be switched off.
_SHORTEST_TIMER = 1e-6


@contextmanager
def stop_on_signals(deadline: int | None = None) -> Iterator[Stop]:
    """Give the block a `Stop` that the first signal requests, or the deadline, which comes after so many seconds."""
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
        signal.setitimer(signal.ITIMER_REAL, max(deadline, _SHORTEST_TIMER))
    try:
        yield stop
    finally:
        last_resort.cancel()
        signal.alarm(0)
        for number, handler in previous.items():
            signal.signal(number, handler)


class _LastResort:
    """Ends the process, whatever its main thread is waiting for, unless it is cancelled in time."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        # A signal handler may put into a SimpleQueue whatever it has interrupted; other locks could deadlock.
        self._queue: queue.SimpleQueue[bool] = queue.SimpleQueue()
        # If no thread can be started, there is no last resort.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=self._wait, name="last-resort", daemon=True).start()

    def begin(self) -> None:
        self._queue.put(item=True)

    def cancel(self) -> None:
        self._queue.put(item=False)

    def _wait(self) -> None:
        if not self._queue.get():
            return
        try:
            self._queue.get(timeout=_LAST_RESORT_SECONDS)
        except queue.Empty:
            self._end()

    def _end(self) -> None:
        number = self._stop.signal or signal.SIGTERM
        cause = "its deadline" if self._stop.is_deadline else signal.Signals(number).name
        message = (
            f"janitor: ended itself: still blocked {_LAST_RESORT_SECONDS:.0f} seconds after {cause}, probably on a "
            "full pipe or a disk that does not respond\n"
        )
        with contextlib.suppress(OSError):
            # stderr may be a full pipe that nobody reads.
            os.set_blocking(_STDERR, False)
            os.write(_STDERR, message.encode())
        os._exit(self._stop.exit_code)
