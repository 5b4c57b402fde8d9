"""Opens a table: finds it through a session, and the warnings that a report gives about it."""

import os
import time
from dataclasses import replace

import msgspec

from janitor import __version__
from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.dynamodb.clock import JUDGED_BY, describe_skew, is_worth_a_warning
from janitor.dynamodb.locate import Table, TableChoice, find_newer_table, find_older_tables, locate_table
from janitor.dynamodb.owner_query import PagesOfOwner, read_owner_pages
from janitor.errors import ConfigurationError
from janitor.report.model import Remark
from janitor.settings.table import TABLE_OPTIONS, TableSettings
from janitor.tokens.dialect import Dialect
from janitor.wiring.budgets import make_budgets

# Enough for the deletes of a sweep, or for a few segments.
_MIN_CONNECTIONS = 16
MAX_SKEW_SECONDS = 60


class TableInRun(msgspec.Struct, frozen=True):
    """A table's place in a run of several tables.

    Attributes:
        number: from 1.
        run_session: the session for the run's reports and its topic. Each table still has clients of its own, because
            the guards of its deletes depend on them.
    """

    number: int
    run_session: AwsSession


class OpenTable(msgspec.Struct, frozen=True):
    """A table that was found, with the session that leads to it and the capacity it may use.

    `table_in_run` is None in a run of one table.
    """

    aws: AwsSession
    table: Table
    budgets: Budgets
    table_in_run: TableInRun | None = None

    @property
    def run_session(self) -> AwsSession:
        """The session for the run's reports and its topic."""
        return self.table_in_run.run_session if self.table_in_run else self.aws

    def earlier_time(self) -> int:
        """The present UNIX second, by the earlier of this machine's clock and DynamoDB's: it decides what may go."""
        return int(self.aws.clock.earlier_of(time.time()))

    @property
    def file_suffix(self) -> str:
        """Distinguishes the files of this table from those of the run's other tables, which may have the same name."""
        return f"-{self.table_in_run.number}" if self.table_in_run else ""


def open_table(
    settings: TableSettings,
    *,
    dialect: str | None = None,
    connections: int = 0,
    max_rcu: float | None = None,
    max_wcu: float | None = None,
    table_in_run: TableInRun | None = None,
) -> OpenTable:
    """Find the table. No row is read yet.

    Args:
        settings: which table, and how to reach it.
        dialect: `classic` or `hashed`; None to find out from the table.
        connections: how many requests will run at once, if more than usual.
        max_rcu: read units a second, `inf` for no limit; None for the default.
        max_wcu: write units, likewise.
        table_in_run: None in a run of one table.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong, or they name several.
        AwsError: AWS refused or could not be reached.
    """
    choice = _choose_table(settings)
    aws = open_session(settings, connections, models_of=table_in_run.run_session if table_in_run else None)
    table = locate_table(aws, choice, Dialect(dialect) if dialect else None, time.time)
    return OpenTable(aws, table, make_budgets(aws, table, max_rcu=max_rcu, max_wcu=max_wcu), table_in_run)


def open_session(settings: TableSettings, connections: int = 0, *, models_of: AwsSession | None = None) -> AwsSession:
    """Open a session, without looking for a table.

    `models_of` is another session of the same run, whose models of AWS's services are used here too.

    Raises:
        ConfigurationError: the profile does not exist, or there is no region.
    """
    return AwsSession(make_aws_access(settings, connections), models_of=models_of)


def names_a_table(settings: TableSettings) -> bool:
    """Whether the settings name a table at all."""
    return bool(settings.table or settings.deployment or settings.ssm_parameter)


def name_in_settings(settings: TableSettings) -> str:
    """The table, or the tables, in the user's words."""
    return settings.table or ", ".join(settings.deployment) or settings.ssm_parameter or "no table"


def expand_deployments(settings: TableSettings) -> list[TableSettings]:
    """The settings of each table that these name: several if --deployment decides, and names several.

    Raises:
        ConfigurationError: a deployment is named twice.
    """
    if len(settings.deployment) <= 1 or "deployment" not in list_chosen(settings):
        return [settings]
    twice = next((name for name in settings.deployment if settings.deployment.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"the deployment {twice} is named twice", "name it once")
    return [replace(settings, deployment=(name,)) for name in settings.deployment]


def list_chosen(settings: TableSettings) -> list[str]:
    """The settings that name the table. A flag beats the environment, even where they name it in different ways."""
    return settings.choose(name for name in TABLE_OPTIONS if getattr(settings, name))


def find_table_warnings(opened: OpenTable) -> tuple[Remark, ...]:
    """Warn of older tables that still hold rows, of a newer one that LISA reads, and of a local clock that is wrong."""
    remarks = []
    newer = find_newer_table(opened.aws, opened.table)
    if newer is not None:
        message = f"{describe_newer_table(opened.table.name, newer)}; scan that one with --table {newer}"
        remarks.append(Remark(where="table", code="no-longer-read", message=message))
    for name in find_older_tables(opened.aws, opened.table):
        message = (
            f"the older table {name} of this deployment still holds rows, their keys in plain text; "
            f"scan it with --table {name}"
        )
        remarks.append(Remark(where="table", code="left-behind", message=message))
    skew = opened.table.skew_seconds
    if is_worth_a_warning(skew):
        message = f"{describe_skew(skew)}; {JUDGED_BY}"
        remarks.append(Remark(where="clock", code="skewed", message=message))
    return tuple(remarks)


def describe_newer_table(name: str, newer: str) -> str:
    """Say that LISA reads the newer table of the deployment in place of this one."""
    return f"LISA no longer reads {name}: this deployment has the newer table {newer}"


def _choose_table(settings: TableSettings) -> TableChoice:
    chosen = list_chosen(settings)
    if not chosen:
        way_out = "give --table NAME, --deployment NAME or --ssm-parameter [PATH]"
        raise ConfigurationError("no table is named", way_out, "no-table")
    if len(chosen) > 1:
        raise ConfigurationError(f"{settings.spell(chosen)} both name the table", "give one of them")
    if chosen == ["deployment"] and len(settings.deployment) > 1:
        sentence = f"several deployments are named, and this command works on one table: {name_in_settings(settings)}"
        raise ConfigurationError(sentence, "name one of them; scan, sweep and run take several", "several-tables")
    deployment = settings.deployment[0] if settings.deployment else None
    values = {"table": settings.table, "deployment": deployment, "ssm_parameter": settings.ssm_parameter}
    return TableChoice(**{name: values[name] for name in chosen})


def make_aws_access(settings: TableSettings, connections: int = 0) -> AwsAccess:
    """How to reach AWS; with more connections than usual where so many requests run at once."""
    return AwsAccess(
        region=settings.region,
        profile=settings.profile,
        role_arn=settings.role_arn,
        endpoint_url=settings.endpoint_url,
        environment=os.environ,
        connections=max(_MIN_CONNECTIONS, connections),
        version=__version__,
    )


def make_owner_reader(opened: OpenTable) -> PagesOfOwner | None:
    """What reads the rows of one owner; None if the table has no index for it."""
    if not opened.table.has_owner_index:
        return None
    return lambda owner: read_owner_pages(opened.aws.dynamodb, opened.table.name, owner, opened.budgets)
