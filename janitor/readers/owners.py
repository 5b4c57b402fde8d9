"""Whose rows were read: owners with an expired row, and owners with one that LISA accepts."""

import msgspec

from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Gate
from janitor.tokens.redact import gives_away
from janitor.tokens.row import Row, text_of

# Owners are remembered up to this many; the rows of others are only counted.
MOST_OWNERS = 10_000


class ExpiredRows(msgspec.Struct):
    """What is known of an owner's expired rows.

    Attributes:
        key: the first one's key. Whether the owner's name gives it away is asked only when the owner is to be named:
            most have one row, and to ask costs as much as all else that is done with it.
        count: how many there are.
        are_given_away: whether the owner's name gives away the key of another of them.
    """

    key: str
    count: int = 1
    are_given_away: bool = False

    def __repr__(self) -> str:
        return f"ExpiredRows({self.count})"


class Owners(msgspec.Struct):
    """Those with an expired row, and those with an accepted one."""

    expired: dict[str, ExpiredRows] = msgspec.field(default_factory=dict)
    accepted: set[str] = msgspec.field(default_factory=set)
    rows_beyond: int = 0

    @property
    def candidates(self) -> set[str]:
        """Owners with an expired row, of whom no accepted one was seen."""
        return {owner for owner in self.expired.keys() - self.accepted if not self._is_withheld(owner)}

    @property
    def rows_of_unremembered(self) -> int:
        """Count the expired rows of owners who are not remembered.

        There are too many of them, or what stands there for a name holds a token.
        """
        return self.rows_beyond + sum(rows.count for owner, rows in self.expired.items() if self._is_withheld(owner))

    def add(self, row: Row, verdict: Classification) -> None:
        """Take note of whose row this is; not to be told of one that has been deleted."""
        owner = text_of(row.username)
        if not owner:
            return
        if Gate.API in verdict.accepted_by:
            if len(self.accepted) < MOST_OWNERS:
                self.accepted.add(owner)
        elif verdict.state in (State.EXPIRED, State.STALE):
            self._add_expired(owner, ExpiredRows(row.key.S or ""))

    def add_all(self, other: "Owners") -> None:
        """Add those of other rows."""
        more = other.accepted - self.accepted
        room = MOST_OWNERS - len(self.accepted)
        self.accepted.update(more if len(more) <= room else sorted(more)[:room])
        self.rows_beyond += other.rows_beyond
        for owner, rows in other.expired.items():
            self._add_expired(owner, rows)

    def _add_expired(self, owner: str, more: ExpiredRows) -> None:
        rows = self.expired.get(owner)
        if rows is not None:
            rows.count += more.count
            rows.are_given_away = rows.are_given_away or more.are_given_away or gives_away(owner, more.key)
        elif len(self.expired) < MOST_OWNERS:
            self.expired[owner] = more
        else:
            self.rows_beyond += more.count

    def _is_withheld(self, owner: str) -> bool:
        # Owners are named in the report. One whose name is a token, of any row of theirs, must not be.
        rows = self.expired[owner]
        return rows.are_given_away or gives_away(owner, rows.key)
