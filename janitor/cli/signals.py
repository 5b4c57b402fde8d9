"""SIGINT, SIGTERM and the deadline while a run is at work: the first asks it to stop, the second ends the program."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from janitor.run.stopping import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


# A timer of zero would be none.
_AT_ONCE = 1e-6


@contextmanager
def stoppable(deadline: int | None = None) -> Iterator[Stop]:
    """A stop request that the first signal makes, or `deadline` seconds, for as long as the block runs."""
    stop = Stop()
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def request(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the handler's signature
        signal.alarm(0)
        for each, handler in previous.items():
            signal.signal(each, handler)
        stop.request(number)

    for number in _SIGNALS:
        signal.signal(number, request)
    if deadline is not None:
        signal.setitimer(signal.ITIMER_REAL, max(deadline, _AT_ONCE))
    try:
        yield stop
    finally:
        signal.alarm(0)
        for number, handler in previous.items():
            signal.signal(number, handler)
