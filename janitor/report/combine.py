"""The report of a run out of what it has to say of each table, and a report of each out of that again. Pure.

Counts, deletions, capacity and the forecast are sums; what tables do not agree on is null at the top.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec import structs

from janitor.report.build import forecast, urgency_of
from janitor.report.model import (
    PROTECTS_NOBODY,
    Capacity,
    Clock,
    Counts,
    Deletion,
    Finding,
    ForecastDay,
    ListingPart,
    NoticesPart,
    Outcome,
    PolicyPart,
    Remark,
    Report,
    Run,
    TablePart,
    TableReport,
    worth_a_line,
)
from janitor.report.urgent import LEAST_OF_A_STATE
from janitor.tokens.classify import State

# Of several tables' outcomes the first of these that came stands for all. A table that was left to another run is as
# good as done, as long as one of them was this run's.
_WORST_FIRST = (Outcome.FAILED, Outcome.INTERRUPTED, Outcome.REFUSED, Outcome.COMPLETE, Outcome.SKIPPED)
_EPOCH = dt.date(1970, 1, 1)

_Value = TypeVar("_Value")


def labels_of(tables: Sequence[TablePart]) -> list[str]:
    """What to call each table: its name; with the region, and with the account too, where another has the same."""
    names = [table.name for table in tables]
    with_region = [f"{table.name}, {table.region}" for table in tables]
    with_account = [f"{table.name}, {table.region}, account {table.account_id or '-'}" for table in tables]
    ways = (names, with_region, with_account)
    return [
        next((way[at] for way in ways if way.count(way[at]) == 1), f"{with_account[at]}, {table.endpoint}")
        for at, table in enumerate(tables)
    ]


def series_of(report: Report) -> list[str]:
    """What metrics call each table of a run: as the user does, so that a series goes on whoever was reached.

    Of several with that name in one region the second is `NAME 2`.
    """
    if report.only_table is not None:
        return [report.only_table.name]
    named = [(table.named or table.label, table.region) for table in report.tables]
    numbers = [named[:at].count(each) + 1 for at, each in enumerate(named)]
    return [name if number == 1 else f"{name} {number}" for (name, _), number in zip(named, numbers, strict=True)]


def most_urgent(findings: Iterable[Finding], most: int) -> list[Finding]:
    """At most so many findings of several tables, most urgent first.

    Of each table the first is among them, and of each state a few, so that a table where thousands of tokens are about
    to expire hides none of what the others have.
    """
    ordered = sorted(findings, key=_order)
    if len(ordered) <= most:
        return ordered
    least = min(LEAST_OF_A_STATE, most // len(State))
    seen: Counter[State] = Counter()
    tables: set[str | None] = set()
    wanted: list[int] = []
    others: list[int] = []
    for position, finding in enumerate(ordered):
        seen[finding.state] += 1
        is_wanted = finding.table not in tables or seen[finding.state] <= least
        tables.add(finding.table)
        (wanted if is_wanted else others).append(position)
    chosen = sorted([*wanted, *others][:most])
    return [ordered[position] for position in chosen]


def _order(finding: Finding) -> tuple[int, bool, int, str, str]:
    """Most urgent first; equals by table and fingerprint, so that every run tells them alike."""
    return *urgency_of(finding), finding.table or "", finding.fingerprint


def combine_tables(
    run: Run,
    tables: Sequence[TableReport],
    findings: list[Finding],
    *,
    digests: int = 0,
    listing: ListingPart | None = None,
    warnings: Sequence[Remark] = (),
    errors: Sequence[Remark] = (),
) -> Report:
    """The report of a run: its tables, and the sums of all.

    Args:
        run: the whole run; its outcome is replaced.
        tables: in their order, one at least.
        findings: of all of them, sorted and bounded, each with its table's label.
        digests: how many digests were published.
        listing: which rows were asked for; None for those that need somebody.
        warnings: of the run as a whole.
        errors: of the run as a whole.
    """
    counts = _summed(Counts(), (table.counts for table in tables))
    policy = _policy(tables)
    return Report(
        run=structs.replace(run, outcome=worst_outcome(table.outcome for table in tables)),
        tables=[_with_omitted(table, findings, listing) for table in tables],
        policy=policy,
        counts=counts,
        deletion=_deletion([table.deletion for table in tables]),
        capacity=_capacity([table.capacity for table in tables]),
        clock=_clock([table.clock for table in tables]),
        findings=findings,
        findings_omitted=worth_a_line(counts, listing) - len(findings),
        listing=listing,
        locked_out=sorted({owner for table in tables for owner in table.locked_out}),
        locked_out_unchecked=sum(table.locked_out_unchecked for table in tables),
        changes=tables[0].changes if len(tables) == 1 else None,
        notices=_notices([table.notices for table in tables], digests),
        forecast=_forecast(run, policy, [table.forecast for table in tables]),
        errors=[*errors, *(_named(table, remark, tables) for table in tables for remark in table.errors)],
        warnings=[*warnings, *_warnings(tables)],
    )


def split_by_table(report: Report) -> list[Report]:
    """A report for each table, as far as the common one tells; the report itself where it is of one."""
    if not report.is_of_several:
        return [report]
    found: dict[str | None, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.table, []).append(finding)
    return [_alone(report, table, found.get(table.label, [])) for table in report.tables]


def _alone(whole: Report, table: TableReport, findings: list[Finding]) -> Report:
    run = structs.replace(
        whole.run,
        started_at=table.started_at,
        finished_at=table.finished_at,
        duration_seconds=table.duration_seconds,
    )
    return combine_tables(run, [table], findings)


def _with_omitted(table: TableReport, findings: Sequence[Finding], listing: ListingPart | None) -> TableReport:
    listed = sum(finding.table in (None, table.label) for finding in findings)
    return structs.replace(table, findings_omitted=worth_a_line(table.counts, listing) - listed)


def worst_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that stands for all of these."""
    return min(outcomes, key=_WORST_FIRST.index)


def _summed(start: Counts, parts: Iterable[Counts]) -> Counts:
    totals = Counter(structs.asdict(start))
    for part in parts:
        totals.update(structs.asdict(part))
    return Counts(**totals)


def _deletion(parts: Sequence[Deletion]) -> Deletion:
    numbers = [name for name in Deletion.__struct_fields__ if name not in ("enabled", "plan", "archive")]
    return Deletion(
        enabled=any(part.enabled for part in parts),
        **{name: sum(getattr(part, name) for part in parts) for name in numbers},
        plan=_agreed([part.plan for part in parts]),
        archive=_agreed([part.archive for part in parts]),
    )


def _capacity(parts: Sequence[Capacity]) -> Capacity:
    totals = {name: sum(getattr(part, name) for part in parts) for name in Capacity.__struct_fields__}
    return Capacity(**{**totals, "cost_usd": round(totals["cost_usd"], 6)})


def _clock(parts: Sequence[Clock]) -> Clock:
    known = [part.skew_seconds for part in parts if part.skew_seconds is not None]
    return Clock(skew_seconds=max(known, key=abs) if known else None)


def _policy(tables: Sequence[TableReport]) -> PolicyPart:
    known = [table.policy.dialect for table in tables if table.policy.dialect is not None]
    return structs.replace(tables[0].policy, dialect=_agreed(known))


def _notices(parts: Sequence[NoticesPart | None], digests: int) -> NoticesPart | None:
    known = [part for part in parts if part is not None]
    if not known and not digests:
        return None
    return NoticesPart(
        due=sum(part.due for part in known),
        sent=sum(part.sent for part in known),
        failed=sum(part.failed for part in known),
        left=sum(part.left for part in known),
        long_expired=sum(part.long_expired for part in known),
        digests=digests,
        state=_agreed([part.state for part in known]),
    )


def _forecast(run: Run, policy: PolicyPart, parts: Iterable[Sequence[ForecastDay]]) -> list[ForecastDay]:
    """Which days are unusual is told from the sums: two tables may each have few expiries on a day, and many in all."""
    expiries: Counter[int] = Counter()
    for part in parts:
        expiries.update({(each.day - _EPOCH).days: each.expiring for each in part})
    now = int((policy.as_of or run.started_at).timestamp())
    return forecast(expiries, now, max(policy.thresholds_seconds))


def _agreed(values: Sequence[_Value | None]) -> _Value | None:
    return values[0] if values and all(value == values[0] for value in values) else None


def _warnings(tables: Sequence[TableReport]) -> list[Remark]:
    """The warnings of each table with its label; that a pattern protects nobody, once, where that holds of all."""
    of_all = set.intersection(*({remark.message for remark in table.warnings} for table in tables))
    once = {
        remark.message: remark
        for table in tables
        for remark in table.warnings
        if remark.code == PROTECTS_NOBODY and remark.message in of_all
    }
    others = [
        _named(table, remark, tables) for table in tables for remark in table.warnings if remark.code != PROTECTS_NOBODY
    ]
    return [*once.values(), *others]


def _named(table: TableReport, remark: Remark, tables: Sequence[TableReport]) -> Remark:
    """The remark of a table, with its label where there are several."""
    return remark if len(tables) == 1 else structs.replace(remark, message=f"{table.label}: {remark.message}")
