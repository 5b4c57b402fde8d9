"""Prepares the sweep of a table: a scan, and what becomes of the stale rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from janitor.archive.plan import PlanWriter
from janitor.archive.plan_reader import PlanReader
from janitor.dynamodb.delete import Deleter
from janitor.dynamodb.delete_methods import BATCH
from janitor.dynamodb.locate import OWNER_INDEX, Table
from janitor.dynamodb.table_features import deletes_expired_rows
from janitor.errors import ConfigurationError
from janitor.report.model import Remark, TablePart
from janitor.report.target_options import format_target
from janitor.run.guards import GuardInputs
from janitor.run.plan_executor import DeletingExecutor, PlanExecutor
from janitor.run.spec import Prices
from janitor.run.sweep import Sweep, SweepPlan
from janitor.settings.commands import SweepCommand
from janitor.settings.deletion import DeletionSettings, PlanSettings
from janitor.settings.scan import ScanCommand
from janitor.stopping import Stop
from janitor.store.lease_keeper import LeaseKeeper
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.narrowing import Narrowing
from janitor.tokens.policy import Policy
from janitor.tokens.protection import UnusedPatterns
from janitor.wiring.archives import (
    check_archive,
    describe_archive_place,
    find_archive_problem,
    format_restore_command,
    make_archive,
)
from janitor.wiring.command_options import describe_sweep_options
from janitor.wiring.confirm import Confirmation
from janitor.wiring.last_seen import check_last_seen, make_last_seen
from janitor.wiring.monitoring import list_metric_files
from janitor.wiring.open_table import OpenTable, TableInRun
from janitor.wiring.outlets import check_reports
from janitor.wiring.places import is_folder, list_named_path
from janitor.wiring.plans import build_header, find_refused_plan_path, make_limits, make_temporary_plan_path
from janitor.wiring.policy import TableRunParameters, find_policy_warnings
from janitor.wiring.progress import make_progress
from janitor.wiring.readers import check_readers, make_reader
from janitor.wiring.run_spec import PreparedTable
from janitor.wiring.scan import check_notices, open_judged_table, prepare_table, set_up_notices
from janitor.wiring.stores import list_state_files, make_table_lease

if TYPE_CHECKING:
    from janitor.wiring.announcer import TableNotices


def prepare_sweep(
    sweep: SweepCommand, scan: ScanCommand, run_id: str, stop: Stop, table_in_run: TableInRun | None = None
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
    plan, deletion = sweep.plan, sweep.deletion
    opened, parameters = open_judged_table(
        scan,
        run_id,
        table_in_run,
        include=plan.include,
        unlock_after=scan.unlock.unlock_after,
        narrowing=Narrowing(plan.user, plan.fingerprint),
        max_wcu=sweep.writes.max_wcu,
        is_dry_run=not sweep.deletes,
    )
    table_notices = set_up_notices(
        scan.notices,
        scan.state,
        opened,
        stop,
        parameters,
        requires_notice=deletion.require_notice,
        attempts_of=deletion.lease_holder,
    )
    reader, options = make_reader(opened, scan.limits, scan.table, stop), describe_sweep_options(scan, sweep)
    prices = Prices(scan.limits.read_price, deletion.write_price)
    return prepare_table(
        opened, stop, parameters, reader, rows=opened.table.item_count, prices=prices, deletes=sweep.deletes
    ).with_spec(
        sweep=build_sweep(
            opened,
            deletion,
            stop,
            structs.replace(parameters, connection=options.connection),
            plan=plan.plan,
            find_announced=make_announced_check(table_notices, deletion, parameters.now),
            lease=make_table_lease(
                scan.state, scan.notices, opened.aws, opened.table, run_id, attempts_of=deletion.lease_holder
            ),
            is_scheduled=sweep.is_scheduled,
        ),
        options=options,
        announcer=table_notices.announcer if table_notices else None,
        unused_patterns=UnusedPatterns(parameters.policy.protect_users),
        last_seen=make_last_seen(scan.last_seen, opened, parameters.now, stop),
        remarks=(
            *find_ttl_warnings(opened),
            *find_policy_warnings(parameters.policy, plan.include, scan.unlock.unlock_after),
        ),
    )


def check_sweep(scan: ScanCommand, plan: PlanSettings, deletion: DeletionSettings) -> None:
    """Check that settings do not contradict each other, before AWS is asked anything.

    Raises:
        ConfigurationError: they do.
    """
    check_archive(deletion)
    check_readers(scan.limits)
    check_last_seen(scan.last_seen)
    check_notice_age(deletion)
    if deletion.require_notice and plan.include:
        sentence = "--include and --require-notice exclude each other: legacy and undated rows are never announced"
        raise ConfigurationError(sentence, "remove one of them")
    if "undated" in plan.include and Gate.WORKBENCH in scan.policy.gates:
        sentence = "--include undated needs --gates api: MCP Workbench accepts a row without a date for ever"
        raise ConfigurationError(sentence, "give --gates api if this LISA runs no MCP Workbench")
    check_reports(
        scan.output,
        [
            *list_named_path("--plan", plan.plan),
            *list_archive_files(deletion),
            *list_state_files(scan.state),
            *list_metric_files(scan.notices),
        ],
    )
    # --source refuses --require-notice too, for a reason of its own.
    requires_notice = deletion.require_notice and scan.source.source is None
    check_notices(scan.notices, scan.state, requires_notice=requires_notice, as_of=scan.policy.as_of)


def check_notice_age(deletion: DeletionSettings) -> None:
    """Check that an age of notices is given only where they are required; else it would be taken for a requirement.

    Raises:
        ConfigurationError: it is not.
    """
    if deletion.is_chosen("notice_age") and not deletion.require_notice:
        raise ConfigurationError("--notice-age is only for --require-notice", "give --require-notice too")


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


def list_archive_files(deletion: DeletionSettings) -> list[tuple[str, Path]]:
    """The archive, if the user names it as a file and not as a folder."""
    archive = deletion.archive
    return list_named_path("--archive", archive if isinstance(archive, Path) and not is_folder(archive) else None)


def build_sweep(
    opened: OpenTable,
    deletion: DeletionSettings,
    stop: Stop,
    parameters: TableRunParameters,
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
        stop: says whether the run was asked to stop.
        parameters: by which rules and at what time the table is judged.
        plan: the file that keeps the plan; None if none does.
        find_announced: made by `make_announced_check`.
        lease: the right to sweep the table; None if there is no store to keep it.
        is_scheduled: whether a schedule file enables deletion, which counts as consent.

    Raises:
        ConfigurationError: rows without a date may go, and the table may be one whose LISA accepts them for ever.
    """
    _check_undated(opened.table, parameters.policy)
    is_enabled = not parameters.is_dry_run
    header = build_header(opened.table, parameters.policy, parameters.run_id, parameters.now, parameters.as_of)
    table, archive = opened.table, make_archive(deletion, opened, header, stop)
    plan_path = plan or make_temporary_plan_path(header.run_id, opened.file_suffix)
    target = f"{format_target(table.name, table.region, table.endpoint)}{parameters.connection}"
    may_go_on = lease.is_held if lease else lambda: True
    deleter = Deleter(
        opened.aws.dynamodb,
        table.name,
        api=deletion.delete_api,
        pause=lambda seconds: stop.pause(seconds) or not may_go_on(),
        may_go_on=may_go_on,
        budgets=opened.budgets,
    )

    def for_real() -> PlanExecutor:
        return DeletingExecutor(
            delete=deleter.delete,
            archive=archive,
            policy=parameters.policy,
            clock=opened.earlier_time,
            stop=stop,
            may_go_on=may_go_on,
            batch=opened.budgets.rows_at_once(BATCH),
        )

    return Sweep(
        is_enabled=is_enabled,
        plan=SweepPlan(
            writer=PlanWriter(plan_path),
            header=header,
            read_rows=lambda: PlanReader(str(plan_path), lambda: plan_path.open("rb")).rows(),
            is_requested=plan is not None,
            refused_path=find_refused_plan_path(table) if is_enabled else None,
        ),
        archive=archive,
        guards=GuardInputs(
            limits=make_limits(deletion),
            skew_seconds=table.skew_seconds,
            is_as_of_given=parameters.as_of is not None,
            find_archive_problem=partial(
                find_archive_problem, archive, deletion.archive, opened, is_dry_run=not is_enabled
            ),
        ),
        consent=Confirmation(
            TablePart(table.name, table.region, table.account_id, table.endpoint),
            stop,
            yes=deletion.yes,
            is_scheduled=is_scheduled,
        ),
        make_executor=for_real,
        find_announced=find_announced,
        lease=lease,
        count_write_units=lambda: deleter.write_units,
        make_progress=lambda rows: make_progress(rows, "deleting"),
        archive_place=describe_archive_place(deletion),
        restore_command=format_restore_command(archive, header, target, is_dry_run=not is_enabled),
        notice_age=deletion.notice_age if deletion.require_notice else None,
        write_limit=opened.budgets.writes.limit,
    )


def _check_undated(table: Table, policy: Policy) -> None:
    """Check that rows without a date are dead, whatever --dialect says: LISA before 6.1 accepts them for ever.

    Raises:
        ConfigurationError: they may not be.
    """
    if policy.include_undated and policy.dialect is Dialect.HASHED and not table.has_owner_index:
        sentence = (
            f"{table.name} has no index {OWNER_INDEX}, as tables of LISA before 6.1, which accepts a row without a "
            "date for ever, but the dialect is set to hashed"
        )
        raise ConfigurationError(sentence, "remove --include undated, or --dialect", "other-dialect")


def find_ttl_warnings(opened: OpenTable) -> tuple[Remark, ...]:
    """Warn if DynamoDB itself removes expired rows."""
    if not deletes_expired_rows(opened.aws, opened.table.name):
        return ()
    message = (
        "TTL is on for tokenExpiration: DynamoDB removes expired rows itself, within days, without a report or an "
        "archive; switch TTL off to keep rows for the grace"
    )
    return (Remark(where="table", code="ttl", message=message),)
