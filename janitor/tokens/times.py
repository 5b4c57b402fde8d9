"""Times in UTC: out of a UNIX second, and as texts.

Only for times of this program's own making. What a row, a store or a file holds may be no time of a calendar: that is
for `janitor.tokens.expiration.moment`.
"""

import datetime as dt


def time_of(second: float) -> dt.datetime:
    """The time at a UNIX second, in UTC and without fractions."""
    return dt.datetime.fromtimestamp(int(second), dt.UTC)


def iso(when: dt.datetime) -> str:
    """A time in UTC for programs: `2026-09-21T17:13:00Z`."""
    return when.isoformat().replace("+00:00", "Z")


def minute_of(when: dt.datetime) -> str:
    """A time to the minute, for people: `2026-09-21 17:13`."""
    # Not strftime, which writes the year 1 without its zeros.
    return when.isoformat(" ", "minutes")[:16]


def second_of(when: dt.datetime) -> str:
    """A time to the second, for people: `2026-09-21 17:13:00`."""
    return when.isoformat(" ", "seconds")[:19]
