"""Which rows a run lists that lists all of a table, and in which order."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from janitor.report.model import ListingPart
from janitor.tokens.classify import Classification, State
from janitor.tokens.redact import without_keys
from janitor.tokens.row import Row, Text, text_of
from janitor.tokens.user_name import fits


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


def _matches(value: Text | None, patterns: Sequence[str]) -> bool:
    text = text_of(value)
    return not patterns or (text is not None and any(fits(text, pattern) for pattern in patterns))
