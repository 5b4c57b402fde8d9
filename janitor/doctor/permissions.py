"""What may be done with the table."""

from collections.abc import Iterator

from janitor.aws.errors import UNKNOWN_OPERATIONS
from janitor.doctor.needs import Needs
from janitor.doctor.table import FoundTable
from janitor.dynamodb.locate import OWNER_INDEX
from janitor.dynamodb.permissions import DELETE, PARTIQL_DELETE, QUERY, Permissions
from janitor.errors import JanitorError
from janitor.report.checkup import Check, Status, amiss, passed, raised, skipped

_DESCRIBE = "dynamodb:DescribeTable"
_ALLOWED = "allowed"


def permission_checks(needs: Needs, delete_api: str, found: FoundTable) -> list[Check]:
    """Each permission on the table that the command uses, tried.

    Args:
        needs: of the command.
        delete_api: `auto`, `partiql` or `item`.
        found: the table.
    """
    if found.aws is None or found.name is None:
        deletes = _actions_of_deletes(needs, delete_api)
        return [skipped(action, found.why_not) for action in (_DESCRIBE, *needs.actions, *needs.wishes, *deletes)]
    permissions = Permissions(found.aws.dynamodb, found.name)
    described = passed(_DESCRIBE, _ALLOWED) if found.denial is None else raised(_DESCRIBE, found.denial, needed=True)
    return [
        described,
        *(_permission(permissions, action, needed=True) for action in needs.actions),
        *(_wish(permissions, action, found) for action in needs.wishes),
        *_deletes(needs, delete_api, permissions),
    ]


def _wish(permissions: Permissions, action: str, found: FoundTable) -> Check:
    if action == QUERY and found.table is None:
        return skipped(action, found.why_not)
    if action == QUERY and found.table is not None and not found.table.has_owner_index:
        return skipped(action, f"not asked for: the table has no index {OWNER_INDEX}")
    return _permission(permissions, action, needed=False)


def _permission(permissions: Permissions, action: str, *, needed: bool) -> Check:
    """One of them."""
    try:
        permissions.check(action)
    except JanitorError as error:
        return refused(action, error, needed=needed)
    return passed(action, _ALLOWED, needed=needed)


def refused(action: str, error: JanitorError, *, needed: bool) -> Check:
    """What an error says of a permission; of a call that a test server lacks, nothing."""
    if error.code in UNKNOWN_OPERATIONS:
        return skipped(action, "not checked: this server does not know the call")
    return raised(action, error, needed=needed)


def _actions_of_deletes(needs: Needs, delete_api: str) -> tuple[str, ...]:
    if not needs.deletes:
        return ()
    # One token at a time is deleted by its key.
    if not needs.plans or delete_api == "item":
        return (DELETE,)
    return (PARTIQL_DELETE,) if delete_api == "partiql" else (PARTIQL_DELETE, DELETE)


def _deletes(needs: Needs, delete_api: str, permissions: Permissions) -> Iterator[Check]:
    """How rows may be deleted; of two ways one is enough."""
    actions = _actions_of_deletes(needs, delete_api)
    if actions != (PARTIQL_DELETE, DELETE):
        yield from (_permission(permissions, action, needed=True) for action in actions)
        return
    batches = _permission(permissions, PARTIQL_DELETE, needed=True)
    if batches.status is Status.OK:
        yield batches
        yield skipped(DELETE, f"not needed: {PARTIQL_DELETE} is allowed")
        return
    one_by_one = _permission(permissions, DELETE, needed=True)
    if one_by_one.status is Status.OK and batches.status is Status.FAILED:
        found = f"{batches.found}: rows are deleted one by one, which takes longer"
        batches = amiss(PARTIQL_DELETE, found, batches.way_out, needed=False)
    yield batches
    yield one_by_one
