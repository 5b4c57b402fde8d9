"""Units a second for a whole run, whichever thread spends them.

    take(what it may cost) ──> waits while anything is owed ──> request ──> answer ──> settle(what it did cost)

What a request costs is known when it is answered. So it takes an estimate, and settles the difference: a row that was
larger than any before leaves a debt, and nobody is let through until the rate has paid it off. Where the server
throttles all the same, the rate comes down to half of what was measured, once for a burst of throttled requests, and
goes up again by a twentieth a second (additive increase, multiplicative decrease) until the limit holds again, or none.
The clock and the wait are passed in.
"""

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from janitor.dynamodb.page_size import Allowance, PageSize

Wait = Callable[[float], bool]
"""Waits so many seconds, or fewer, and says True when there is no reason to go on."""

# A request takes so much of a second's units where its size can be chosen. With what may be saved up it is how far ten
# seconds can be over, and that must be less than half a second's, where rows differ and a page comes to twice as much.
# Smaller pages would be paid for: each is rounded up to half a unit.
SHARE_OF_A_SECOND = 0.15
# Time in which nobody asked, that may be made up for: what waits take longer than they should.
_SAVED_SECONDS = 0.1

_DECREASE = 0.5
_INCREASE_A_SECOND = 0.05
# Requests that were in flight when the rate came down may be throttled too, and say nothing new.
_BURST_SECONDS = 1.0
# The limit holds again, or none, at so many times what was measured when the server first throttled.
_GONE_AT = 2.0
_MEASURED_SECONDS = 5.0
_LEAST_MEASURED = 100.0
_LEAST_RATE = 1.0
_NOTHING = 1e-9


class _Cut(NamedTuple):
    """The rate came down: when, to what, and what it would be without."""

    at: float
    rate: float
    ceiling: float


class Budget:
    """So many units a second. Threads share it."""

    def __init__(self, limit: float | None, clock: Callable[[], float]) -> None:
        """Nothing is owed yet, and nothing saved up.

        Args:
            limit: units a second, more than 0; None for as many as there are.
            clock: seconds that only grow.
        """
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._paid_until = clock()
        self._owed = 0.0
        self._cut: _Cut | None = None
        self._spent: deque[tuple[float, float]] = deque()

    @property
    def rate(self) -> float | None:
        """Units a second at present; None for as many as there are."""
        with self._lock:
            return self._rate(self._clock())

    @property
    def share(self) -> float | None:
        """How many units a request should take at most; None where it does not matter."""
        rate = self.rate
        return None if rate is None else rate * SHARE_OF_A_SECOND

    def take(self, units: float, wait: Wait) -> bool:
        """Take so many units for a request, as soon as nothing is owed.

        Returns:
            False where `wait` said that there is no reason to go on: nothing was taken then.
        """
        while seconds := self.ask(units):
            if wait(seconds):
                return False
        return True

    def ask(self, units: float) -> float:
        """Take so many units if nothing is owed.

        Returns:
            0.0 where they were taken; else the seconds after which to ask again.
        """
        with self._lock:
            now = self._clock()
            rate = self._rate(now)
            self._pay(now, rate)
            if rate is None:
                return 0.0
            if self._owed > _NOTHING:
                return self._owed / rate
            self._owed += units
            return 0.0

    def settle(self, taken: float, spent: float) -> None:
        """Put right what a request took, now that it is known what it cost."""
        with self._lock:
            now = self._clock()
            self._note(now, spent)
            rate = self._rate(now)
            self._pay(now, rate)
            if rate is not None:
                self._owed += spent - taken

    def throttled(self) -> float | None:
        """The server throttled a request: bring the rate down.

        Returns:
            the new rate; None where the request belongs to a burst for which it came down already.
        """
        with self._lock:
            now = self._clock()
            rate = self._rate(now)
            if self._cut is not None and now - self._cut.at < _BURST_SECONDS:
                return None
            self._pay(now, rate)
            base = self._given(now, rate)
            # What is less than the rate is what the server gives. Of cut after cut the first says what there was.
            ceiling = base if self._cut is None or rate is None or base < rate else self._cut.ceiling
            self._cut = _Cut(now, max(base * _DECREASE, min(_LEAST_RATE, ceiling)), ceiling)
            self._owed = max(self._owed, 0.0)
            return self._cut.rate

    def _rate(self, now: float) -> float | None:
        if self._cut is None:
            return self.limit
        grown = self._cut.rate + self._cut.ceiling * _INCREASE_A_SECOND * (now - self._cut.at)
        if grown < min(self.limit or math.inf, self._cut.ceiling * _GONE_AT):
            return grown
        self._cut = None
        return self.limit

    def _pay(self, now: float, rate: float | None) -> None:
        elapsed, self._paid_until = now - self._paid_until, now
        self._owed = 0.0 if rate is None else max(self._owed - elapsed * rate, -_SAVED_SECONDS * rate)

    def _note(self, now: float, spent: float) -> None:
        self._spent.append((now, spent))
        while self._spent[0][0] < now - _MEASURED_SECONDS:
            self._spent.popleft()

    def _given(self, now: float, rate: float | None) -> float:
        """Units a second over the last few, at most the rate: a limit may be far above what the server gives."""
        recent = [(at, units) for at, units in self._spent if at >= now - _MEASURED_SECONDS]
        if not recent:
            return _LEAST_MEASURED if rate is None else rate
        # Not from when the budget was made: what came before the first request says nothing of the server.
        seconds = max(now - recent[0][0], 1.0)
        measured = max(sum(units for _, units in recent) / seconds, _LEAST_MEASURED)
        return measured if rate is None else min(rate, measured)


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may spend on one table.

    Attributes:
        reads, writes: units a second.
        copies: how many times each write is paid for: the table, and each of its indexes.
        pages: how much one page of a scan may hold.
    """

    reads: Budget
    writes: Budget
    copies: int = 1
    pages: PageSize = msgspec.field(default_factory=PageSize)

    @classmethod
    def unlimited(cls, clock: Callable[[], float]) -> "Budgets":
        """As much as the table gives, until it throttles."""
        return cls(reads=Budget(None, clock), writes=Budget(None, clock))

    def rows_at_once(self, most: int) -> int:
        """How many rows below 1 KB a request that writes should name, of at most `most`."""
        share = self.writes.share
        return most if share is None else max(1, min(most, int(share // self.copies)))

    def take_page(self, wait: Wait) -> Allowance | None:
        """Take what a page may cost, as soon as nothing is owed; None where `wait` said not to go on."""
        while True:
            rate = self.reads.rate
            allowance = self.pages.allowed(rate, SHARE_OF_A_SECOND)
            seconds = self.reads.ask(allowance.units)
            if not seconds:
                return allowance
            if wait(seconds):
                return None

    def settle_page(self, allowance: Allowance, rows: int, units: float) -> None:
        """Put right what a page took, and learn from it.

        Args:
            allowance: what was taken.
            rows: how many the server looked at.
            units: what it cost.
        """
        self.reads.settle(allowance.units, units)
        self.pages.learn(allowance, rows, units)
