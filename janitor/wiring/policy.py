"""How a run judges rows, out of its settings."""

from collections.abc import Sequence
from typing import NamedTuple

from janitor.settings.table import PolicySettings, ProtectionSettings
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


class Terms(NamedTuple):
    """By what a table is judged in a run.

    Attributes:
        run_id: the run's id.
        policy: the rules.
        now: the UNIX second at which rows are judged; the present, or `as_of`.
        as_of: the time that the user gave instead of the present.
        secret: the key of fingerprints, None for plain ones.
        is_dry_run: whether nothing is deleted, announced and remembered.
    """

    run_id: str
    policy: Policy
    now: int
    as_of: int | None
    secret: bytes | None
    is_dry_run: bool
