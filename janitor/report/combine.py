"""Combine the reports of several tables into one, and split a combined report by table. Pure.

Counts, deletions, capacity and the forecast are summed; a value in which the tables differ is null at the top.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec import structs

from janitor.report.build import build_forecast, finding_urgency
from janitor.report.model import (
    MATCHES_NOTHING,
    PROTECTS_NOBODY,
    Capacity,
    Clock,
    Counts,
    Deletion,
    EstimatePart,
    Finding,
    ForecastDay,
    ListingPart,
    NoticesPart,
    Outcome,
    PolicyPart,
    RecipientsPart,
    Remark,
    Report,
    Run,
    TablePart,
    TableReport,
    count_reportable,
)
from janitor.report.shortlist import MIN_PER_STATE
from janitor.tokens.classify import State

# The outcome of several tables is the first of these that any of them has. A table that was left to another run counts
# as done, unless all were.
_WORST_FIRST = (Outcome.FAILED, Outcome.INTERRUPTED, Outcome.REFUSED, Outcome.COMPLETE, Outcome.SKIPPED)
_HOLDS_FOR_ALL = (PROTECTS_NOBODY, MATCHES_NOTHING)
_EPOCH = dt.date(1970, 1, 1)

_Value = TypeVar("_Value")


def labels_of(tables: Sequence[TablePart]) -> list[str]:
    """Choose a label for each table: its name; with the region, or the account too, if another has the same name."""
    names = [table.name for table in tables]
    with_region = [f"{table.name}, {table.region}" for table in tables]
    with_account = [f"{table.name}, {table.region}, account {table.account_id or '-'}" for table in tables]
    labelings = (names, with_region, with_account)
    return [
        next((way[at] for way in labelings if way.count(way[at]) == 1), f"{with_account[at]}, {table.endpoint}")
        for at, table in enumerate(tables)
    ]


def name_series(report: Report) -> list[str]:
    """Choose the name of each table in metrics: the user's own, so that a series goes on when a table is unreachable.

    If several tables in one region have the same name, the second is `NAME 2`.
    """
    if report.only_table is not None:
        return [report.only_table.name]
    names_and_regions = [(table.named or table.label, table.region) for table in report.tables]
    occurrences = [names_and_regions[:at].count(each) + 1 for at, each in enumerate(names_and_regions)]
    return [
        name if number == 1 else f"{name} {number}"
        for (name, _), number in zip(names_and_regions, occurrences, strict=True)
    ]


def pick_most_urgent(findings: Iterable[Finding], most: int) -> list[Finding]:
    """Pick at most `most` findings of several tables, most urgent first.

    They include the first of each table and a few of each state, so that a table where thousands of tokens are about to
    expire does not hide what the others have.
    """
    ordered = sorted(findings, key=_sort_key)
    if len(ordered) <= most:
        return ordered
    min_per_state = min(MIN_PER_STATE, most // len(State))
    counts_by_state: Counter[State] = Counter()
    tables: set[str | None] = set()
    first_positions: list[int] = []
    other_positions: list[int] = []
    for position, finding in enumerate(ordered):
        counts_by_state[finding.state] += 1
        is_first = finding.table not in tables or counts_by_state[finding.state] <= min_per_state
        tables.add(finding.table)
        (first_positions if is_first else other_positions).append(position)
    chosen = sorted([*first_positions, *other_positions][:most])
    return [ordered[position] for position in chosen]


def _sort_key(finding: Finding) -> tuple[int, bool, int, str, str]:
    """Most urgent first; equal ones by table and fingerprint, so that every run lists them in the same order."""
    return *finding_urgency(finding), finding.table or "", finding.fingerprint


def combine_tables(
    run: Run,
    tables: Sequence[TableReport],
    findings: list[Finding],
    *,
    digests: int = 0,
    listings: Sequence[ListingPart | None] = (),
    recipients: RecipientsPart | None = None,
    warnings: Sequence[Remark] = (),
    errors: Sequence[Remark] = (),
) -> Report:
    """Combine the reports of a run's tables.

    Args:
        run: the whole run; its outcome is replaced.
        tables: in their order, at least one.
        findings: those of all tables, sorted and bounded, each with its table's label.
        digests: how many digests were published.
        listings: which rows of each table were asked for, None for all findings; empty for all of every table.
        recipients: who was told; None if that is not known yet.
        warnings: of the run as a whole.
        errors: of the run as a whole.
    """
    counts = _sum_counts(Counts(), (table.counts for table in tables))
    active_findings = sum(table.active_findings for table in tables)
    policy = _combine_policies(tables)
    of_tables = listings or [None] * len(tables)
    listing = _sum_listings(of_tables)
    return Report(
        run=structs.replace(run, outcome=worst_outcome(table.outcome for table in tables)),
        tables=[_with_omitted(table, findings, each) for table, each in zip(tables, of_tables, strict=True)],
        policy=policy,
        counts=counts,
        deletion=_sum_deletion([table.deletion for table in tables]),
        estimate=_sum_estimates([table.estimate for table in tables]),
        capacity=_sum_capacity([table.capacity for table in tables]),
        clock=_largest_skew([table.clock for table in tables]),
        findings=findings,
        active_findings=active_findings,
        findings_omitted=count_reportable(counts, active_findings, listing) - len(findings),
        listing=listing,
        locked_out=sorted({owner for table in tables for owner in table.locked_out}),
        lockouts=[owner for table in tables for owner in table.lockouts],
        locked_out_unchecked=sum(table.locked_out_unchecked for table in tables),
        idle=tables[0].idle if len(tables) == 1 else None,
        changes=tables[0].changes if len(tables) == 1 else None,
        notices=_sum_notices([table.notices for table in tables], digests),
        recipients=recipients or RecipientsPart(),
        forecast=_combine_forecasts(run, policy, [table.forecast for table in tables]),
        errors=[*errors, *(_with_label(table, remark, tables) for table in tables for remark in table.errors)],
        warnings=[*warnings, *_combine_warnings(tables)],
    )


def split_by_table(report: Report) -> list[Report]:
    """Split a report into one for each table, as far as it tells; a report of one table is returned as it is."""
    if not report.is_of_several:
        return [report]
    findings_by_table: dict[str | None, list[Finding]] = {}
    for finding in report.findings:
        findings_by_table.setdefault(finding.table, []).append(finding)
    return [_report_of_table(report, table, findings_by_table.get(table.label, [])) for table in report.tables]


def _report_of_table(whole: Report, table: TableReport, findings: list[Finding]) -> Report:
    run = structs.replace(
        whole.run,
        started_at=table.started_at,
        finished_at=table.finished_at,
        duration_seconds=table.duration_seconds,
    )
    return combine_tables(run, [table], findings)


def _with_omitted(table: TableReport, findings: Sequence[Finding], listing: ListingPart | None) -> TableReport:
    listed = sum(finding.table in (None, table.label) for finding in findings)
    return structs.replace(
        table, findings_omitted=count_reportable(table.counts, table.active_findings, listing) - listed
    )


def worst_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that stands for all of these, the worst of them."""
    return min(outcomes, key=_WORST_FIRST.index)


def _sum_counts(start: Counts, parts: Iterable[Counts]) -> Counts:
    totals = Counter(structs.asdict(start))
    for part in parts:
        totals.update(structs.asdict(part))
    return Counts(**totals)


def _sum_listings(parts: Sequence[ListingPart | None]) -> ListingPart | None:
    """The listing of all tables: they were asked for the same rows. None if one lists all findings, or was not read."""
    known = [part for part in parts if part is not None]
    return structs.replace(known[0], chosen=sum(part.chosen for part in known)) if known else None


def _sum_deletion(parts: Sequence[Deletion]) -> Deletion:
    texts = ("plan", "archive", "archive_place", "restore_command")
    occurrences = [name for name in Deletion.__struct_fields__ if name not in ("enabled", *texts)]
    return Deletion(
        enabled=any(part.enabled for part in parts),
        **{name: sum(getattr(part, name) for part in parts) for name in occurrences},
        plan=_common_value([part.plan for part in parts]),
        archive=_common_value([part.archive for part in parts]),
        archive_place=_common_value([part.archive_place for part in parts]),
        restore_command=_common_value([part.restore_command for part in parts]),
    )


def _sum_estimates(parts: Sequence[EstimatePart | None]) -> EstimatePart | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    totals = {name: sum(getattr(part, name) for part in known) for name in EstimatePart.__struct_fields__}
    return EstimatePart(**{**totals, "cost_usd": round(totals["cost_usd"], 6), "seconds": round(totals["seconds"], 1)})


def _sum_capacity(parts: Sequence[Capacity]) -> Capacity:
    totals = {name: sum(getattr(part, name) for part in parts) for name in Capacity.__struct_fields__}
    return Capacity(**{**totals, "cost_usd": round(totals["cost_usd"], 6)})


def _largest_skew(parts: Sequence[Clock]) -> Clock:
    known = [part.skew_seconds for part in parts if part.skew_seconds is not None]
    return Clock(skew_seconds=max(known, key=abs) if known else None)


def _combine_policies(tables: Sequence[TableReport]) -> PolicyPart:
    known = [table.policy.dialect for table in tables if table.policy.dialect is not None]
    return structs.replace(tables[0].policy, dialect=_common_value(known))


def _sum_notices(parts: Sequence[NoticesPart | None], digests: int) -> NoticesPart | None:
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
        state=_common_value([part.state for part in known]),
    )


def _combine_forecasts(run: Run, policy: PolicyPart, parts: Iterable[Sequence[ForecastDay]]) -> list[ForecastDay]:
    """Sum the forecasts. The sums tell which days are unusual: few expiries in each table may be many in all."""
    expiries: Counter[int] = Counter()
    for part in parts:
        expiries.update({(each.day - _EPOCH).days: each.expiring for each in part})
    now = int((policy.as_of or run.started_at).timestamp())
    return build_forecast(expiries, now, max(policy.thresholds_seconds))


def _common_value(values: Sequence[_Value | None]) -> _Value | None:
    return values[0] if values and all(value == values[0] for value in values) else None


def _combine_warnings(tables: Sequence[TableReport]) -> list[Remark]:
    """The warnings of each table with its label; that a pattern fits no row, once, if it holds for all tables."""
    in_all_tables = set.intersection(*({remark.message for remark in table.warnings} for table in tables))
    unused_patterns = {
        remark.message: remark
        for table in tables
        for remark in table.warnings
        if remark.code in _HOLDS_FOR_ALL and remark.message in in_all_tables
    }
    other_positions = [
        _with_label(table, remark, tables)
        for table in tables
        for remark in table.warnings
        if remark.code not in _HOLDS_FOR_ALL
    ]
    return [*unused_patterns.values(), *other_positions]


def _with_label(table: TableReport, remark: Remark, tables: Sequence[TableReport]) -> Remark:
    """The remark, with the table's label where there are several tables."""
    return remark if len(tables) == 1 else structs.replace(remark, message=f"{table.label}: {remark.message}")
