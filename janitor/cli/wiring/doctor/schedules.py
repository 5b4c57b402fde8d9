"""Schedule files: whether they are right, what they do, and when they fire next."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from janitor.cli.places import is_folder
from janitor.config.cron import next_times
from janitor.config.schedule import Schedule, load_schedule
from janitor.errors import JanitorError
from janitor.report.checkup import Check, amiss, passed, raised, skipped

SCHEDULES = "schedules"

_STARTED_BY_OTHERS = (
    "no cron line, so only somebody else starts it; a Kubernetes CronJob that is suspended starts at once when it is "
    "resumed within its startingDeadlineSeconds (four hours in deploy/kubernetes) of an hour that it missed"
)


def schedule_checks(places: Sequence[Path], now: dt.datetime) -> Iterator[Check]:
    """A check for each file, and for each file of a folder."""
    if not places:
        yield skipped(SCHEDULES, "not asked for: none is named")
    for place in places:
        if not is_folder(place):
            yield _schedule(place, now)
            continue
        files = sorted(path for path in place.glob("*.toml") if not path.name.startswith("."))
        yield from (_schedule(path, now) for path in files)
        if not files:
            way_out = "name the folder whose files end with .toml"
            yield amiss(SCHEDULES, f"{place} holds no schedule file", way_out, needed=True)


def _schedule(path: Path, now: dt.datetime) -> Check:
    name = f"schedule {path.name}"
    try:
        schedule = load_schedule(path)
    except JanitorError as error:
        return raised(name, error, needed=True)
    return passed(name, f"{_kind(schedule)}; {_next(schedule, now)}; what it names was not looked at")


def _kind(schedule: Schedule) -> str:
    if not schedule.is_sweep:
        return "a scan"
    return "a sweep that deletes" if schedule.deletes else "a sweep, dry run"


def _next(schedule: Schedule, now: dt.datetime) -> str:
    at = next(next_times(schedule.when, now), None)
    return _STARTED_BY_OTHERS if at is None else f"next at {at:%Y-%m-%d %H:%M} UTC"
