"""A table whose rows have sizes and nothing else: it takes Limit, and says what each page costs as DynamoDB would.

Every row is plainly active, so that a Scan with a filter gets none of them, only their number.
"""

import bisect
import itertools
import math
import random
from typing import Any

from tests.bench.pages import Body, Pages
from tests.bench.replayed_table import RefusedError, ReplayedTable, Request, capacity, json_body

PAGE_BYTES = 1024 * 1024
_BYTES_OF_HALF_A_UNIT = 4096
# The sizes of so many rows come round again.
_CYCLE = 10_007


def sizes_between(least: int, most: int) -> list[int]:
    """Draw sizes in bytes, as many small ones as large ones in proportion to themselves."""
    dice = random.Random(least + most)
    return [round(math.exp(dice.uniform(math.log(least), math.log(most)))) for _ in range(_CYCLE)]


class SizedTable(ReplayedTable):
    """A table of `rows` rows, of `least` to `most` bytes each."""

    def __init__(self, *, rows: int, least: int, most: int) -> None:
        super().__init__(Pages(now=0), count=0, filtering=True)
        self._number = rows
        self._sums = [0, *itertools.accumulate(sizes_between(least, most))]

    def sizes(self) -> dict[str, int]:
        """As DescribeTable has them."""
        return {"ItemCount": self._number, "TableSizeBytes": self._bytes_before(self._number)}

    def _scan(self, request: Request) -> Body:
        if "FilterExpression" not in request:
            raise RefusedError("ValidationException", "Rows that are only sizes cannot be sent: scan with a filter.")
        segment, segments = request.get("Segment", 0), request.get("TotalSegments", 1)
        end = self._number * (segment + 1) // segments
        first = self._number * segment // segments
        if "ExclusiveStartKey" in request:
            first = int(request["ExclusiveStartKey"]["token"]["S"], 16) + 1
        if not first <= end <= self._number:
            raise RefusedError("ValidationException", "The provided starting key is outside this segment.")
        last = max(min(first + request.get("Limit", end), self._end_of_page(first), end), first)
        size = self._bytes_before(last) - self._bytes_before(first)
        units = max(1, -(-size // _BYTES_OF_HALF_A_UNIT)) / 2
        page: dict[str, Any] = {"Items": [], "Count": 0, "ScannedCount": last - first} | capacity(request, units)
        # As DynamoDB: a Limit that is reached brings a key, even at the end.
        if last < end or last - first == request.get("Limit"):
            page["LastEvaluatedKey"] = {"token": {"S": f"{last - 1:064x}"}}
        return json_body(page)

    def _bytes_before(self, row: int) -> int:
        rounds, rest = divmod(row, _CYCLE)
        return rounds * self._sums[-1] + self._sums[rest]

    def _end_of_page(self, first: int) -> int:
        """The row that is too much for a page which begins with `first`."""
        reach = self._bytes_before(first) + PAGE_BYTES
        rounds, rest = divmod(reach, self._sums[-1])
        return max(first + 1, rounds * _CYCLE + bisect.bisect_right(self._sums, rest) - 1)
