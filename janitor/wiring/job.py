"""A run put together: each table's part, and what is the whole run's own.

Each table is reached by its own settings: region, profile, role, endpoint; so are its archive and what runs remember
of it. The reports and the topic are the run's own, and are reached as the table is, or, of several tables, by the
settings that all have in common: tables that are read as different roles are told of without any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import structs

from janitor import __version__
from janitor.dynamodb.client import Aws
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError, JanitorError
from janitor.report.combine import labels_of
from janitor.report.model import Remark, TablePart
from janitor.run.job import Announce, Job, TableJob, Unreached
from janitor.settings.around_run import AroundRun
from janitor.settings.table import TableSettings
from janitor.stopping import Stop
from janitor.wiring.outlets import outlets_of
from janitor.wiring.report_places import pointer_of
from janitor.wiring.stores import has_store
from janitor.wiring.table import PlaceInRun, name_in_settings, names_a_table, open_session

_WAY = ("region", "profile", "role_arn", "endpoint_url")
_UNKNOWN = "-"
_REGION_IN_ARN = 3

SettingsT = TypeVar("SettingsT", bound=AroundRun)


class Prepared(NamedTuple):
    """A table's part of a run.

    Attributes:
        job: what is to be done with it.
        aws: the way to it, also for what is the run's own where it is the only table.
        names_places: the table whose name may stand in the places of reports; None where there is no such name.
    """

    job: TableJob
    aws: Callable[[], Aws]
    names_places: Table | None

    def doing(self, *, remarks: Sequence[Remark] = (), **changes: Any) -> Prepared:
        """The same with other values of its job, by their names, and with more warnings."""
        warnings = (*self.job.warnings, *remarks)
        return self._replace(job=structs.replace(self.job, warnings=warnings, **changes))


Prepare = Callable[[SettingsT, str, Stop, PlaceInRun | None], Prepared]


class Asked(NamedTuple, Generic[SettingsT]):
    """What is to be run.

    Attributes:
        command: what it is called.
        tables: the settings for each table, which differ in nothing but the table and the way there.
        prepare: puts a table's part together.
        is_dry_run: whether nothing is deleted, whatever is found.
        is_silent: whether nobody is told either, as of a dry run that is no scan.
    """

    command: str
    tables: Sequence[SettingsT]
    prepare: Prepare[SettingsT]
    is_dry_run: bool = True
    is_silent: bool = False


def run_job(asked: Asked[SettingsT], shared: SettingsT, run_id: str, stop: Stop) -> Job:
    """Find the tables and put the run together; nothing of their rows is read yet.

    Args:
        asked: what is to be run.
        shared: the settings of the run as a whole: those of its table, or what its tables have in common.
        run_id: the run's id.
        stop: who may ask for an early end.

    Raises:
        ConfigurationError: the settings are wrong, or those of every table; or two of them lead to one table.
        JanitorError: none of the tables can be reached.
    """
    if len(asked.tables) == 1:
        [only] = asked.tables
        prepared = asked.prepare(only, run_id, stop, None)
        return _job(
            asked,
            shared,
            [structs.replace(prepared.job, named=name_in_settings(only.table) if names_a_table(only.table) else None)],
            run_id=run_id,
            stop=stop,
            home=prepared.aws,
            names_places=prepared.names_places,
        )
    home = open_session(shared.table)
    tries = [_try(asked, each, run_id, stop, PlaceInRun(number, home)) for number, each in enumerate(asked.tables, 1)]
    _see_that_some_are_reached(asked.tables, tries)
    _see_that_all_differ(asked.tables, tries)
    places = [_place_of(each, made, home) for each, made in zip(asked.tables, tries, strict=True)]
    jobs = [
        Unreached(label=label, place=place, error=made, named=name_in_settings(each.table))
        if isinstance(made, JanitorError)
        else structs.replace(made, label=label, named=name_in_settings(each.table))
        for each, label, place, made in zip(asked.tables, labels_of(places), places, tries, strict=True)
    ]
    return _job(asked, shared, jobs, run_id=run_id, stop=stop, home=lambda: home, names_places=None)


def _job(
    asked: Asked[SettingsT],
    shared: SettingsT,
    tables: Sequence[TableJob | Unreached],
    *,
    run_id: str,
    stop: Stop,
    home: Callable[[], Aws],
    names_places: Table | None,
) -> Job:
    first = next(table for table in tables if isinstance(table, TableJob))
    output = shared.output
    pointer = pointer_of(output, names_places, run_id)
    return Job(
        command=asked.command,
        run_id=run_id,
        version=__version__,
        is_dry_run=asked.is_dry_run,
        tables=tables,
        policy=structs.replace(first.policy_part, dialect=None),
        outlets=outlets_of(output, names_places, lambda: home().s3, run_id, stop),
        max_findings=output.max_findings,
        announce=None if first.as_of is not None else _announce(asked, shared, home, pointer, stop),
        clock=time.time,
        stop=stop,
    )


def _announce(
    asked: Asked[SettingsT], shared: SettingsT, home: Callable[[], Aws], pointer: str | None, stop: Stop
) -> Announce | None:
    """Tells those who are to hear of the run, or would; None where nobody does and nothing is remembered."""
    if not has_store(shared.store, shared.notices):
        return None
    from janitor.notices.announce import announce
    from janitor.wiring.announcer import run_channel

    channel = run_channel(shared, home, stop, command=asked.command, is_silent=asked.is_silent, pointer=pointer)
    return partial(announce, channel=channel, stop=stop)


def _try(
    asked: Asked[SettingsT], settings: SettingsT, run_id: str, stop: Stop, among: PlaceInRun
) -> TableJob | JanitorError:
    """A table's part, or why it has none: somebody else's table keeps none of the others from its turn."""
    try:
        return asked.prepare(settings, run_id, stop, among).job
    except JanitorError as error:
        return error


def _see_that_some_are_reached(tables: Sequence[AroundRun], tries: Sequence[TableJob | JanitorError]) -> None:
    errors = [each for each in tries if isinstance(each, JanitorError)]
    if len(errors) < len(tries):
        return
    sentences = {str(error) for error in errors}
    if len(sentences) == 1:
        raise errors[0]
    said = "; ".join(f"{name_in_settings(each.table)}: {error}" for each, error in zip(tables, errors, strict=True))
    every = all(isinstance(error, ConfigurationError) for error in errors)
    raise (ConfigurationError if every else JanitorError)(f"no table can be reached: {said}", code=errors[0].code)


def _see_that_all_differ(tables: Sequence[AroundRun], tries: Sequence[TableJob | JanitorError]) -> None:
    seen: dict[tuple[str | None, ...], str] = {}
    for settings, made in zip(tables, tries, strict=True):
        if isinstance(made, JanitorError):
            continue
        table: Table = made.table
        place = (table.account_id, table.region, table.name, table.endpoint)
        if place in seen:
            sentence = (
                f"{seen[place]} and {name_in_settings(settings.table)} are one table, {table.name} in {table.region}"
            )
            raise ConfigurationError(sentence, "name it once", "same-table")
        seen[place] = name_in_settings(settings.table)


def _place_of(settings: AroundRun, made: TableJob | JanitorError, home: Aws) -> TablePart:
    """Where a table is; of one that cannot be reached what its settings say."""
    if isinstance(made, JanitorError):
        given = settings.table
        region = given.region or _region_of(given, home)
        return TablePart(name=name_in_settings(given), region=region, account_id=None, endpoint=given.endpoint_url)
    return made.place


def _region_of(given: TableSettings, home: Aws) -> str:
    """The region that a table's session has, which is asked of nobody; that of the run where there is no session."""
    try:
        return open_session(given, beside=home).region
    except JanitorError:
        return home.region or _UNKNOWN


def shared_way(tables: Sequence[TableSettings], topic_arn: str | None) -> TableSettings:
    """The way that all tables have in common, and the name of each. A topic answers in its own region alone."""
    values = {name: {getattr(table, name) for table in tables} for name in _WAY}
    common = {name: found.pop() for name, found in values.items() if len(found) == 1}
    if "region" not in common:
        # There is no way without one, and a bucket may be anywhere.
        of_topic = topic_arn.split(":")[_REGION_IN_ARN] if topic_arn else None
        common["region"] = of_topic or next(table.region for table in tables if table.region)
    return TableSettings(deployment=tuple(name_in_settings(table) for table in tables), **common)
