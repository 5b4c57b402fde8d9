"""Which rows are reported but never deleted."""

from fnmatch import fnmatchcase

from janitor.tokens.policy import Policy
from janitor.tokens.row import Row, is_true, text_of


def protected_by(row: Row, policy: Policy) -> str | None:
    """What protects the row: `hold`, `system`, or `user:PATTERN`; None when nothing does.

    `hold` is the row's own attribute `janitorHold`. Any value that Python takes for true holds, whatever its type.
    """
    if is_true(row.hold):
        return "hold"
    if policy.protect_system and is_true(row.is_system):
        return "system"
    username = text_of(row.username)
    if not policy.protect_users or username is None:
        return None
    return next((f"user:{pattern}" for pattern in policy.protect_users if fnmatchcase(username, pattern)), None)
