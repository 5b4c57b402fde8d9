"""What a server sees of a budget: the least and the most that is spent in any ten seconds."""

import itertools
import math
from collections.abc import Sequence

SECONDS = 10.0


def in_ten_seconds(spent: Sequence[tuple[float, float]], since: float) -> tuple[float, float]:
    """Give the least and the most units of any ten seconds from `since` to the last request.

    Each of `spent` is the second at which a request came and what it cost, in their order. The least is of those ten
    seconds that begin just after a request, the most of those that begin with one.
    """
    times, sums = [at for at, _ in spent], [0.0, *itertools.accumulate(units for _, units in spent)]
    least, most, end = math.inf, 0.0, 0
    for first, at in enumerate(times):
        if at < since:
            continue
        while end < len(times) and times[end] < at + SECONDS:
            end += 1
        most = max(most, sums[end] - sums[first])
        if end < len(times):
            least = min(least, sums[end] - sums[first + 1])
    return least, most
