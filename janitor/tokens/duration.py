"""Parse durations that a user writes, and format durations for people. Whole seconds."""

import re

from janitor.tokens.words import format_count

DAY = 86_400

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": DAY, "w": 604_800}
_SHORT = re.compile(r"(?:\d+[smhdw])+")
_SHORT_PART = re.compile(r"(\d+)([smhdw])")
_ISO = re.compile(r"P(?:(\d+)W|(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)")

# A thousand years: more than any policy means, and far from the edges of the arithmetic.
_MAX_DURATION = 1_000 * 366 * DAY

# (from how many seconds on, seconds in the unit, its name): 47 hours are given in hours, 48 hours as "2 days".
_FORMAT_UNITS = ((2 * 365 * DAY, 365 * DAY, "year"), (2 * DAY, DAY, "day"), (7_200, 3_600, "hour"))


def parse_duration(text: str) -> int:
    """Parse a duration into seconds.

    It is `90s`, `15m`, `12h`, `30d`, `2w`, a chain of them (`1d12h`), `0`, or ISO 8601 (`P30D`, `PT12H`).

    Raises:
        ValueError: the text is no such duration, or longer than a thousand years.
    """
    stripped = text.strip()
    seconds = _parse_short(stripped)
    if seconds is None:
        seconds = _parse_iso(stripped.upper())
    if seconds is None:
        raise ValueError(f"{text!r} is not a duration; write 90s, 15m, 12h, 30d, 2w, or ISO 8601 like P30D")
    if seconds > _MAX_DURATION:
        raise ValueError(f"{text!r} is longer than a thousand years")
    return seconds


def format_duration(seconds: int) -> str:
    """Format a duration in words, rounded down: `3 days`, `47 hours`, `90 seconds`."""
    for start, unit, name in _FORMAT_UNITS:
        if seconds >= start:
            return format_count(seconds // unit, name)
    return format_count(seconds // 60, "minute") if seconds >= 2 * 60 else format_count(seconds, "second")


def format_for_command(seconds: int) -> str:
    """Format a duration as `parse_duration` reads it, in the largest unit that fits: `30d`, `12h`, `90s`."""
    unit = next((unit for unit in ("d", "h", "m") if seconds and seconds % _UNITS[unit] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


def format_relative(seconds: int) -> str:
    """Format the time from now to another moment in words: `in 3 days`, `2 hours ago`, `just now`."""
    if seconds == 0:
        return "just now"
    return f"in {format_duration(seconds)}" if seconds > 0 else f"{format_duration(-seconds)} ago"


def _parse_short(text: str) -> int | None:
    if text == "0":
        return 0
    if not _SHORT.fullmatch(text):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in _SHORT_PART.findall(text))


def _parse_iso(text: str) -> int | None:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return weeks * _UNITS["w"] + days * _UNITS["d"] + hours * _UNITS["h"] + minutes * 60 + seconds
