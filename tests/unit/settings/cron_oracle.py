"""What cron lines mean, worked out by brute force: every minute of three years, in every zone, by Debian's rules.

It knows nothing of the program, nor of any cron library: the values of each line's fields are written out by hand, and
the only thing asked of a time zone is what its clock shows at an instant.
"""

import datetime as dt
import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

START = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
END = dt.datetime(2029, 6, 15, 12, tzinfo=dt.UTC)

ZONES = (
    "UTC",
    "America/Asuncion",  # none any more
    "America/Chicago",
    "America/Havana",  # skips and repeats an hour from midnight on
    "America/Nuuk",  # an hour before midnight, so that a day ends early
    "America/Santiago",  # skips midnight, in September
    "America/St_Johns",  # half an hour beside the others
    "Antarctica/Troll",  # two hours
    "Asia/Beirut",  # skips midnight
    "Australia/Lord_Howe",  # half an hour of summer time
    "Europe/Dublin",  # winter time is the exception there
    "Europe/Rome",
    "Africa/Casablanca",  # twice a year, around Ramadan
)
_STEP = dt.timedelta(minutes=30)
_DAY = dt.timedelta(days=1)
_SUN, _MON, _TUE, _WED, _THU, _FRI, _SAT = range(7)
_EVERY_MONTH, _EVERY_DAY, _EVERY_WEEKDAY = range(1, 13), range(1, 32), range(7)
_EVERY_HOUR, _EVERY_MINUTE = range(24), range(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A cron line, and what it says.

    Attributes:
        text: the line.
        minutes, hours, days, months, weekdays: which it names; weekdays from Sunday, 0.
        follows_clock: whether its minute or its hour begins with a star.
        takes_either: whether one of its two kinds of days is enough: neither begins with a star.
    """

    text: str
    minutes: Collection[int] = (0,)
    hours: Collection[int] = (0,)
    days: Collection[int] = _EVERY_DAY
    months: Collection[int] = _EVERY_MONTH
    weekdays: Collection[int] = _EVERY_WEEKDAY
    follows_clock: bool = False
    takes_either: bool = False

    def is_on(self, date: dt.date) -> bool:
        is_of_month, is_of_week = date.day in self.days, date.isoweekday() % 7 in self.weekdays
        is_day = is_of_month or is_of_week if self.takes_either else is_of_month and is_of_week
        return is_day and date.month in self.months


LINES = (
    Line(text="0 0 * * *"),
    Line(text="@daily"),
    Line(text="@midnight"),
    Line(text="@monthly", days=(1,)),
    Line(text="@yearly", days=(1,), months=(1,)),
    Line(text="@Annually", days=(1,), months=(1,)),
    Line(text="@weekly", weekdays=(_SUN,)),
    Line(text="@hourly", hours=_EVERY_HOUR, follows_clock=True),
    Line(text="0 0 13-16 3 *", days=(13, 14, 15, 16), months=(3,)),
    Line(text="0 0 1 jan-dec/3 *", days=(1,), months=(1, 4, 7, 10)),
    Line(text="0 0 1 JAN,apr-Jun,10-11 *", days=(1,), months=(1, 4, 5, 6, 10, 11)),
    Line(text="15 2 8-14 mar-4 *", minutes=(15,), hours=(2,), days=range(8, 15), months=(3, 4)),
    Line(text="0 3 * oct/1 *", hours=(3,), months=(10, 11, 12)),
    Line(text="30 2 * * *", minutes=(30,), hours=(2,)),
    Line(text="30 1 * * *", minutes=(30,), hours=(1,)),
    Line(text="59 23 * * *", minutes=(59,), hours=(23,)),
    Line(text="30 22 * * 6", minutes=(30,), hours=(22,), weekdays=(_SAT,)),
    Line(text="0,30 0-3 * * *", minutes=(0, 30), hours=(0, 1, 2, 3)),
    Line(text="0-59/20 2 * * sun", minutes=(0, 20, 40), hours=(2,), weekdays=(_SUN,)),
    Line(text="5/25 1-2 * * 7", minutes=(5, 30, 55), hours=(1, 2), weekdays=(_SUN,)),
    Line(text="0 0-23 * * sun", hours=_EVERY_HOUR, weekdays=(_SUN,)),
    Line(text="45 1,2,23 * * 0-7", minutes=(45,), hours=(1, 2, 23)),
    Line(text="0 3 * * fri-sun", hours=(3,), weekdays=(_FRI, _SAT, _SUN)),
    Line(text="0 0 * * sun-tue", weekdays=(_SUN, _MON, _TUE)),
    Line(text="0 0 * * 5-7", weekdays=(_FRI, _SAT, _SUN)),
    Line(text="0 0 * * mon-fri/2", weekdays=(_MON, _WED, _FRI)),
    Line(text="0 0 * * */3", weekdays=(_SUN, _WED, _SAT)),
    Line(text="0 0 * * */7", weekdays=(_SUN,)),
    Line(text="0 0 * * 4/2", weekdays=(_THU, _SAT)),
    Line(text="0 2 1,15 * mon", hours=(2,), days=(1, 15), weekdays=(_MON,), takes_either=True),
    Line(text="0 0 13 * fri", days=(13,), weekdays=(_FRI,), takes_either=True),
    Line(text="0 0 */2 * sun", days=range(1, 32, 2), weekdays=(_SUN,)),
    Line(text="0 0 1-7 * */2", days=range(1, 8), weekdays=(_SUN, _TUE, _THU, _SAT)),
    Line(text="0 0 1-31 * mon", weekdays=(_MON,), takes_either=True),
    Line(text="0 0 29 2 *", days=(29,), months=(2,)),
    Line(text="0 0 31 * *", days=(31,)),
    Line(text="*/30 * * * *", minutes=(0, 30), hours=_EVERY_HOUR, follows_clock=True),
    Line(text="17 */5 * * *", minutes=(17,), hours=(0, 5, 10, 15, 20), follows_clock=True),
    Line(text="*/10 0-3 * * 6,0", minutes=range(0, 60, 10), hours=range(4), weekdays=(_SAT, _SUN), follows_clock=True),
    Line(text="*/15 0 * * sun", minutes=(0, 15, 30, 45), weekdays=(_SUN,), follows_clock=True),
    Line(
        text="* 2 * 3,10 sun", minutes=_EVERY_MINUTE, hours=(2,), months=(3, 10), weekdays=(_SUN,), follows_clock=True
    ),
    Line(text="*,7 3 25 10 *", minutes=_EVERY_MINUTE, hours=(3,), days=(25,), months=(10,), follows_clock=True),
    Line(
        text="30 *,2 25-31 10 sun",
        minutes=(30,),
        hours=_EVERY_HOUR,
        days=range(25, 32),
        months=(10,),
        weekdays=(_SUN,),
        follows_clock=True,
        takes_either=True,
    ),
)


class _Stretch(NamedTuple):
    """A time in which a clock runs on without being set: from and until which instant, and how far it is from UTC."""

    start: dt.datetime
    end: dt.datetime
    offset: dt.timedelta


@functools.cache
def stretches(zone: str) -> tuple[_Stretch, ...]:
    """What the zone's clock does over the three years, and a week before and after.

    A day at whose ends it is equally far from UTC is one in which it was not set; of any other, every half hour is
    looked at, for clocks are set at no other time.
    """
    found: list[_Stretch] = []
    clock = ZoneInfo(zone)
    at, end = START - dt.timedelta(days=7), END + dt.timedelta(days=7)
    while at < end:
        offset = _offset(at, clock)
        step = _DAY if offset == _offset(at + _DAY, clock) else _STEP
        if found and found[-1].offset == offset:
            found[-1] = found[-1]._replace(end=at + step)
        else:
            found.append(_Stretch(at, at + step, offset))
        at += step
    return tuple(found)


def _offset(at: dt.datetime, clock: ZoneInfo) -> dt.timedelta:
    return at.astimezone(clock).replace(tzinfo=dt.UTC) - at


@functools.cache
def fires(line: Line, zone: str) -> list[dt.datetime]:
    """When the line fires after START and before END."""
    every = {at for wall in _walls(line) for at in _instants(wall, line, zone)}
    return sorted(at for at in every if START < at < END)


def _walls(line: Line) -> Iterator[dt.datetime]:
    """Every time that the line names, as a clock shows it; kept as if it were UTC."""
    for number in range((END - START).days + 5):
        date = (START - dt.timedelta(days=2)).date() + dt.timedelta(days=number)
        if line.is_on(date):
            for hour in line.hours:
                for minute in line.minutes:
                    yield dt.datetime(date.year, date.month, date.day, hour, minute, tzinfo=dt.UTC)


def _instants(wall: dt.datetime, line: Line, zone: str) -> list[dt.datetime]:
    """When the clock shows that time; unless the line follows the clock, the first time, or right after the gap."""
    every = stretches(zone)
    shown = [wall - each.offset for each in every if each.start <= wall - each.offset < each.end]
    if line.follows_clock:
        return shown
    return shown[:1] or [next(each.start for each in every if each.start + each.offset > wall)]
