"""Parse times that a user writes, make UTC times from UNIX seconds, and format them.

`time_of` is only for times that this program made itself. A second from a row, a store or a file may be outside the
years 1 to 9999: use `janitor.tokens.expiration.calendar_time` for those.
"""

import datetime as dt

import msgspec

from janitor.tokens.expiration import MAX_SECONDS, calendar_time


def parse_time(text: str) -> int:
    """Parse an ISO 8601 time (UTC unless it says otherwise), or a number of UNIX seconds, into a UNIX second.

    Raises:
        ValueError: the text is neither, or milliseconds, or maybe a date without its dashes, or outside the years 1 to
            9999.
    """
    stripped = text.strip()
    if stripped.isdecimal():
        if len(stripped) == len("YYYYMMDD"):
            raise ValueError(f"{text!r} may be a date or UNIX seconds; write a date with dashes, like 2027-01-01")
        second = int(stripped)
        if second > MAX_SECONDS:
            raise ValueError(f"{text!r} is too large for UNIX seconds; it looks like milliseconds")
        return second
    try:
        when = dt.datetime.fromisoformat(stripped)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time; write ISO 8601 like 2027-01-01 or 2027-01-01T12:00:00Z, or UNIX seconds"
        ) from None
    second = int((when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp())
    if calendar_time(second) is None:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC")
    return second


def time_of(second: float) -> dt.datetime:
    """Return the UTC time of a UNIX second, without fractions."""
    return dt.datetime.fromtimestamp(int(second), dt.UTC)


def format_iso(when: dt.datetime) -> str:
    """Format a UTC time for programs: `2026-09-21T17:13:00Z`."""
    # What isoformat() gives, in an eighth of the time.
    text: str = msgspec.to_builtins(when)
    return text


def format_minute(when: dt.datetime) -> str:
    """Format a time to the minute, for people: `2026-09-21 17:13`."""
    # Not strftime, which writes the year 1 without leading zeros.
    return when.isoformat(" ", "minutes")[:16]


def format_second(when: dt.datetime) -> str:
    """Format a time to the second, for people: `2026-09-21 17:13:00`."""
    return when.isoformat(" ", "seconds")[:19]
