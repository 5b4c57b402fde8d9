"""One run of several tables: each has its turn, as in a run of its own, and they are told together.

    outlets opened ─> table ─run─> report ┐
                      table ─run─> report ┼─> one report ─> owners told, one digest ─> every outlet
                      table ─run─> report ┘

A table that cannot be reached, or fails, is a part of the report like any other, and keeps none of the others from its
turn. Findings that stream go to the outlets at once; of the others only as many are kept as the report may list.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec import structs

from janitor.errors import JanitorError, StopRequestedError
from janitor.logs import bound, get_logger
from janitor.report.model import (
    Capacity,
    Clock,
    Counts,
    Deletion,
    Finding,
    Outcome,
    PolicyPart,
    Remark,
    Report,
    Run,
    TablePart,
)
from janitor.report.together import Labelled, most_urgent, together
from janitor.run.announce import Announcer
from janitor.run.announce_several import Announced, HeldBack, announce
from janitor.run.bugs import NOT_ANNOUNCED, bug_remark, remarked
from janitor.run.channel import Channel
from janitor.run.flow import run
from janitor.run.job import Job, Result
from janitor.run.outlets import Outlets
from janitor.run.outlets_of_table import OutletsOfTable
from janitor.run.remarks import log_remarks
from janitor.run.stopping import Stop

log = get_logger("janitor.run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A table of the run.

    Attributes:
        label: what the run calls it.
        named: what the user calls it.
        table: where it is, as far as that is known.
        job: what is to be done; None where it cannot be reached.
        announcer: who announces what is found there; None for nobody.
        error: why it cannot be reached.
    """

    label: str
    table: TablePart
    job: Job | None
    announcer: Announcer | None = None
    error: JanitorError | None = None
    named: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """Everything a run of several tables needs.

    Attributes:
        command, run_id, version: who runs.
        is_dry_run: whether nothing is deleted, whatever is found.
        turns: the tables, two at least.
        policy: the rules, without a dialect.
        outlets: where the report goes.
        max_findings: how many findings a report that does not stream may list.
        channel: who hears of it; None for nobody.
        clock: the present time in UNIX seconds.
        stop: who may ask to stop; the jobs have the same.
    """

    command: str
    run_id: str
    version: str
    is_dry_run: bool
    turns: Sequence[Turn]
    policy: PolicyPart
    outlets: Outlets
    max_findings: int
    channel: Channel | None
    clock: Callable[[], float]
    stop: Stop


@dataclass(slots=True)
class _Gathered:
    """What came of the tables so far."""

    tables: list[Labelled] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)
    is_complete: bool = True


def run_several(given: Several) -> Result:
    """Run every table, announce what is due in any of them, and report them together.

    Raises:
        ConfigurationError: a report's place cannot be written; nothing was read.
    """
    started = given.clock()
    gathered = _Gathered()
    with _reporting(given), _letting_go(gathered):
        for turn in given.turns:
            with bound(table=turn.label):
                _take(given, turn, gathered)
        report = _told(given, gathered, started)
        if any(part.outcome is Outcome.SKIPPED for part in report.parts):
            given.outlets.pass_over(report)
        else:
            given.outlets.finish(report, is_complete=gathered.is_complete)
    log_remarks(report.errors, report.warnings, is_printed=given.outlets.prints_remarks)
    log.info(
        "run.finished",
        outcome=report.run.outcome,
        seconds=report.run.duration_seconds,
        tables=len(report.parts),
        reports=given.outlets.written,
        **structs.asdict(report.counts),
        **structs.asdict(report.deletion),
    )
    return Result(report, given.outlets.failures)


def _take(given: Several, turn: Turn, gathered: _Gathered) -> None:
    """A table's turn: run it, and keep of its report what the common one says."""
    outlets = OutletsOfTable(given.outlets, turn.label)
    report = _report_of(given, turn, outlets, gathered)
    gathered.is_complete &= outlets.is_complete
    findings = [structs.replace(finding, table=turn.label) for finding in report.findings]
    most = given.max_findings if given.outlets.keep else min(given.max_findings, len(given.turns))
    gathered.findings = most_urgent([*gathered.findings, *findings], most)
    gathered.tables.append(Labelled(turn.label, structs.replace(report, findings=[])))


def _report_of(given: Several, turn: Turn, outlets: OutletsOfTable, gathered: _Gathered) -> Report:
    if turn.job is None or turn.error is not None:
        assert turn.error is not None  # noqa: S101  # one of the two is there
        return _unread(given, turn, Outcome.FAILED, turn.error)
    if given.stop.is_requested():
        return _unread(given, turn, Outcome.INTERRUPTED)
    held_back = None if turn.announcer is None else HeldBack(turn.announcer, turn.label)
    if held_back is not None:
        gathered.held_back.append(held_back)
    try:
        return run(structs.replace(turn.job, outlets=outlets, announcer=held_back), is_part=True).report
    except StopRequestedError:
        return _unread(given, turn, Outcome.INTERRUPTED)
    except JanitorError as error:
        return _unread(given, turn, Outcome.FAILED, error)
    except Exception as error:  # noqa: BLE001  # the other tables' reports are not lost with it
        remark = bug_remark("run", "the report of this table is lost", error)
        report = _unread(given, turn, Outcome.FAILED)
        return structs.replace(report, errors=[remark])


def _told(given: Several, gathered: _Gathered, started: float) -> Report:
    """The common report, once those who are to hear of it have."""
    whole = together(_run(given, started), gathered.tables, gathered.findings, digests=0)
    announced = Announced()
    if given.channel is not None:
        reports = dict(gathered.tables)
        of_held_back = [reports[held_back.label] for held_back in gathered.held_back]
        with remarked("notices", NOT_ANNOUNCED, announced.errors):
            announced = announce(gathered.held_back, whole, of_held_back, given.channel, given.stop)
        if announced.errors:
            for held_back in gathered.held_back:
                held_back.sent.has_lost_digest = True
    ended = {held_back.label: held_back for held_back in gathered.held_back if held_back.has_ended}
    tables = [
        Labelled(label, _remembered(ended[label], report) if label in ended else report)
        for label, report in gathered.tables
    ]
    errors = [*announced.errors, *_deadline(given.stop, tables)]
    report = together(
        _run(given, started),
        tables,
        gathered.findings,
        digests=announced.digests,
        errors=errors,
        warnings=announced.warnings,
    )
    named = zip(report.parts, given.turns, strict=True)
    return structs.replace(report, parts=[structs.replace(part, named=turn.named) for part, turn in named])


def _remembered(table: HeldBack, report: Report) -> Report:
    """The report of a table, once what was announced of it is remembered."""
    errors: list[Remark] = []
    with remarked("notices", NOT_ANNOUNCED, errors):
        return table.announcer.told(report, table.sent, is_complete=table.is_complete)
    return structs.replace(report, errors=[*report.errors, *errors])


def _run(given: Several, started: float) -> Run:
    finished = given.clock()
    return Run(
        id=given.run_id,
        command=given.command,
        dry_run=given.is_dry_run,
        outcome=Outcome.COMPLETE,
        started_at=_time(started),
        finished_at=_time(finished),
        duration_seconds=round(finished - started, 3),
        version=given.version,
    )


def _unread(given: Several, turn: Turn, outcome: Outcome, error: JanitorError | None = None) -> Report:
    """The report of a table that was not read, and why not."""
    errors = [] if error is None else [Remark(where="scan", code=error.code, message=str(error))]
    return Report(
        run=structs.replace(_run(given, given.clock()), outcome=outcome),
        table=turn.table,
        policy=structs.replace(given.policy, dialect=turn.job.policy.dialect if turn.job else None),
        counts=Counts(),
        deletion=Deletion(enabled=not given.is_dry_run),
        capacity=Capacity(read_units=0.0, write_units=0.0, requests=0, pages=0, throttled=0, cost_usd=0.0),
        clock=Clock(skew_seconds=turn.job.table.skew_seconds if turn.job else None),
        findings=[],
        findings_omitted=0,
        locked_out=[],
        locked_out_unchecked=0,
        forecast=[],
        errors=errors,
        warnings=[],
    )


@contextmanager
def _reporting(given: Several) -> Iterator[None]:
    """Every report's place, open; left as it was when the run comes to nothing."""
    with given.stop.cutting_short():
        given.outlets.open()
    try:
        yield
    except BaseException:
        given.outlets.discard()
        raise


@contextmanager
def _letting_go(gathered: _Gathered) -> Iterator[None]:
    try:
        yield
    finally:
        for held_back in gathered.held_back:
            held_back.let_go()


def _deadline(stop: Stop, tables: Sequence[Labelled]) -> list[Remark]:
    """That the deadline came, where no table's own report says so because it came between two."""
    if not stop.is_deadline or any(error.code == "deadline" for _, report in tables for error in report.errors):
        return []
    message = "the run's deadline came before its end; give --deadline more time, or run it again to finish"
    return [Remark(where="run", code="deadline", message=message)]


def _time(second: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(second), dt.UTC)
