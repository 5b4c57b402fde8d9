"""A job: a schedule file of the folder, and the tables that its runs work on. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from janitor.settings.cron import next_times
from janitor.settings.schedule import Schedule
from janitor.settings.setting import ENVIRONMENT_PREFIX, parse_switch, settings_of, split_values
from janitor.settings.table import TABLE_OPTIONS, TableSettings
from janitor.tokens.duration import parse_duration
from janitor.tokens.times import time_of

# boto3 reads only the second; the AWS CLI reads both.
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


class ScheduledTable(NamedTuple):
    """A table as a job's settings name it; None for what they leave to AWS's own rules.

    Attributes:
        table, deployment, ssm_parameter: what names the table; one of them is set, none if the settings are wrong.
        region, profile, role_arn, endpoint_url: how AWS is reached.
    """

    table: str | None
    deployment: str | None
    ssm_parameter: str | None
    region: str | None
    profile: str | None
    role_arn: str | None
    endpoint_url: str | None

    @property
    def label(self) -> str:
        """The table's name for people."""
        return self.table or self.deployment or self.ssm_parameter or "no table"

    @property
    def key(self) -> str:
        """A text that is equal for settings that name the same table in the same way, whatever the credentials."""
        named = (self.table, self.deployment, self.ssm_parameter, self.region, self.endpoint_url)
        return "|".join(text or "" for text in named)


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A valid schedule file. Environment variables are applied to `tables`, `deletes` and `deadline`.

    Attributes:
        name: the file's name without its suffix.
        schedule: its content.
        tables: its tables.
        deletes: whether its runs delete.
        digest: a digest of the file's bytes.
        deadline: how many seconds a run may take.
    """

    name: str
    schedule: Schedule
    tables: tuple[ScheduledTable, ...]
    deletes: bool
    digest: str
    deadline: int

    @property
    def line(self) -> str | None:
        """The cron line and its time zone; None if the file has no cron line."""
        when = self.schedule.when
        return f"{when.cron} {when.timezone}" if when.cron else None


def make_job(name: str, schedule: Schedule, digest: str, environment: Mapping[str, str]) -> ScheduledJob:
    """Make the job of a schedule file, with the settings that its runs will see: variables beat the file."""
    is_dry_run = bool(parse_switch(environment.get(f"{ENVIRONMENT_PREFIX}DRY_RUN", "")))
    return ScheduledJob(
        name=name,
        schedule=schedule,
        tables=list_tables(schedule, environment),
        deletes=schedule.deletes and not is_dry_run,
        digest=digest,
        deadline=_read_deadline(schedule, environment),
    )


def list_tables(schedule: Schedule, environment: Mapping[str, str]) -> tuple[ScheduledTable, ...]:
    """List a file's tables. A variable that names a table replaces all of the file's, as in `janitor run`."""
    from_variables: dict[str, Any] = {
        name: environment.get(f"{ENVIRONMENT_PREFIX}{name.upper()}") for name in ScheduledTable._fields
    }
    from_variables["deployment"] = _read_deployments(from_variables["deployment"] or "")
    tables = schedule.tables
    if any(from_variables[name] for name in TABLE_OPTIONS):
        tables = ({name: value for name, value in tables[0].items() if name not in TABLE_OPTIONS},)
    return tuple(
        _make_table({**from_variables, "deployment": deployment}, table, environment)
        for table in tables
        for deployment in from_variables["deployment"] or table.get("deployment") or (None,)
    )


def is_catch_up_due(line: str | None, job: ScheduledJob, handled_at: float | None, now: float) -> bool:
    """Whether a job has to run at once, because it catches up and was due while no daemon was running."""
    return job.schedule.when.catch_up and find_missed_time(line, job, handled_at, now) is not None


def find_missed_time(line: str | None, job: ScheduledJob, handled_at: float | None, now: float) -> float | None:
    """Find the first time at which a job was due and no daemon ran it: none was running, or it ended during the jitter.

    Args:
        line: the cron line and time zone that the earlier daemon knew. If the job has another one now, nothing of it
            was missed.
        job: the job as it is now.
        handled_at: up to when that daemon ran what was due, in UNIX seconds; None for a job it did not know.
        now: the present in UNIX seconds.

    Returns:
        the UNIX second; None if no time was missed.
    """
    if handled_at is None or line is None or line != job.line:
        return None
    first = next(next_times(job.schedule.when, time_of(handled_at)), None)
    return first.timestamp() if first is not None and first.timestamp() <= now else None


def _read_deployments(text: str) -> tuple[str, ...]:
    """Read the deployments of the variable; none if it is not valid, which the runs will report."""
    try:
        return tuple(split_values(settings_of(TableSettings)["deployment"], text))
    except ValueError:
        return ()


def _read_deadline(schedule: Schedule, environment: Mapping[str, str]) -> int:
    try:
        return parse_duration(environment[f"{ENVIRONMENT_PREFIX}DEADLINE"])
    except (KeyError, ValueError):
        # A run reports a wrong value, and ends.
        deadline: int = schedule.values["deadline"]
        return deadline


def _make_table(
    from_variables: Mapping[str, Any], from_file: Mapping[str, Any], environment: Mapping[str, str]
) -> ScheduledTable:
    """Make a table from variables and file; `from_variables` has its deployment, if one names it."""
    values = {
        name: from_variables[name] or (from_file.get(name) if name != "deployment" else None)
        for name in ScheduledTable._fields
    }
    by_aws = next((environment[name] for name in _REGION_VARIABLES if environment.get(name)), None)
    values["region"] = values["region"] or by_aws
    return ScheduledTable(**values)
