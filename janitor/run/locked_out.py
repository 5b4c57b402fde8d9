"""Which owners LISA lets create no token until their expired rows are gone.

LISA 6.1 and later refuse a new token to a user who has any row (lambda/api_tokens/handler.py, `_get_user_token`),
expired or not. The scan saw every expired row, but not the active ones, so the owners of those that still stand are
looked up.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import StopRequestedError
from janitor.report.model import Remark
from janitor.run.stopping import Stop
from janitor.tokens.classify import Classification, State
from janitor.tokens.dialect import Dialect, Gate, accepted_by
from janitor.tokens.row import Row, text_of
from janitor.tokens.shown import gives_away

MOST_LOOKUPS = 500
# Owners are remembered up to this many; the rows of others are only counted.
MOST_OWNERS = 10_000

PagesOfOwner = Callable[[str], Iterable[Page]]


class _ExpiredRows(msgspec.Struct):
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


class Owners:
    """Those with an expired row, and those with an accepted one, as far as the scan saw them."""

    def __init__(self) -> None:
        self._expired: dict[str, _ExpiredRows] = {}
        self._accepted: set[str] = set()
        self._rows_beyond = 0

    @property
    def candidates(self) -> set[str]:
        """Owners with an expired row, of whom no accepted one was seen."""
        return {owner for owner in self._expired.keys() - self._accepted if not self._is_withheld(owner)}

    @property
    def rows_of_unremembered(self) -> int:
        """Count the expired rows of owners who are not remembered.

        There are too many of them, or what stands there for a name holds a token.
        """
        return self._rows_beyond + sum(rows.count for owner, rows in self._expired.items() if self._is_withheld(owner))

    def add(self, row: Row, verdict: Classification) -> None:
        """Take note of whose row this is; not to be told of one that has been deleted."""
        owner = text_of(row.username)
        if not owner:
            return
        if Gate.API in verdict.accepted_by:
            if len(self._accepted) < MOST_OWNERS:
                self._accepted.add(owner)
        elif verdict.state in (State.EXPIRED, State.STALE):
            self._add_expired(owner, row.key.S or "")

    def _add_expired(self, owner: str, key: str) -> None:
        rows = self._expired.get(owner)
        if rows is not None:
            rows.count += 1
            rows.are_given_away = rows.are_given_away or gives_away(owner, key)
        elif len(self._expired) < MOST_OWNERS:
            self._expired[owner] = _ExpiredRows(key)
        else:
            self._rows_beyond += 1

    def _is_withheld(self, owner: str) -> bool:
        # Owners are named in the report. One whose name is a token, of any row of theirs, must not be.
        rows = self._expired[owner]
        return rows.are_given_away or gives_away(owner, rows.key)


class LockedOut(msgspec.Struct, frozen=True):
    """What the look-ups found.

    Attributes:
        owners: with an expired row and no accepted one, sorted.
        unchecked: how many owners with an expired row were not looked up.
        read_units: what the look-ups cost.
    """

    owners: tuple[str, ...] = ()
    unchecked: int = 0
    read_units: float = 0.0


def find_locked_out(candidates: Iterable[str], pages_of_owner: PagesOfOwner, now: int, stop: Stop) -> LockedOut:
    """Look up at most 500 of the candidates, in alphabetical order.

    One after the other: 500 take a few seconds, and more at once would cost LISA's authorizer its share.

    Args:
        candidates: owners with an expired row, of whom the scan saw no accepted one.
        pages_of_owner: the rows that carry a username.
        now: the run's UNIX second.
        stop: a request leaves the rest unchecked.

    Raises:
        AwsError: the index could not be read.
    """
    waiting = sorted(candidates)
    owners: list[str] = []
    units, checked = 0.0, 0
    with suppress(StopRequestedError):
        for owner in waiting[:MOST_LOOKUPS]:
            with stop.waiting():
                is_locked_out, cost = _is_locked_out(pages_of_owner(owner), now)
            checked += 1
            units += cost
            if is_locked_out:
                owners.append(owner)
    return LockedOut(tuple(owners), len(waiting) - checked, units)


def sift_locked_out(candidates: Iterable[str], pages: Iterable[Page], now: int, stop: Stop) -> LockedOut:
    """Go through every row once more, where that asks nothing of the table, for all of the candidates at once.

    Args:
        candidates: owners with an expired row, of whom the scan saw no accepted one.
        pages: every row.
        now: the run's UNIX second.
        stop: a request leaves all of them unchecked.

    Raises:
        JanitorError: the rows could not be read again.
    """
    left = set(candidates)
    for page in pages:
        for row in page.rows(range(page.count)):
            if text_of(row.username) in left and Gate.API in accepted_by(row, now, Dialect.HASHED):
                left.discard(text_of(row.username) or "")
        if not left:
            break
    return LockedOut(unchecked=len(left)) if stop.is_requested() else LockedOut(tuple(sorted(left)))


def unchecked_warning(owners: int, rows: int) -> list[Remark]:
    """The warning that so many owners, and those of so many rows, were not looked up; none for none."""
    if not owners and not rows:
        return []
    unchecked = [f"{owners:,} more owners with an expired row"] if owners else []
    unchecked += [f"the owners of {rows:,} more expired rows"] if rows else []
    message = f"{' and '.join(unchecked)} were not looked up; they may be locked out too"
    return [Remark(where="locked_out", code="unchecked", message=message)]


def _is_locked_out(pages: Iterable[Page], now: int) -> tuple[bool, float]:
    units, rows = 0.0, 0
    for page in pages:
        units += page.read_units
        rows += page.count
        if any(_accepted(page, now)):
            return False, units
    # A sweep may just have deleted the last of them, and so let the owner in again.
    return rows > 0, units


def _accepted(page: Page, now: int) -> Iterator[bool]:
    for row in page.rows(range(page.count)):
        yield Gate.API in accepted_by(row, now, Dialect.HASHED)
