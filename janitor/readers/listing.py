"""Which rows `janitor token list` and a filtered scan list, and in which order."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from janitor.report.model import ListingPart
from janitor.tokens.classify import State, Verdict
from janitor.tokens.redact import remove_keys
from janitor.tokens.row import Row, Text, read_groups, text_of
from janitor.tokens.user_name import matches_pattern


class Order(NamedTuple):
    """What rows are sorted by, a choice of `--sort`, and in which direction; rows without that attribute come last."""

    by: str
    descending: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.by}"


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A selection of rows: each filter selects rows that match any of its values, or all rows if it is empty.

    Attributes:
        only_findings: whether it selects only rows that are worth a line in the report of a scan.
        states: states of rows.
        users, names, groups: shell patterns of owners, of token names, and of groups: one of the row's matches.
        order: None for the most urgent first.
    """

    only_findings: bool = False
    states: tuple[State, ...] = ()
    users: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    order: Order | None = None

    @property
    def wants_active(self) -> bool:
        """Whether plainly active rows have to be read."""
        return not self.only_findings and (not self.states or State.ACTIVE in self.states)

    def selects(self, row: Row, verdict: Verdict) -> bool:
        """Whether the row is to be listed."""
        return (
            (verdict.is_finding or not self.only_findings)
            and (not self.states or verdict.state in self.states)
            and _matches(row.username, self.users)
            and _matches(row.name, self.names)
            and (not self.groups or _matches_any(read_groups(row.groups) or (), self.groups))
        )

    def part(self, chosen: int) -> ListingPart:
        """Build the report's part about the listing; `chosen` is how many rows it selected."""
        return ListingPart(
            only_findings=self.only_findings,
            states=list(self.states),
            users=[remove_keys(pattern) for pattern in self.users],
            names=[remove_keys(pattern) for pattern in self.names],
            groups=[remove_keys(pattern) for pattern in self.groups],
            sort=str(self.order) if self.order else None,
            chosen=chosen,
        )


def _matches_any(texts: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(matches_pattern(text, pattern) for text in texts for pattern in patterns)


def _matches(value: Text | None, patterns: Sequence[str]) -> bool:
    text = text_of(value)
    return not patterns or (text is not None and _matches_any([text], patterns))
