"""A run of several tables, as one: each table's job, and what is the whole run's own.

Each table is reached by its own settings: region, profile, role, endpoint; so are its archive and what runs remember
of it. The reports and the topic are the run's own, and are reached by the settings that all tables have in common:
tables that are read as different roles are told of without any.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from janitor import __version__
from janitor.cli.wiring.announcing import pointer_of, topic_of
from janitor.cli.wiring.outlets import outlets_of
from janitor.cli.wiring.reach import Among, named, session
from janitor.cli.wiring.stores import troubles_for
from janitor.cli.wiring.tables import JobOf
from janitor.config.scan import ScanSettings
from janitor.config.table import TableSettings
from janitor.dynamodb.client import Aws
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError, JanitorError
from janitor.report.model import PolicyPart, TablePart
from janitor.report.together import labels_of
from janitor.run.announce import Announcer
from janitor.run.channel import Channel
from janitor.run.job import Job
from janitor.run.several import Several, Turn
from janitor.run.stopping import Stop
from janitor.tokens.expiration import moment
from janitor.tokens.protection import UnusedPatterns

_WAY = ("region", "profile", "role_arn", "endpoint_url")
_UNKNOWN = "-"
_REGION_IN_ARN = 3


class Asked(NamedTuple):
    """What is to be run: as `carried_out_on_each` has it, and the settings that all tables share."""

    command: str
    tables: Sequence[ScanSettings]
    job_of: JobOf
    shared: ScanSettings
    is_dry_run: bool
    is_silent: bool


def several_job(asked: Asked, run_id: str, stop: Stop) -> Several:
    """Find the tables and put the run together; nothing of their rows is read yet.

    Raises:
        ConfigurationError: the settings are wrong, or those of every table; or two of them lead to one table.
        JanitorError: none of the tables can be reached.
    """
    tables, shared = asked.tables, asked.shared
    home = session(shared.table)
    patterns = UnusedPatterns(shared.protection.protect_user)
    tries = [_try(asked, each, run_id, stop, Among(number, home, patterns)) for number, each in enumerate(tables, 1)]
    _see_that_some_are_reached(tables, tries)
    _see_that_all_differ(tables, tries)
    parts = [_table_part(each, made, home) for each, made in zip(tables, tries, strict=True)]
    policy = shared.policy
    return Several(
        command=asked.command,
        run_id=run_id,
        version=__version__,
        is_dry_run=asked.is_dry_run,
        turns=[
            replace(_turn(label, part, made), named=named(each.table))
            for each, label, part, made in zip(tables, labels_of(parts), parts, tries, strict=True)
        ],
        policy=PolicyPart(
            dialect=None,
            thresholds_seconds=sorted(set(policy.expiring_within), reverse=True),
            grace_seconds=policy.grace,
            as_of=None if policy.as_of is None else moment(policy.as_of),
        ),
        outlets=outlets_of(shared.output, None, lambda: home.s3, run_id, stop),
        max_findings=shared.output.max_findings,
        channel=_channel(asked, home, run_id, stop),
        clock=time.time,
        stop=stop,
    )


def _try(asked: Asked, settings: ScanSettings, run_id: str, stop: Stop, among: Among) -> Job | JanitorError:
    """A table's job, or why it has none: somebody else's table keeps none of the others from its turn."""
    # Its findings go to the run's own outlets.
    output = replace(settings.output, report=(), format="json")
    try:
        return asked.job_of(settings._replace(output=output), run_id, stop, among)
    except JanitorError as error:
        return error


def _see_that_some_are_reached(tables: Sequence[ScanSettings], tries: Sequence[Job | JanitorError]) -> None:
    errors = [each for each in tries if isinstance(each, JanitorError)]
    if len(errors) < len(tries):
        return
    sentences = {str(error) for error in errors}
    if len(sentences) == 1:
        raise errors[0]
    said = "; ".join(f"{named(each.table)}: {error}" for each, error in zip(tables, errors, strict=True))
    every = all(isinstance(error, ConfigurationError) for error in errors)
    raise (ConfigurationError if every else JanitorError)(f"no table can be reached: {said}", code=errors[0].code)


def _see_that_all_differ(tables: Sequence[ScanSettings], tries: Sequence[Job | JanitorError]) -> None:
    seen: dict[tuple[str | None, ...], str] = {}
    for settings, made in zip(tables, tries, strict=True):
        if isinstance(made, JanitorError):
            continue
        table: Table = made.table
        place = (table.account_id, table.region, table.name, table.endpoint)
        if place in seen:
            sentence = f"{seen[place]} and {named(settings.table)} are one table, {table.name} in {table.region}"
            raise ConfigurationError(sentence, "name it once", "same-table")
        seen[place] = named(settings.table)


def _table_part(settings: ScanSettings, made: Job | JanitorError, home: Aws) -> TablePart:
    """Where a table is; of one that cannot be reached what its settings say."""
    if isinstance(made, JanitorError):
        given = settings.table
        region = given.region or _region_of(given, home)
        return TablePart(name=named(given), region=region, account_id=None, endpoint=given.endpoint_url)
    table = made.table
    return TablePart(name=table.name, region=table.region, account_id=table.account_id, endpoint=table.endpoint)


def _region_of(given: TableSettings, home: Aws) -> str:
    """The region that a table's session has, which is asked of nobody; that of the run where there is no session."""
    try:
        return session(given, beside=home).region
    except JanitorError:
        return home.region or _UNKNOWN


def _turn(label: str, part: TablePart, made: Job | JanitorError) -> Turn:
    if isinstance(made, JanitorError):
        return Turn(label=label, table=part, job=None, error=made)
    announcer = made.announcer if isinstance(made.announcer, Announcer) else None
    return Turn(label=label, table=part, job=made, announcer=announcer)


def _channel(asked: Asked, home: Aws, run_id: str, stop: Stop) -> Channel | None:
    """Who hears of all tables, or would; None where nobody does and nothing is remembered."""
    shared = asked.shared
    if shared.policy.as_of is not None:
        return None
    return Channel(
        topic=None if asked.is_silent else topic_of(shared.notices, home, stop),
        per_token=shared.notices.per_token,
        digest=shared.notices.digest,
        pointer=pointer_of(shared.output, None, run_id),
        audience=shared.notices.sns_topic_arn,
        troubles=troubles_for(
            shared.state, shared.notices, lambda: home, command=asked.command, table=named(shared.table)
        ),
    )


def shared_way(tables: Sequence[TableSettings], topic_arn: str | None) -> TableSettings:
    """The way that all tables have in common, and the name of each. A topic answers in its own region alone."""
    values = {name: {getattr(table, name) for table in tables} for name in _WAY}
    common = {name: found.pop() for name, found in values.items() if len(found) == 1}
    if "region" not in common:
        # There is no way without one, and a bucket may be anywhere.
        of_topic = topic_arn.split(":")[_REGION_IN_ARN] if topic_arn else None
        common["region"] = of_topic or next(table.region for table in tables if table.region)
    return TableSettings(deployment=tuple(named(table) for table in tables), **common)
