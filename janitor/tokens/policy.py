"""The rules of one run, as values."""

import msgspec

from janitor.tokens.dialect import API_ONLY, BOTH_GATES, Dialect, Gate
from janitor.tokens.duration import DAY
from janitor.tokens.narrowing import NO_NARROWING, Narrowing


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows count as about to expire, stale and protected in a run.

    Attributes:
        dialect: which LISA reads the table.
        thresholds: notice thresholds, in seconds before expiry; the largest is the horizon.
        grace: how long an expired token is kept before it is stale, in seconds.
        protect_users: shell patterns of usernames whose rows are never deleted.
        protect_system: whether rows of system tokens are never deleted.
        include_legacy: whether legacy rows that no gate accepts may be deleted too, once their grace is over.
        include_undated: whether rows without a date that no gate will ever accept may be deleted too, once they are
            older than the grace by their `createdDate`.
        has_workbench: whether this LISA runs MCP Workbench. If not, its gate counts for nothing; the API always counts.
        unlock_after: how long after its expiry a row may be deleted that keeps its owner from a new token, in seconds;
            None for no sooner than any other row.
        narrowing: which of the rows that may be deleted are planned.
    """

    dialect: Dialect
    thresholds: tuple[int, ...] = (30 * DAY,)
    grace: int = 7 * DAY
    protect_users: tuple[str, ...] = ()
    protect_system: bool = False
    include_legacy: bool = False
    include_undated: bool = False
    has_workbench: bool = True
    unlock_after: int | None = None
    narrowing: Narrowing = NO_NARROWING

    @property
    def horizon(self) -> int:
        """How far ahead "about to expire" looks, in seconds."""
        return max(self.thresholds)

    @property
    def included(self) -> tuple[str, ...]:
        """The kinds of rows that may be deleted besides stale ones, as `--include` names them."""
        kinds = {"legacy": self.include_legacy, "undated": self.include_undated}
        return tuple(kind for kind, is_included in kinds.items() if is_included)

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates that count."""
        return BOTH_GATES if self.has_workbench else API_ONLY
