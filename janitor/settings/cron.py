"""Cron lines: five fields as crontab(5) reads them, and when they fire.

The fields are parsed here, so that each error has its own sentence, and names, steps and Sunday's two numbers mean the
same everywhere. cronsim computes which minutes of the calendar they name. When a clock that is set forward and back
shows those minutes is computed here, by the rules of Debian's cron. cronsim follows these rules too, but it loses times
where a clock is set by half an hour (Australia/Lord_Howe), fires at midnights that a clock skips, and, asked in the
second of two equal hours, answers with a time in the first.
"""

import datetime as dt
import difflib
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim, CronSimError

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# Not the clock of a place: "none was chosen", and the setting of this machine.
_NO_ZONES = frozenset({"Factory", "localtime"})
# For suggestions: the places that most people mean who write an abbreviation.
_CITIES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Not `last` or `2nd fri`: no other cron reads them.
_PART = re.compile(r"(?:\*|(\d+|[a-z]{3})(?:-(\d+|[a-z]{3}))?)(?:/([1-9]\d*))?", re.ASCII)
_MINUTE = dt.timedelta(minutes=1)


class _Field(NamedTuple):
    """A field of a line: its name with an article, its least and greatest number, and the names of its numbers."""

    words: str
    least: int
    most: int
    names: tuple[str, ...] = ()


_DAY_OF_WEEK = _Field("a day of the week", 0, 6, _WEEKDAYS)
_FIELDS = (
    _Field("a minute", 0, 59),
    _Field("an hour", 0, 23),
    _Field("a day of the month", 1, 31),
    _Field("a month", 1, 12, _MONTHS),
    _DAY_OF_WEEK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When a job fires.

    Attributes:
        cron: five fields; None for a job that is only started by hand.
        timezone: the IANA name of the zone whose clock the line is read by.
        jitter: up to how many seconds later it fires, so that many jobs do not fire at once.
        catch_up: whether a daemon that was down at a fire time runs the job once when it is up again.
    """

    cron: str | None = None
    timezone: str = "UTC"
    jitter: int = 0
    catch_up: bool = False


def parse_timezone(text: str) -> str:
    """Parse the name of a time zone.

    Raises:
        ValueError: there is no zone of that name.
    """
    names = available_timezones() - _NO_ZONES
    if text in names:
        return text
    raise ValueError(_explain_no_zone(text, names))


def _explain_no_zone(text: str, names: AbstractSet[str]) -> str:
    """Say what to write instead. Never an abbreviation: it names no place, and half of them have no summer time."""
    city = next((city for city in _CITIES if _shows_abbreviation(ZoneInfo(city), text.upper())), None)
    if city is not None:
        return f"{text!r} is an abbreviation, not a time zone; write the zone of a place, like {city}, or UTC"
    folded = {name.casefold(): name for name in names if name == "UTC" or ("/" in name and not name.startswith("Etc/"))}
    near = difflib.get_close_matches(text.casefold(), folded, n=1, cutoff=0.5)
    hint = f"did you mean {folded[near[0]]!r}?" if near else "write the zone of a place, like Europe/Berlin, or UTC"
    return f"there is no time zone {text!r}; {hint}"


def _shows_abbreviation(zone: ZoneInfo, text: str) -> bool:
    """Whether the zone's clock is called this in winter or in summer."""
    return text in {at.replace(tzinfo=zone).tzname() for at in (dt.datetime(2026, 1, 1), dt.datetime(2026, 7, 1))}  # noqa: DTZ001  # given the zone here


def parse_cron(text: str) -> str:
    """Parse a cron line, and normalize its white space.

    Raises:
        ValueError: it is not a cron line, or never fires.
    """
    line = " ".join(text.split())
    if next(next_times(When(cron=line), dt.datetime.now(dt.UTC)), None) is None:
        raise ValueError(f"{text!r} never fires: no such day is in the calendar")
    return line


def make_trigger(when: When) -> BaseTrigger | None:
    """Make APScheduler's trigger; None for a job without a cron line.

    Raises:
        ValueError: the cron line is not valid.
    """
    return None if when.cron is None else _Trigger(_Times(when.cron, ZoneInfo(when.timezone)), when.jitter)


def next_times(when: When, after: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the times after this one at which a job fires, in UTC and without jitter; none for a job without a line.

    Raises:
        ValueError: the cron line is not valid.
    """
    if when.cron is None:
        return
    times = _Times(when.cron, ZoneInfo(when.timezone))
    at: dt.datetime | None = after
    while at is not None and (at := times.next_after(at)) is not None:
        yield at


class _Trigger(BaseTrigger):  # type: ignore[misc]  # APScheduler carries no types
    """Tells APScheduler when a job is due, with jitter."""

    def __init__(self, times: "_Times", jitter: int) -> None:
        self._times = times
        self._jitter = jitter

    def get_next_fire_time(self, previous_fire_time: dt.datetime | None, now: dt.datetime) -> Any:
        # Times missed since the previous one are returned one by one, so that each can be reported.
        after = now if previous_fire_time is None else min(previous_fire_time, now)
        return self._apply_jitter(self._times.next_after(after), self._jitter, now)


class _Times:
    """The times of a line on the clock of a time zone.

    A line whose minute and hour both do not begin with `*` names times of the day, each of which fires once: a time
    that the clock skips when it is set forward fires at that moment, a time that it shows twice fires the first time.
    Any other line follows the clock: it fires whenever the clock shows one of its times.
    """

    def __init__(self, line: str, zone: ZoneInfo) -> None:
        """Parse the line.

        Args:
            line: the cron line.
            zone: the zone whose clock it is read by.

        Raises:
            ValueError: it is not valid.
        """
        fields = _parse_fields(line)
        self._line = " ".join(fields)
        self._follows_clock = any(field.startswith("*") for field in fields[:2])
        self._zone = zone

    def next_after(self, after: dt.datetime) -> dt.datetime | None:
        """The first time after this instant, in UTC; None if there is none within fifty years."""
        local = after.astimezone(self._zone)
        if self._follows_clock:
            return self._find_next_on_clock(after, local)
        times = (self._find_first_instant(wall) for wall in self._list_wall_times(local.replace(tzinfo=None)))
        return next((at for at in times if at > after), None)

    def _list_wall_times(self, after: dt.datetime) -> Iterator[dt.datetime]:
        """The line's times after this one in the calendar, as shown by a clock that is never set."""
        try:
            # Without a zone, cronsim uses the calendar alone.
            yield from CronSim(self._line, after.replace(fold=0))
        except CronSimError:
            # There is no such day in any month.
            return

    def _list_instants(self, wall: dt.datetime) -> list[dt.datetime]:
        """The instants at which the clock shows a time: one, two, or none."""
        instants = {wall.replace(tzinfo=self._zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1)}
        return sorted(at for at in instants if at.astimezone(self._zone).replace(tzinfo=None, fold=0) == wall)

    def _find_first_instant(self, wall: dt.datetime) -> dt.datetime:
        """The first instant at which the clock shows this time, or the next one that it does show."""
        while not (instants := self._list_instants(wall)):
            wall += _MINUTE
        return instants[0]

    def _find_next_on_clock(self, after: dt.datetime, local: dt.datetime) -> dt.datetime | None:
        # While the clock shows times that it shows twice, earlier times of the line may come again.
        first, last = (local.replace(fold=fold).utcoffset() or dt.timedelta() for fold in (0, 1))
        wall = local.replace(tzinfo=None)
        found: list[dt.datetime] = []
        for each in self._list_wall_times(wall - abs(first - last)):
            found += [at for at in self._list_instants(each) if at > after]
            if found and each >= wall + abs(first - last):
                break
        return min(found, default=None)


def _parse_fields(line: str) -> list[str]:
    """The fields in numbers. Those that begin with `*` stay as they are: the meaning of the others depends on it."""
    texts = _NICKNAMES.get(line.lower(), line).lower().split()
    if len(texts) != len(_FIELDS):
        wanted = "minute, hour, day of the month, month and day of the week"
        raise ValueError(f"{line!r} is not a cron line: it has {len(texts)} fields, not five ({wanted})")
    try:
        return [_parse_field(text, field) for text, field in zip(texts, _FIELDS, strict=True)]
    except ValueError as error:
        raise ValueError(f"{line!r} is not a cron line: {error}") from None


def _parse_field(text: str, field: _Field) -> str:
    parts = []
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{text!r} is not {field.words}")
        numbers = _parse_part(part, match, field)
        parts.append(part if part.startswith("*") else ",".join(str(number) for number in numbers))
    return ",".join(parts)


def _parse_part(part: str, match: re.Match[str], field: _Field) -> list[int]:
    first, last, step_text = match.groups()
    step = int(step_text or 1)
    start = field.least if first is None else _parse_number(first, field)
    end = field.most if first is None or (step_text and not last) else start
    if last is not None:
        end = _parse_number(last, field)
        # `fri-sun`, and `5-7`: a week may end with Sunday.
        end = len(_WEEKDAYS) if field is _DAY_OF_WEEK and end == 0 and start > 0 else end
    if end < start:
        raise ValueError(f"{part!r} is not {field.words}: {part!r} ends before it begins")
    # Such a step leaves only the first number, which is hardly what was meant; but `*/7` is one way to say Sunday.
    if step_text and step > end - start and field is not _DAY_OF_WEEK:
        raise ValueError(f"{part!r} is not {field.words}: its step is longer than its range")
    return [number % len(_WEEKDAYS) if field is _DAY_OF_WEEK else number for number in range(start, end + 1, step)]


def _parse_number(text: str, field: _Field) -> int:
    if text in field.names:
        return field.least + field.names.index(text)
    # Sunday is 0 and 7.
    most = len(_WEEKDAYS) if field is _DAY_OF_WEEK else field.most
    if text.isdecimal() and field.least <= int(text) <= most:
        return int(text)
    raise ValueError(f"{text!r} is not {field.words}, a number from {field.least} to {most}")
