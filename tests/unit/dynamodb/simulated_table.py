"""A table under a simulated clock, scanned by segments or swept by workers: hours of it in a second, and no waiting."""

import heapq
import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from janitor.dynamodb.budget import Budget, Budgets

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


def scanned(server: Server, clock: Clock, budgets: Budgets, *, segments: int, seconds: float) -> list[Spent]:
    """What a scan spends in so many seconds; the table has no end."""
    dice, numbers, spent = random.Random(server.seed), itertools.count(), []
    events: list[tuple[float, int, Callable[[], None]]] = []

    def at(seconds_from_now: float, event: Callable[[], None]) -> None:
        heapq.heappush(events, (clock.now + seconds_from_now, next(numbers), event))

    def ask() -> None:
        waits: list[float] = []
        allowance = budgets.take_page(lambda wait: not waits.append(wait))  # type: ignore[func-returns-value]
        if allowance is None:
            at(waits[0] * dice.uniform(1, 1.02), ask)
            return
        rows, units, heaviest = server.page(allowance.rows, dice)

        def arrive() -> None:
            spent.append(Spent(clock.now, units, rows, heaviest))

        def answered() -> None:
            budgets.settle_page(allowance, rows, units)
            ask()

        latency = server.latency * dice.uniform(0.8, 1.2)
        at(latency / 2, arrive)
        at(latency, answered)

    for _ in range(segments):
        at(0.0, ask)
    end = clock.now + seconds
    while events and events[0][0] < end:
        clock.now, _, event = heapq.heappop(events)
        event()
    return spent


def in_ten_seconds(spent: Sequence[Spent], since: float) -> tuple[float, float]:
    """The least and the most units of any ten seconds after `since`."""
    times, sums = [each.at for each in spent], [0.0, *itertools.accumulate(each.units for each in spent)]
    least, most, first = math.inf, 0.0, 0
    for last, at in enumerate(times):
        while times[first] <= at - 10:
            # Just after the request at `first`, until just before the one that is ten seconds on.
            if times[first] >= since:
                after = next(number for number in range(first + 1, len(times)) if times[number] >= times[first] + 10)
                least = min(least, sums[after] - sums[first + 1])
            first += 1
        if times[first] >= since:
            most = max(most, sums[last + 1] - sums[first])
    return least, most


def limited(limit: float | None, clock: Clock) -> Budgets:
    return Budgets(reads=Budget(limit, clock), writes=Budget(limit, clock))
