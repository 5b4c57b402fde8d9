"""Which rows a run lists that lists all of a table, and in which order."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from janitor.report.build import urgency
from janitor.report.model import ListingPart
from janitor.run.findings import Told
from janitor.tokens.classify import Classification, State
from janitor.tokens.expiration import whole_seconds
from janitor.tokens.row import Row, Text, text_of
from janitor.tokens.shown import without_keys
from janitor.tokens.user_name import fits

# What a row is sorted by; None where it has nothing of the kind.
_Value: TypeAlias = str | tuple[int, ...] | None


class Order(NamedTuple):
    """What rows are sorted by, one of `ORDERS`, and in which direction; rows that have no such thing come last."""

    by: str
    descending: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.by}"


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A choice of rows: any of the values of each attribute, all of them where it is empty.

    Attributes:
        states: their states.
        users, names: shell patterns of their owners and of their own names.
        order: None for the most urgent first.
    """

    states: tuple[State, ...] = ()
    users: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    order: Order | None = None

    @property
    def wants_active(self) -> bool:
        """Whether active rows have to be read at all."""
        return not self.states or State.ACTIVE in self.states

    def chooses(self, row: Row, verdict: Classification) -> bool:
        """Whether the row is one of those to list."""
        return (
            (not self.states or verdict.state in self.states)
            and _matches(row.username, self.users)
            and _matches(row.name, self.names)
        )

    def part(self, chosen: int) -> ListingPart:
        """What the report says of it; `chosen` are the rows that it chose."""
        return ListingPart(
            states=list(self.states),
            users=[without_keys(pattern) for pattern in self.users],
            names=[without_keys(pattern) for pattern in self.names],
            sort=str(self.order) if self.order else None,
            chosen=chosen,
        )


class Sorted:
    """The first rows in an order, at most `limit` of them, whichever order they come in."""

    def __init__(self, order: Order, limit: int, now: int) -> None:
        """Args: the order, how many rows, and the UNIX second at which they were judged."""
        self._descending, self._limit = order.descending, limit
        self._value = ORDERS[order.by]
        # A sort a page would be slow for a large table, and keeping all would not be flat.
        self._room = 2 * limit + 1
        self._now = now
        self._kept: list[Told] = []

    def add(self, rows: Sequence[Told]) -> None:
        """Take these rows."""
        self._kept.extend(rows)
        if len(self._kept) >= self._room:
            self._cut()

    def rows(self) -> list[Told]:
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


def _matches(value: Text | None, patterns: Sequence[str]) -> bool:
    text = text_of(value)
    return not patterns or (text is not None and any(fits(text, pattern) for pattern in patterns))


def _expiry(told: Told, _: int) -> _Value:
    return None if told.verdict.expiry is None else (told.verdict.expiry,)


def _user(told: Told, _: int) -> _Value:
    return text_of(told.row.username) or None


def _name(told: Told, _: int) -> _Value:
    return text_of(told.row.name) or None


def _created(told: Told, _: int) -> _Value:
    value = told.row.created_date
    second = whole_seconds(value.N) if value is not None and value.N is not None else None
    return None if second is None else (second,)


def _state(told: Told, now: int) -> _Value:
    return tuple(map(int, urgency(told.verdict, now)))


ORDERS: dict[str, Callable[[Told, int], _Value]] = {
    "expiry": _expiry,
    "user": _user,
    "name": _name,
    "created": _created,
    "state": _state,
}
