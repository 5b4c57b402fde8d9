"""What each command needs."""

from typing import NamedTuple

from janitor.dynamodb.permissions import GET, PUT, QUERY, SCAN, UPDATE


class Needs(NamedTuple):
    """What one command needs.

    Attributes:
        command: its name.
        actions: the table's actions without which it fails, those on its index only if it has one; those that delete
            rows follow from `deletes`.
        optional_actions: the table's actions without which its report says less, or an option does not work.
        deletes: whether it deletes rows.
        plans: whether it deletes by a plan, so that it needs the clock and the archive.
        scans: whether it reads the whole table.
    """

    command: str
    actions: tuple[str, ...]
    optional_actions: tuple[str, ...] = ()
    deletes: bool = False
    plans: bool = False
    scans: bool = False


NEEDS = {
    needs.command: needs
    for needs in (
        Needs("scan", (SCAN,), (QUERY,), scans=True),
        Needs("sweep", (SCAN, GET), (QUERY,), deletes=True, plans=True, scans=True),
        Needs("apply", (GET,), (QUERY,), deletes=True, plans=True),
        # It looks at the other rows of each owner, unless --beside is given.
        Needs("restore", (GET, PUT, QUERY)),
        Needs("token", (SCAN, GET, PUT, UPDATE), (QUERY,), deletes=True),
    )
}
