"""Schedule files: whether they are right, what they do, and when they fire next."""

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from janitor.cli.run import command as run
from janitor.errors import ConfigurationError, ExitCode, JanitorError
from janitor.report.checkup import Check, amiss, passed, raised, skipped
from janitor.settings.cron import next_times
from janitor.settings.schedule import Schedule, load_schedule
from janitor.settings.table import TABLE_NAMES
from janitor.wiring.places import is_folder

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
        _see_that_it_can_be_run(schedule)
    except JanitorError as error:
        return raised(name, error, needed=True)
    return passed(name, f"{_kind(schedule)}; {_next(schedule, now)}; what it names was not looked at")


def _see_that_it_can_be_run(schedule: Schedule) -> None:
    """Let `janitor run FILE --check` look at it, with the variables that a run would see.

    Raises:
        ConfigurationError: a run would refuse its settings.
    """
    path, said = schedule.path, io.StringIO()
    names_a_table = any(table.get(name) for table in schedule.tables for name in TABLE_NAMES)
    # One that names none is for whoever starts it to say.
    table = [] if names_a_table else ["--table", "any"]
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        code = run.main([str(path), "--check", *table], prog_name="janitor run", standalone_mode=False)
    if code != ExitCode.DONE:
        problem = said.getvalue().strip().removeprefix("janitor: ").removeprefix(f"{path}: ")
        raise ConfigurationError(problem, f"`janitor run {path} --check` says the same", "schedule")


def _kind(schedule: Schedule) -> str:
    if not schedule.is_sweep:
        return "a scan"
    return "a sweep that deletes" if schedule.deletes else "a sweep, dry run"


def _next(schedule: Schedule, now: dt.datetime) -> str:
    at = next(next_times(schedule.when, now), None)
    return _STARTED_BY_OTHERS if at is None else f"next at {at:%Y-%m-%d %H:%M} UTC"
