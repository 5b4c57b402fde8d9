"""A scan or a dry sweep of an export or a dump, as a job: DynamoDB is asked nothing.

Rows are judged at the present time, as ever. Nothing is announced and nothing is remembered: what stood in the table
when the picture was taken may not stand there now. A plan made of it is carried out by `janitor apply`, which asks the
table about each row.
"""

import sys
import time
from pathlib import Path

from janitor.archive.archive import NoArchive
from janitor.archive.plan import Header, Plan
from janitor.archive.plan_reader import PlanReader
from janitor.dynamodb.locate import Table
from janitor.errors import ConfigurationError
from janitor.export.kinds import SourceKind
from janitor.export.places import LocalFile, S3Place, SourcePlace, StandardInput
from janitor.export.source import Source, source_at
from janitor.readers.pages import Pages
from janitor.report.model import Remark
from janitor.run.carry_out import ForShow
from janitor.run.job import TableJob
from janitor.run.progress import NoProgress
from janitor.run.sweep import Sweep
from janitor.settings.commands import SweepSettings
from janitor.settings.deletion import PlanSettings
from janitor.settings.parsers import S3Prefix
from janitor.settings.scan import ScanSettings
from janitor.settings.table import TableSettings
from janitor.stopping import Stop
from janitor.temporary import temporary_folder
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import spoken_duration
from janitor.tokens.expiration import moment
from janitor.tokens.protection import UnusedPatterns
from janitor.tokens.times import minute_of
from janitor.wiring.confirm import Confirmation
from janitor.wiring.fingerprint_key import secret_in
from janitor.wiring.job import Prepared
from janitor.wiring.notices import metric_files
from janitor.wiring.outlets import check_reports
from janitor.wiring.places import path_named
from janitor.wiring.plan_header import header_of, limits_of
from janitor.wiring.policy import policy_of
from janitor.wiring.progress import progress_for
from janitor.wiring.table import open_session


def prepare_source(settings: ScanSettings, run_id: str, stop: Stop, sweep: SweepSettings | None = None) -> Prepared:
    """Look at the source and put the run together; of its rows only the first megabyte is read.

    Raises:
        ConfigurationError: the settings contradict each other, or the source is none that janitor reads.
        SourceError: it is damaged at its start.
        AwsError: S3 refused or could not be reached.
    """
    dialect = _checked(settings, sweep)
    as_of = settings.policy.as_of
    secret = secret_in(settings.protection.fingerprint_key_file)
    place = _place(settings)
    warnings: list[Remark] = []
    source = source_at(
        place, lambda sentence: warnings.append(Remark(where="source", code="segments", message=sentence))
    )
    warnings.append(_picture(source))
    table = _table(source, settings, dialect)
    # A source's own name is no table's: it stays out of the places of reports.
    is_named = bool(source.table or settings.table.table)
    policy = policy_of(settings.policy, settings.protection, dialect, sweep.plan.include if sweep else ())
    now = int(time.time()) if as_of is None else as_of
    planning = None
    if sweep is not None:
        _check_plan(sweep.plan, source, settings.table)
        planning = _planning(sweep, header_of(table, policy, run_id, now, as_of), stop)
    job = TableJob(
        label=table.name,
        table=table,
        policy=policy,
        now=now,
        as_of=as_of,
        reader=Pages(lambda: source.pages(stop)),
        pages_of_owner=None,
        requests=lambda: (0, 0),
        fingerprint_secret=secret,
        read_price=0.0,
        write_price=0.0,
        clock=time.time,
        progress=progress_for(source.rows or 0, "reading"),
        stop=stop,
        warnings=warnings,
        sweep=planning,
        unused_patterns=UnusedPatterns(policy.protect_users),
        reread=(lambda: source_at(place).pages(stop)) if place.can_be_read_again else None,
    )
    return Prepared(job, lambda: open_session(settings.table), table if is_named else None)


def _checked(settings: ScanSettings, sweep: SweepSettings | None) -> Dialect:
    """The dialect, once the settings do not contradict each other."""
    if sweep is not None and sweep.deletes:
        way_out = "make a plan with --plan PATH and without --delete, then: janitor apply PATH"
        raise ConfigurationError("--delete deletes from the table, and --source is only a picture of it", way_out)
    if sweep is not None and sweep.deletion.require_notice:
        way_out = "give it to janitor apply, which carries the plan out"
        raise ConfigurationError("--require-notice asks what was announced, and --source remembers nothing", way_out)
    if settings.notices.sns_topic_arn is not None:
        way_out = "go without --source, or without --sns-topic-arn"
        raise ConfigurationError("notices of what stood in the table at another time would be wrong", way_out)
    if settings.table.typed("deployment", "ssm_parameter"):
        way_out = "say whose rows they are with --table NAME"
        raise ConfigurationError("--deployment and --ssm-parameter look for a table, and --source asks none", way_out)
    if settings.limits.typed("workers", "dask"):
        sentence = "--workers and --dask share out the segments of a table, and --source is read by this process alone"
        raise ConfigurationError(sentence, "go without them")
    source = settings.source.source
    files = [("--source", source)] if isinstance(source, Path) else []
    plan = path_named("--plan", sweep.plan.plan) if sweep is not None else []
    check_reports(settings.output, [*files, *plan, *metric_files(settings.notices)])
    if settings.policy.dialect is None:
        way_out = "give --dialect hashed (LISA 6.1 and later) or --dialect classic (before)"
        sentence = "which LISA reads the table is told by its indexes, which --source does not have"
        raise ConfigurationError(sentence, way_out, "source-dialect")
    return Dialect(settings.policy.dialect)


def _place(settings: ScanSettings) -> SourcePlace:
    match settings.source.source:
        case S3Prefix(bucket, key):
            return S3Place(open_session(settings.table).s3, bucket, key)
        case Path() as path:
            return LocalFile(path)
    if sys.stdin is None:
        raise ConfigurationError("standard input is closed", "give --source PATH", "source-path")
    return StandardInput(open(sys.stdin.fileno(), "rb", closefd=False))


def _table(source: Source, settings: ScanSettings, dialect: Dialect) -> Table:
    given = settings.table.table
    if source.table and given and given != source.table and settings.table.typed("table"):
        sentence = f"{source.name} is of the table {source.table}, and --table says {given}"
        raise ConfigurationError(sentence, "give the export of that table, or go without --table", "other-table")
    name = settings.source.source
    return Table(
        name=source.table or given or (name.name if isinstance(name, Path) else source.name),
        # The region of a dump is not the one that happens to be set here.
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
    """A plan that does not name its table could not be carried out."""
    if plan.plan is None or ((source.table or given.table) and (source.region or given.region)):
        return
    sentence = f"--plan has to name the table that it is of, and {source.name} does not say it"
    raise ConfigurationError(sentence, "give --table NAME and --region NAME", "source-table")


def _planning(sweep: SweepSettings, header: Header, stop: Stop) -> Sweep:
    """A sweep that makes a plan and can do no more."""
    path = sweep.plan.plan or temporary_folder() / f"janitor-plan-{header.run_id}.ndjson"
    return Sweep(
        is_enabled=False,
        header=header,
        plan=Plan(path),
        keeps_plan=sweep.plan.plan is not None,
        refused_plan=None,
        reviewed_plan=None,
        planned_rows=lambda: PlanReader(str(path), lambda: path.open("rb")).rows(),
        archive=NoArchive(),
        archive_problem=lambda: None,
        limits=limits_of(sweep.deletion),
        population=lambda read: read,
        consent=Confirmation(header.table.name, stop, yes=False),
        for_real=ForShow,
        announced=None,
        lease=None,
        write_units=lambda: 0.0,
        progress=lambda _: NoProgress(),
        # There is no server to hold the clock against; `janitor apply` has one, and asks this guard.
        skew_seconds=0,
        as_of=header.as_of is not None,
    )


def _picture(source: Source) -> Remark:
    """What everybody should know who reads the report."""
    if source.made_at is not None:
        made = moment(source.made_at)
        age = int(time.time()) - source.made_at
        how_long = "which lies ahead of the local clock" if age < 0 else f"{spoken_duration(age)} ago"
        when = f"as they stood at {minute_of(made)} UTC, {how_long}" if made else "of another time"
    else:
        when = "of a dump that does not say when it was made"
    message = f"the table was not touched: the rows are {when}"
    if not source.is_counted:
        what = "a bare array" if source.kind is SourceKind.ARRAY else "a row a line"
        message += f"; {what} does not say how many rows there are, so nobody can tell whether some are missing"
    return Remark(where="source", code="picture", message=message)
