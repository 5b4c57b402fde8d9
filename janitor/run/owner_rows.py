"""Reads every row of some owners: through the table's index, or by reading all rows of a source once more."""

from collections.abc import Callable, Collection
from contextlib import suppress

import msgspec

from janitor.dynamodb.owner_query import MAX_OWNER_LOOKUPS
from janitor.errors import StopRequestedError
from janitor.run.spec import OwnerLookup
from janitor.stopping import Stop
from janitor.tokens.row import Row, text_of

Visit = Callable[[str, Row], bool]
"""Takes an owner and a row of that owner. Returns whether it wants to see more rows of that owner."""


class OwnersRead(msgspec.Struct, frozen=True):
    """Which owners were looked up, and the read units that it cost."""

    owners: frozenset[str] = frozenset()
    read_units: float = 0.0


def visit_rows_of_owners(
    owners: Collection[str],
    lookup: OwnerLookup,
    stop: Stop,
    visit: Visit,
    *,
    most: int = MAX_OWNER_LOOKUPS,
) -> OwnersRead:
    """Show the rows of these owners to `visit`.

    With the index, owners are looked up one after the other, in alphabetical order: 500 take a few seconds, and several
    at once would take capacity from LISA's authorizer.

    Args:
        owners: their names.
        lookup: how to read their rows; if there is no way, nobody is looked up.
        stop: a request leaves the owners who are not looked up yet; of a source, all of them.
        visit: sees the rows.
        most: how many owners are looked up through the index.

    Raises:
        JanitorError: the index or the source could not be read.
    """
    if lookup.reread is not None:
        return _visit_every_row(owners, lookup, stop, visit)
    if lookup.pages_of_owner is None:
        return OwnersRead()
    read_units, done = 0.0, set[str]()
    with suppress(StopRequestedError):
        for owner in sorted(owners)[:most]:
            with stop.interruptible_wait():
                for page in lookup.pages_of_owner(owner):
                    read_units += page.read_units
                    if not all(visit(owner, row) for row in page.rows(range(page.count))):
                        break
            done.add(owner)
    return OwnersRead(frozenset(done), read_units)


def _visit_every_row(owners: Collection[str], lookup: OwnerLookup, stop: Stop, visit: Visit) -> OwnersRead:
    assert lookup.reread is not None  # noqa: S101  # asked by the caller
    wanted = set(owners)
    for page in lookup.reread():
        for row in page.rows(range(page.count)):
            owner = text_of(row.username)
            if owner in wanted and not visit(owner, row):
                wanted.remove(owner)
        if not wanted:
            break
    return OwnersRead() if stop.is_requested() else OwnersRead(frozenset(owners))
