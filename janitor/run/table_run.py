"""One table's turn in a run, up to its part of the report.

    take lease ──> read: tally, findings, plan ──> guards ──> execute plan ──> look up owners ──> TableReport

A sweep that deletes takes the table's lease; where another run has it and renews it, this table is skipped.
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
from janitor.run.finding_collector import FindingCollector
from janitor.run.job import SweepResult
from janitor.run.locked_out import LockedOut, find_locked_out, find_locked_out_in_pages, unchecked_warnings
from janitor.run.reading import read_table, reading_rules
from janitor.run.sorted_collector import SortedCollector
from janitor.run.table_lease import LeaseOutcome, hold_lease, skipped_remark
from janitor.tokens.dialect import Dialect
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys
from janitor.tokens.times import time_of
from janitor.tokens.words import format_count

if TYPE_CHECKING:
    from janitor.run.job import TableJob, UnreachedTable
    from janitor.run.outlets import Outlets

log = get_logger("janitor.run")

_MAX_PATTERNS = 20
_MILLION = 1_000_000


class TableResult(NamedTuple):
    """The result of a table's turn.

    Attributes:
        report: its part of the run's report; how many findings are left out is not known yet.
        findings: those that are listed, in order.
        is_complete: whether all of the table was read, and every planned row was reported.
        listing: which rows were asked for; None where no listing was.
    """

    report: TableReport
    findings: list[Finding]
    is_complete: bool
    listing: ListingPart | None = None


def run_table(job: TableJob, outlets: Outlets, *, label: str | None, max_findings: int) -> TableResult:
    """Read the table, and delete what is stale in a sweep that may.

    Args:
        job: what is to be done.
        outlets: the run's, open. Those that stream get findings as they come.
        label: the table's, where the run has several.
        max_findings: how many findings are listed.

    Raises:
        ConfigurationError: the plan's place cannot be written; nothing was read.
        StopRequestedError: somebody asked to stop before anything was read.
    """
    started = job.clock()
    with hold_lease(job.sweep, job.stop) as lease:
        if lease.other_holder is not None:
            return _skip(job, skipped_remark(lease.other_holder), started)
        with _abandon_on_error(job):
            _open_plan(job)
            return _read_and_sweep(job, outlets, lease, label=label, max_findings=max_findings, started=started)


def _read_and_sweep(
    job: TableJob, outlets: Outlets, lease: LeaseOutcome, *, label: str | None, max_findings: int, started: float
) -> TableResult:
    announcer, tally = job.announcer, Tally()
    if announcer is not None:
        with job.stop.waiting():
            announcer.open()
    rules = reading_rules(job, outlets, label)
    collector = _make_collector(job, rules, outlets, max_findings)
    log.info("run.started", table=job.table.name, dialect=job.policy.dialect)
    errors = read_table(job, rules, tally, collector, outlets)
    is_complete = not errors and not job.stop.is_requested()
    sweep_result = _sweep(job, tally, collector, is_complete=is_complete, lease_problem=lease.problem)
    locked_out, warnings, bugs = LockedOut(), list[Remark](), list[Remark]()
    with catch_as_remarks("locked_out", "which owners are locked out was not checked", bugs):
        locked_out, warnings = _look_up_owners(job, tally, is_over=bool(errors))
    findings = collector.finish()
    report = _build_report(
        job,
        tally,
        sweep_result,
        locked_out,
        started=started,
        outcome=_choose_outcome(job, sweep_result, errors),
        errors=[*errors, *sweep_result.errors, *bugs, *_deadline_errors(job)],
        warnings=[
            *job.warnings,
            *lease.warnings,
            *_workbench_warnings(tally),
            *(_unused_pattern_warnings(job) if is_complete else []),
            *sweep_result.warnings,
            *warnings,
        ],
    )
    is_complete = is_complete and not sweep_result.unlisted
    if announcer is not None:
        report = announcer.end(report, is_complete=is_complete)
    listing = None if job.listing is None else job.listing.part(tally.chosen)
    return TableResult(report, findings, is_complete, listing)


def unread_report(
    job: TableJob | UnreachedTable,
    policy: PolicyPart,
    outcome: Outcome,
    errors: Sequence[Remark],
    *,
    at: float,
    is_dry_run: bool,
) -> TableReport:
    """Build the report of a table that was not read.

    Args:
        job: what was to be done, or why it cannot be.
        policy: the run's rules.
        outcome: how it ended.
        errors: why.
        at: the present UNIX second.
        is_dry_run: whether nothing would have been deleted.
    """
    return TableReport(
        **_identity_fields(job),
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


def _identity_fields(job: TableJob | UnreachedTable) -> dict[str, Any]:
    """The fields of the report that say which table it is."""
    return {"label": job.label, "named": job.named, **structs.asdict(job.place)}


def deadline_remark() -> Remark:
    """Build the error that the deadline came."""
    message = "the run's deadline came before its end; give --deadline more time, or run it again to finish"
    return Remark(where="run", code="deadline", message=message)


def _open_plan(job: TableJob) -> None:
    if job.sweep is None:
        return
    try:
        job.sweep.plan.file.open(job.sweep.plan.header)
    except SinkError as error:
        raise ConfigurationError(f"the plan: {error.sentence}", error.way_out, "plan-path") from None


def _make_collector(job: TableJob, rules: Rules, outlets: Outlets, max_findings: int) -> FindingCollector:
    if job.listing is not None and job.listing.order is not None:
        return SortedCollector(outlets, rules, job.listing.order, max_listed=max_findings)
    on_found = None if job.announcer is None else job.announcer.add_findings
    return FindingCollector(outlets, rules, max_listed=max_findings, on_found=on_found)


def _build_report(
    job: TableJob,
    tally: Tally,
    sweep_result: SweepResult,
    locked_out: LockedOut,
    *,
    started: float,
    outcome: Outcome,
    errors: list[Remark],
    warnings: list[Remark],
) -> TableReport:
    finished = job.clock()
    return TableReport(
        **_identity_fields(job),
        source=job.table.source,
        policy=job.policy_part,
        outcome=outcome,
        started_at=time_of(started),
        finished_at=time_of(finished),
        duration_seconds=round(finished - started, 3),
        counts=tally.counts(),
        deletion=sweep_result.deletion,
        capacity=_sum_capacity(job, tally, locked_out),
        clock=Clock(skew_seconds=job.table.skew_seconds),
        findings_omitted=0,
        locked_out=list(locked_out.owners),
        locked_out_unchecked=locked_out.unchecked,
        forecast=build_forecast(tally.expiries, job.now, job.policy.horizon),
        errors=errors,
        warnings=warnings,
    )


def _skip(job: TableJob, why: Remark, started: float) -> TableResult:
    """Build the result of a table that is left to another run."""
    log.info("run.skipped", code=why.code)
    report = _build_report(
        job,
        Tally(),
        SweepResult(deletion=Deletion(enabled=job.deletes)),
        LockedOut(),
        started=started,
        outcome=Outcome.SKIPPED,
        errors=[],
        warnings=[*job.warnings, why],
    )
    return TableResult(report, [], is_complete=False)


@contextmanager
def _abandon_on_error(job: TableJob) -> Iterator[None]:
    """Give up the plan and the archive where an unexpected error leaves the block."""
    try:
        yield
    except BaseException:
        if job.sweep is not None:
            job.sweep.abandon()
        raise


def _sum_capacity(job: TableJob, tally: Tally, locked_out: LockedOut) -> Capacity:
    units = tally.read_units + locked_out.read_units
    written = job.sweep.write_units() if job.sweep else 0.0
    requests, throttled = job.requests()
    return Capacity(
        read_units=units,
        write_units=written,
        requests=requests,
        pages=tally.pages,
        throttled=throttled,
        cost_usd=round((units * job.read_price + written * job.write_price) / _MILLION, 6),
    )


def _sweep(
    job: TableJob, tally: Tally, collector: FindingCollector, *, is_complete: bool, lease_problem: str | None
) -> SweepResult:
    if job.sweep is None:
        return SweepResult()
    return job.sweep.finish(
        tally,
        collector,
        job.stop,
        is_complete=is_complete,
        lease_problem=lease_problem,
        unused_patterns=job.unused_patterns.patterns,
    )


def _workbench_warnings(tally: Tally) -> list[Remark]:
    if not tally.workbench_only:
        return []
    rows = format_count(tally.workbench_only, "row")
    message = f"{rows} that LISA's API refuses still {'opens' if tally.workbench_only == 1 else 'open'} MCP Workbench"
    return [Remark(where="table", code="workbench-only", message=message)]


def _unused_pattern_warnings(job: TableJob) -> list[Remark]:
    """Build the warnings of patterns that protect nobody, once every row was read."""
    patterns = job.unused_patterns.patterns
    messages = [_describe_unused_pattern(pattern) for pattern in patterns[:_MAX_PATTERNS]]
    if len(patterns) > _MAX_PATTERNS:
        messages.append(f"{len(patterns) - _MAX_PATTERNS:,} more patterns of --protect-user protect nobody")
    return [Remark(where="policy", code=PROTECTS_NOBODY, message=message) for message in messages]


def _describe_unused_pattern(pattern: str) -> str:
    why = "upper and lower case count"
    if any(mark in pattern for mark in ",; "):
        why += ", and it is one pattern: several are an option each, a JSON array, or one a line in the variable"
    return (
        f"--protect-user '{printable(remove_keys(pattern))}' protects nobody: it fits the owner of no row here; {why}"
    )


def _deadline_errors(job: TableJob) -> list[Remark]:
    return [deadline_remark()] if job.stop.is_deadline else []


def _choose_outcome(job: TableJob, sweep_result: SweepResult, errors: list[Remark]) -> Outcome:
    if errors:
        return Outcome.FAILED
    if job.stop.is_requested():
        return Outcome.INTERRUPTED
    if sweep_result.is_refused:
        return Outcome.REFUSED
    return Outcome.FAILED if sweep_result.errors else Outcome.COMPLETE


def _find_locked_out(job: TableJob, candidates: set[str]) -> LockedOut:
    if job.reread is not None:
        return find_locked_out_in_pages(candidates, job.reread(), job.now, job.stop)
    assert job.pages_of_owner is not None  # noqa: S101  # asked by the caller
    return find_locked_out(candidates, job.pages_of_owner, job.now, job.stop)


def _look_up_owners(job: TableJob, tally: Tally, *, is_over: bool) -> tuple[LockedOut, list[Remark]]:
    candidates = tally.owners.candidates
    if job.policy.dialect is not Dialect.HASHED or not candidates:
        return LockedOut(), []
    unremembered = tally.owners.unnamed_rows
    if is_over or job.stop.is_requested() or (job.pages_of_owner is None and job.reread is None):
        return LockedOut(unchecked=len(candidates)), unchecked_warnings(len(candidates), unremembered)
    try:
        locked_out = _find_locked_out(job, candidates)
    except JanitorError as error:
        message = f"which owners are locked out was not checked: {error}"
        return LockedOut(unchecked=len(candidates)), [Remark(where="locked_out", code=error.code, message=message)]
    return locked_out, unchecked_warnings(locked_out.unchecked, unremembered)
