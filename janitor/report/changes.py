"""What changed since the last run of the same table: a part of the report."""

import datetime as dt

import msgspec

from janitor.report.encode import Part


class ChangedToken(Part, frozen=True):
    """A token that changed since the last run.

    Attributes:
        fingerprint: identifies the token.
        username: its owner.
        name: its name.
        expires_at: when it expires now; null if there is no such date, or it is outside the years 1 to 9999.
        expired_at_before: when it would have expired at the last run; null likewise.
    """

    fingerprint: str
    username: str | None
    name: str | None
    expires_at: dt.datetime | None
    expired_at_before: dt.datetime | None


class Change(Part, frozen=True):
    """How many tokens changed in one way.

    Attributes:
        count: how many.
        tokens: the most urgent of them, at most 100.
    """

    count: int = 0
    tokens: list[ChangedToken] = msgspec.field(default_factory=list)


class Changes(Part, frozen=True):
    """What changed since the last run of the same table.

    Attributes:
        since: when that run was.
        newly_expiring: tokens that came within the horizon.
        newly_expired: tokens that expired.
        extended: tokens with a later expiry.
        gone: tokens that were removed, and not by this run.
        vanished: tokens that are no findings any more, and were not looked up: they were extended beyond the horizon,
            or removed.
    """

    since: dt.datetime
    newly_expiring: Change
    newly_expired: Change
    extended: Change
    gone: Change
    vanished: Change
