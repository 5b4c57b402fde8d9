"""Rows that keep their owner from a new token: which of them may go early, and what would remove each.

LISA 6.1 and later create no token for a user who has any row, whatever its state (lambda/api_tokens/handler.py at
v6.6.0). An owner of rows that its API refuses is locked out until all of them are gone.
"""

from enum import StrEnum
from functools import lru_cache

from msgspec import structs

from janitor.tokens.classify import State, Verdict, classify, is_deletable
from janitor.tokens.policy import Policy
from janitor.tokens.protection import find_protection
from janitor.tokens.row import Row, text_of

# The reason of a row that is planned before its grace is over.
UNLOCKS_OWNER = "unlocks-owner"


class Remedy(StrEnum):
    """What removes a row that keeps its owner out.

    `unlock-after`: a sweep with that option, `include-legacy` and `include-undated`: with that one too. `unprotect`:
    nothing, while it is protected. `remove`: no sweep, but `janitor token remove`.
    """

    UNLOCK_AFTER = "unlock-after"
    INCLUDE_LEGACY = "include-legacy"
    INCLUDE_UNDATED = "include-undated"
    UNPROTECT = "unprotect"
    REMOVE = "remove"


@lru_cache(maxsize=16)
def make_early_policy(policy: Policy) -> Policy | None:
    """Make the rules for rows that keep their owner out; None if they are those for all rows.

    `unlock_after` stands for the grace in them, and rows without a date never go: only an expiry starts its time.
    """
    if policy.unlock_after is None or policy.unlock_after >= policy.grace:
        return None
    return structs.replace(policy, grace=policy.unlock_after, include_undated=False)


def judge_early(row: Row, now: int, policy: Policy) -> Verdict | None:
    """Judge a row that is in its grace at the UNIX second `now`, as if it kept its owner out.

    Returns:
        the verdict, with its reason, if the row may be deleted for that; else None.
    """
    early_policy = make_early_policy(policy)
    if early_policy is None or not text_of(row.username):
        return None
    verdict = classify(row, now, early_policy)
    if not is_deletable(verdict, now, early_policy):
        return None
    return structs.replace(verdict, reasons=(*verdict.reasons, UNLOCKS_OWNER))


def find_remedy(row: Row, verdict: Verdict, now: int, policy: Policy) -> Remedy:
    """Find what would remove a row that the API of LISA rejects, by its verdict at the UNIX second `now`."""
    if find_protection(row, policy) is not None:
        return Remedy.UNPROTECT
    if verdict.undated_since is not None:
        return Remedy.INCLUDE_UNDATED
    if verdict.expiry is None or now < verdict.expiry:
        return Remedy.REMOVE
    return Remedy.INCLUDE_LEGACY if verdict.state is State.LEGACY else Remedy.UNLOCK_AFTER
