"""SIGINT and SIGTERM while a run is at work: the first asks it to stop, the second ends the program."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from janitor.run.stopping import Stop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """A stop request that the first signal makes, for as long as the block runs."""
    stop = Stop()
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def request(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the handler's signature
        for each, handler in previous.items():
            signal.signal(each, handler)
        stop.request(number)

    for number in _SIGNALS:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
