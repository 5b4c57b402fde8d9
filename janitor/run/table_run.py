"""One table's turn in a run, up to what the report says of it.

    reader ──read──> tally, findings, plan ──guards──> carried out ──> findings with their outcomes
                                    owners looked up ──> TableReport

A sweep that deletes takes the table's lease; where another run has it and renews it, this table is passed over.
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
from janitor.report.bugs import remarked
from janitor.report.build import forecast
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
from janitor.run.findings import Findings
from janitor.run.leasing import Leasing, leased, passed_over
from janitor.run.locked_out import LockedOut, find_locked_out, sift_locked_out, unchecked_warning
from janitor.run.reading import read_table, reading_rules
from janitor.run.sorted_findings import SortedFindings
from janitor.run.swept import Swept
from janitor.tokens.dialect import Dialect
from janitor.tokens.printable import printable
from janitor.tokens.redact import without_keys
from janitor.tokens.times import time_of
from janitor.tokens.words import counted

if TYPE_CHECKING:
    from janitor.run.job import TableJob, Unreached
    from janitor.run.outlets import Outlets

log = get_logger("janitor.run")

_MOST_PATTERNS = 20
_MILLION = 1_000_000


class TableResult(NamedTuple):
    """What came of a table.

    Attributes:
        report: what the run's report says of it, but for how many findings are left out there.
        findings: the most urgent, sorted.
        is_complete: whether all of the table was read, and every row that was planned is told of.
        listing: which rows were asked for, where some were.
    """

    report: TableReport
    findings: list[Finding]
    is_complete: bool
    listing: ListingPart | None = None


def run_table(job: TableJob, outlets: Outlets, *, label: str | None, most: int) -> TableResult:
    """Read the table, and delete what is stale if it is a sweep that may.

    Args:
        job: what is to be done.
        outlets: the run's, open. Those that stream are told of findings as they come.
        label: the table's, where the run has several.
        most: how many findings are listed.

    Raises:
        ConfigurationError: the plan's place cannot be written; nothing was read.
        StopRequestedError: somebody asked to stop before anything was read.
    """
    started = job.clock()
    with leased(job.sweep, job.stop) as lease:
        if lease.other is not None:
            return _passed_over(job, passed_over(lease.other), started)
        with _abandoned_on_error(job):
            _open_plan(job)
            return _worked_through(job, outlets, lease, label=label, most=most, started=started)


def _worked_through(
    job: TableJob, outlets: Outlets, lease: Leasing, *, label: str | None, most: int, started: float
) -> TableResult:
    announcer, tally = job.announcer, Tally()
    if announcer is not None:
        with job.stop.waiting():
            announcer.open()
    rules = reading_rules(job, outlets, label)
    findings = _findings(job, rules, outlets, most)
    log.info("run.started", table=job.table.name, dialect=job.policy.dialect)
    errors = read_table(job, rules, tally, findings, outlets)
    is_complete = not errors and not job.stop.is_requested()
    swept = _swept(job, tally, findings, is_complete=is_complete, lease_problem=lease.problem)
    locked_out, warnings, bugs = LockedOut(), list[Remark](), list[Remark]()
    with remarked("locked_out", "which owners are locked out was not checked", bugs):
        locked_out, warnings = _look_up_owners(job, tally, is_over=bool(errors))
    listed = findings.most_urgent()
    report = _report(
        job,
        tally,
        swept,
        locked_out,
        started=started,
        outcome=_outcome(job, swept, errors),
        errors=[*errors, *swept.errors, *bugs, *_deadline(job)],
        warnings=[
            *job.warnings,
            *lease.warnings,
            *_workbench_only(tally),
            *(_unused_patterns(job) if is_complete else []),
            *swept.warnings,
            *warnings,
        ],
    )
    is_complete = is_complete and not swept.untold
    if announcer is not None:
        report = announcer.end(report, is_complete=is_complete)
    listing = None if job.listing is None else job.listing.part(tally.chosen)
    return TableResult(report, listed, is_complete, listing)


def unread(
    job: TableJob | Unreached,
    policy: PolicyPart,
    outcome: Outcome,
    errors: Sequence[Remark],
    *,
    at: float,
    is_dry_run: bool,
) -> TableReport:
    """What is said of a table that was not read.

    Args:
        job: what was to be done, or why it cannot be.
        policy: the run's rules.
        outcome: how it ended.
        errors: why.
        at: the present UNIX second.
        is_dry_run: whether nothing would have been deleted.
    """
    return TableReport(
        **_identity(job),
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


def _identity(job: TableJob | Unreached) -> dict[str, Any]:
    """Which table it is, as the report has it."""
    return {"label": job.label, "named": job.named, **structs.asdict(job.place)}


def deadline_remark() -> Remark:
    """That the deadline came."""
    message = "the run's deadline came before its end; give --deadline more time, or run it again to finish"
    return Remark(where="run", code="deadline", message=message)


def _open_plan(job: TableJob) -> None:
    if job.sweep is None:
        return
    try:
        job.sweep.plan.open(job.sweep.header)
    except SinkError as error:
        raise ConfigurationError(f"the plan: {error.sentence}", error.way_out, "plan-path") from None


def _findings(job: TableJob, rules: Rules, outlets: Outlets, most: int) -> Findings:
    if job.listing is not None and job.listing.order is not None:
        return SortedFindings(outlets, rules, job.listing.order, most=most)
    see = None if job.announcer is None else job.announcer.see
    return Findings(outlets, rules, most=most, see=see)


def _report(
    job: TableJob,
    tally: Tally,
    swept: Swept,
    locked_out: LockedOut,
    *,
    started: float,
    outcome: Outcome,
    errors: list[Remark],
    warnings: list[Remark],
) -> TableReport:
    finished = job.clock()
    return TableReport(
        **_identity(job),
        source=job.table.source,
        policy=job.policy_part,
        outcome=outcome,
        started_at=time_of(started),
        finished_at=time_of(finished),
        duration_seconds=round(finished - started, 3),
        counts=tally.counts(),
        deletion=swept.deletion,
        capacity=_capacity(job, tally, locked_out),
        clock=Clock(skew_seconds=job.table.skew_seconds),
        findings_omitted=0,
        locked_out=list(locked_out.owners),
        locked_out_unchecked=locked_out.unchecked,
        forecast=forecast(tally.expiries, job.now, job.policy.horizon),
        errors=errors,
        warnings=warnings,
    )


def _passed_over(job: TableJob, why: Remark, started: float) -> TableResult:
    """What is said of a table that is left to another run, and of which nothing was read."""
    log.info("run.skipped", code=why.code)
    report = _report(
        job,
        Tally(),
        Swept(deletion=Deletion(enabled=job.deletes)),
        LockedOut(),
        started=started,
        outcome=Outcome.SKIPPED,
        errors=[],
        warnings=[*job.warnings, why],
    )
    return TableResult(report, [], is_complete=False)


@contextmanager
def _abandoned_on_error(job: TableJob) -> Iterator[None]:
    """Nothing that the table's turn had begun to write is left behind by an error that nobody foresaw."""
    try:
        yield
    except BaseException:
        if job.sweep is not None:
            job.sweep.abandon()
        raise


def _capacity(job: TableJob, tally: Tally, locked_out: LockedOut) -> Capacity:
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


def _swept(job: TableJob, tally: Tally, findings: Findings, *, is_complete: bool, lease_problem: str | None) -> Swept:
    if job.sweep is None:
        return Swept()
    return job.sweep.finish(
        tally,
        findings,
        job.stop,
        is_complete=is_complete,
        lease_problem=lease_problem,
        unused_patterns=job.unused_patterns.left,
    )


def _workbench_only(tally: Tally) -> list[Remark]:
    if not tally.workbench_only:
        return []
    rows = counted(tally.workbench_only, "row")
    message = f"{rows} that LISA's API refuses still {'opens' if tally.workbench_only == 1 else 'open'} MCP Workbench"
    return [Remark(where="table", code="workbench-only", message=message)]


def _unused_patterns(job: TableJob) -> list[Remark]:
    """The patterns that protect nobody, once every row was read."""
    patterns = job.unused_patterns.left
    messages = [_protects_nobody(pattern) for pattern in patterns[:_MOST_PATTERNS]]
    if len(patterns) > _MOST_PATTERNS:
        messages.append(f"{len(patterns) - _MOST_PATTERNS:,} more patterns of --protect-user protect nobody")
    return [Remark(where="policy", code=PROTECTS_NOBODY, message=message) for message in messages]


def _protects_nobody(pattern: str) -> str:
    why = "upper and lower case count"
    if any(mark in pattern for mark in ",; "):
        why += ", and it is one pattern: several are an option each, a JSON array, or one a line in the variable"
    return (
        f"--protect-user '{printable(without_keys(pattern))}' protects nobody: it fits the owner of no row here; {why}"
    )


def _deadline(job: TableJob) -> list[Remark]:
    return [deadline_remark()] if job.stop.is_deadline else []


def _outcome(job: TableJob, swept: Swept, errors: list[Remark]) -> Outcome:
    if errors:
        return Outcome.FAILED
    if job.stop.is_requested():
        return Outcome.INTERRUPTED
    if swept.is_refused:
        return Outcome.REFUSED
    return Outcome.FAILED if swept.errors else Outcome.COMPLETE


def _locked_out(job: TableJob, candidates: set[str]) -> LockedOut:
    if job.reread is not None:
        return sift_locked_out(candidates, job.reread(), job.now, job.stop)
    assert job.pages_of_owner is not None  # noqa: S101  # asked by the caller
    return find_locked_out(candidates, job.pages_of_owner, job.now, job.stop)


def _look_up_owners(job: TableJob, tally: Tally, *, is_over: bool) -> tuple[LockedOut, list[Remark]]:
    candidates = tally.owners.candidates
    if job.policy.dialect is not Dialect.HASHED or not candidates:
        return LockedOut(), []
    missed = tally.owners.rows_of_unremembered
    if is_over or job.stop.is_requested() or (job.pages_of_owner is None and job.reread is None):
        return LockedOut(unchecked=len(candidates)), unchecked_warning(len(candidates), missed)
    try:
        found = _locked_out(job, candidates)
    except JanitorError as error:
        message = f"which owners are locked out was not checked: {error}"
        return LockedOut(unchecked=len(candidates)), [Remark(where="locked_out", code=error.code, message=message)]
    return found, unchecked_warning(found.unchecked, missed)
