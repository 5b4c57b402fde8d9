"""Choose how many rows a page of a scan may hold, so that it does not cost more than it should.

The size of the next rows is unknown. Known is the cost of the pages before: the sum over their rows, rounded up to half
a unit. From these come the mean cost of a row, how much pages exceeded it, and what the heaviest row may have cost.
Before the first page every row counts as large as a row can be. After that a page holds at most as many rows as were
read so far, so the estimate becomes reliable within a few pages.
"""

import math
import threading
from typing import Any, NamedTuple

# In read units: a row is at most 400 KB, a page 1 MB; an eventually consistent read of 4 KB costs half a unit, and a
# page costs at least that.
_MAX_ROW_UNITS = 50.0
_MAX_PAGE_UNITS = 128.0
_MIN_PAGE_UNITS = 0.5

# How much weight the older pages keep with each new page: in the mean, and in the variance and the heaviest row.
_MEAN_DECAY = 0.8
_RARE_DECAY = 0.985
# How many standard deviations a page leaves room for.
_DEVIATIONS = 4.0


class Allowance(NamedTuple):
    """How large the next page may be.

    Attributes:
        rows: the `Limit` of Scan or Query; None for no limit.
        units: the estimated cost.
    """

    rows: int | None
    units: float

    def set_limit(self, request: dict[str, Any]) -> None:
        """Set the request's `Limit`, or remove the one of the page before."""
        request.pop("Limit", None)
        if self.rows is not None:
            request["Limit"] = self.rows


_UNLIMITED = Allowance(None, 0.0)


class PageSize:
    """Learns what rows cost, and says how many a page may hold. Thread-safe."""

    def __init__(self, *, is_consistent: bool = False) -> None:
        """Start knowing nothing; consistent reads cost twice as much."""
        self._cost_factor = 2.0 if is_consistent else 1.0
        self._lock = threading.Lock()
        self._rows_read = 0
        # Decaying sums over the pages so far.
        self._rows = 0.0
        self._units = 0.0
        # The part of these units that may only be rounding: half of each page that cost the minimum.
        self._rounding = 0.0
        self._variance = 0.0
        self._heaviest_row = _MAX_ROW_UNITS
        self._full_page = _MAX_PAGE_UNITS

    def next_allowance(self, rate: float | None, share: float) -> Allowance:
        """Return how large the next page may be.

        Args:
            rate: read units a second; None for no limit.
            share: the part of a second's units that a page should take.
        """
        if rate is None:
            return _UNLIMITED
        rate /= self._cost_factor
        target = max(rate * share, _MIN_PAGE_UNITS)
        with self._lock:
            if target >= _MAX_PAGE_UNITS:
                return Allowance(None, self._full_page * self._cost_factor)
            mean = self._mean
            if self._rows_read and target < 2 * _MIN_PAGE_UNITS:
                # Without this, a page of one row that costs the minimum would never grow to two rows.
                mean -= self._rounding / self._rows
            rows = target / mean
            if self._rows_read:
                rows = min(rows, self._rows_read, self._count_safe_rows(max(rate, 2 * _MIN_PAGE_UNITS), mean))
            units = max(_MIN_PAGE_UNITS, min(max(1, int(rows)) * mean, _MAX_PAGE_UNITS))
            return Allowance(max(1, int(rows)), units * self._cost_factor)

    def learn(self, allowance: Allowance, rows: int, units: float) -> None:
        """Learn from a page: how many rows the server read, and what it cost."""
        if not rows or not units:
            return
        units /= self._cost_factor
        with self._lock:
            if allowance.rows is None:
                self._full_page = _MEAN_DECAY * self._full_page + (1 - _MEAN_DECAY) * units
            if self._rows_read:
                excess = max(0.0, units - _MIN_PAGE_UNITS - rows * self._mean)
                self._variance = _RARE_DECAY * self._variance + (1 - _RARE_DECAY) * excess**2 / rows
                self._heaviest_row = max(_RARE_DECAY * self._heaviest_row, self._mean + excess)
            else:
                self._heaviest_row = units
            self._rows_read += rows
            self._rows = _MEAN_DECAY * self._rows + rows
            self._units = _MEAN_DECAY * self._units + units
            self._rounding = _MEAN_DECAY * self._rounding + (units / 2 if units <= _MIN_PAGE_UNITS else 0.0)

    @property
    def _mean(self) -> float:
        return self._units / self._rows if self._rows else _MAX_ROW_UNITS

    def _count_safe_rows(self, second: float, mean: float) -> float:
        """Return how many rows will hardly cost more than a second's units, one of the heaviest among them.

        A row that costs more by itself costs that in any page, so then only the other rows count.
        """
        heaviest = self._heaviest_row
        room = second - heaviest if heaviest < second else second
        spread = _DEVIATIONS * math.sqrt(self._variance)
        # rows * mean + spread * sqrt(rows) = room
        root = (math.sqrt(spread**2 + 4 * mean * room) - spread) / (2 * mean)
        return max(root**2, second / heaviest if heaviest < second else 0.0)
