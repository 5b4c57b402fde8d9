"""One run, from its tables to its report: the one way through, whatever the command and however many tables.

    outlets opened ──> each table in turn (table_run) ──> one report ──> announced once ──> every outlet

1. The outlets are opened first: what cannot be written stops the run before a table is read.
2. Each table has its turn: read, judged, swept. One that cannot be reached, or fails, keeps none of the others from
   theirs; it is a part of the report like any other.
3. The report is summed up once. What is due is announced, and what came of that is added to it.
4. It is handed to every outlet. An outlet that fails hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from msgspec import structs

from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import bound, get_logger
from janitor.report.announcement_result import AnnouncementResult
from janitor.report.bugs import NOT_ANNOUNCED, bug_remark, remarked
from janitor.report.combine import combine_tables, most_urgent
from janitor.report.model import Finding, Outcome, Remark, Report, Run, TableReport
from janitor.run.job import Job, Result, TableJob, Unreached
from janitor.run.remarks import log_remarks
from janitor.run.table_run import TableResult, deadline_remark, run_table, unread
from janitor.tokens.times import time_of

if TYPE_CHECKING:
    from janitor.notices.announce import Announcer

log = get_logger("janitor.run")


def run(job: Job) -> Result:
    """Run every table, announce what is due in any of them, and report them together.

    Raises:
        ConfigurationError: the place of a report, or of the only table's plan, cannot be written; nothing was read.
        StopRequestedError: somebody asked to stop before anything was read.
    """
    started = job.clock()
    results: list[TableResult] = []
    with _opened(job):
        for table in job.tables:
            with bound(table=table.label) if _is_of_several(job) else nullcontext():
                results.append(_result_of(job, table, is_first=not results))
        report = _announced(job, results, started)
        if any(table.outcome is Outcome.SKIPPED for table in report.tables):
            job.outlets.pass_over(report)
        else:
            job.outlets.finish(report, is_complete=all(result.is_complete for result in results))
    log_remarks(report.errors, report.warnings, is_printed=job.outlets.prints_remarks)
    log.info(
        "run.finished",
        command=job.command,
        outcome=report.run.outcome,
        seconds=report.run.duration_seconds,
        tables=len(report.tables),
        reports=job.outlets.written,
        **structs.asdict(report.counts),
        **structs.asdict(report.deletion),
        **structs.asdict(report.capacity),
    )
    return Result(report, job.outlets.failures)


def _is_of_several(job: Job) -> bool:
    return len(job.tables) > 1


def _result_of(job: Job, table: TableJob | Unreached, *, is_first: bool) -> TableResult:
    """What comes of a table, whatever happens there."""
    if isinstance(table, Unreached):
        error = Remark(where="scan", code=table.error.code, message=str(table.error))
        return _unread(job, table, Outcome.FAILED, error)
    if job.stop.is_requested() and not is_first:
        return _unread(job, table, Outcome.INTERRUPTED)
    label = table.label if _is_of_several(job) else None
    try:
        return run_table(table, job.outlets, label=label, most=job.max_findings)
    except StopRequestedError:
        if is_first:
            raise
        return _unread(job, table, Outcome.INTERRUPTED)
    except JanitorError as error:
        if not _is_of_several(job):
            raise
        return _unread(job, table, Outcome.FAILED, Remark(where="scan", code=error.code, message=str(error)))
    except Exception as error:
        if not _is_of_several(job):
            raise
        # The other tables' reports are not lost with it.
        return _unread(job, table, Outcome.FAILED, bug_remark("run", "the report of this table is lost", error))


def _unread(job: Job, table: TableJob | Unreached, outcome: Outcome, *errors: Remark) -> TableResult:
    policy = table.policy_part if isinstance(table, TableJob) else job.policy
    report = unread(table, policy, outcome, errors, at=job.clock(), is_dry_run=job.is_dry_run)
    return TableResult(report, [], is_complete=False)


def _announced(job: Job, results: Sequence[TableResult], started: float) -> Report:
    """The run's report, once those who are to hear of it have."""
    findings, tables = _listed(job, results), [result.report for result in results]
    listing = next((result.listing for result in results if result.listing is not None), None)
    announcers = {table.label: table.announcer for table in _jobs(job) if table.announcer is not None}
    announced = AnnouncementResult()
    if job.announce is not None:
        whole = combine_tables(_run(job, started), tables, findings, listing=listing)
        with remarked("notices", NOT_ANNOUNCED, announced.errors):
            announced = job.announce(announcers, whole)
        if announced.errors:
            for announcer in announcers.values():
                announcer.sent.has_lost_digest = True
    return combine_tables(
        _run(job, started),
        [_remembered(table, announcers.get(table.label)) for table in tables],
        findings,
        digests=announced.digests,
        listing=listing,
        errors=[*announced.errors, *_deadline(job, tables)],
        warnings=announced.warnings,
    )


def _listed(job: Job, results: Sequence[TableResult]) -> list[Finding]:
    if len(results) == 1:
        return results[0].findings
    most = job.max_findings if job.outlets.keep else min(job.max_findings, len(results))
    return most_urgent([finding for result in results for finding in result.findings], most)


def _remembered(table: TableReport, announcer: Announcer | None) -> TableReport:
    """What is said of a table, once what was announced of it is remembered."""
    if announcer is None or not announcer.has_ended:
        return table
    errors: list[Remark] = []
    with remarked("notices", NOT_ANNOUNCED, errors):
        return announcer.remember(table)
    return structs.replace(table, errors=[*table.errors, *errors])


def _run(job: Job, started: float) -> Run:
    finished = job.clock()
    return Run(
        id=job.run_id,
        command=job.command,
        dry_run=job.is_dry_run,
        outcome=Outcome.COMPLETE,
        started_at=time_of(started),
        finished_at=time_of(finished),
        duration_seconds=round(finished - started, 3),
        version=job.version,
    )


def _deadline(job: Job, tables: Sequence[TableReport]) -> list[Remark]:
    """That the deadline came, where no table says so because it came between two, or after the last."""
    if not job.stop.is_deadline or any(error.code == "deadline" for table in tables for error in table.errors):
        return []
    return [deadline_remark()]


def _jobs(job: Job) -> list[TableJob]:
    return [table for table in job.tables if isinstance(table, TableJob)]


@contextmanager
def _opened(job: Job) -> Iterator[None]:
    """The place of every report, open; left as it was when the run comes to nothing."""
    try:
        with job.stop.cutting_short():
            job.outlets.open()
        yield
    except BaseException:
        job.outlets.discard()
        raise
    finally:
        for table in _jobs(job):
            if table.announcer is not None:
                table.announcer.close()
