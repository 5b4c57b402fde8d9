"""Builds the `RunSpec` of a run: the part of each table, and what belongs to the run as a whole.

Each table is reached by its own settings: region, profile, role, endpoint. The same settings lead to its archive and
its state store. The reports and the topic belong to the run. With one table they are reached by its settings; with
several, by the settings that all tables share, so where the tables use different roles, by none of these roles.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import structs

from janitor import __version__
from janitor.dynamodb.client import AwsSession
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError, JanitorError
from janitor.report.combine import labels_of
from janitor.report.model import LIST_COMMAND, Remark, TablePart
from janitor.run.spec import Announce, RunSpec, TableSpec, UnreachedTable
from janitor.settings.scan import JobSettings
from janitor.settings.table import CONNECTION_OPTIONS, TableSettings
from janitor.stopping import Stop
from janitor.tokens.redact import remove_login
from janitor.wiring.destinations import has_destination
from janitor.wiring.open_table import TableInRun, name_in_settings, names_a_table, open_session
from janitor.wiring.outlets import find_full_report, make_outlets
from janitor.wiring.stores import has_store

_UNKNOWN = "-"
_REGION_IN_ARN = 3

SettingsT = TypeVar("SettingsT", bound=JobSettings)


class PreparedTable(NamedTuple):
    """A table's part of a run.

    Attributes:
        spec: what the run does with the table.
        aws: opens the table's session; a run of this table alone reaches its reports and topic through it too.
        report_table: the table whose name may stand in the places of reports; None if its name is not known.
    """

    spec: TableSpec
    aws: Callable[[], AwsSession]
    report_table: Table | None

    def with_spec(self, *, remarks: Sequence[Remark] = (), **changes: Any) -> PreparedTable:
        """The same with these fields of its spec changed, and with more warnings."""
        warnings = (*self.spec.warnings, *remarks)
        return self._replace(spec=structs.replace(self.spec, warnings=warnings, **changes))


Prepare = Callable[[SettingsT, str, Stop, TableInRun | None], PreparedTable]


class RunRequest(NamedTuple, Generic[SettingsT]):
    """A run that a command asks for.

    Attributes:
        command: the command's name, for the report.
        tables: the settings of each table; they differ only in the table and how to reach it.
        prepare: prepares a table's part.
        deletes: whether it may delete rows.
        is_dry_run: whether it only says what it would do. A plain scan is none: it deletes nothing, but notifies.
    """

    command: str
    tables: Sequence[SettingsT]
    prepare: Prepare[SettingsT]
    deletes: bool = False
    is_dry_run: bool = False

    @property
    def shared(self) -> SettingsT:
        """The settings of the run as a whole: those of its only table, or what its tables share."""
        first = self.tables[0]
        if len(self.tables) == 1:
            return first
        topic_arn = first.notices.sns_topic_arn
        return first._replace(table=_combine_table_settings([each.table for each in self.tables], topic_arn))


def build_run_spec(request: RunRequest[SettingsT], run_id: str, stop: Stop) -> RunSpec:
    """Find the tables and build the spec. No row is read yet.

    Args:
        request: the run to build.
        run_id: the run's id.
        stop: says whether the run was asked to stop.

    Raises:
        ConfigurationError: the settings are wrong, for the only table or for all of them; or two name the same table.
        JanitorError: none of the tables can be reached.
    """
    if len(request.tables) == 1:
        [settings] = request.tables
        prepared = request.prepare(settings, run_id, stop, None)
        name = name_in_settings(settings.table) if names_a_table(settings.table) else None
        return _build_spec(
            request,
            [structs.replace(prepared.spec, name_in_settings=name)],
            run_id=run_id,
            stop=stop,
            run_session=prepared.aws,
            report_table=prepared.report_table,
        )
    run_session = open_session(request.shared.table)
    results = [
        _try_to_prepare(request, settings, run_id, stop, TableInRun(number, run_session))
        for number, settings in enumerate(request.tables, 1)
    ]
    _require_one_table(request.tables, results)
    _require_distinct_tables(request.tables, results)
    parts = [
        _table_part_of(settings, result, run_session) for settings, result in zip(request.tables, results, strict=True)
    ]
    specs = [
        UnreachedTable(label=label, table_part=part, error=result, name_in_settings=name_in_settings(settings.table))
        if isinstance(result, JanitorError)
        else structs.replace(result, label=label, name_in_settings=name_in_settings(settings.table))
        for settings, label, part, result in zip(request.tables, labels_of(parts), parts, results, strict=True)
    ]
    return _build_spec(request, specs, run_id=run_id, stop=stop, run_session=lambda: run_session, report_table=None)


def _build_spec(
    request: RunRequest[SettingsT],
    tables: Sequence[TableSpec | UnreachedTable],
    *,
    run_id: str,
    stop: Stop,
    run_session: Callable[[], AwsSession],
    report_table: Table | None,
) -> RunSpec:
    first = next(table for table in tables if isinstance(table, TableSpec))
    shared = request.shared
    output = shared.output
    full_report = find_full_report(output, report_table, run_id)
    return RunSpec(
        command=request.command,
        run_id=run_id,
        version=__version__,
        deletes=request.deletes,
        tables=tables,
        policy=structs.replace(first.policy_part, dialect=None),
        outlets=make_outlets(output, report_table, lambda: run_session().s3, run_id, stop),
        max_findings=output.max_findings,
        announce=None if first.as_of is not None else _make_announce(request, shared, run_session, full_report, stop),
        nobody_because=_find_why_nobody_is_told(request.command, shared),
        is_dry_run=request.is_dry_run,
        clock=time.time,
        stop=stop,
    )


def _find_why_nobody_is_told(command: str, settings: JobSettings) -> str | None:
    """Why nobody is told of the run; None if somebody may be."""
    if command == LIST_COMMAND:
        return "a listing tells nobody"
    return None if has_destination(settings.notices) else "no --sns-topic-arn or --notify is given"


def _make_announce(
    request: RunRequest[SettingsT],
    shared: SettingsT,
    run_session: Callable[[], AwsSession],
    full_report: str | None,
    stop: Stop,
) -> Announce | None:
    """What announces the run, or in a dry run says who would be notified; None if nothing is remembered."""
    if not has_store(shared.state, shared.notices):
        return None
    from janitor.notices.announce import announce_to_all
    from janitor.wiring.announcer import make_run_channels

    channels = make_run_channels(
        shared,
        run_session,
        stop,
        command=request.command,
        is_dry_run=request.is_dry_run,
        full_report_location=full_report,
    )
    return partial(announce_to_all, channels=channels, stop=stop)


def _try_to_prepare(
    request: RunRequest[SettingsT], settings: SettingsT, run_id: str, stop: Stop, table_in_run: TableInRun
) -> TableSpec | JanitorError:
    """Prepare one table of several, or return why that failed: one table must not keep the run from the others."""
    try:
        return request.prepare(settings, run_id, stop, table_in_run).spec
    except JanitorError as error:
        return error


def _require_one_table(tables: Sequence[JobSettings], results: Sequence[TableSpec | JanitorError]) -> None:
    errors = [result for result in results if isinstance(result, JanitorError)]
    if len(errors) < len(results):
        return
    sentences = {str(error) for error in errors}
    if len(sentences) == 1:
        raise errors[0]
    reasons = "; ".join(
        f"{name_in_settings(settings.table)}: {error}" for settings, error in zip(tables, errors, strict=True)
    )
    is_configuration = all(isinstance(error, ConfigurationError) for error in errors)
    raise (ConfigurationError if is_configuration else JanitorError)(
        f"no table can be reached: {reasons}", code=errors[0].code
    )


def _require_distinct_tables(tables: Sequence[JobSettings], results: Sequence[TableSpec | JanitorError]) -> None:
    names: dict[tuple[str | None, ...], str] = {}
    for settings, result in zip(tables, results, strict=True):
        if isinstance(result, JanitorError):
            continue
        table: Table = result.table
        place = (table.account_id, table.region, table.name, table.endpoint)
        if place in names:
            sentence = (
                f"{names[place]} and {name_in_settings(settings.table)} are one table, {table.name} in {table.region}"
            )
            raise ConfigurationError(sentence, "name it once", "same-table")
        names[place] = name_in_settings(settings.table)


def _table_part_of(settings: JobSettings, result: TableSpec | JanitorError, run_session: AwsSession) -> TablePart:
    """Where a table is; as its settings have it if it cannot be reached."""
    if isinstance(result, JanitorError):
        given = settings.table
        region = given.region or _region_of(given, run_session)
        endpoint = None if given.endpoint_url is None else remove_login(given.endpoint_url)
        return TablePart(name=name_in_settings(given), region=region, account_id=None, endpoint=endpoint)
    return result.table_part


def _region_of(given: TableSettings, run_session: AwsSession) -> str:
    """The region of the table's session, which needs no request; the run's own if no session can be opened."""
    try:
        return open_session(given, models_of=run_session).region
    except JanitorError:
        return run_session.region or _UNKNOWN


def _combine_table_settings(tables: Sequence[TableSettings], topic_arn: str | None) -> TableSettings:
    """How to reach AWS as far as all tables share it, and the names of all. A topic answers only in its own region."""
    values = {name: {getattr(table, name) for table in tables} for name in CONNECTION_OPTIONS}
    common = {name: found.pop() for name, found in values.items() if len(found) == 1}
    if "region" not in common:
        # A session needs a region; a bucket may be in any.
        topic_region = topic_arn.split(":")[_REGION_IN_ARN] if topic_arn else None
        common["region"] = topic_region or next(table.region for table in tables if table.region)
    return TableSettings(deployment=tuple(name_in_settings(table) for table in tables), **common)
