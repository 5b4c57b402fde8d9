"""Capacity budgets: units a second for a whole run, shared by all its threads.

    take(estimated cost) ──> wait while anything is owed ──> request ──> answer ──> correct(actual cost)

The cost of a request is known only from its answer. So a request takes an estimate, which is then corrected: a
row larger than any before leaves a debt, and no request starts until the rate has paid it off. If the server throttles
nevertheless, the rate drops to half of what was measured, once for a burst of throttled requests, and grows again by a
twentieth a second (additive increase, multiplicative decrease) until the limit applies again, or there is none. The
clock and the wait are passed in.
"""

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from janitor.dynamodb.page_size import Allowance, PageSize

Wait = Callable[[float], bool]
"""Waits for that many seconds or fewer; returns True when there is no reason to go on."""

# The part of a second's units that one request takes where its size can be chosen. Together with the saved seconds it
# limits how far any ten seconds can exceed the budget: by less than half a second's units, even where rows differ and
# a page costs twice its estimate. Smaller pages would cost more: each is rounded up to half a unit.
SHARE_OF_A_SECOND = 0.15
# How much idle time can be made up for: waits take a little longer than they should.
_SAVED_SECONDS = 0.1

_DECREASE = 0.5
_INCREASE_A_SECOND = 0.05
# Requests that were in flight when the rate dropped may be throttled too; those are not a new reason to drop it.
_BURST_SECONDS = 1.0
# The slowdown ends when the rate has grown to this many times what was measured when the server first throttled.
_END_OF_SLOWDOWN = 2.0
_MEASURED_SECONDS = 5.0
_MIN_MEASURED = 100.0
_MIN_RATE = 1.0
_ROUNDING = 1e-9


class _Slowdown(NamedTuple):
    """When the rate was lowered, to what, and the rate that the server gave before."""

    at: float
    rate: float
    ceiling: float


class Budget:
    """A number of units a second. Thread-safe."""

    def __init__(self, limit: float | None, clock: Callable[[], float]) -> None:
        """Start with nothing owed and nothing saved.

        Args:
            limit: units a second, more than 0; None for no limit.
            clock: a monotonic clock, in seconds.
        """
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._paid_until = clock()
        self._owed = 0.0
        self._slowdown: _Slowdown | None = None
        self._spent: deque[tuple[float, float]] = deque()

    @property
    def rate(self) -> float | None:
        """The current units a second; None for no limit."""
        with self._lock:
            return self._rate(self._clock())

    @property
    def share(self) -> float | None:
        """The most units that one request should take; None for no limit."""
        rate = self.rate
        return None if rate is None else rate * SHARE_OF_A_SECOND

    def take(self, units: float, wait: Wait) -> bool:
        """Take units for a request, as soon as nothing is owed.

        Returns:
            False, with nothing taken, if `wait` said that there is no reason to go on.
        """
        while seconds := self.try_take(units):
            if wait(seconds):
                return False
        return True

    def try_take(self, units: float) -> float:
        """Take units if nothing is owed.

        Returns:
            0.0 if they were taken; else the seconds to wait before the next try.
        """
        with self._lock:
            now = self._clock()
            rate = self._rate(now)
            self._pay(now, rate)
            if rate is None:
                return 0.0
            if self._owed > _ROUNDING:
                return self._owed / rate
            self._owed += units
            return 0.0

    def correct(self, taken: float, spent: float) -> None:
        """Correct what a request took, now that its actual cost is known."""
        with self._lock:
            now = self._clock()
            self._note(now, spent)
            rate = self._rate(now)
            self._pay(now, rate)
            if rate is not None:
                self._owed += spent - taken

    def slow_down(self) -> float | None:
        """Lower the rate, because the server throttled a request.

        Returns:
            the new rate; None if the request belongs to a burst for which the rate was lowered already.
        """
        with self._lock:
            now = self._clock()
            rate = self._rate(now)
            if self._slowdown is not None and now - self._slowdown.at < _BURST_SECONDS:
                return None
            self._pay(now, rate)
            base = self._measure(now, rate)
            # Below the rate, the measured units are what the server gives. In a series of slowdowns, the first one
            # says what the server gave before.
            ceiling = base if self._slowdown is None or rate is None or base < rate else self._slowdown.ceiling
            self._slowdown = _Slowdown(now, max(base * _DECREASE, min(_MIN_RATE, ceiling)), ceiling)
            self._owed = max(self._owed, 0.0)
            return self._slowdown.rate

    def _rate(self, now: float) -> float | None:
        if self._slowdown is None:
            return self.limit
        grown = self._slowdown.rate + self._slowdown.ceiling * _INCREASE_A_SECOND * (now - self._slowdown.at)
        if grown < min(self.limit or math.inf, self._slowdown.ceiling * _END_OF_SLOWDOWN):
            return grown
        self._slowdown = None
        return self.limit

    def _pay(self, now: float, rate: float | None) -> None:
        elapsed, self._paid_until = now - self._paid_until, now
        self._owed = 0.0 if rate is None else max(self._owed - elapsed * rate, -_SAVED_SECONDS * rate)

    def _note(self, now: float, spent: float) -> None:
        self._spent.append((now, spent))
        while self._spent[0][0] < now - _MEASURED_SECONDS:
            self._spent.popleft()

    def _measure(self, now: float, rate: float | None) -> float:
        """Return the units a second that were spent lately, at most the rate: the server may give less than a limit."""
        recent = [(at, units) for at, units in self._spent if at >= now - _MEASURED_SECONDS]
        if not recent:
            return _MIN_MEASURED if rate is None else rate
        # From the first request on: the time before it says nothing about the server.
        seconds = max(now - recent[0][0], 1.0)
        measured = max(sum(units for _, units in recent) / seconds, _MIN_MEASURED)
        return measured if rate is None else min(rate, measured)


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may spend on one table.

    Attributes:
        reads, writes: units a second.
        copies: how many times each write is paid for: once for the table, and once for each of its indexes.
        pages: how many rows one page of a scan may hold.
    """

    reads: Budget
    writes: Budget
    copies: int = 1
    pages: PageSize = msgspec.field(default_factory=PageSize)

    @classmethod
    def unlimited(cls, clock: Callable[[], float]) -> "Budgets":
        """Make budgets without limits, which slow down when the table throttles."""
        return cls(reads=Budget(None, clock), writes=Budget(None, clock))

    def rows_at_once(self, most: int) -> int:
        """Return how many rows below 1 KB one write request should name, at most `most`."""
        share = self.writes.share
        return most if share is None else max(1, min(most, int(share // self.copies)))

    def take_page(self, wait: Wait) -> Allowance | None:
        """Take the estimated cost of a page, as soon as nothing is owed; None if `wait` said not to go on."""
        while True:
            rate = self.reads.rate
            allowance = self.pages.next_allowance(rate, SHARE_OF_A_SECOND)
            seconds = self.reads.try_take(allowance.units)
            if not seconds:
                return allowance
            if wait(seconds):
                return None

    def correct_page(self, allowance: Allowance, rows: int, units: float) -> None:
        """Correct what a page took, and learn from it.

        Args:
            allowance: what was taken.
            rows: how many rows the server read.
            units: what the page cost.
        """
        self.reads.correct(allowance.units, units)
        self.pages.learn(allowance, rows, units)
