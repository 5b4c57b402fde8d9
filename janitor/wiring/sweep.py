"""A sweep of a table, as a job: a scan, and what is to become of the stale rows."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path

from janitor.archive.plan import Plan
from janitor.archive.plan_reader import PlanReader
from janitor.dynamodb.delete import Deleter
from janitor.dynamodb.locate import Table
from janitor.dynamodb.statements import BATCH
from janitor.dynamodb.ttl import removes_rows_itself
from janitor.errors import ConfigurationError
from janitor.report.model import Remark
from janitor.run.carry_out import CarryOut, ForReal
from janitor.run.sweep import Sweep
from janitor.settings.commands import SweepSettings
from janitor.settings.deletion import DeletionSettings, PlanSettings
from janitor.settings.scan import ScanSettings
from janitor.stopping import Stop
from janitor.store.lease_keeper import LeaseKeeper
from janitor.temporary import temporary_folder
from janitor.tokens.protection import UnusedPatterns
from janitor.wiring.announcer import Announcing
from janitor.wiring.archives import archive_for, archive_problem, check_archive
from janitor.wiring.confirm import Confirmation
from janitor.wiring.fingerprint_key import secret_in
from janitor.wiring.job import Prepared
from janitor.wiring.notices import check_notices, metric_files, state_file
from janitor.wiring.outlets import check_reports
from janitor.wiring.places import is_folder, path_named, plan_folder
from janitor.wiring.plan_header import header_of, limits_of
from janitor.wiring.policy import Terms, policy_of
from janitor.wiring.progress import progress_for
from janitor.wiring.readers import check_readers, reader_for
from janitor.wiring.scan import announcing_for, prepared_for, reach_for
from janitor.wiring.stores import lease_for
from janitor.wiring.table import OpenTable, PlaceInRun


def prepare_sweep(
    sweep: SweepSettings, scan: ScanSettings, run_id: str, stop: Stop, among: PlaceInRun | None = None
) -> Prepared:
    """Find the table and put a sweep of it together; nothing of its rows is read yet.

    `among` is its place among several.

    Raises:
        ConfigurationError: the settings, the credentials or the table are wrong.
        AwsError: AWS refused or could not be reached.
    """
    check_sweep(scan, sweep.plan, sweep.deletion)
    if scan.source.source is not None:
        from janitor.wiring.source import prepare_source

        return prepare_source(scan, run_id, stop, sweep)
    return _sweep_of_table(scan, sweep, run_id, stop, among)


def _sweep_of_table(
    scan: ScanSettings, sweep: SweepSettings, run_id: str, stop: Stop, among: PlaceInRun | None
) -> Prepared:
    plan, deletion, as_of = sweep.plan, sweep.deletion, scan.policy.as_of
    secret = secret_in(scan.protection.fingerprint_key_file)
    reached = reach_for(scan, among, sweep.writes.max_wcu)
    policy = policy_of(scan.policy, scan.protection, reached.table.dialect, plan.include)
    now = reached.present() if as_of is None else as_of
    terms = Terms(run_id, policy, now, as_of, secret, is_dry_run=not sweep.deletes)
    announcing = announcing_for(
        scan.notices,
        scan.state,
        reached,
        stop,
        terms,
        requires_notice=deletion.require_notice,
        attempts_of=deletion.lease_holder,
    )
    reader = reader_for(reached, scan.limits, scan.table, stop)
    prices = (scan.limits.read_price, deletion.write_price)
    return prepared_for(
        reached, stop, terms, reader, rows=reached.table.item_count, prices=prices, deletes=sweep.deletes
    ).doing(
        sweep=sweep_of(
            reached,
            deletion,
            stop,
            terms,
            plan=plan.plan,
            announced=announced_by(announcing, deletion, now),
            lease=lease_for(
                scan.state, scan.notices, reached.aws, reached.table, run_id, attempts_of=deletion.lease_holder
            ),
            is_scheduled=sweep.is_scheduled,
        ),
        announcer=announcing.announcer if announcing else None,
        unused_patterns=UnusedPatterns(policy.protect_users),
        remarks=ttl_remarks(reached),
    )


def check_sweep(scan: ScanSettings, plan: PlanSettings, deletion: DeletionSettings) -> None:
    """See that settings do not contradict each other, before anything is asked of AWS.

    Raises:
        ConfigurationError: they do.
    """
    check_archive(deletion)
    check_readers(scan.limits)
    if deletion.require_notice and plan.include:
        sentence = "--require-notice would let legacy rows wait for ever: nothing announces them"
        raise ConfigurationError(sentence, "go without --include legacy, or without --require-notice")
    check_reports(
        scan.output,
        [
            *path_named("--plan", plan.plan),
            *archive_file(deletion),
            *state_file(scan.state),
            *metric_files(scan.notices),
        ],
    )
    # Of a picture of the table it is refused for another reason.
    requires_notice = deletion.require_notice and scan.source.source is None
    check_notices(scan.notices, scan.state, requires_notice=requires_notice, as_of=scan.policy.as_of)


def announced_by(
    announcing: Announcing | None, deletion: DeletionSettings, now: int
) -> Callable[[Mapping[str, int]], AbstractSet[str]] | None:
    """Tells which rows were announced long enough ago to be deleted; None where that does not matter."""
    if not deletion.require_notice:
        return None
    if announcing is None:
        return lambda _: frozenset()
    return partial(announcing.watch.announced_by, now - deletion.notice_age)


def archive_file(deletion: DeletionSettings) -> list[tuple[str, Path]]:
    """The archive, where the user names a file and no folder."""
    archive = deletion.archive
    return path_named("--archive", archive if isinstance(archive, Path) and not is_folder(archive) else None)


def sweep_of(
    reached: OpenTable,
    deletion: DeletionSettings,
    stop: Stop,
    terms: Terms,
    *,
    plan: Path | None,
    announced: Callable[[Mapping[str, int]], AbstractSet[str]] | None,
    lease: LeaseKeeper | None,
    is_scheduled: bool = False,
) -> Sweep:
    """What becomes of the stale rows of the table that was reached.

    Args:
        reached: the table.
        deletion: what is told of deletes.
        stop: who may ask for an early end.
        terms: by what the table is judged.
        plan: where the plan is to be kept; None for nowhere.
        announced: of rows, expiries by fingerprint, those that were announced long enough ago; None where that does not
            matter.
        lease: the right to sweep the table; None where no store keeps it.
        is_scheduled: whether a schedule file has given its consent.
    """
    is_enabled = not terms.is_dry_run
    header = header_of(reached.table, terms.policy, terms.run_id, terms.now, terms.as_of)
    table, archive = reached.table, archive_for(deletion, reached, header, stop)
    # Nobody else can make this file first: its name holds 64 random bits, and it must not exist yet.
    plan_path = plan or temporary_folder() / f"janitor-plan-{header.run_id}{reached.file_suffix}.ndjson"
    may_go_on = lease.is_held if lease else lambda: True
    deleter = _deleter(reached, deletion, stop, may_go_on)

    def for_real() -> CarryOut:
        return ForReal(
            delete=deleter.delete,
            archive=archive,
            policy=terms.policy,
            clock=reached.present,
            stop=stop,
            may_go_on=may_go_on,
            batch=reached.budgets.rows_at_once(BATCH),
        )

    return Sweep(
        is_enabled=is_enabled,
        header=header,
        plan=Plan(plan_path),
        keeps_plan=plan is not None,
        refused_plan=_refused_plan(table) if is_enabled else None,
        reviewed_plan=None,
        planned_rows=lambda: PlanReader(str(plan_path), lambda: plan_path.open("rb")).rows(),
        archive=archive,
        archive_problem=partial(archive_problem, archive, deletion.archive, reached, is_dry_run=not is_enabled),
        limits=limits_of(deletion),
        population=lambda scanned: scanned,
        consent=Confirmation(table.name, stop, yes=deletion.yes, is_scheduled=is_scheduled),
        for_real=for_real,
        announced=announced,
        lease=lease,
        write_units=lambda: deleter.write_units,
        progress=lambda rows: progress_for(rows, "deleting"),
        skew_seconds=table.skew_seconds,
        as_of=terms.as_of is not None,
    )


def _refused_plan(table: Table) -> Path | None:
    """Where a plan of the table that was refused is kept."""
    folder = plan_folder()
    return folder and folder / f"{table.name}-{table.region}-{table.account_id or 'unknown'}.ndjson"


def _deleter(reached: OpenTable, deletion: DeletionSettings, stop: Stop, may_go_on: Callable[[], bool]) -> Deleter:
    return Deleter(
        reached.aws.dynamodb,
        reached.table.name,
        api=deletion.delete_api,
        pause=lambda seconds: stop.pause(seconds) or not may_go_on(),
        may_go_on=may_go_on,
        budgets=reached.budgets,
    )


def ttl_remarks(reached: OpenTable) -> tuple[Remark, ...]:
    """The warning that DynamoDB removes expired rows itself, where it does."""
    if not removes_rows_itself(reached.aws, reached.table.name):
        return ()
    message = (
        "TTL is on for tokenExpiration: DynamoDB removes expired rows itself, within days, without a report or an "
        "archive, so the grace cannot be honoured"
    )
    return (Remark(where="table", code="ttl", message=message),)
