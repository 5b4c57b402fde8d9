"""How many rows a page of a scan may hold, so that it costs no more than it should.

Nobody knows what the next rows weigh. What is known is what the pages before cost, each a sum over its rows, rounded up
to half a unit. From these come the mean cost of a row, how far pages went over it, and what the heaviest row may have
been. Until a page was read every row is taken for as large as a row can be; after that a page holds at most as many
rows as were seen, so that it takes a few pages to become sure.
"""

import math
import threading
from typing import Any, NamedTuple

# A row is at most 400 KB, a page 1 MB; eventually consistent, 4 KB cost half a unit, and a page at least that.
_LARGEST_ROW = 50.0
_LARGEST_PAGE = 128.0
_LEAST_PAGE = 0.5

# How much of what older pages told is kept with each page: of the mean, and of what is rare.
_KEPT_OF_MEAN = 0.8
_KEPT_OF_RARE = 0.985
# Standard deviations that a page leaves room for.
_DEVIATIONS = 4.0


class Allowance(NamedTuple):
    """What the next page may be.

    Attributes:
        rows: Scan's `Limit`, and Query's; None for none.
        units: what it will cost, as far as one can tell.
    """

    rows: int | None
    units: float

    def set_limit(self, request: dict[str, Any]) -> None:
        """Give a request this page's `Limit`, or take that of the page before away."""
        request.pop("Limit", None)
        if self.rows is not None:
            request["Limit"] = self.rows


_ANY = Allowance(None, 0.0)


class PageSize:
    """Learns what rows cost, and says how many may be asked for. Threads share it."""

    def __init__(self, *, is_consistent: bool = False) -> None:
        """Nothing is known yet; consistent reads cost twice as much."""
        self._times = 2.0 if is_consistent else 1.0
        self._lock = threading.Lock()
        self._seen = 0
        self._rows = 0.0
        self._units = 0.0
        # Of these, what may be no more than rounding: half of each page that cost the least.
        self._rounded = 0.0
        self._variance = 0.0
        self._heaviest = _LARGEST_ROW
        self._whole_page = _LARGEST_PAGE

    def allowed(self, rate: float | None, share: float) -> Allowance:
        """What the next page may be.

        Args:
            rate: read units a second; None for as many as there are.
            share: how much of a second's a page should take.
        """
        if rate is None:
            return _ANY
        rate /= self._times
        most = max(rate * share, _LEAST_PAGE)
        with self._lock:
            if most >= _LARGEST_PAGE:
                return Allowance(None, self._whole_page * self._times)
            mean = self._mean
            if self._seen and most < 2 * _LEAST_PAGE:
                # Taken at its word, the least page of one row would never hold a second.
                mean -= self._rounded / self._rows
            rows = most / mean
            if self._seen:
                rows = min(rows, self._seen, self._safe(max(rate, 2 * _LEAST_PAGE), mean))
            units = max(_LEAST_PAGE, min(max(1, int(rows)) * mean, _LARGEST_PAGE))
            return Allowance(max(1, int(rows)), units * self._times)

    def learn(self, allowance: Allowance, rows: int, units: float) -> None:
        """Take note of a page: how many rows the server looked at, and what it cost."""
        if not rows or not units:
            return
        units /= self._times
        with self._lock:
            if allowance.rows is None:
                self._whole_page = _KEPT_OF_MEAN * self._whole_page + (1 - _KEPT_OF_MEAN) * units
            if self._seen:
                over = max(0.0, units - _LEAST_PAGE - rows * self._mean)
                self._variance = _KEPT_OF_RARE * self._variance + (1 - _KEPT_OF_RARE) * over**2 / rows
                self._heaviest = max(_KEPT_OF_RARE * self._heaviest, self._mean + over)
            else:
                self._heaviest = units
            self._seen += rows
            self._rows = _KEPT_OF_MEAN * self._rows + rows
            self._units = _KEPT_OF_MEAN * self._units + units
            self._rounded = _KEPT_OF_MEAN * self._rounded + (units / 2 if units <= _LEAST_PAGE else 0.0)

    @property
    def _mean(self) -> float:
        return self._units / self._rows if self._rows else _LARGEST_ROW

    def _safe(self, second: float, mean: float) -> float:
        """How many rows will hardly cost more than a second's units, with one of the heaviest among them.

        A row that costs more by itself costs that in any page, so only the others count.
        """
        heaviest = self._heaviest
        room = second - heaviest if heaviest < second else second
        spread = _DEVIATIONS * math.sqrt(self._variance)
        # rows * mean + spread * sqrt(rows) = room
        root = (math.sqrt(spread**2 + 4 * mean * room) - spread) / (2 * mean)
        return max(root**2, second / heaviest if heaviest < second else 0.0)
