"""Passes findings on in the order that the user asked for, the same to every report."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from janitor.logs import get_logger
from janitor.readers.interface import JudgedRow, Rules
from janitor.readers.listing import Order
from janitor.report.build import verdict_urgency
from janitor.report.model import Finding
from janitor.run.finding_collector import FindingCollector
from janitor.run.last_seen import LastSeenLookup
from janitor.run.outlets import Outlets
from janitor.tokens.expiration import whole_seconds
from janitor.tokens.row import text_of

log = get_logger("janitor.run")

# What a row is sorted by; None if it has no such value.
_Value: TypeAlias = str | tuple[int, ...] | None


class SortedCollector(FindingCollector):
    """Keeps the first rows in the order, as many as a report may list. Reports that stream get them at the end."""

    def __init__(
        self,
        outlets: Outlets,
        rules: Rules,
        order: Order,
        *,
        max_listed: int,
        last_seen: LastSeenLookup | None = None,
    ) -> None:
        """Prepare.

        Args:
            outlets: the reports.
            rules: the rules by which rows are judged.
            order: the order.
            max_listed: how many findings a report lists.
            last_seen: looks up when their owners were last seen; None if nobody asks.
        """
        super().__init__(outlets, rules, max_listed=max_listed, last_seen=last_seen)
        self._sorter = RowSorter(order, max_listed, rules.now)
        self._count = 0

    def add(self, rows: Sequence[JudgedRow], lines: Sequence[Finding] = ()) -> None:  # noqa: ARG002  # made at the end
        """Take findings; lines are built at the end."""
        if self._last_seen is not None:
            self._last_seen.look_up(rows)
        self._count += len(rows)
        self._sorter.add(rows)

    def finish(self) -> list[Finding]:
        """Return the first findings in the order, after writing them to the reports that stream."""
        found = self._complete(self._sorter.sorted_rows())
        if len(found) < self._count:
            # A report in a format like csv has no place to say so.
            log.warning("listing.cut", listed=len(found), chosen=self._count, way_out="raise --max-findings")
        if self._outlets.streams:
            self._outlets.write_lines(found)
        return found


class RowSorter:
    """Keeps the first rows in an order, at most `limit` of them, whatever order they come in."""

    def __init__(self, order: Order, limit: int, now: int) -> None:
        """Prepare.

        Args:
            order: the order.
            limit: how many rows are kept.
            now: the UNIX second at which they were judged.
        """
        self._descending, self._limit = order.descending, limit
        self._value = SORT_VALUES[order.by]
        # Sorting at every page would be slow for a large table; keeping all rows would take memory without bound.
        self._max_kept = 2 * limit + 1
        self._now = now
        self._kept: list[JudgedRow] = []

    def add(self, rows: Sequence[JudgedRow]) -> None:
        """Take these rows."""
        self._kept.extend(rows)
        if len(self._kept) >= self._max_kept:
            self._keep_first()

    def sorted_rows(self) -> list[JudgedRow]:
        """The rows in order. Equal ones are sorted by key, so that every run lists them in the same order."""
        self._keep_first()
        return self._kept

    def _keep_first(self) -> None:
        self._kept.sort(key=lambda found: found.row.key.S or "")
        valued = [(self._value(found, self._now), found) for found in self._kept]
        with_value = [(value, found) for value, found in valued if value is not None]
        with_value.sort(key=lambda pair: pair[0], reverse=self._descending)
        without_value = [found for value, found in valued if value is None]
        self._kept = [*(found for _, found in with_value), *without_value][: self._limit]


def _expiry_value(found: JudgedRow, _: int) -> _Value:
    return None if found.verdict.expiry is None else (found.verdict.expiry,)


def _user_value(found: JudgedRow, _: int) -> _Value:
    return text_of(found.row.username) or None


def _name_value(found: JudgedRow, _: int) -> _Value:
    return text_of(found.row.name) or None


def _created_value(found: JudgedRow, _: int) -> _Value:
    value = found.row.created_date
    second = whole_seconds(value.N) if value is not None and value.N is not None else None
    return None if second is None else (second,)


def _state_value(found: JudgedRow, now: int) -> _Value:
    return tuple(map(int, verdict_urgency(found.verdict, now)))


SORT_VALUES: dict[str, Callable[[JudgedRow, int], _Value]] = {
    "expiry": _expiry_value,
    "user": _user_value,
    "name": _name_value,
    "created": _created_value,
    "state": _state_value,
}
