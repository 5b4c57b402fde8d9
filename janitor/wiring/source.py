"""Prepares a scan or a dry sweep of an export or a dump. DynamoDB is asked nothing.

Rows are judged at the present time, as in any run. Nothing is announced or remembered: a row of the export may have
changed in the table since. `janitor apply` carries out a plan that is made here, and asks the table about each row.
"""

import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from janitor.archive.archive import NoArchive
from janitor.archive.plan import PlanHeader, PlanWriter
from janitor.archive.plan_reader import PlanReader
from janitor.dynamodb.client import AwsSession, Traffic
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError
from janitor.export.places import LocalFile, S3Place, SourcePlace, StandardInput
from janitor.export.source import Source, open_source
from janitor.export.source_kind import SourceKind
from janitor.readers.in_process import PageReader
from janitor.readers.interface import Rules
from janitor.report.model import Remark, TablePart
from janitor.run.guards import GuardInputs
from janitor.run.plan_executor import DryRunExecutor
from janitor.run.progress import NoProgress
from janitor.run.spec import OwnerLookup, Prices, TableSpec
from janitor.run.sweep import Sweep, SweepPlan
from janitor.settings.commands import SweepCommand
from janitor.settings.deletion import PlanSettings
from janitor.settings.parsers import S3Prefix
from janitor.settings.scan import ScanCommand
from janitor.settings.table import TableSettings
from janitor.stopping import Stop
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import format_duration
from janitor.tokens.expiration import calendar_time
from janitor.tokens.narrowing import NO_NARROWING, Narrowing
from janitor.tokens.protection import UnusedPatterns
from janitor.tokens.times import format_minute
from janitor.wiring.command_options import describe_scan_options, describe_sweep_options
from janitor.wiring.confirm import Confirmation
from janitor.wiring.destinations import has_destination, name_destination_flag
from janitor.wiring.monitoring import list_metric_files
from janitor.wiring.open_table import open_session
from janitor.wiring.outlets import check_reports
from janitor.wiring.places import list_named_path
from janitor.wiring.plans import build_header, make_limits, make_temporary_plan_path
from janitor.wiring.policy import find_policy_warnings, make_policy, read_fingerprint_key
from janitor.wiring.progress import make_progress
from janitor.wiring.run_spec import PreparedTable


def prepare_source(settings: ScanCommand, run_id: str, stop: Stop, sweep: SweepCommand | None = None) -> PreparedTable:
    """Open the source and prepare the run. Only the first megabyte of its rows is read yet.

    Raises:
        ConfigurationError: the settings contradict each other, or janitor does not read this kind of source.
        SourceError: it is damaged at its start.
        AwsError: S3 refused or could not be reached.
    """
    dialect = _check_settings(settings, sweep)
    as_of = settings.policy.as_of
    fingerprint_key = read_fingerprint_key(settings.protection.fingerprint_key_file)
    # Opened when it is needed, and once: it may ask a person for a code.
    open_aws = cache(lambda: open_session(settings.table))
    place = _open_place(settings, open_aws)
    warnings: list[Remark] = []
    source = open_source(
        place, lambda sentence: warnings.append(Remark(where="source", code="segments", message=sentence))
    )
    warnings.append(_build_age_warning(source))
    table = _make_table(source, settings, dialect)
    # The name of a source is not the name of a table, and must not fill {table} in the places of reports.
    is_table_named = bool(source.table or settings.table.table)
    include = sweep.plan.include if sweep else ()
    narrowing = Narrowing(sweep.plan.user, sweep.plan.fingerprint) if sweep else NO_NARROWING
    policy = make_policy(
        settings.policy, settings.protection, dialect, include, settings.unlock.unlock_after, narrowing=narrowing
    )
    warnings += find_policy_warnings(policy, include, settings.unlock.unlock_after)
    now = int(time.time()) if as_of is None else as_of
    dry_sweep = None
    if sweep is not None:
        _check_plan(sweep.plan, source, settings.table)
        dry_sweep = _build_dry_sweep(sweep, build_header(table, policy, run_id, now, as_of), stop)
    spec = TableSpec(
        label=table.name,
        table=table,
        rules=Rules(policy=policy, now=now, fingerprint_key=fingerprint_key),
        as_of=as_of,
        reader=PageReader(lambda: source.pages(stop)),
        owners=OwnerLookup(reread=(lambda: open_source(place).pages(stop)) if place.can_be_read_again else None),
        traffic=Traffic(),
        prices=Prices(0.0, 0.0),
        clock=time.time,
        progress=make_progress(source.rows or 0, "reading"),
        stop=stop,
        warnings=warnings,
        sweep=dry_sweep,
        options=describe_scan_options(settings.table, settings.protection)
        if sweep is None
        else describe_sweep_options(settings, sweep),
        unused_patterns=UnusedPatterns(policy.protect_users),
    )
    return PreparedTable(spec, open_aws, table if is_table_named else None)


def _check_settings(settings: ScanCommand, sweep: SweepCommand | None) -> Dialect:
    """Check that the settings do not contradict each other, and return the dialect."""
    if sweep is not None and sweep.deletes:
        way_out = "make a plan with --plan PATH and without --delete, then: janitor apply PATH"
        raise ConfigurationError("--delete deletes from the table, and --source is only a copy of it", way_out)
    if sweep is not None and sweep.deletion.require_notice:
        way_out = "give it to janitor apply, which carries the plan out"
        sentence = "--require-notice depends on what was announced, and a run with --source remembers nothing"
        raise ConfigurationError(sentence, way_out)
    if has_destination(settings.notices):
        given = name_destination_flag(settings.notices)
        sentence = f"--source and {given} exclude each other: notices from an old copy would be wrong"
        raise ConfigurationError(sentence, "remove one of them")
    if settings.last_seen.last_seen is not None:
        sentence = "--source and --last-seen exclude each other: a run with --source asks nothing of DynamoDB"
        raise ConfigurationError(sentence, "remove one of them")
    if settings.table.given_by_flag("deployment", "ssm_parameter"):
        way_out = "name the table that the rows are of with --table NAME"
        sentence = "--deployment and --ssm-parameter look for a table, and --source reads none"
        raise ConfigurationError(sentence, way_out)
    if settings.limits.given_by_flag("workers", "dask"):
        sentence = "--workers and --dask divide a table between processes, and --source is read by this process alone"
        raise ConfigurationError(sentence, "remove them")
    source = settings.source.source
    files = [("--source", source)] if isinstance(source, Path) else []
    plan = list_named_path("--plan", sweep.plan.plan) if sweep is not None else []
    check_reports(settings.output, [*files, *plan, *list_metric_files(settings.notices)])
    if settings.policy.dialect is None:
        way_out = "give --dialect hashed (LISA 6.1 and later) or --dialect classic (before)"
        sentence = "--source needs --dialect: a copy has no indexes to detect it from"
        raise ConfigurationError(sentence, way_out, "source-dialect")
    return Dialect(settings.policy.dialect)


def _open_place(settings: ScanCommand, open_aws: Callable[[], AwsSession]) -> SourcePlace:
    match settings.source.source:
        case S3Prefix(bucket, key):
            return S3Place(open_aws().s3, bucket, key)
        case Path() as path:
            return LocalFile(path)
    if sys.stdin is None:
        raise ConfigurationError("standard input is closed", "give --source PATH", "source-path")
    return StandardInput(open(sys.stdin.fileno(), "rb", closefd=False))


def _make_table(source: Source, settings: ScanCommand, dialect: Dialect) -> Table:
    given = settings.table.table
    if source.table and given and given != source.table and settings.table.given_by_flag("table"):
        sentence = f"{source.name} holds rows of the table {source.table}, and --table names {given}"
        raise ConfigurationError(sentence, "give the export of that table, or remove --table", "other-table")
    name = settings.source.source
    return Table(
        name=source.table or given or (name.name if isinstance(name, Path) else source.name),
        # A region that is set here need not be the one that the dump is from.
        region=source.region or settings.table.region or "",
        account_id=source.account_id,
        endpoint=None,
        dialect=dialect,
        has_owner_index=False,
        item_count=source.rows or 0,
        size_bytes=0,
        skew_seconds=None,
        source=str(name),
    )


def _check_plan(plan: PlanSettings, source: Source, given: TableSettings) -> None:
    """Check that the plan will name its table; `janitor apply` could not carry it out otherwise."""
    if plan.plan is None or ((source.table or given.table) and (source.region or given.region)):
        return
    sentence = f"a plan has to name its table and region, and {source.name} does not say them"
    raise ConfigurationError(sentence, "give --table NAME and --region NAME", "source-table")


def _build_dry_sweep(sweep: SweepCommand, header: PlanHeader, stop: Stop) -> Sweep:
    """A sweep that makes a plan and can do no more."""
    path, table = sweep.plan.plan or make_temporary_plan_path(header.run_id), header.table
    return Sweep(
        is_enabled=False,
        plan=SweepPlan(
            writer=PlanWriter(path),
            header=header,
            read_rows=lambda: PlanReader(str(path), lambda: path.open("rb")).rows(),
            is_requested=sweep.plan.plan is not None,
        ),
        archive=NoArchive(),
        # There is no server's clock to compare with; `janitor apply` has one, and asks this guard.
        guards=GuardInputs(
            limits=make_limits(sweep.deletion),
            skew_seconds=0,
            is_as_of_given=header.as_of is not None,
            unchecked=frozenset({"clock", "archive"}),
        ),
        consent=Confirmation(TablePart(table.name, table.region, table.account_id, None), stop, yes=False),
        make_executor=DryRunExecutor,
        find_announced=None,
        lease=None,
        count_write_units=lambda: 0.0,
        make_progress=lambda _: NoProgress(),
    )


def _build_age_warning(source: Source) -> Remark:
    """Warn the report's reader that the rows are a copy, and say how old it is."""
    made = None if source.made_at is None else calendar_time(source.made_at)
    if made is None or source.made_at is None:
        when = "of unknown age"
    else:
        age = int(time.time()) - source.made_at
        how_long = "later than the local clock" if age < 0 else f"{format_duration(age)} ago"
        when = f"made {format_minute(made)} UTC ({how_long})"
    message = f"this report is about a copy of the table, {when}; the table itself was not read"
    if not source.is_counted:
        what = "a bare array" if source.kind is SourceKind.ARRAY else "a row a line"
        message += f"; {what} has no row count, so missing rows cannot be noticed"
    return Remark(where="source", code="picture", message=message)
