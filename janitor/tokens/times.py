"""Make UTC times from UNIX seconds, and format them.

Only for times that this program made itself. A second from a row, a store or a file may be outside the years 1 to
9999: use `janitor.tokens.expiration.calendar_time` for those.
"""

import datetime as dt


def time_of(second: float) -> dt.datetime:
    """Return the UTC time of a UNIX second, without fractions."""
    return dt.datetime.fromtimestamp(int(second), dt.UTC)


def format_iso(when: dt.datetime) -> str:
    """Format a UTC time for programs: `2026-09-21T17:13:00Z`."""
    return when.isoformat().replace("+00:00", "Z")


def format_minute(when: dt.datetime) -> str:
    """Format a time to the minute, for people: `2026-09-21 17:13`."""
    # Not strftime, which writes the year 1 without leading zeros.
    return when.isoformat(" ", "minutes")[:16]


def format_second(when: dt.datetime) -> str:
    """Format a time to the second, for people: `2026-09-21 17:13:00`."""
    return when.isoformat(" ", "seconds")[:19]
