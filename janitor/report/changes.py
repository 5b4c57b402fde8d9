"""What changed since the last run of the same table: a part of the report."""

import datetime as dt

import msgspec

from janitor.report.encode import Part


class ChangedToken(Part, frozen=True):
    """A token that changed since the last run. A date is null if there is none, or outside the years 1 to 9999."""

    fingerprint: str
    username: str | None
    name: str | None
    expires_at: dt.datetime | None
    expired_at_before: dt.datetime | None


class Change(Part, frozen=True):
    """How many tokens changed in one way, and the most urgent of them, at most 100."""

    count: int = 0
    tokens: list[ChangedToken] = msgspec.field(default_factory=list)


class Changes(Part, frozen=True):
    """What changed since the last run of the same table.

    `extended` have a later expiry; `gone` were removed, and not by this run. `vanished` are no findings any more, and
    were not looked up: they were extended beyond the horizon, or removed.
    """

    since: dt.datetime
    newly_expiring: Change
    newly_expired: Change
    extended: Change
    gone: Change
    vanished: Change
