"""Whether the daemon's loop still goes round: a look at the folder may hang for ever, on a network's disk for one."""

import time
from collections.abc import Callable

_LONGEST_SECONDS = 30.0


class Pulse:
    """When the loop last passed. Threads share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """It passed just now.

        Args:
            clock: seconds of a clock that nobody sets.
        """
        self._clock = clock
        self._passed_at = clock()

    def beat(self) -> None:
        """Say that it passes."""
        self._passed_at = self._clock()

    @property
    def is_beating(self) -> bool:
        """Whether it passed within half a minute."""
        return self._clock() - self._passed_at <= _LONGEST_SECONDS
