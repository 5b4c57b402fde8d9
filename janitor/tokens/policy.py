"""The rules of one run, as values."""

import msgspec

from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows count as about to expire, stale and protected in a run.

    Attributes:
        dialect: which LISA reads the table.
        thresholds: notice thresholds, in seconds before expiry; the largest is the horizon.
        grace: how long an expired token is kept before it is stale, in seconds.
        protect_users: shell patterns of usernames whose rows are never deleted.
        protect_system: whether rows of system tokens are never deleted.
        include_legacy: whether legacy rows that no gate accepts may be deleted too, once their grace is over.
    """

    dialect: Dialect
    thresholds: tuple[int, ...] = (30 * DAY,)
    grace: int = 7 * DAY
    protect_users: tuple[str, ...] = ()
    protect_system: bool = False
    include_legacy: bool = False

    @property
    def horizon(self) -> int:
        """How far ahead "about to expire" looks, in seconds."""
        return max(self.thresholds)
