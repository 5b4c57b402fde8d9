"""Prepares the sweep of a table: a scan, and what becomes of the stale rows."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path

from janitor.archive.plan import Plan
from janitor.archive.plan_reader import PlanReader
from janitor.dynamodb.delete import Deleter
from janitor.dynamodb.statements import BATCH
from janitor.dynamodb.table_features import deletes_expired_rows
from janitor.errors import ConfigurationError
from janitor.report.model import Remark
from janitor.run.plan_executor import DeletingExecutor, PlanExecutor
from janitor.run.sweep import Sweep, SweepPlan
from janitor.settings.commands import SweepCommand
from janitor.settings.deletion import DeletionSettings, PlanSettings
from janitor.settings.scan import ScanCommand
from janitor.stopping import Stop
from janitor.store.lease_keeper import LeaseKeeper
from janitor.tokens.protection import UnusedPatterns
from janitor.wiring.announcer import TableNotices
from janitor.wiring.archives import archive_for, check_archive, find_archive_problem
from janitor.wiring.confirm import Confirmation
from janitor.wiring.job import PreparedTable
from janitor.wiring.monitoring import metric_files
from janitor.wiring.outlets import check_reports
from janitor.wiring.places import is_folder, named_path
from janitor.wiring.plans import build_header, make_limits, refused_plan_file, temporary_plan
from janitor.wiring.policy import Terms, make_policy, read_fingerprint_key
from janitor.wiring.progress import progress_for
from janitor.wiring.readers import check_readers, reader_for
from janitor.wiring.scan import check_notices, open_scan_table, prepare_table, set_up_notices
from janitor.wiring.stores import state_file, table_lease_for
from janitor.wiring.table import OpenTable, PlaceInRun


def prepare_sweep(
    sweep: SweepCommand, scan: ScanCommand, run_id: str, stop: Stop, place_in_run: PlaceInRun | None = None
) -> PreparedTable:
    """Find the table and prepare its sweep. No row is read yet.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    check_sweep(scan, sweep.plan, sweep.deletion)
    if scan.source.source is not None:
        from janitor.wiring.source import prepare_source

        return prepare_source(scan, run_id, stop, sweep)
    return _prepare_table_sweep(scan, sweep, run_id, stop, place_in_run)


def _prepare_table_sweep(
    scan: ScanCommand, sweep: SweepCommand, run_id: str, stop: Stop, place_in_run: PlaceInRun | None
) -> PreparedTable:
    plan, deletion, as_of = sweep.plan, sweep.deletion, scan.policy.as_of
    secret = read_fingerprint_key(scan.protection.fingerprint_key_file)
    opened = open_scan_table(scan, place_in_run, sweep.writes.max_wcu)
    policy = make_policy(scan.policy, scan.protection, opened.table.dialect, plan.include)
    now = opened.earlier_time() if as_of is None else as_of
    terms = Terms(run_id, policy, now, as_of, secret, is_dry_run=not sweep.deletes)
    table_notices = set_up_notices(
        scan.notices,
        scan.state,
        opened,
        stop,
        terms,
        requires_notice=deletion.require_notice,
        attempts_of=deletion.lease_holder,
    )
    reader = reader_for(opened, scan.limits, scan.table, stop)
    prices = (scan.limits.read_price, deletion.write_price)
    return prepare_table(
        opened, stop, terms, reader, rows=opened.table.item_count, prices=prices, deletes=sweep.deletes
    ).with_job(
        sweep=build_sweep(
            opened,
            deletion,
            stop,
            terms,
            plan=plan.plan,
            find_announced=make_announced_check(table_notices, deletion, now),
            lease=table_lease_for(
                scan.state, scan.notices, opened.aws, opened.table, run_id, attempts_of=deletion.lease_holder
            ),
            is_scheduled=sweep.is_scheduled,
        ),
        announcer=table_notices.announcer if table_notices else None,
        unused_patterns=UnusedPatterns(policy.protect_users),
        remarks=ttl_remarks(opened),
    )


def check_sweep(scan: ScanCommand, plan: PlanSettings, deletion: DeletionSettings) -> None:
    """Check that settings do not contradict each other, before AWS is asked anything.

    Raises:
        ConfigurationError: they do.
    """
    check_archive(deletion)
    check_readers(scan.limits)
    if deletion.require_notice and plan.include:
        sentence = "with --require-notice, legacy rows would wait for ever: nothing announces them"
        raise ConfigurationError(sentence, "go without --include legacy, or without --require-notice")
    check_reports(
        scan.output,
        [
            *named_path("--plan", plan.plan),
            *archive_file(deletion),
            *state_file(scan.state),
            *metric_files(scan.notices),
        ],
    )
    # --source refuses --require-notice too, for a reason of its own.
    requires_notice = deletion.require_notice and scan.source.source is None
    check_notices(scan.notices, scan.state, requires_notice=requires_notice, as_of=scan.policy.as_of)


def make_announced_check(
    table_notices: TableNotices | None, deletion: DeletionSettings, now: int
) -> Callable[[Mapping[str, int]], AbstractSet[str]] | None:
    """Make what tells which rows were announced long enough ago to be deleted; None if no notice is required.

    It takes rows as expiries by fingerprint, and returns the fingerprints of those that were.
    """
    if not deletion.require_notice:
        return None
    if table_notices is None:
        return lambda _: frozenset()
    return partial(table_notices.memory.find_announced, now - deletion.notice_age)


def archive_file(deletion: DeletionSettings) -> list[tuple[str, Path]]:
    """The archive, if the user names it as a file and not as a folder."""
    archive = deletion.archive
    return named_path("--archive", archive if isinstance(archive, Path) and not is_folder(archive) else None)


def build_sweep(
    opened: OpenTable,
    deletion: DeletionSettings,
    stop: Stop,
    terms: Terms,
    *,
    plan: Path | None,
    find_announced: Callable[[Mapping[str, int]], AbstractSet[str]] | None,
    lease: LeaseKeeper | None,
    is_scheduled: bool = False,
) -> Sweep:
    """Build what decides about the stale rows of a table, and deletes them.

    Args:
        opened: the table.
        deletion: how much may be deleted, and in which way.
        stop: may ask for an early end.
        terms: by which rules and at what time the table is judged.
        plan: the file that keeps the plan; None if none does.
        find_announced: made by `make_announced_check`.
        lease: the right to sweep the table; None if there is no store to keep it.
        is_scheduled: whether a schedule file enables deletion, which counts as consent.
    """
    is_enabled = not terms.is_dry_run
    header = build_header(opened.table, terms.policy, terms.run_id, terms.now, terms.as_of)
    table, archive = opened.table, archive_for(deletion, opened, header, stop)
    plan_path = plan or temporary_plan(header.run_id, opened.file_suffix)
    may_go_on = lease.is_held if lease else lambda: True
    deleter = _deleter(opened, deletion, stop, may_go_on)

    def for_real() -> PlanExecutor:
        return DeletingExecutor(
            delete=deleter.delete,
            archive=archive,
            policy=terms.policy,
            clock=opened.earlier_time,
            stop=stop,
            may_go_on=may_go_on,
            batch=opened.budgets.rows_at_once(BATCH),
        )

    return Sweep(
        is_enabled=is_enabled,
        plan=SweepPlan(
            file=Plan(plan_path),
            header=header,
            read_rows=lambda: PlanReader(str(plan_path), lambda: plan_path.open("rb")).rows(),
            is_requested=plan is not None,
            refused_path=refused_plan_file(table) if is_enabled else None,
        ),
        archive=archive,
        archive_problem=partial(find_archive_problem, archive, deletion.archive, opened, is_dry_run=not is_enabled),
        limits=make_limits(deletion),
        population=lambda scanned: scanned,
        consent=Confirmation(table.name, stop, yes=deletion.yes, is_scheduled=is_scheduled),
        make_executor=for_real,
        find_announced=find_announced,
        lease=lease,
        write_units=lambda: deleter.write_units,
        progress=lambda rows: progress_for(rows, "deleting"),
        skew_seconds=table.skew_seconds,
        as_of=terms.as_of is not None,
    )


def _deleter(opened: OpenTable, deletion: DeletionSettings, stop: Stop, may_go_on: Callable[[], bool]) -> Deleter:
    return Deleter(
        opened.aws.dynamodb,
        opened.table.name,
        api=deletion.delete_api,
        pause=lambda seconds: stop.pause(seconds) or not may_go_on(),
        may_go_on=may_go_on,
        budgets=opened.budgets,
    )


def ttl_remarks(opened: OpenTable) -> tuple[Remark, ...]:
    """Warn if DynamoDB itself removes expired rows."""
    if not deletes_expired_rows(opened.aws, opened.table.name):
        return ()
    message = (
        "TTL is on for tokenExpiration: DynamoDB removes expired rows itself, within days, without a report or an "
        "archive, so it does not wait for the grace"
    )
    return (Remark(where="table", code="ttl", message=message),)
