"""Which rows a sweep may delete. The one rule that everything destructive asks, at every step, about every row."""

from janitor.tokens.classify import Classification, State
from janitor.tokens.policy import Policy


def is_deletable(verdict: Classification, now: int, policy: Policy) -> bool:
    """Whether a row may be deleted at the UNIX second `now`: it is stale, or legacy and told to go, and always dead.

    A row that any gate of LISA accepts is never deletable, whatever its state and the policy (docs/architecture.md,
    "States"). A legacy row counts only with a date that is over, and so is its grace: without one MCP Workbench accepts
    it for ever.
    """
    if verdict.accepted_by or verdict.expiry is None or now < verdict.expiry + policy.grace:
        return False
    return verdict.state is State.STALE or (verdict.state is State.LEGACY and policy.include_legacy)
