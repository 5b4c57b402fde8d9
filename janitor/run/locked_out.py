"""Finds the owners who cannot create a token until their expired rows are gone.

LISA 6.1 and later refuse a new token to a user who has any row (lambda/api_tokens/handler.py, `_get_user_token`),
expired or not. The scan sees every expired row, but no active ones, so the owners of expired rows are looked up.
"""

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from janitor.dynamodb.decode import Page
from janitor.dynamodb.owner_query import MAX_OWNER_LOOKUPS, PagesOfOwner
from janitor.errors import StopRequestedError
from janitor.report.model import Remark
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect, Gate, find_accepting_gates
from janitor.tokens.row import text_of


class LockedOut(msgspec.Struct, frozen=True):
    """What the look-ups found.

    Attributes:
        owners: those with an expired row and no accepted one, sorted.
        unchecked: how many owners with an expired row were not looked up.
        read_units: what the look-ups cost.
    """

    owners: tuple[str, ...] = ()
    unchecked: int = 0
    read_units: float = 0.0


def find_locked_out(candidates: Iterable[str], pages_of_owner: PagesOfOwner, now: int, stop: Stop) -> LockedOut:
    """Look up at most 500 of the candidates, in alphabetical order.

    They are looked up one after the other: 500 take a few seconds, and several at once would take capacity from LISA's
    authorizer.

    Args:
        candidates: owners with an expired row, of whom the scan saw no accepted one.
        pages_of_owner: reads the rows of an owner.
        now: the run's UNIX second.
        stop: a request leaves the rest unchecked.

    Raises:
        AwsError: the index could not be read.
    """
    owners_to_check = sorted(candidates)
    locked_out: list[str] = []
    read_units, checked = 0.0, 0
    with suppress(StopRequestedError):
        for owner in owners_to_check[:MAX_OWNER_LOOKUPS]:
            with stop.interruptible_wait():
                is_locked_out, cost = _is_locked_out(pages_of_owner(owner), now)
            checked += 1
            read_units += cost
            if is_locked_out:
                locked_out.append(owner)
    return LockedOut(tuple(locked_out), len(owners_to_check) - checked, read_units)


def find_locked_out_in_pages(candidates: Iterable[str], pages: Iterable[Page], now: int, stop: Stop) -> LockedOut:
    """Find them by reading every row once more, for all candidates at once.

    Args:
        candidates: owners with an expired row, of whom the scan saw no accepted one.
        pages: every row.
        now: the run's UNIX second.
        stop: a request leaves all of them unchecked.

    Raises:
        JanitorError: the rows could not be read again.
    """
    remaining = set(candidates)
    for page in pages:
        for row in page.rows(range(page.count)):
            if text_of(row.username) in remaining and Gate.API in find_accepting_gates(row, now, Dialect.HASHED):
                remaining.discard(text_of(row.username) or "")
        if not remaining:
            break
    return LockedOut(unchecked=len(remaining)) if stop.is_requested() else LockedOut(tuple(sorted(remaining)))


def build_unchecked_warnings(owners: int, rows: int) -> list[Remark]:
    """Build the warning that so many owners, and the owners of so many rows, were not looked up; empty for none."""
    if not owners and not rows:
        return []
    unchecked = [f"{owners:,} more owners with an expired row"] if owners else []
    unchecked += [f"the owners of {rows:,} more expired rows"] if rows else []
    message = f"{' and '.join(unchecked)} were not looked up; they may be locked out too"
    return [Remark(where="locked_out", code="unchecked", message=message)]


def _is_locked_out(pages: Iterable[Page], now: int) -> tuple[bool, float]:
    read_units, rows = 0.0, 0
    for page in pages:
        read_units += page.read_units
        rows += page.count
        if any(Gate.API in find_accepting_gates(row, now, Dialect.HASHED) for row in page.rows(range(page.count))):
            return False, read_units
    # No rows: a sweep may just have deleted the last one, so the owner can create a token again.
    return rows > 0, read_units
