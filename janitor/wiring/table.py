"""The way to the table: a session, the table itself, and what should be said of it before a run."""

import os
import time
from dataclasses import replace

import msgspec

from janitor import __version__
from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.client import Aws, Connection
from janitor.dynamodb.clock import JUDGED_BY, is_worth_a_warning, skew_words
from janitor.dynamodb.locate import Table, TableChoice, left_behind, locate
from janitor.errors import ConfigurationError
from janitor.report.model import Remark
from janitor.settings.table import TABLE_NAMES, TableSettings
from janitor.tokens.dialect import Dialect
from janitor.wiring.budgets import budgets_for

# Room for a sweep's deletes, or for a few segments.
_LEAST_CONNECTIONS = 16
MAX_SKEW_SECONDS = 60


class PlaceInRun(msgspec.Struct, frozen=True):
    """A table's place among several of one run.

    Attributes:
        number: from 1.
        home: the session for what is the whole run's own: its reports and its topic. A table's clients are its own all
            the same: the guards of its deletes hang on them.
    """

    number: int
    home: Aws


class OpenTable(msgspec.Struct, frozen=True):
    """A session, the table that was found through it, and what may be spent on that.

    `among` is None for a run of that one table.
    """

    aws: Aws
    table: Table
    budgets: Budgets
    among: PlaceInRun | None = None

    @property
    def home(self) -> Aws:
        """The session for the run's reports and its topic."""
        return self.among.home if self.among else self.aws

    def present(self) -> int:
        """The UNIX second by the earlier of two clocks, this machine's and DynamoDB's: what may go is judged by it."""
        return int(self.aws.clock.earlier(time.time()))

    @property
    def file_suffix(self) -> str:
        """What tells this table's files from those of the run's other tables, which may have the same name."""
        return f"-{self.among.number}" if self.among else ""


def open_table(
    settings: TableSettings,
    *,
    dialect: str | None = None,
    connections: int = 0,
    max_rcu: float | None = None,
    max_wcu: float | None = None,
    among: PlaceInRun | None = None,
) -> OpenTable:
    """Find the table; nothing of its rows is read yet.

    Args:
        settings: which table, and how to get there.
        dialect: `classic` or `hashed`; None to tell it from the table.
        connections: how many requests will run at once, if more than the usual.
        max_rcu: read units a second, `inf` for no limit; None for the default.
        max_wcu: write units, likewise.
        among: its place among several.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong, or they name several.
        AwsError: AWS refused or could not be reached.
    """
    choice = _choice(settings)
    aws = open_session(settings, connections, beside=among.home if among else None)
    table = locate(aws, choice, Dialect(dialect) if dialect else None, time.time)
    return OpenTable(aws, table, budgets_for(aws, table, max_rcu=max_rcu, max_wcu=max_wcu), among)


def open_session(settings: TableSettings, connections: int = 0, *, beside: Aws | None = None) -> Aws:
    """The way to AWS, without a table; `beside` is another session of the same run.

    Raises:
        ConfigurationError: the profile does not exist, or there is no region.
    """
    return Aws(connection_of(settings, connections), beside=beside)


def names_a_table(settings: TableSettings) -> bool:
    """Whether the user names a table at all."""
    return bool(settings.table or settings.deployment or settings.ssm_parameter)


def name_in_settings(settings: TableSettings) -> str:
    """What the user calls the table, or the tables."""
    return settings.table or ", ".join(settings.deployment) or settings.ssm_parameter or "no table"


def each_of(settings: TableSettings) -> list[TableSettings]:
    """The settings of each table that they name: several where they name several deployments, and nothing beats those.

    Raises:
        ConfigurationError: a deployment is named twice.
    """
    if len(settings.deployment) <= 1 or "deployment" not in _chosen(settings):
        return [settings]
    twice = next((name for name in settings.deployment if settings.deployment.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"the deployment {twice} is named twice", "name it once")
    return [replace(settings, deployment=(name,)) for name in settings.deployment]


def _chosen(settings: TableSettings) -> list[str]:
    """What names the table: a flag beats the environment, also when they name it in different ways."""
    return settings.choose(name for name in TABLE_NAMES if getattr(settings, name))


def warnings(reached: OpenTable) -> tuple[Remark, ...]:
    """Older tables that were left behind with rows in them, and a local clock that is off."""
    remarks = []
    for name in left_behind(reached.aws, reached.table):
        message = (
            f"the older table {name} of this deployment still holds rows, their keys in plain text; "
            f"look at it with --table {name}"
        )
        remarks.append(Remark(where="table", code="left-behind", message=message))
    skew = reached.table.skew_seconds
    if is_worth_a_warning(skew):
        message = f"{skew_words(skew)}; {JUDGED_BY}"
        remarks.append(Remark(where="clock", code="skewed", message=message))
    return tuple(remarks)


def _choice(settings: TableSettings) -> TableChoice:
    chosen = _chosen(settings)
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


def connection_of(settings: TableSettings, connections: int = 0) -> Connection:
    """How AWS is reached; with more connections than the usual where so many requests run at once."""
    return Connection(
        region=settings.region,
        profile=settings.profile,
        role_arn=settings.role_arn,
        endpoint_url=settings.endpoint_url,
        environment=os.environ,
        connections=max(_LEAST_CONNECTIONS, connections),
        version=__version__,
    )
