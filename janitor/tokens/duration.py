"""Durations and times: what a user writes, and how they are said back. All in whole seconds, all UTC."""

import datetime as dt
import re

from janitor.tokens.expiration import MAX_SECONDS, moment
from janitor.tokens.words import counted

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SHORT = re.compile(r"(?:\d+[smhdw])+")
_SHORT_PART = re.compile(r"(\d+)([smhdw])")
_ISO = re.compile(r"P(?:(\d+)W|(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)")

# A thousand years: more than any policy means, and far from the edges of the arithmetic.
_LONGEST = 1_000 * 366 * 86_400

# From this many of a unit on a distance is said in it: 47 hours are hours, 48 are "2 days".
_SPOKEN = ((2 * 365 * 86_400, 365 * 86_400, "year"), (2 * 86_400, 86_400, "day"), (7_200, 3_600, "hour"))


def parse_duration(text: str) -> int:
    """Seconds of `90s`, `15m`, `12h`, `30d`, `2w`, a chain of them (`1d12h`), `0`, or ISO 8601 (`P30D`, `PT12H`).

    Raises:
        ValueError: the text is no such duration, or longer than a thousand years.
    """
    written = text.strip()
    seconds = _short_seconds(written)
    if seconds is None:
        seconds = _iso_seconds(written.upper())
    if seconds is None:
        raise ValueError(f"{text!r} is not a duration; write 90s, 15m, 12h, 30d, 2w, or ISO 8601 like P30D")
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than a thousand years")
    return seconds


def parse_time(text: str) -> int:
    """The UNIX second of an ISO 8601 time (UTC unless it says otherwise), or of a number of UNIX seconds.

    Raises:
        ValueError: the text is neither, or milliseconds, or maybe a date without its dashes, or outside the years 1 to
            9999.
    """
    written = text.strip()
    if written.isdecimal():
        if len(written) == len("YYYYMMDD"):
            raise ValueError(f"{text!r} may be a date or UNIX seconds; write a date with dashes, like 2027-01-01")
        second = int(written)
        if second > MAX_SECONDS:
            raise ValueError(f"{text!r} is too large for UNIX seconds; it looks like milliseconds")
        return second
    try:
        when = dt.datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time; write ISO 8601 like 2027-01-01 or 2027-01-01T12:00:00Z, or UNIX seconds"
        ) from None
    second = int((when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp())
    if moment(second) is None:
        raise ValueError(f"{text!r} is outside the years 1 to 9999 in UTC")
    return second


def spoken_duration(seconds: int) -> str:
    """A length of time in words, rounded down: `3 days`, `47 hours`, `90 seconds`."""
    for start, unit, name in _SPOKEN:
        if seconds >= start:
            return counted(seconds // unit, name)
    return counted(seconds // 60, "minute") if seconds >= 2 * 60 else counted(seconds, "second")


def relative(seconds: int) -> str:
    """A distance from now in words: `in 3 days`, `2 hours ago`, `just now`."""
    if seconds == 0:
        return "just now"
    return f"in {spoken_duration(seconds)}" if seconds > 0 else f"{spoken_duration(-seconds)} ago"


def _short_seconds(text: str) -> int | None:
    if text == "0":
        return 0
    if not _SHORT.fullmatch(text):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in _SHORT_PART.findall(text))


def _iso_seconds(text: str) -> int | None:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return weeks * _UNITS["w"] + days * _UNITS["d"] + hours * _UNITS["h"] + minutes * 60 + seconds
