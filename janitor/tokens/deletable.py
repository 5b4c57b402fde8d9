"""Which rows a sweep may delete. Every step that leads to a delete asks this one rule about every row."""

from janitor.tokens.classify import Classification, State
from janitor.tokens.policy import Policy


def is_deletable(verdict: Classification, now: int, policy: Policy) -> bool:
    """Whether a row may be deleted at the UNIX second `now`: it is stale, or legacy and the policy includes legacy.

    A row that any gate of LISA accepts is never deletable, whatever its state and the policy (docs/architecture.md,
    "States"). A legacy row also needs a date whose grace is over: MCP Workbench accepts a row without a date for ever.
    """
    if verdict.accepted_by or verdict.expiry is None or now < verdict.expiry + policy.grace:
        return False
    return verdict.state is State.STALE or (verdict.state is State.LEGACY and policy.include_legacy)
