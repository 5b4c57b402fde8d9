"""Cron lines: five fields as crontab(5) reads them, and when they fire.

APScheduler counts weekdays from Monday, and asks for both days where a line restricts both; crontab(5), and so
Kubernetes, counts them from Sunday and takes either. Lines are read here in crontab's way and handed over spelt out.
"""

import datetime as dt
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# No place's clock: "none was chosen", and whatever this machine has.
_NO_ZONES = frozenset({"Factory", "localtime"})
_FIELDS = ("minute", "hour", "day", "month", "day_of_week")
_FIELD_WORDS = ("minute", "hour", "day of the month", "month", "day of the week")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
# Crontab's grammar; APScheduler knows more (`last`, `2nd fri`), which no other cron would read.
_NUMBERS = re.compile(r"(?:\*|\d+(?:-\d+)?)(?:/[1-9]\d*)?", re.ASCII).fullmatch
_NAMES = re.compile(r"(?:\*|(?:\d+|[a-z]{3})(?:-(?:\d+|[a-z]{3}))?)(?:/[1-9]\d*)?", re.ASCII).fullmatch
_GRAMMAR = (_NUMBERS, _NUMBERS, _NUMBERS, _NAMES, _NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When a job fires.

    Attributes:
        cron: five fields; None for a job that nothing fires by itself.
        timezone: whose clock the line is read by, an IANA name.
        jitter: up to so many seconds later, so that many jobs do not fire at once.
        catch_up: whether a daemon that was down at a fire time runs the job once when it is up again.
    """

    cron: str | None = None
    timezone: str = "UTC"
    jitter: int = 0
    catch_up: bool = False


def parse_timezone(text: str) -> str:
    """The name of a time zone.

    Raises:
        ValueError: there is none of that name.
    """
    names = available_timezones() - _NO_ZONES
    if text in names:
        return text
    nearest = difflib.get_close_matches(text, names, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else "write an IANA name, like Europe/Berlin"
    raise ValueError(f"there is no time zone {text!r}; {hint}")


def parse_cron(text: str) -> str:
    """A cron line, its white space evened out.

    Raises:
        ValueError: it is none, or never fires.
    """
    line = " ".join(text.split())
    trigger = trigger_of(When(cron=line))
    if trigger is not None and trigger.get_next_fire_time(None, dt.datetime.now(dt.UTC)) is None:
        raise ValueError(f"{text!r} never fires: no such day is in the calendar")
    return line


def trigger_of(when: When) -> BaseTrigger | None:
    """APScheduler's trigger; None where nothing fires the job.

    Raises:
        ValueError: the cron line is none.
    """
    if when.cron is None:
        return None
    fields, is_either = _fields(when.cron)
    zone, jitter = ZoneInfo(when.timezone), when.jitter or None
    if not is_either:
        return _trigger(fields, zone, jitter, when.cron)
    # APScheduler would ask for both.
    either = [_trigger({**fields, other: "*"}, zone, None, when.cron) for other in ("day", "day_of_week")]
    return OrTrigger(either, jitter=jitter)


def next_times(when: When, after: dt.datetime) -> Iterator[dt.datetime]:
    """The times after this one at which a job fires, in UTC and without their jitter; none for a job without a line."""
    trigger = trigger_of(When(cron=when.cron, timezone=when.timezone))
    if trigger is None:
        return
    # In UTC throughout: two local times an hour apart may read the same.
    at = after.astimezone(dt.UTC)
    while (fires := trigger.get_next_fire_time(None, at + dt.timedelta(seconds=1))) is not None:
        at = fires.astimezone(dt.UTC)
        yield at


def _fields(line: str) -> tuple[dict[str, str], bool]:
    """The fields in APScheduler's words, and whether a line fires on either of its days: where none begins with `*`."""
    texts = _NICKNAMES.get(line.lower(), line).split()
    if len(texts) != len(_FIELDS):
        wanted = "minute, hour, day of the month, month and day of the week"
        raise ValueError(f"{line!r} is not a cron line: it has {len(texts)} fields, not five ({wanted})")
    texts = [text.lower() for text in texts]
    for text, words, is_right in zip(texts, _FIELD_WORDS, _GRAMMAR, strict=True):
        if not all(is_right(part) for part in text.split(",")):
            raise ValueError(f"{line!r} is not a cron line: {text!r} is no {words}")
    fields = dict(zip(_FIELDS, texts, strict=True))
    is_either = not (fields["day"].startswith("*") or fields["day_of_week"].startswith("*"))
    fields["day_of_week"] = _weekdays(fields["day_of_week"], line)
    return fields, is_either


def _trigger(fields: dict[str, str], zone: ZoneInfo, jitter: int | None, line: str) -> CronTrigger:
    for name, words in zip(_FIELDS, _FIELD_WORDS, strict=True):
        try:
            CronTrigger(**{name: fields[name]}, timezone=zone)
        except ValueError as error:
            raise ValueError(f"{line!r} is not a cron line: {fields[name]!r} is no {words} ({error})") from None
    return CronTrigger(**fields, timezone=zone, jitter=jitter)


def _weekdays(text: str, line: str) -> str:
    """Weekdays by name, each spelt out; `*` alone stays."""
    if text == "*":
        return text
    numbers = sorted({number for part in text.split(",") for number in _weekday_numbers(part, line)})
    return ",".join(_WEEKDAYS[number] for number in numbers)


def _weekday_numbers(part: str, line: str) -> Iterator[int]:
    match = _WEEKDAY_PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{line!r} is not a cron line: {part!r} is no day of the week")
    first, last, step = match.groups()
    start = 0 if first is None else _weekday(first, line)
    end = len(_WEEKDAYS) - 1 if first is None or (step and not last) else start
    if last is not None:
        end = _weekday(last, line)
        # `fri-sun`, and `5-7`: a week may end with Sunday.
        end = len(_WEEKDAYS) if end == 0 and start > 0 else end
    if end < start:
        raise ValueError(f"{line!r} is not a cron line: {part!r} ends before it begins")
    return (number % len(_WEEKDAYS) for number in range(start, end + 1, int(step or 1)))


def _weekday(text: str, line: str) -> int:
    if text in _WEEKDAYS:
        return _WEEKDAYS.index(text)
    if text.isdecimal() and int(text) <= len(_WEEKDAYS):
        return int(text)
    raise ValueError(f"{line!r} is not a cron line: {text!r} is no day of the week")
