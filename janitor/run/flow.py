"""One run, from its tables to its report. Every command takes this way, with any number of tables.

    open outlets ──> run each table in turn (table_run) ──> one report ──> announce once ──> write every outlet

1. The outlets are opened first: one that cannot be written stops the run before a table is read.
2. Each table is read, judged and swept in its turn. A table that cannot be reached, or fails, does not stop the others;
   the report has a part about it like about any other.
3. The tables are combined into one report. What is due is announced, and the result is added to the report.
4. Every outlet gets the report. One that fails does not stop the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from msgspec import structs

from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import bound, get_logger
from janitor.report.announcement_result import AnnouncementResult
from janitor.report.combine import combine_tables, pick_most_urgent
from janitor.report.error_remarks import NOT_ANNOUNCED, bug_remark, catch_as_remarks
from janitor.report.model import Finding, Outcome, Remark, Report, Run, TableReport
from janitor.run.job import Job, RunResult, TableJob, UnreachedTable
from janitor.run.remarks import log_remarks
from janitor.run.table_run import TableResult, deadline_remark, run_table, unread_report
from janitor.tokens.times import time_of

if TYPE_CHECKING:
    from janitor.notices.announcer import Announcer

log = get_logger("janitor.run")


def run(job: Job) -> RunResult:
    """Run every table, announce what is due in any of them, and write one report of all.

    Raises:
        ConfigurationError: the place of a report, or of the only table's plan, cannot be written; nothing was read.
        StopRequestedError: somebody asked to stop before anything was read.
    """
    started = job.clock()
    results: list[TableResult] = []
    with _open_outlets(job):
        for table in job.tables:
            with bound(table=table.label) if _has_several_tables(job) else nullcontext():
                results.append(_run_table(job, table, is_first=not results))
        report = _announce(job, results, started)
        if any(table.outcome is Outcome.SKIPPED for table in report.tables):
            job.outlets.finish_skipped(report)
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
    return RunResult(report, job.outlets.failures)


def _has_several_tables(job: Job) -> bool:
    return len(job.tables) > 1


def _run_table(job: Job, table: TableJob | UnreachedTable, *, is_first: bool) -> TableResult:
    """Run a table. In a run of several, whatever goes wrong becomes part of its result."""
    if isinstance(table, UnreachedTable):
        error = Remark(where="scan", code=table.error.code, message=str(table.error))
        return _unread_result(job, table, Outcome.FAILED, error)
    if job.stop.is_requested() and not is_first:
        return _unread_result(job, table, Outcome.INTERRUPTED)
    label = table.label if _has_several_tables(job) else None
    try:
        return run_table(table, job.outlets, label=label, max_findings=job.max_findings)
    except StopRequestedError:
        if is_first:
            raise
        return _unread_result(job, table, Outcome.INTERRUPTED)
    except JanitorError as error:
        if not _has_several_tables(job):
            raise
        return _unread_result(job, table, Outcome.FAILED, Remark(where="scan", code=error.code, message=str(error)))
    except Exception as error:
        if not _has_several_tables(job):
            raise
        # A bug in one table must not lose the reports of the others.
        return _unread_result(job, table, Outcome.FAILED, bug_remark("run", "the report of this table is lost", error))


def _unread_result(job: Job, table: TableJob | UnreachedTable, outcome: Outcome, *errors: Remark) -> TableResult:
    policy = table.policy_part if isinstance(table, TableJob) else job.policy
    report = unread_report(table, policy, outcome, errors, at=job.clock(), is_dry_run=job.is_dry_run)
    return TableResult(report, [], is_complete=False)


def _announce(job: Job, results: Sequence[TableResult], started: float) -> Report:
    """Announce what is due, and build the run's report with the result."""
    findings, tables = _choose_findings(job, results), [result.report for result in results]
    listing = next((result.listing for result in results if result.listing is not None), None)
    announcers = {table.label: table.announcer for table in _reachable(job) if table.announcer is not None}
    announcement = AnnouncementResult()
    if job.announce is not None:
        whole = combine_tables(_describe_run(job, started), tables, findings, listing=listing)
        with catch_as_remarks("notices", NOT_ANNOUNCED, announcement.errors):
            announcement = job.announce(announcers, whole)
        if announcement.errors:
            for announcer in announcers.values():
                announcer.delivery.has_lost_digest = True
    return combine_tables(
        _describe_run(job, started),
        [_remember(table, announcers.get(table.label)) for table in tables],
        findings,
        digests=announcement.digests,
        listing=listing,
        errors=[*announcement.errors, *_deadline_errors(job, tables)],
        warnings=announcement.warnings,
    )


def _choose_findings(job: Job, results: Sequence[TableResult]) -> list[Finding]:
    if len(results) == 1:
        return results[0].findings
    max_findings = job.max_findings if job.outlets.lists_findings else min(job.max_findings, len(results))
    return pick_most_urgent([finding for result in results for finding in result.findings], max_findings)


def _remember(table: TableReport, announcer: Announcer | None) -> TableReport:
    """Remember what was announced of a table, and add the result to its report."""
    if announcer is None or not announcer.has_ended:
        return table
    errors: list[Remark] = []
    with catch_as_remarks("notices", NOT_ANNOUNCED, errors):
        return announcer.remember(table)
    return structs.replace(table, errors=[*table.errors, *errors])


def _describe_run(job: Job, started: float) -> Run:
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


def _deadline_errors(job: Job, tables: Sequence[TableReport]) -> list[Remark]:
    """Build the error that the deadline came, where no table has it: it came between two tables, or after the last."""
    if not job.stop.is_deadline or any(error.code == "deadline" for table in tables for error in table.errors):
        return []
    return [deadline_remark()]


def _reachable(job: Job) -> list[TableJob]:
    return [table for table in job.tables if isinstance(table, TableJob)]


@contextmanager
def _open_outlets(job: Job) -> Iterator[None]:
    """Open every outlet. Discard them where an error leaves the block; close the announcers at the end."""
    try:
        with job.stop.waiting_even_if_requested():
            job.outlets.open()
        yield
    except BaseException:
        job.outlets.discard()
        raise
    finally:
        for table in _reachable(job):
            if table.announcer is not None:
                table.announcer.close()
