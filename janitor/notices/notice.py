"""A notice: one thing of which a token's owner, or a reader of the digest, is notified."""

from dataclasses import dataclass
from enum import StrEnum
from json import JSONEncoder
from typing import Any

from janitor.tokens.crossing import EXPIRY_THRESHOLD, Crossing
from janitor.tokens.duration import format_relative
from janitor.tokens.expiration import calendar_time
from janitor.tokens.printable import printable
from janitor.tokens.redact import shorten_text
from janitor.tokens.times import format_iso, format_minute

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))

# ASCII only, so that every character is visible, fits every encoding, and takes one byte.
ascii_json = JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class Event(StrEnum):
    """What happened to the token, as subscribers filter for it."""

    EXPIRING = "token.expiring"
    EXPIRED = "token.expired"
    DELETED = "token.deleted"


_RANKS = {Event.EXPIRING: 0, Event.EXPIRED: 1, Event.DELETED: 2}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to say about one token.

    Attributes:
        crossing: the token and the threshold that it has crossed; `EXPIRY_THRESHOLD` for a deletion.
        username, name: as the table has them, or None. Untrusted, but never a token (`janitor.tokens.redact`).
        system: whether it is a system token.
        state: one of `janitor.tokens.classify.State`.
        expires_at: ISO 8601 in UTC, None if no calendar holds the date.
        seconds_to_expiry: at the time of the run; zero or less once it has expired.
        table: the label of its table, in a digest of several tables; else None.
        created: the UNIX second at which LISA made it; None if the row does not tell.
    """

    crossing: Crossing
    event: Event
    username: str | None
    name: str | None
    system: bool
    state: str
    expires_at: str | None
    seconds_to_expiry: int
    table: str | None = None
    created: int | None = None

    @property
    def notice_id(self) -> str:
        """The same for every delivery of this notice, and for no other notice of the table."""
        fingerprint, expiry, threshold = self.crossing
        base = f"{fingerprint}:{expiry}:{threshold}"
        return f"{base}:deleted" if self.event is Event.DELETED else base

    @property
    def has_date(self) -> bool:
        """Whether the expiry is in the years 1 to 9999."""
        return calendar_time(self.crossing.expiry) is not None

    @property
    def distance(self) -> str:
        """When the token expires or did, relative to the run: `in 3 days`."""
        return format_relative(self.seconds_to_expiry) if self.has_date else "long ago"

    @property
    def date(self) -> str:
        """When the token expires or did, to the minute in UTC, or a dash if no calendar holds the date."""
        second = calendar_time(self.crossing.expiry)
        return f"{format_minute(second)} UTC" if second else "-"

    @property
    def creation_date(self) -> str | None:
        """When it was made, to the minute in UTC; None if that is not known."""
        second = None if self.created is None else calendar_time(self.created)
        return f"{format_minute(second)} UTC" if second else None

    @property
    def label(self) -> str:
        """The token's name for people, or a dash."""
        return printable(shorten_text(self.name)) if self.name else "-"

    @property
    def owner(self) -> str | None:
        """Whose token it is for people, or None."""
        return printable(shorten_text(self.username)) if self.username else None


def notice_urgency(notice: Notice) -> tuple[int, int, str]:
    """A sort key, most urgent first: what expires next, then what expired last, then what was deleted."""
    seconds = notice.seconds_to_expiry
    is_ahead = notice.event is Event.EXPIRING
    return _RANKS[notice.event], seconds if is_ahead else -seconds, notice.crossing.fingerprint


def notice_fields(notice: Notice) -> dict[str, Any]:
    """The notice as programs get it, alone or in a digest. No key is ever left out."""
    fingerprint, expiry, threshold = notice.crossing
    created = None if notice.created is None else calendar_time(notice.created)
    return {
        "id": notice.notice_id,
        "event": notice.event.value,
        "fingerprint": fingerprint,
        "expiry": expiry,
        "threshold_seconds": threshold,
        "username": shorten_text(notice.username) if notice.username is not None else None,
        "name": shorten_text(notice.name) if notice.name is not None else None,
        "system": notice.system,
        "state": notice.state,
        "expires_at": notice.expires_at,
        "seconds_to_expiry": notice.seconds_to_expiry,
        "created_at": None if created is None else format_iso(created),
    }


def format_threshold(seconds: int) -> str:
    """A threshold as it is written on the command line: `30d`, `12h`, or `expiry`."""
    if seconds == EXPIRY_THRESHOLD:
        return "expiry"
    return next(f"{seconds // unit}{letter}" for unit, letter in _UNITS if seconds % unit == 0)
