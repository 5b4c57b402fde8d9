"""What a job is: a schedule file of the folder, and the tables that it is at work on. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from janitor.settings.cron import next_times
from janitor.settings.schedule import Schedule
from janitor.settings.setting import ENVIRONMENT_PREFIX, says_yes, settings_of, values_in
from janitor.settings.table import TABLE_NAMES, TableSettings
from janitor.tokens.duration import parse_duration
from janitor.tokens.times import time_of

# boto3 reads the second, the AWS CLI the first as well.
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


class TableOfJob(NamedTuple):
    """A table as a job's settings name it, each None where they leave it to AWS's own rules.

    Attributes:
        table, deployment, ssm_parameter: what names the table; one of them is set, or none where the file is wrong.
        region, profile, role_arn, endpoint_url: the way there.
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
        """What names it, for people."""
        return self.table or self.deployment or self.ssm_parameter or "no table"

    @property
    def key(self) -> str:
        """Equal for settings that name one table alike: who asks for it, and as whom, does not matter."""
        named = (self.table, self.deployment, self.ssm_parameter, self.region, self.endpoint_url)
        return "|".join(text or "" for text in named)


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A schedule file that is right.

    Attributes:
        name: the file's, without its ending.
        schedule: what it says.
        tables: its tables, after the environment's settings.
        deletes: whether its runs delete, after the environment's settings.
        digest: of the file's bytes.
        deadline: how many seconds a run has, after the environment's settings.
    """

    name: str
    schedule: Schedule
    tables: tuple[TableOfJob, ...]
    deletes: bool
    digest: str
    deadline: int

    @property
    def line(self) -> str | None:
        """The cron line and its zone, in a word; None where nothing fires it."""
        when = self.schedule.when
        return f"{when.cron} {when.timezone}" if when.cron else None


def job_of(name: str, schedule: Schedule, digest: str, environment: Mapping[str, str]) -> ScheduledJob:
    """A job, as its runs will see its file: the environment's settings beat the file's."""
    is_dry = bool(says_yes(environment.get(f"{ENVIRONMENT_PREFIX}DRY_RUN", "")))
    return ScheduledJob(
        name=name,
        schedule=schedule,
        tables=tables_of(schedule, environment),
        deletes=schedule.deletes and not is_dry,
        digest=digest,
        deadline=_deadline(schedule, environment),
    )


def tables_of(schedule: Schedule, environment: Mapping[str, str]) -> tuple[TableOfJob, ...]:
    """A file's tables. A variable that names a table means that one, and none of the file's, as for `janitor run`."""
    given: dict[str, Any] = {
        name: environment.get(f"{ENVIRONMENT_PREFIX}{name.upper()}") for name in TableOfJob._fields
    }
    given["deployment"] = _deployments(given["deployment"] or "")
    tables = schedule.tables
    if any(given[name] for name in TABLE_NAMES):
        tables = ({name: value for name, value in tables[0].items() if name not in TABLE_NAMES},)
    return tuple(
        _table({**given, "deployment": deployment}, table, environment)
        for table in tables
        for deployment in given["deployment"] or table.get("deployment") or (None,)
    )


def is_missed(line: str | None, job: ScheduledJob, handled_at: float | None, now: float) -> bool:
    """Whether a job is to be run at once, because its time came while no daemon was there: see `due_in_vain`."""
    return job.schedule.when.catch_up and due_in_vain(line, job, handled_at, now) is not None


def due_in_vain(line: str | None, job: ScheduledJob, handled_at: float | None, now: float) -> float | None:
    """When a job first came due that no daemon did, in UNIX seconds: none was there, or not until its jitter was over.

    Args:
        line: the cron line and zone that the earlier daemon knew it by. Another one now is a new plan, of which
            nothing was due.
        job: as it is now.
        handled_at: up to when that daemon did what was due, in UNIX seconds; None for a job it never saw.
        now: the present in UNIX seconds.

    Returns:
        None where it did not.
    """
    if handled_at is None or line is None or line != job.line:
        return None
    first = next(next_times(job.schedule.when, time_of(handled_at)), None)
    return first.timestamp() if first is not None and first.timestamp() <= now else None


def _deployments(text: str) -> tuple[str, ...]:
    """Those that a variable names; none where the runs will say what is wrong with it."""
    try:
        return tuple(values_in(settings_of(TableSettings)["deployment"], text))
    except ValueError:
        return ()


def _deadline(schedule: Schedule, environment: Mapping[str, str]) -> int:
    try:
        return parse_duration(environment[f"{ENVIRONMENT_PREFIX}DEADLINE"])
    except (KeyError, ValueError):
        # A run that is given a wrong one says so, and ends.
        deadline: int = schedule.values["deadline"]
        return deadline


def _table(given: Mapping[str, Any], of_file: Mapping[str, Any], environment: Mapping[str, str]) -> TableOfJob:
    """A table; `given` says which deployment, where one names it."""
    values = {name: given[name] or (of_file.get(name) if name != "deployment" else None) for name in TableOfJob._fields}
    by_aws = next((environment[name] for name in _REGION_VARIABLES if environment.get(name)), None)
    values["region"] = values["region"] or by_aws
    return TableOfJob(**values)
