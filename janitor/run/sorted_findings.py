"""Findings that are told in an order that somebody asked for, to every report alike."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from janitor.logs import get_logger
from janitor.readers.interface import FoundRow, Rules
from janitor.readers.judging import lines_of
from janitor.readers.listing import Order
from janitor.report.build import finding_urgency
from janitor.report.model import Finding
from janitor.run.findings import Findings
from janitor.run.outlets import Outlets
from janitor.tokens.expiration import whole_seconds
from janitor.tokens.row import text_of

log = get_logger("janitor.run")

# What a row is sorted by; None where it has nothing of the kind.
_Value: TypeAlias = str | tuple[int, ...] | None


class SortedFindings(Findings):
    """Keeps the first rows in the order, as many as a report may list; reports that stream get them at the end."""

    def __init__(self, outlets: Outlets, rules: Rules, order: Order, *, most: int) -> None:
        """Args: as `Findings`, and the order."""
        super().__init__(outlets, rules, most=most)
        self._sorted = Sorted(order, most, rules.now)
        self._told = 0

    def tell(self, rows: Sequence[FoundRow], lines: Sequence[Finding] = ()) -> None:  # noqa: ARG002  # made at the end
        """Take these rows."""
        self._told += len(rows)
        self._sorted.add(rows)

    def most_urgent(self) -> list[Finding]:
        """The first findings in the order; those that stream are told now."""
        found = lines_of(self._sorted.rows(), self._rules)
        if len(found) < self._told:
            # A report such as csv has no place to say so.
            log.warning("listing.cut", listed=len(found), chosen=self._told, way_out="raise --max-findings")
        if self._outlets.streams:
            self._outlets.lines(found)
        return found


class Sorted:
    """The first rows in an order, at most `limit` of them, whichever order they come in."""

    def __init__(self, order: Order, limit: int, now: int) -> None:
        """Args: the order, how many rows, and the UNIX second at which they were judged."""
        self._descending, self._limit = order.descending, limit
        self._value = ORDERS[order.by]
        # A sort a page would be slow for a large table, and keeping all would not be flat.
        self._room = 2 * limit + 1
        self._now = now
        self._kept: list[FoundRow] = []

    def add(self, rows: Sequence[FoundRow]) -> None:
        """Take these rows."""
        self._kept.extend(rows)
        if len(self._kept) >= self._room:
            self._cut()

    def rows(self) -> list[FoundRow]:
        """Those that are left, in order; equals by their keys, so that every run tells them alike."""
        self._cut()
        return self._kept

    def _cut(self) -> None:
        self._kept.sort(key=lambda told: told.row.key.S or "")
        dated = [(self._value(told, self._now), told) for told in self._kept]
        having = [(value, told) for value, told in dated if value is not None]
        having.sort(key=lambda pair: pair[0], reverse=self._descending)
        lacking = [told for value, told in dated if value is None]
        self._kept = [*(told for _, told in having), *lacking][: self._limit]


def _expiry(told: FoundRow, _: int) -> _Value:
    return None if told.verdict.expiry is None else (told.verdict.expiry,)


def _user(told: FoundRow, _: int) -> _Value:
    return text_of(told.row.username) or None


def _name(told: FoundRow, _: int) -> _Value:
    return text_of(told.row.name) or None


def _created(told: FoundRow, _: int) -> _Value:
    value = told.row.created_date
    second = whole_seconds(value.N) if value is not None and value.N is not None else None
    return None if second is None else (second,)


def _state(told: FoundRow, now: int) -> _Value:
    return tuple(map(int, finding_urgency(told.verdict, now)))


ORDERS: dict[str, Callable[[FoundRow, int], _Value]] = {
    "expiry": _expiry,
    "user": _user,
    "name": _name,
    "created": _created,
    "state": _state,
}
