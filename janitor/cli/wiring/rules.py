"""How a run judges rows, out of its settings."""

from collections.abc import Sequence

from janitor.config.table import PolicySettings, ProtectionSettings
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy


def policy_of(
    policy: PolicySettings, protection: ProtectionSettings, dialect: Dialect, include: Sequence[str] = ()
) -> Policy:
    """The rules, for a table of this dialect; `include` names the states that may be deleted besides stale."""
    return Policy(
        dialect=dialect,
        thresholds=tuple(sorted(set(policy.expiring_within), reverse=True)),
        grace=policy.grace,
        protect_users=protection.protect_user,
        protect_system=protection.protect_system,
        include_legacy="legacy" in include,
    )
