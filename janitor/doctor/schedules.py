"""Schedule files: whether they are valid, what they do, and when they fire next."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from janitor.errors import ConfigurationError, JanitorError
from janitor.report.checkup import Check, error_check, failed_check, passed_check, skipped_check
from janitor.settings.cron import next_times
from janitor.settings.schedule import Schedule, load_schedule
from janitor.settings.table import TABLE_OPTIONS
from janitor.wiring.places import is_folder

CheckFile = Callable[[Path, Sequence[str]], str | None]
"""Checks a schedule file as `janitor run FILE --check` does, with these arguments added.

Returns what is wrong with the file; None if it is valid.
"""

_SCHEDULES = "schedules"

_NO_CRON_LINE = (
    "no cron line, so something else has to start it; a Kubernetes CronJob that is suspended starts at once when it is "
    "resumed within its startingDeadlineSeconds (four hours in deploy/kubernetes) of an hour that it missed"
)


def examine_schedules(paths: Sequence[Path], now: dt.datetime, check_file: CheckFile) -> Iterator[Check]:
    """Check each file, and each file of a folder.

    Args:
        paths: schedule files, and folders of them.
        now: the present.
        check_file: says why a run would refuse a file.
    """
    if not paths:
        yield skipped_check(_SCHEDULES, "not asked for: no schedule file is named")
    for path in paths:
        if not is_folder(path):
            yield _examine_file(path, now, check_file)
            continue
        files = sorted(file for file in path.glob("*.toml") if not file.name.startswith("."))
        yield from (_examine_file(file, now, check_file) for file in files)
        if not files:
            way_out = "name the folder whose files end with .toml"
            yield failed_check(_SCHEDULES, f"{path} holds no schedule file", way_out, needed=True)


def _examine_file(path: Path, now: dt.datetime, check_file: CheckFile) -> Check:
    name = f"schedule {path.name}"
    try:
        schedule = load_schedule(path)
        _check_as_run(schedule, check_file)
    except JanitorError as error:
        return error_check(name, error, needed=True)
    return passed_check(
        name, f"{_describe_kind(schedule)}; {_describe_next_run(schedule, now)}; what it names was not checked"
    )


def _check_as_run(schedule: Schedule, check_file: CheckFile) -> None:
    """Check a file as a run of it would, with the variables that the run would see.

    Raises:
        ConfigurationError: a run would refuse its settings.
    """
    path = schedule.path
    names_a_table = any(table.get(name) for table in schedule.tables for name in TABLE_OPTIONS)
    # If the file names no table, whoever starts the run will have to.
    problem = check_file(path, [] if names_a_table else ["--table", "any"])
    if problem is not None:
        raise ConfigurationError(problem, f"check it with `janitor run {path} --check`", "schedule")


def _describe_kind(schedule: Schedule) -> str:
    if not schedule.is_sweep:
        return "a scan"
    return "a sweep that deletes" if schedule.deletes else "a sweep, dry run"


def _describe_next_run(schedule: Schedule, now: dt.datetime) -> str:
    at = next(next_times(schedule.when, now), None)
    return _NO_CRON_LINE if at is None else f"next at {at:%Y-%m-%d %H:%M} UTC"
