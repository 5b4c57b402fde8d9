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
from janitor.report.error_remarks import NOT_ANNOUNCED, build_bug_remark, catch_as_remarks
from janitor.report.model import Finding, Outcome, RecipientsPart, Remark, Report, Run, TableReport
from janitor.report.next_steps import list_steps
from janitor.run.remarks import log_remarks
from janitor.run.spec import RunResult, RunSpec, TableSpec, UnreachedTable
from janitor.run.table_run import TableResult, build_deadline_error, build_unread_report, run_table
from janitor.tokens.times import time_of

if TYPE_CHECKING:
    from janitor.notices.announcer_group import AnnouncerGroup

log = get_logger("janitor.run")


def run(spec: RunSpec) -> RunResult:
    """Run every table, announce what is due in any of them, and write one report of all.

    Raises:
        ConfigurationError: the place of a report, or of the only table's plan, cannot be written; nothing was read.
        StopRequestedError: the run was asked to stop before anything was read.
    """
    started = spec.clock()
    results: list[TableResult] = []
    with _open_outlets(spec):
        for table in spec.tables:
            with bound(table=table.label) if _has_several_tables(spec) else nullcontext():
                results.append(_run_table(spec, table, is_first=not results))
        report = _announce(spec, results, started)
        if any(table.outcome is Outcome.SKIPPED for table in report.tables):
            spec.outlets.finish_skipped(report)
        else:
            spec.outlets.finish(report, is_complete=all(result.is_complete for result in results))
    log_remarks(report.errors, report.warnings, is_printed=spec.outlets.prints_remarks)
    log.info(
        "run.finished",
        command=spec.command,
        outcome=report.run.outcome,
        seconds=report.run.duration_seconds,
        tables=len(report.tables),
        reports=spec.outlets.written,
        **structs.asdict(report.counts),
        **structs.asdict(report.deletion),
        **structs.asdict(report.capacity),
    )
    return RunResult(report, spec.outlets.failures)


def _has_several_tables(spec: RunSpec) -> bool:
    return len(spec.tables) > 1


def _run_table(spec: RunSpec, table: TableSpec | UnreachedTable, *, is_first: bool) -> TableResult:
    """Run a table. In a run of several, whatever goes wrong becomes part of its result."""
    if isinstance(table, UnreachedTable):
        error = Remark(where="scan", code=table.error.code, message=str(table.error))
        return _unread_result(spec, table, Outcome.FAILED, error)
    if spec.stop.is_requested() and not is_first:
        return _unread_result(spec, table, Outcome.INTERRUPTED)
    label = table.label if _has_several_tables(spec) else None
    try:
        return run_table(table, spec.outlets, label=label, max_findings=spec.max_findings)
    except StopRequestedError:
        if is_first:
            raise
        return _unread_result(spec, table, Outcome.INTERRUPTED)
    except JanitorError as error:
        if not _has_several_tables(spec):
            raise
        return _unread_result(spec, table, Outcome.FAILED, Remark(where="scan", code=error.code, message=str(error)))
    except Exception as error:
        if not _has_several_tables(spec):
            raise
        # A bug in one table must not lose the reports of the others.
        return _unread_result(
            spec, table, Outcome.FAILED, build_bug_remark("run", "the report of this table is lost", error)
        )


def _unread_result(spec: RunSpec, table: TableSpec | UnreachedTable, outcome: Outcome, *errors: Remark) -> TableResult:
    policy = table.policy_part if isinstance(table, TableSpec) else spec.policy
    report = build_unread_report(table, policy, outcome, errors, at=spec.clock(), is_dry_run=not spec.deletes)
    return TableResult(report, [], is_complete=False)


def _announce(spec: RunSpec, results: Sequence[TableResult], started: float) -> Report:
    """Announce what is due, and build the run's report with the result."""
    findings, tables = _choose_findings(spec, results), [result.report for result in results]
    listings = [result.listing for result in results]
    announcers = {table.label: table.announcer for table in _reachable(spec) if table.announcer is not None}
    announcement = AnnouncementResult()
    if spec.announce is not None:
        whole = _with_steps(combine_tables(_describe_run(spec, started), tables, findings, listings=listings))
        with catch_as_remarks("notices", NOT_ANNOUNCED, announcement.errors):
            announcement = spec.announce(announcers, whole)
    return _with_steps(
        combine_tables(
            _describe_run(spec, started),
            [_remember(table, announcers.get(table.label)) for table in tables],
            findings,
            digests=announcement.digests,
            listings=listings,
            recipients=RecipientsPart(
                announcement.destinations, nobody_because=spec.nobody_because, is_forecast=spec.is_dry_run
            ),
            errors=[*announcement.errors, *_deadline_errors(spec, tables)],
            warnings=announcement.warnings,
        )
    )


def _with_steps(report: Report) -> Report:
    return structs.replace(report, next_steps=[*list_steps(report)])


def _choose_findings(spec: RunSpec, results: Sequence[TableResult]) -> list[Finding]:
    if len(results) == 1 and spec.outlets.lists_findings:
        return results[0].findings
    max_findings = spec.max_findings if spec.outlets.lists_findings else min(spec.max_findings, len(results))
    return pick_most_urgent([finding for result in results for finding in result.findings], max_findings)


def _remember(table: TableReport, announcer: AnnouncerGroup | None) -> TableReport:
    """Remember what was announced of a table, and add the result to its report."""
    if announcer is None or not announcer.has_ended:
        return table
    errors: list[Remark] = []
    with catch_as_remarks("notices", NOT_ANNOUNCED, errors):
        return announcer.remember(table)
    return structs.replace(table, errors=[*table.errors, *errors])


def _describe_run(spec: RunSpec, started: float) -> Run:
    finished = spec.clock()
    return Run(
        id=spec.run_id,
        command=spec.command,
        dry_run=not spec.deletes,
        outcome=Outcome.COMPLETE,
        started_at=time_of(started),
        finished_at=time_of(finished),
        duration_seconds=round(finished - started, 3),
        version=spec.version,
    )


def _deadline_errors(spec: RunSpec, tables: Sequence[TableReport]) -> list[Remark]:
    """Build the error that the deadline came, if no table has it: it came between two tables, or after the last."""
    if not spec.stop.is_deadline or any(error.code == "deadline" for table in tables for error in table.errors):
        return []
    return [build_deadline_error()]


def _reachable(spec: RunSpec) -> list[TableSpec]:
    return [table for table in spec.tables if isinstance(table, TableSpec)]


@contextmanager
def _open_outlets(spec: RunSpec) -> Iterator[None]:
    """Open every outlet. Discard them if an error leaves the block; close the announcers at the end."""
    try:
        with spec.stop.interruptible_wait_after_request():
            spec.outlets.open()
        yield
    except BaseException:
        spec.outlets.discard()
        raise
    finally:
        for table in _reachable(spec):
            if table.announcer is not None:
                table.announcer.close()
