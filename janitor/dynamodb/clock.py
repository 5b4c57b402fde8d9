"""DynamoDB's clock, as far as its answers tell.

What may be deleted is judged by the earlier of this clock and the local one. LISA judges tokens by AWS's clock, so it
may still accept a token that has expired only by the local clock.
"""

import email.utils
import threading
import time
from collections.abc import Callable
from typing import TypeGuard

# A difference between the clocks that is more than the time answers take to arrive.
SKEW_WARNING_SECONDS = 5
JUDGED_BY = "rows are judged by the earlier of the two"


def parse_date_header(stamp: str | None) -> float | None:
    """Parse a `Date` header into a UNIX second; None if it is missing, not valid, or without a time zone."""
    try:
        date = email.utils.parsedate_to_datetime(stamp or "")
        return date.timestamp() if date.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


class ServerClock:
    """A clock that is never ahead of the server's, and at most a second and the slowest answer's travel time behind.

    A `Date` header is cut to whole seconds, and an answer takes time to arrive. So the server's time now is at least
    the date of any answer plus the time since it arrived, which a monotonic clock measures. Thread-safe.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        """Start without any date; `ticks` is a monotonic clock in seconds."""
        self._ticks = ticks
        self._offset: float | None = None
        self._lock = threading.Lock()

    def note_date(self, stamp: str | None) -> None:
        """Learn from the `Date` header of an answer that has just arrived; one without a valid date is ignored."""
        second = parse_date_header(stamp)
        if second is None:
            return
        offset = second - self._ticks()
        with self._lock:
            # The smallest of all: a wrong date, or a slow local clock, then only delays deletes.
            self._offset = offset if self._offset is None else min(offset, self._offset)

    def now(self) -> float | None:
        """Return the server's time in UNIX seconds; None before any answer with a date."""
        return None if self._offset is None else self._ticks() + self._offset

    def earlier_of(self, local: float) -> float:
        """Return the earlier of the server's time and the given local time; the latter if no answer had a date."""
        server = self.now()
        return local if server is None else min(local, server)


def is_worth_a_warning(skew_seconds: int | None) -> TypeGuard[int]:
    """Whether the local clock differs from the server's by enough to warn about it."""
    return skew_seconds is not None and abs(skew_seconds) > SKEW_WARNING_SECONDS


def describe_skew(skew_seconds: int) -> str:
    """Say in words how far the local clock is off the server's."""
    direction = "ahead of" if skew_seconds > 0 else "behind"
    return f"the local clock is {abs(skew_seconds):,} seconds {direction} DynamoDB's"
