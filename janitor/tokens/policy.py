"""The rules of one run, as values."""

import msgspec

from janitor.tokens.dialect import Dialect

DAY = 86_400


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a run calls about to expire, stale and protected.

    Attributes:
        dialect: which LISA reads the table.
        thresholds: how far ahead to look, in seconds; the largest is the horizon, all are notice thresholds.
        grace: how long an expired token is kept before it is stale, in seconds.
        protect_users: shell patterns of usernames whose rows are never deleted.
        protect_system: whether rows of system tokens are never deleted.
        include_legacy: whether legacy rows that are dead everywhere, grace over, may be deleted too.
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
