"""Collect owners of the rows that were read: those with a row that LISA's API rejects, or with one that it accepts."""

import msgspec

from janitor.tokens.classify import Verdict
from janitor.tokens.dialect import Gate
from janitor.tokens.redact import reveals_token
from janitor.tokens.row import Row, text_of

# The most owners that are kept by name; the refused rows of further owners are only counted.
MAX_OWNERS = 10_000


class RefusedRows(msgspec.Struct):
    """The rows of one owner that LISA's API rejects.

    Attributes:
        key: the key of the first row. Whether the owner's name reveals it is checked only when the owner is to be
            named: most owners have one row, and the check costs as much as everything else that is done with the row.
        count: how many rows there are.
        reveals_other_key: whether the owner's name reveals the key of another of these rows.
    """

    key: str
    count: int = 1
    reveals_other_key: bool = False

    def __repr__(self) -> str:
        return f"RefusedRows({self.count})"


class Owners(msgspec.Struct):
    """Owners with a row that LISA's API rejects, and owners with one it accepts.

    Attributes:
        refused: the refused rows by owner: expired ones, and those that no date or tokenUUID lets in.
        accepted: owners with a row that LISA's API accepts.
        uncollected_rows: how many refused rows belong to owners beyond the most that are kept.
    """

    refused: dict[str, RefusedRows] = msgspec.field(default_factory=dict)
    accepted: set[str] = msgspec.field(default_factory=set)
    uncollected_rows: int = 0

    @property
    def candidates(self) -> set[str]:
        """Owners who may be locked out: they have a refused row, and no accepted one was read."""
        return {owner for owner in self.refused.keys() - self.accepted if not self._name_reveals_token(owner)}

    @property
    def unnamed_rows(self) -> int:
        """How many refused rows belong to owners who cannot be named: too many owners, or the name reveals a token."""
        hidden = sum(rows.count for owner, rows in self.refused.items() if self._name_reveals_token(owner))
        return self.uncollected_rows + hidden

    def add(self, row: Row, verdict: Verdict) -> None:
        """Add the owner of a row; do not call it for a row that is to be deleted."""
        owner = text_of(row.username)
        if not owner:
            return
        if Gate.API in verdict.accepted_by:
            if len(self.accepted) < MAX_OWNERS:
                self.accepted.add(owner)
        else:
            self._add_refused(owner, RefusedRows(row.key.S or ""))

    def add_all(self, other: "Owners") -> None:
        """Add the owners of other rows."""
        more = other.accepted - self.accepted
        room = MAX_OWNERS - len(self.accepted)
        self.accepted.update(more if len(more) <= room else sorted(more)[:room])
        self.uncollected_rows += other.uncollected_rows
        for owner, rows in other.refused.items():
            self._add_refused(owner, rows)

    def _add_refused(self, owner: str, more: RefusedRows) -> None:
        rows = self.refused.get(owner)
        if rows is not None:
            rows.count += more.count
            rows.reveals_other_key = rows.reveals_other_key or more.reveals_other_key or reveals_token(owner, more.key)
        elif len(self.refused) < MAX_OWNERS:
            self.refused[owner] = more
        else:
            self.uncollected_rows += more.count

    def _name_reveals_token(self, owner: str) -> bool:
        # The report names owners. An owner whose name is the token of one of their rows must not appear there.
        rows = self.refused[owner]
        return rows.reveals_other_key or reveals_token(owner, rows.key)
