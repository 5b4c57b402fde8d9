"""One run, from table to report.

    pages ──positions_worth_a_look──> rows ──classify──> findings ──> outlets that stream
      │                                          │           └──────> the most urgent, for the others
      └── plainly active rows, only counted ──> tally <── expiries by day, owners with expired rows
                                                 │
                         owners looked up ──> report ──> every outlet

1. The outlets are opened first: a report that cannot be written stops the run before the table is read.
2. Every page is counted as it comes. A row that may be more than active is decoded, classified once, and goes to the
   tally, to the outlets that stream, and, if it is urgent enough, to the list that the others print.
3. A failure of AWS, or a signal, ends the reading; what was counted until then is reported, and the outcome says so.
4. Owners with expired rows and no accepted one are looked up (hashed tables only).
5. The report is built once, from the tally, and handed to every outlet. An outlet that fails hides no other.
"""

from collections.abc import Iterable

import structlog

from janitor.dynamodb.decode import Page
from janitor.errors import JanitorError
from janitor.report.build import finding, urgency
from janitor.report.model import Finding, Outcome, Remark
from janitor.run.assemble import assembled
from janitor.run.job import Job, Result
from janitor.run.locked_out import LockedOut, find_locked_out, unchecked_warning
from janitor.run.tally import MostUrgent, Tally
from janitor.tokens.classify import Classification, State, classify, positions_worth_a_look
from janitor.tokens.dialect import Dialect
from janitor.tokens.row import Row

log = structlog.get_logger("janitor.run")


def scan(job: Job) -> Result:
    """Scan the table and report what is in it.

    Raises:
        ConfigurationError: a report's place cannot be written; nothing was read.
    """
    started = job.clock()
    tally, urgent = Tally(), MostUrgent(job.max_findings if job.outlets.keep else 0)
    job.outlets.open()
    try:
        log.info("run.started", command=job.command, table=job.table.name, dialect=job.policy.dialect)
        errors = _read(job, tally, urgent)
        locked_out, warnings = _look_up_owners(job, tally, is_over=bool(errors))
        outcome = Outcome.FAILED if errors else Outcome.INTERRUPTED if job.stop.is_requested() else Outcome.COMPLETE
        report = assembled(
            job,
            started=started,
            outcome=outcome,
            tally=tally,
            findings=_findings(job, urgent.sorted()),
            locked_out=locked_out,
            errors=errors,
            warnings=[*job.warnings, *warnings],
        )
        job.outlets.finish(report)
    except BaseException:
        job.outlets.discard()
        raise
    log.info(
        "run.finished",
        outcome=report.run.outcome,
        seconds=report.run.duration_seconds,
        **report.counts.model_dump(),
        **report.capacity.model_dump(),
    )
    return Result(report, job.outlets.failures)


def _read(job: Job, tally: Tally, urgent: MostUrgent) -> list[Remark]:
    try:
        for page in job.pages():
            _count(page, job, tally, urgent)
            job.progress.advance(page.scanned)
            if job.outlets.is_exhausted:
                break
    except JanitorError as error:
        log.error("scan.failed", code=error.code, error=str(error))  # noqa: TRY400  # a sentence, not a traceback
        return [Remark(where="scan", code=error.code, message=str(error))]
    finally:
        job.progress.finish()
    return []


def _count(page: Page, job: Job, tally: Tally, urgent: MostUrgent) -> None:
    now, policy = job.now, job.policy
    everywhere = range(page.count)
    positions = everywhere if page.is_filtered else positions_worth_a_look(page.glances(), now, policy)
    tally.add_page(page.read_units, page.scanned - len(positions))
    verdicts = [(row, classify(row, now, policy)) for row in page.rows(positions)]
    for row, verdict in verdicts:
        tally.add(row, verdict)
        if verdict.state is not State.ACTIVE:
            urgent.offer(urgency(verdict, now), row, verdict)
    if job.outlets.streams:
        job.outlets.lines(_findings(job, verdicts))


def _findings(job: Job, verdicts: Iterable[tuple[Row, Classification]]) -> list[Finding]:
    return [
        finding(row, verdict, job.now, job.policy, job.fingerprint_secret)
        for row, verdict in verdicts
        if verdict.state is not State.ACTIVE
    ]


def _look_up_owners(job: Job, tally: Tally, *, is_over: bool) -> tuple[LockedOut, list[Remark]]:
    candidates = tally.expired_owners - tally.accepted_owners
    if job.policy.dialect is not Dialect.HASHED or not candidates:
        return LockedOut(), []
    missed = tally.rows_of_unremembered_owners
    if is_over or job.stop.is_requested() or job.pages_of_owner is None:
        return LockedOut(unchecked=len(candidates)), unchecked_warning(len(candidates), missed)
    try:
        found = find_locked_out(candidates, job.pages_of_owner, job.now, job.stop)
    except JanitorError as error:
        log.warning("owners.not_looked_up", code=error.code, error=str(error))
        message = f"which owners are locked out was not checked: {error}"
        return LockedOut(unchecked=len(candidates)), [Remark(where="locked_out", code=error.code, message=message)]
    return found, unchecked_warning(found.unchecked, missed)
