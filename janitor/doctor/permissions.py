"""The permissions on the table."""

from collections.abc import Iterator

from janitor.aws.errors import UNKNOWN_OPERATIONS
from janitor.doctor.needs import Needs
from janitor.doctor.table import FoundTable
from janitor.dynamodb.locate import OWNER_INDEX
from janitor.dynamodb.permissions import DELETE, PARTIQL_DELETE, QUERY, Permissions
from janitor.errors import JanitorError
from janitor.report.checkup import Check, Status, error_check, failed_check, passed_check, skipped_check

_DESCRIBE = "dynamodb:DescribeTable"
_ALLOWED = "allowed"


def examine_permissions(needs: Needs, delete_api: str, found: FoundTable) -> list[Check]:
    """Try each permission on the table that the command uses.

    Args:
        needs: what the command needs.
        delete_api: `auto`, `partiql` or `item`.
        found: the table.
    """
    if found.aws is None or found.name is None:
        deletes = _list_delete_actions(needs, delete_api)
        return [
            skipped_check(action, found.skip_reason)
            for action in (_DESCRIBE, *needs.actions, *needs.optional_actions, *deletes)
        ]
    permissions = Permissions(found.aws.dynamodb, found.name)
    describe = (
        passed_check(_DESCRIBE, _ALLOWED) if found.denial is None else error_check(_DESCRIBE, found.denial, needed=True)
    )
    return [
        describe,
        *(_examine_use(permissions, action, found, needed=True) for action in needs.actions),
        *(_examine_use(permissions, action, found, needed=False) for action in needs.optional_actions),
        *_examine_deletes(needs, delete_api, permissions),
    ]


def _examine_use(permissions: Permissions, action: str, found: FoundTable, *, needed: bool) -> Check:
    if action == QUERY and found.table is None:
        return skipped_check(action, found.skip_reason)
    if action == QUERY and found.table is not None and not found.table.has_owner_index:
        return skipped_check(action, f"not asked for: the table has no index {OWNER_INDEX}")
    return _examine_permission(permissions, action, needed=needed)


def _examine_permission(permissions: Permissions, action: str, *, needed: bool) -> Check:
    try:
        permissions.check(action)
    except JanitorError as error:
        return make_permission_error_check(action, error, needed=needed)
    return passed_check(action, _ALLOWED, needed=needed)


def make_permission_error_check(action: str, error: JanitorError, *, needed: bool) -> Check:
    """Make the check of a permission whose call failed; it is skipped if a test server does not know the call."""
    if error.code in UNKNOWN_OPERATIONS:
        return skipped_check(action, "not checked: this server does not know the call")
    return error_check(action, error, needed=needed)


def _list_delete_actions(needs: Needs, delete_api: str) -> tuple[str, ...]:
    if not needs.deletes:
        return ()
    if delete_api == "item":
        return (DELETE,)
    return (PARTIQL_DELETE,) if delete_api == "partiql" else (PARTIQL_DELETE, DELETE)


def _examine_deletes(needs: Needs, delete_api: str, permissions: Permissions) -> Iterator[Check]:
    """Check that rows can be deleted; one of the two ways is enough."""
    actions = _list_delete_actions(needs, delete_api)
    if actions != (PARTIQL_DELETE, DELETE):
        yield from (_examine_permission(permissions, action, needed=True) for action in actions)
        return
    batches = _examine_permission(permissions, PARTIQL_DELETE, needed=True)
    if batches.status is Status.OK:
        yield batches
        yield skipped_check(DELETE, f"not needed: {PARTIQL_DELETE} is allowed")
        return
    one_by_one = _examine_permission(permissions, DELETE, needed=True)
    if one_by_one.status is Status.OK and batches.status is Status.FAILED:
        found = f"{batches.found}: rows are deleted one by one, which takes longer"
        batches = failed_check(PARTIQL_DELETE, found, batches.way_out, needed=False)
    yield batches
    yield one_by_one
