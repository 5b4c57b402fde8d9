"""The report of a run, put together once from what was counted."""

import datetime as dt

from janitor.readers.tally import Tally
from janitor.report.build import forecast
from janitor.report.model import (
    Capacity,
    Clock,
    Finding,
    Outcome,
    PolicyPart,
    Remark,
    Report,
    Run,
    TablePart,
    worth_a_line,
)
from janitor.run.job import Job
from janitor.run.locked_out import LockedOut
from janitor.run.swept import Swept
from janitor.tokens.expiration import moment

_MILLION = 1_000_000


def assembled(
    job: Job,
    *,
    started: float,
    outcome: Outcome,
    tally: Tally,
    findings: list[Finding],
    swept: Swept,
    locked_out: LockedOut,
    errors: list[Remark],
    warnings: list[Remark],
) -> Report:
    """The report. `started` is in UNIX seconds, by the job's clock; `findings` are sorted and bounded."""
    counts = tally.counts()
    listing = None if job.listing is None else job.listing.part(tally.chosen)
    return Report(
        run=_run(job, started, outcome),
        table=_table(job),
        policy=_policy(job),
        counts=counts,
        deletion=swept.deletion,
        capacity=_capacity(job, tally, locked_out),
        clock=Clock(skew_seconds=job.table.skew_seconds),
        findings=findings,
        findings_omitted=worth_a_line(counts, listing) - len(findings),
        listing=listing,
        locked_out=list(locked_out.owners),
        locked_out_unchecked=locked_out.unchecked,
        forecast=forecast(tally.expiries, job.now, job.policy.horizon),
        errors=errors,
        warnings=warnings,
    )


def _run(job: Job, started: float, outcome: Outcome) -> Run:
    finished = job.clock()
    return Run(
        id=job.run_id,
        command=job.command,
        dry_run=job.is_dry_run,
        outcome=outcome,
        started_at=_time(started),
        finished_at=_time(finished),
        duration_seconds=round(finished - started, 3),
        version=job.version,
    )


def _table(job: Job) -> TablePart:
    table = job.table
    return TablePart(
        name=table.name,
        region=table.region or None,
        account_id=table.account_id,
        endpoint=table.endpoint,
        source=table.source,
    )


def _policy(job: Job) -> PolicyPart:
    return PolicyPart(
        dialect=job.policy.dialect,
        thresholds_seconds=list(job.policy.thresholds),
        grace_seconds=job.policy.grace,
        as_of=None if job.as_of is None else moment(job.as_of),
    )


def _capacity(job: Job, tally: Tally, locked_out: LockedOut) -> Capacity:
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


def _time(second: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(second), dt.UTC)
