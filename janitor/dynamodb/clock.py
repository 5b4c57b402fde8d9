"""DynamoDB's clock, as far as its answers tell: what may be deleted is judged by the earlier of it and this machine's.

LISA judges a token by a clock of AWS. One that is over by this machine's clock alone may still be accepted.
"""

import email.utils
import threading
import time
from collections.abc import Callable
from typing import TypeGuard

# Of the local clock against the server's: more than answers take on their way.
TOLD_SKEW_SECONDS = 5
JUDGED_BY = "rows are judged by the earlier of the two"


def second_of_date_header(stamp: str | None) -> float | None:
    """The UNIX second of a `Date` header; None where there is none, or none that names its time zone as HTTP's do."""
    try:
        date = email.utils.parsedate_to_datetime(stamp or "")
        return date.timestamp() if date.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


class ServerClock:
    """Never ahead of the server's clock, and behind it by a second and the slowest answer's way at most.

    A date is cut to whole seconds, and an answer takes time to arrive: so the server's present is no less than the date
    of any answer and the time since that came. That time is taken from a clock that nobody sets. Threads may share it.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        """Args: seconds, from any moment on; never set back or forth."""
        self._ticks = ticks
        self._offset: float | None = None
        self._lock = threading.Lock()

    def take(self, stamp: str | None) -> None:
        """Take the `Date` header of an answer that has just come; one without is passed over."""
        second = second_of_date_header(stamp)
        if second is None:
            return
        offset = second - self._ticks()
        with self._lock:
            # The least of all: then a slow clock of this machine, or a date that was wrong once, costs time alone.
            self._offset = offset if self._offset is None else min(offset, self._offset)

    def seconds(self) -> float | None:
        """The server's present in UNIX seconds; None before any answer with a date."""
        return None if self._offset is None else self._ticks() + self._offset

    def earlier(self, local: float) -> float:
        """The earlier of the server's present and another clock's, which alone counts where no answer had a date."""
        server = self.seconds()
        return local if server is None else min(local, server)


def is_worth_a_warning(skew_seconds: int | None) -> TypeGuard[int]:
    """Whether the local clock is so far off the server's that it is worth a word."""
    return skew_seconds is not None and abs(skew_seconds) > TOLD_SKEW_SECONDS


def skew_words(skew_seconds: int) -> str:
    """How far the local clock is off the server's, in words."""
    direction = "ahead of" if skew_seconds > 0 else "behind"
    return f"the local clock is {abs(skew_seconds):,} seconds {direction} DynamoDB's"
