"""One table's turn in a run, up to its part of the report.

    take lease ──> read: tally, findings, plan ──> guards ──> execute plan ──> look up owners ──> TableReport

A sweep that deletes takes the table's lease; if another run has it and renews it, this table is skipped.
A failure of AWS, or a signal, ends the reading; what was counted until then is reported, and the outcome says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from janitor.errors import ConfigurationError, JanitorError, SinkError
from janitor.logs import get_logger
from janitor.readers.interface import Rules
from janitor.readers.tally import Tally
from janitor.report.build import build_forecast
from janitor.report.error_remarks import catch_as_remarks
from janitor.report.model import (
    PROTECTS_NOBODY,
    Capacity,
    Clock,
    Counts,
    Deletion,
    Finding,
    ListingPart,
    Outcome,
    PolicyPart,
    Remark,
    TableReport,
)
from janitor.report.reason_remarks import build_reason_remarks
from janitor.run.estimate import estimate_real_run
from janitor.run.finding_collector import FindingCollector
from janitor.run.locked_out import LockedOut, build_unchecked_warnings, find_locked_out
from janitor.run.reading import complete_rules, read_table
from janitor.run.sorted_collector import SortedCollector
from janitor.run.spec import OwnerLookup
from janitor.run.sweep_result import SweepResult
from janitor.run.table_lease import LeaseOutcome, build_skipped_warning, hold_lease
from janitor.run.unlocking import EarlyRows, find_owners_to_spare, settle_early_rows
from janitor.tokens.dialect import Dialect
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys
from janitor.tokens.times import time_of
from janitor.tokens.words import format_count

if TYPE_CHECKING:
    from janitor.run.outlets import Outlets
    from janitor.run.spec import TableSpec, UnreachedTable

log = get_logger("janitor.run")

_MAX_PATTERNS = 20
_MILLION = 1_000_000


class TableResult(NamedTuple):
    """The result of a table's turn.

    Attributes:
        report: its part of the run's report; how many findings are left out is not known yet.
        findings: those that are listed, in order.
        is_complete: whether all of the table was read, and every planned row was reported.
        listing: which rows were asked for; None if no listing was.
    """

    report: TableReport
    findings: list[Finding]
    is_complete: bool
    listing: ListingPart | None = None


def run_table(spec: TableSpec, outlets: Outlets, *, label: str | None, max_findings: int) -> TableResult:
    """Read the table, and delete what is stale in a sweep that may.

    Args:
        spec: what is to be done.
        outlets: the run's, open. Those that stream get findings as they come.
        label: the table's, where the run has several.
        max_findings: how many findings are listed.

    Raises:
        ConfigurationError: the plan's place cannot be written; nothing was read.
        StopRequestedError: the run was asked to stop before anything was read.
    """
    started = spec.clock()
    with hold_lease(spec.sweep, spec.stop) as lease:
        if lease.other_holder is not None:
            return _skip(spec, build_skipped_warning(lease.other_holder), started)
        with _abandon_on_error(spec):
            _open_plan(spec)
            return _read_and_sweep(spec, outlets, lease, label=label, max_findings=max_findings, started=started)


def _read_and_sweep(
    spec: TableSpec, outlets: Outlets, lease: LeaseOutcome, *, label: str | None, max_findings: int, started: float
) -> TableResult:
    announcer, tally = spec.announcer, Tally()
    if announcer is not None:
        with spec.stop.interruptible_wait():
            announcer.open()
    rules = complete_rules(spec, outlets, label)
    collector = _make_collector(spec, rules, outlets, max_findings)
    log.info("run.started", table=spec.table.name, dialect=rules.policy.dialect)
    early_rows = EarlyRows(rules, tally)
    errors = read_table(spec, rules, tally, collector, outlets, early_rows=early_rows)
    is_complete = not errors and not spec.stop.is_requested()
    unlocked = settle_early_rows(early_rows, spec, rules, tally, collector, is_complete=is_complete)
    errors += unlocked.plan_errors
    is_complete = not errors and not spec.stop.is_requested()
    sweep_result = SweepResult()
    if spec.sweep is not None:
        sweep_result = spec.sweep.finish(
            tally,
            collector,
            spec.stop,
            is_complete=is_complete,
            lease_problem=lease.problem,
            find_owners_to_spare=lambda: find_owners_to_spare(unlocked.owners, spec, rules, tally),
            unused_patterns=spec.unused_patterns.patterns,
        )
    locked_out, warnings, bugs = LockedOut(), list[Remark](), list[Remark]()
    with catch_as_remarks("locked_out", "which owners are locked out was not checked", bugs):
        locked_out, warnings = _look_up_owners(spec, rules, tally, has_failed=bool(errors))
    findings = collector.finish()
    report = _build_report(
        spec,
        tally,
        sweep_result,
        locked_out,
        started=started,
        outcome=_choose_outcome(spec, sweep_result, errors),
        errors=[*errors, *unlocked.errors, *sweep_result.errors, *bugs, *_deadline_errors(spec)],
        warnings=[
            *spec.warnings,
            *lease.warnings,
            *_workbench_warnings(tally),
            *build_reason_remarks(tally.reasons, findings, is_exact=is_complete and _judges_every_row(spec)),
            *(_unused_pattern_warnings(spec) if is_complete else []),
            *unlocked.warnings,
            *sweep_result.warnings,
            *warnings,
            *(spec.last_seen.warnings() if spec.last_seen else []),
        ],
    )
    if report.outcome is Outcome.COMPLETE:
        # A run that deletes looks up once more the owners whose rows go early.
        units, seconds = report.capacity.read_units + unlocked.read_units, report.duration_seconds
        report = structs.replace(report, estimate=estimate_real_run(spec, tally, read_units=units, seconds=seconds))
    is_complete = is_complete and not sweep_result.unlisted
    if announcer is not None:
        report = announcer.end(report, is_complete=is_complete, would_be_refused=sweep_result.would_be_refused)
    listing = None if rules.listing is None else rules.listing.part(tally.chosen)
    return TableResult(report, findings, is_complete, listing)


def build_unread_report(
    spec: TableSpec | UnreachedTable,
    policy: PolicyPart,
    outcome: Outcome,
    errors: Sequence[Remark],
    *,
    at: float,
    is_dry_run: bool,
) -> TableReport:
    """Build the report of a table that was not read.

    Args:
        spec: what was to be done, or why it cannot be.
        policy: the run's rules.
        outcome: how it ended.
        errors: why.
        at: the present UNIX second.
        is_dry_run: whether nothing would have been deleted.
    """
    return TableReport(
        **_identity_fields(spec),
        policy=policy,
        outcome=outcome,
        started_at=time_of(at),
        finished_at=time_of(at),
        duration_seconds=0.0,
        counts=Counts(),
        deletion=Deletion(enabled=not is_dry_run),
        capacity=Capacity(read_units=0.0, write_units=0.0, requests=0, pages=0, throttled=0, cost_usd=0.0),
        clock=Clock(skew_seconds=None),
        findings_omitted=0,
        locked_out=[],
        locked_out_unchecked=0,
        forecast=[],
        errors=list(errors),
        warnings=[],
    )


def _judges_every_row(spec: TableSpec) -> bool:
    """Whether active rows are judged too. The server's filter spares them, and does not see everything odd in a row."""
    listing = spec.rules.listing
    return spec.table.source is not None or (listing is not None and listing.wants_active)


def _identity_fields(spec: TableSpec | UnreachedTable) -> dict[str, Any]:
    """The fields of the report that say which table it is."""
    return {"label": spec.label, "named": spec.name_in_settings, **structs.asdict(spec.table_part)}


def build_deadline_error() -> Remark:
    """Build the error that the deadline came."""
    message = "the run was stopped by --deadline before it finished; raise --deadline, or run it again"
    return Remark(where="run", code="deadline", message=message)


def _open_plan(spec: TableSpec) -> None:
    if spec.sweep is None:
        return
    try:
        spec.sweep.plan.writer.open(spec.sweep.plan.header)
    except SinkError as error:
        raise ConfigurationError(f"the plan: {error.sentence}", error.way_out, "plan-path") from None


def _make_collector(spec: TableSpec, rules: Rules, outlets: Outlets, max_findings: int) -> FindingCollector:
    if rules.listing is not None and rules.listing.order is not None:
        return SortedCollector(outlets, rules, rules.listing.order, max_listed=max_findings, last_seen=spec.last_seen)
    on_found = None if spec.announcer is None else spec.announcer.add_findings
    return FindingCollector(outlets, rules, max_listed=max_findings, on_found=on_found, last_seen=spec.last_seen)


def _build_report(
    spec: TableSpec,
    tally: Tally,
    sweep_result: SweepResult,
    locked_out: LockedOut,
    *,
    started: float,
    outcome: Outcome,
    errors: list[Remark],
    warnings: list[Remark],
) -> TableReport:
    finished = spec.clock()
    return TableReport(
        **_identity_fields(spec),
        source=spec.table.source,
        policy=spec.policy_part,
        outcome=outcome,
        started_at=time_of(started),
        finished_at=time_of(finished),
        duration_seconds=round(finished - started, 3),
        counts=tally.counts(),
        deletion=sweep_result.deletion,
        guards=sweep_result.guards,
        options=spec.options,
        capacity=_sum_capacity(spec, tally, locked_out),
        clock=Clock(skew_seconds=spec.table.skew_seconds),
        active_findings=tally.active_findings,
        findings_omitted=0,
        locked_out=[owner.username for owner in locked_out.owners],
        lockouts=[*locked_out.owners],
        locked_out_unchecked=locked_out.unchecked,
        idle=spec.last_seen.part() if spec.last_seen else None,
        forecast=build_forecast(tally.expiries, spec.rules.now, spec.rules.policy.horizon),
        errors=errors,
        warnings=warnings,
    )


def _skip(spec: TableSpec, why: Remark, started: float) -> TableResult:
    """Build the result of a table that is left to another run."""
    log.info("run.skipped", code=why.code)
    report = _build_report(
        spec,
        Tally(),
        SweepResult(deletion=Deletion(enabled=spec.deletes)),
        LockedOut(),
        started=started,
        outcome=Outcome.SKIPPED,
        errors=[],
        warnings=[*spec.warnings, why],
    )
    return TableResult(report, [], is_complete=False)


@contextmanager
def _abandon_on_error(spec: TableSpec) -> Iterator[None]:
    """Give up the plan and the archive if an unexpected error leaves the block."""
    try:
        yield
    except BaseException:
        if spec.sweep is not None:
            spec.sweep.abandon()
        raise


def _sum_capacity(spec: TableSpec, tally: Tally, locked_out: LockedOut) -> Capacity:
    units = tally.read_units + locked_out.read_units + (spec.last_seen.count_read_units() if spec.last_seen else 0.0)
    written = spec.sweep.count_write_units() if spec.sweep else 0.0
    return Capacity(
        read_units=units,
        write_units=written,
        requests=spec.traffic.requests,
        pages=tally.pages,
        throttled=spec.traffic.throttled,
        cost_usd=round((units * spec.prices.read + written * spec.prices.write) / _MILLION, 6),
    )


def _workbench_warnings(tally: Tally) -> list[Remark]:
    if not tally.workbench_only:
        return []
    tokens, them = format_count(tally.workbench_only, "token"), "it" if tally.workbench_only == 1 else "them"
    message = f"MCP Workbench still accepts {tokens} that LISA's API rejects; end {them} with `janitor token revoke`"
    return [Remark(where="table", code="workbench-only", message=message)]


def _unused_pattern_warnings(spec: TableSpec) -> list[Remark]:
    """Build the warnings of patterns that protect nobody, once every row was read."""
    patterns = spec.unused_patterns.patterns
    messages = [_describe_unused_pattern(pattern) for pattern in patterns[:_MAX_PATTERNS]]
    if len(patterns) > _MAX_PATTERNS:
        messages.append(f"{len(patterns) - _MAX_PATTERNS:,} more patterns of --protect-user protect nobody")
    return [Remark(where="policy", code=PROTECTS_NOBODY, message=message) for message in messages]


def _describe_unused_pattern(pattern: str) -> str:
    way_out = "correct the spelling (case matters)"
    if any(mark in pattern for mark in ",; "):
        way_out += ", and give each name its own --protect-user (in the variable, one a line or a JSON array)"
    return f"--protect-user '{printable(remove_keys(pattern))}' protects nobody: it matches no owner; {way_out}"


def _deadline_errors(spec: TableSpec) -> list[Remark]:
    return [build_deadline_error()] if spec.stop.is_deadline else []


def _choose_outcome(spec: TableSpec, sweep_result: SweepResult, errors: list[Remark]) -> Outcome:
    if errors:
        return Outcome.FAILED
    if spec.stop.is_requested():
        return Outcome.INTERRUPTED
    if sweep_result.is_refused:
        return Outcome.REFUSED
    return Outcome.FAILED if sweep_result.errors else Outcome.COMPLETE


def _look_up_owners(spec: TableSpec, rules: Rules, tally: Tally, *, has_failed: bool) -> tuple[LockedOut, list[Remark]]:
    candidates = tally.owners.candidates
    if spec.rules.policy.dialect is not Dialect.HASHED or not candidates:
        return LockedOut(), []
    unnamed_rows = tally.owners.unnamed_rows
    if has_failed or spec.stop.is_requested() or spec.owners == OwnerLookup():
        return LockedOut(unchecked=len(candidates)), build_unchecked_warnings(len(candidates), unnamed_rows)
    try:
        locked_out = find_locked_out(candidates, spec.owners, rules, spec.stop)
    except JanitorError as error:
        message = f"which owners are locked out was not checked: {error}"
        return LockedOut(unchecked=len(candidates)), [Remark(where="locked_out", code=error.code, message=message)]
    return locked_out, build_unchecked_warnings(locked_out.unchecked, unnamed_rows)
