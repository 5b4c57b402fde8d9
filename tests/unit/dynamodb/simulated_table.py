"""A table under a simulated clock, scanned by segments or swept by workers: hours of it in a second, and no waiting."""

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from janitor.dynamodb.budget import Budget, Budgets
from janitor.dynamodb.page_size import Allowance

PAGE_BYTES = 1024 * 1024
LARGEST_ROW = 400 * 1024

RowBytes = Callable[[random.Random], int]
"""Draws the size of the next row."""


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Spent:
    """One request, as the server saw it."""

    at: float
    units: float
    rows: int
    heaviest: float
    is_throttled: bool = False


@dataclass(frozen=True)
class Server:
    """Reads pages as DynamoDB does: at most 1 MB, half a unit for each 4 KB, rounded up.

    `capacity` is how many units a second it gives before it throttles, None for all.
    """

    row_bytes: RowBytes
    latency: float
    seed: int = 0
    capacity: float | None = None

    def page(self, rows: int | None, dice: random.Random) -> tuple[int, float, float]:
        """How many rows the page has, what it costs, and what its heaviest row would cost alone."""
        size = heaviest = count = 0
        while count != rows and size < PAGE_BYTES:
            row = self.row_bytes(dice)
            if count and size + row > PAGE_BYTES:
                break
            size, heaviest, count = size + row, max(heaviest, row), count + 1
        return count, read_units(size), read_units(heaviest)


def read_units(size: int) -> float:
    return max(1, math.ceil(size / 4096)) / 2


class Tokens:
    """What the server has left to give: a second's units at most."""

    def __init__(self, capacity: float | None) -> None:
        self._capacity = capacity
        self._left, self._at = capacity or 0.0, 0.0

    def is_throttled(self, units: float, now: float) -> bool:
        if self._capacity is None:
            return False
        self._left = min(self._capacity, self._left + (now - self._at) * self._capacity)
        self._at = now
        if self._left <= 0:
            return True
        self._left -= units
        return False


def scanned(server: Server, clock: Clock, budgets: Budgets, *, segments: int, seconds: float) -> list[Spent]:
    """What a scan spends in so many seconds; the table has no end."""
    scanning = _Scanning(server, clock, budgets)
    scanning.go_on(segments, seconds)
    return scanning.spent


class _Scanning:
    """The segments of one scan, event after event."""

    def __init__(self, server: Server, clock: Clock, budgets: Budgets) -> None:
        self.spent: list[Spent] = []
        self._server, self._clock, self._budgets = server, clock, budgets
        self._dice, self._tokens = random.Random(server.seed), Tokens(server.capacity)
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def go_on(self, segments: int, seconds: float) -> None:
        end = self._clock.now + seconds
        for _ in range(segments):
            self._later(0.0, self._ask)
        while self._events and self._events[0][0] < end:
            self._clock.now, _, event = heapq.heappop(self._events)
            event()

    def _later(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self._clock.now + seconds, next(self._numbers), event))

    def _ask(self) -> None:
        waits: list[float] = []

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            return True

        allowance = self._budgets.take_page(wait)
        if allowance is None:
            # No wait ends on the dot.
            self._later(waits[0] * self._dice.uniform(1, 1.02), self._ask)
        else:
            self._send(allowance)

    def _send(self, allowance: Allowance) -> None:
        rows, units, heaviest = self._server.page(allowance.rows, self._dice)
        half = self._server.latency * self._dice.uniform(0.4, 0.6)

        def arrive() -> None:
            is_throttled = self._tokens.is_throttled(units, self._clock.now)
            self.spent.append(Spent(self._clock.now, units, rows, heaviest, is_throttled))
            self._later(half, throttled if is_throttled else answered)

        def throttled() -> None:
            self._budgets.reads.slow_down()
            # As botocore repeats a request.
            self._later(self._dice.uniform(0, 1), lambda: self._send(allowance))

        def answered() -> None:
            self._budgets.correct_page(allowance, rows, units)
            self._ask()

        self._later(half, arrive)


def seen_by_server(spent: list[Spent]) -> list[tuple[float, float]]:
    """When each request came, and what it cost."""
    return [(each.at, each.units) for each in spent]


def limited(limit: float | None, clock: Clock) -> Budgets:
    return Budgets(reads=Budget(limit, clock), writes=Budget(limit, clock))
