"""Which owners LISA lets create no token until their expired rows are gone.

LISA 6.1 and later refuse a new token to a user who has any row (lambda/api_tokens/handler.py, `_get_user_token`),
expired or not. The scan saw every expired row, but not the active ones, so the owners of those that still stand are
looked up.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from janitor.dynamodb.decode import Page
from janitor.dynamodb.owners import MOST_LOOKUPS, PagesOfOwner
from janitor.errors import StopRequestedError
from janitor.report.model import Remark
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect, Gate, accepted_by
from janitor.tokens.row import text_of


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
