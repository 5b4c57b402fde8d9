"""One run, from table to report.

    pages ──read──> findings ──> outlets that stream, the most urgent for the others, and what is to be announced
              ├───> tally: counts, expiries by day, owners with expired rows
              └───> plan ──guards──> carried out ──> findings with their outcomes       (a sweep only)
                                         │
                     owners looked up ──> report ──> every outlet

1. The outlets and the plan are opened first: what cannot be written stops the run before the table is read. The store
   of what earlier runs announced is opened too; where that fails, the run goes on and announces nothing. A sweep that
   deletes takes the table's lease; where another run has it and renews it, this one is passed over.
2. Every page is counted as it comes, and every row that may be more than active is judged (`reading`).
3. A failure of AWS, or a signal, ends the reading; what was counted until then is reported, and the outcome says so.
4. A sweep asks its guards about the finished plan, and carries it out for show or for real (`sweep`).
5. Owners with expired rows and no accepted one are looked up (hashed tables only).
6. The report is built once, from the tally. What is due is announced, and what came of that is added to it.
7. It is handed to every outlet. An outlet that fails hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import structs

from janitor.errors import ConfigurationError, JanitorError, SinkError
from janitor.logs import get_logger
from janitor.readers.tally import Tally
from janitor.report.model import PROTECTS_NOBODY, Deletion, Outcome, Remark, Report
from janitor.run.assemble import assembled
from janitor.run.bugs import SafeAnnouncer, remarked
from janitor.run.findings import Findings
from janitor.run.job import Job, Result
from janitor.run.leasing import Leasing, leased, passed_over
from janitor.run.locked_out import LockedOut, find_locked_out, sift_locked_out, unchecked_warning
from janitor.run.reading import read
from janitor.run.remarks import log_remarks
from janitor.run.sorted_findings import SortedFindings
from janitor.run.swept import Swept
from janitor.tokens.dialect import Dialect
from janitor.tokens.plain import plain
from janitor.tokens.shown import without_keys

log = get_logger("janitor.run")

_MOST_PATTERNS = 20


def run(job: Job, *, is_part: bool = False) -> Result:
    """Scan the table, delete what is stale if the job is a sweep that may, and report.

    `is_part` says that it is one of several tables, whose common report is told with the remarks of all.

    Raises:
        ConfigurationError: a report's place or the plan's cannot be written; nothing was read.
        StopRequestedError: somebody asked to stop before anything was read.
    """
    started = job.clock()
    tally = Tally()
    announcer = None if job.announcer is None else SafeAnnouncer(job.announcer)
    findings = _findings(job, announcer)
    with _reporting(job), leased(job.sweep, job.stop) as lease:
        if lease.other is not None:
            return _passed_over(job, passed_over(lease.other), started, tally, is_part=is_part)
        report = _worked_through(job, lease, tally, findings, announcer, started=started)
    if not is_part:
        log_remarks(report.errors, report.warnings, is_printed=job.outlets.prints_remarks)
    log.info(
        "run.finished",
        outcome=report.run.outcome,
        seconds=report.run.duration_seconds,
        reports=job.outlets.written,
        **structs.asdict(report.counts),
        **structs.asdict(report.deletion),
        **structs.asdict(report.capacity),
    )
    return Result(report, job.outlets.failures)


def _worked_through(
    job: Job, lease: Leasing, tally: Tally, findings: Findings, announcer: SafeAnnouncer | None, *, started: float
) -> Report:
    with _opened(job):
        log.info("run.started", command=job.command, table=job.table.name, dialect=job.policy.dialect)
        errors = read(job, tally, findings)
        is_complete = not errors and not job.stop.is_requested()
        swept = _swept(job, tally, findings, is_complete=is_complete, lease_problem=lease.problem)
        locked_out, warnings, bugs = LockedOut(), list[Remark](), list[Remark]()
        with remarked("locked_out", "which owners are locked out was not checked", bugs):
            locked_out, warnings = _look_up_owners(job, tally, is_over=bool(errors))
        report = assembled(
            job,
            started=started,
            outcome=_outcome(job, swept, errors),
            tally=tally,
            findings=findings.most_urgent(),
            swept=swept,
            locked_out=locked_out,
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
            report = announcer.finish(report, is_complete=is_complete)
        job.outlets.finish(report, is_complete=is_complete)
    return report


def _findings(job: Job, announcer: SafeAnnouncer | None) -> Findings:
    if job.listing is not None and job.listing.order is not None:
        return SortedFindings(job, job.listing.order)
    return Findings(
        job.outlets,
        most=job.max_findings,
        now=job.now,
        policy=job.policy,
        secret=job.fingerprint_secret,
        see=announcer.see if announcer else None,
    )


def _passed_over(job: Job, why: Remark, started: float, tally: Tally, *, is_part: bool) -> Result:
    """The report of a run that leaves the table to another, and reads nothing of it."""
    report = assembled(
        job,
        started=started,
        outcome=Outcome.SKIPPED,
        tally=tally,
        findings=[],
        swept=Swept(deletion=Deletion(enabled=not job.is_dry_run)),
        locked_out=LockedOut(),
        errors=[],
        warnings=[*job.warnings, why],
    )
    job.outlets.pass_over(report)
    if not is_part:
        log_remarks(report.errors, report.warnings, is_printed=job.outlets.prints_remarks)
    log.info("run.skipped", code=why.code)
    return Result(report, job.outlets.failures)


@contextmanager
def _reporting(job: Job) -> Iterator[None]:
    """Every report's place, open; left as it was when the run comes to nothing."""
    with job.stop.cutting_short():
        job.outlets.open()
    try:
        yield
    except BaseException:
        job.outlets.discard()
        raise


@contextmanager
def _opened(job: Job) -> Iterator[None]:
    """Every other place that the run writes to, open; left as it was when the run comes to nothing."""
    try:
        if job.sweep is not None:
            _open_plan(job)
        if job.announcer is not None:
            with job.stop.waiting():
                job.announcer.open()
        yield
    except BaseException:
        if job.sweep is not None:
            job.sweep.abandon()
        raise
    finally:
        if job.announcer is not None:
            job.announcer.close()


def _open_plan(job: Job) -> None:
    assert job.sweep is not None  # noqa: S101  # asked by the caller
    try:
        job.sweep.plan.open(job.sweep.header)
    except SinkError as error:
        raise ConfigurationError(f"the plan: {error.sentence}", error.way_out, "plan-path") from None


def _swept(job: Job, tally: Tally, findings: Findings, *, is_complete: bool, lease_problem: str | None) -> Swept:
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
    rows = f"{tally.workbench_only:,} {'row' if tally.workbench_only == 1 else 'rows'}"
    message = f"{rows} that LISA's API refuses still {'opens' if tally.workbench_only == 1 else 'open'} MCP Workbench"
    return [Remark(where="table", code="workbench-only", message=message)]


def _unused_patterns(job: Job) -> list[Remark]:
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
    return f"--protect-user '{plain(without_keys(pattern))}' protects nobody: it fits the owner of no row here; {why}"


def _deadline(job: Job) -> list[Remark]:
    if not job.stop.is_deadline:
        return []
    message = "the run's deadline came before its end; give --deadline more time, or run it again to finish"
    return [Remark(where="run", code="deadline", message=message)]


def _outcome(job: Job, swept: Swept, errors: list[Remark]) -> Outcome:
    if errors:
        return Outcome.FAILED
    if job.stop.is_requested():
        return Outcome.INTERRUPTED
    if swept.is_refused:
        return Outcome.REFUSED
    return Outcome.FAILED if swept.errors else Outcome.COMPLETE


def _locked_out(job: Job, candidates: set[str]) -> LockedOut:
    if job.reread is not None:
        return sift_locked_out(candidates, job.reread(), job.now, job.stop)
    assert job.pages_of_owner is not None  # noqa: S101  # asked by the caller
    return find_locked_out(candidates, job.pages_of_owner, job.now, job.stop)


def _look_up_owners(job: Job, tally: Tally, *, is_over: bool) -> tuple[LockedOut, list[Remark]]:
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
