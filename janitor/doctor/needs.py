"""What each command cannot go without."""

from typing import NamedTuple

from janitor.dynamodb.permissions import GET, PUT, QUERY, SCAN, UPDATE


class Needs(NamedTuple):
    """Of one command.

    Attributes:
        command: its name.
        actions: on the table, without which it fails; how rows are deleted is in `deletes`.
        wishes: on the table, without which it says less.
        deletes: whether it deletes rows.
        plans: whether it deletes by a plan, so that clock and archive matter.
        scans: whether it reads the whole table.
    """

    command: str
    actions: tuple[str, ...]
    wishes: tuple[str, ...] = ()
    deletes: bool = False
    plans: bool = False
    scans: bool = False


NEEDS = {
    needs.command: needs
    for needs in (
        Needs("scan", (SCAN,), (QUERY,), scans=True),
        Needs("sweep", (SCAN, GET), (QUERY,), deletes=True, plans=True, scans=True),
        Needs("apply", (GET,), (QUERY,), deletes=True, plans=True),
        Needs("restore", (GET, PUT)),
        Needs("token", (SCAN, GET, PUT, UPDATE), (QUERY,), deletes=True),
    )
}
