"""One report out of several: those of the shards of one run, each of which scanned its part of one table. Pure.

What is counted is added up, what is dated is the first or the last, and what is listed is chosen and ordered anew as a
single run would have. Whatever is not the same in all shards and cannot be added is told as a remark that names them.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from msgspec import structs

from janitor.errors import ConfigurationError
from janitor.report.build import forecast, judged_at, urgency_of
from janitor.report.merge_remarks import missing_shards, remarks_of_shards, unfinished_shards, where_files_are
from janitor.report.model import (
    Capacity,
    Clock,
    Counts,
    Deletion,
    Finding,
    ForecastDay,
    Outcome,
    Report,
    Run,
    TablePart,
)
from janitor.report.shard_names import named_shards
from janitor.report.shortlist import shortlist_of_findings
from janitor.shard import MAX_SHARDS

# Whichever of these comes first in any shard is the outcome of all.
_WORST_FIRST = (Outcome.FAILED, Outcome.INTERRUPTED, Outcome.REFUSED, Outcome.COMPLETE, Outcome.SKIPPED)
# Errors of these leave rows unread: shards that never came, and what ends the reading.
_BROKEN_OFF = ("shards", "scan", "plan", "run")
_EPOCH = dt.date(1970, 1, 1)

_T = TypeVar("_T")


class ReportMergeError(ConfigurationError):
    """Reports that are not the shards of one run."""

    default_code = "merge"


def merged(
    reports: Sequence[Report],
    *,
    run_id: str,
    version: str,
    max_findings: int,
    names: Sequence[str] | None = None,
    findings: Iterable[Finding] | None = None,
    begun: Collection[int] = (),
) -> Report:
    """The report of the whole run. `changes` and `notices` are null: they are whoever's who remembers and announces.

    Args:
        reports: the shards', in any order; some may be missing.
        run_id: the id of the merged run.
        version: the version of the program that merges.
        max_findings: how many findings it lists at most. Where no shard lists fewer, they are those that a single run
            would list.
        names: what a refusal calls each report; None for its shard.
        findings: those of all reports, where these hold none: many reports of many findings are not to be in memory at
            once. None for the reports' own.
        begun: shards that are known to have begun, among those that are missing.

    Raises:
        ReportMergeError: there is none, or they are not of one run: of one table, by the same rules, each another
            shard of the same number of shards.
    """
    _check(reports, names)
    shards = sorted(reports, key=_index)
    first, count = shards[0], _shard(shards[0])[1]
    missing = sorted(set(range(count)) - set(map(_index, shards)))
    counts = Counts(**_sums(report.counts for report in shards))
    now = last_judged_at(shards)
    own = (finding for report in shards for finding in report.findings)
    listed = _findings(own if findings is None else findings, now, max_findings)
    told = [(_index(report), report) for report in shards]
    return Report(
        run=_run(shards, run_id, version, _outcome(shards, is_missing=bool(missing))),
        table=structs.replace(_table(first), endpoint=_same(_table(report).endpoint for report in shards)),
        policy=first.policy,
        counts=counts,
        deletion=_deletion([report.deletion for report in shards]),
        capacity=_capacity([report.capacity for report in shards]),
        clock=_clock(shards),
        findings=listed,
        findings_omitted=counts.scanned - counts.active - len(listed),
        locked_out=sorted({owner for report in shards for owner in report.locked_out}),
        locked_out_unchecked=sum(report.locked_out_unchecked for report in shards),
        forecast=_forecast(shards, now, max(first.policy.thresholds_seconds, default=0)),
        errors=[
            *missing_shards(missing, count, begun),
            *unfinished_shards(told, count),
            *remarks_of_shards([(index, report.errors) for index, report in told], count),
        ],
        warnings=[
            *remarks_of_shards([(index, report.warnings) for index, report in told], count),
            *where_files_are(told),
        ],
    )


def is_whole(report: Report) -> bool:
    """Whether a merged report is of the whole table: every shard came, and came to its end."""
    return report.run.outcome is not Outcome.INTERRUPTED and not any(
        error.where in _BROKEN_OFF for error in report.errors
    )


def _check(reports: Sequence[Report], names: Sequence[str] | None) -> None:
    if not reports:
        raise ReportMergeError("there is no report to merge", "give the report of each shard")
    called = list(names) if names is not None else [_called(report) for report in reports]
    for report, name in zip(reports, called, strict=True):
        _check_shard(report, name)
    whats: tuple[tuple[str, Callable[[Report], object], str], ...] = (
        ("of different tables", _which, "merge the shards of one table"),
        ("of different commands", lambda report: report.run.command, "merge the shards of one run"),
        ("not all dry runs", lambda report: report.run.dry_run, "merge the shards of one run"),
        ("judged by different rules", lambda report: report.policy, "give every shard the same policy options"),
        ("of different numbers of shards", lambda report: _shard(report)[1], "give every shard the same N"),
    )
    for what, of, way_out in whats:
        for report, name in zip(reports, called, strict=True):
            if of(report) != of(reports[0]):
                raise ReportMergeError(f"{called[0]} and {name} are {what}", way_out)
    seen: dict[int, str] = {}
    for report, name in zip(reports, called, strict=True):
        index = _index(report)
        if index in seen:
            raise ReportMergeError(f"{seen[index]} and {name} are both of shard {index}", "give each shard's once")
        seen[index] = name


def _check_shard(report: Report, name: str) -> None:
    if report.table is None:
        raise ReportMergeError(f"{name} is of several tables", "merge the shards of one table")
    if report.run.shard is None:
        sentence = f"{name} is not of a shard: there is nothing to merge it with"
        raise ReportMergeError(sentence, "give the reports of runs with --shard")
    index, count = _shard(report)
    if not 0 <= index < count <= MAX_SHARDS:
        raise ReportMergeError(f"{name} is of shard {index} of {count}, which there is not", "run that shard again")


def _called(report: Report) -> str:
    return "a report" if report.run.shard is None else f"the report of {named_shards([report.run.shard.index])}"


def _shard(report: Report) -> tuple[int, int]:
    shard = report.run.shard
    assert shard is not None  # noqa: S101  # checked at once
    return shard.index, shard.count


def _index(report: Report) -> int:
    return _shard(report)[0]


def _table(report: Report) -> TablePart:
    assert report.table is not None  # noqa: S101  # checked at once
    return report.table


def _which(report: Report) -> tuple[str, str | None, str | None]:
    return _table(report).name, _table(report).region, _table(report).account_id


def _run(shards: Sequence[Report], run_id: str, version: str, outcome: Outcome) -> Run:
    started = min(report.run.started_at for report in shards)
    finished = max(report.run.finished_at for report in shards)
    return Run(
        id=run_id,
        command=shards[0].run.command,
        dry_run=shards[0].run.dry_run,
        outcome=outcome,
        started_at=started,
        finished_at=finished,
        duration_seconds=(finished - started).total_seconds(),
        version=version,
    )


def _outcome(shards: Sequence[Report], *, is_missing: bool) -> Outcome:
    outcomes = {report.run.outcome for report in shards}
    # A part that was passed over is in no count, as one that never came.
    is_part_skipped = Outcome.SKIPPED in outcomes and len(outcomes) > 1
    if is_missing or is_part_skipped:
        return Outcome.FAILED
    return next(outcome for outcome in _WORST_FIRST if outcome in outcomes)


def _sums(parts: Iterable[Counts | Deletion | Capacity]) -> dict[str, Any]:
    """Every number of the parts, added up."""
    totals: Counter[str] = Counter()
    for part in parts:
        for name, value in structs.asdict(part).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                totals[name] += value  # type: ignore[assignment]  # units and dollars are not whole
    return dict(totals)


def _deletion(parts: Sequence[Deletion]) -> Deletion:
    return Deletion(
        **_sums(parts),
        enabled=any(part.enabled for part in parts),
        plan=_same(part.plan for part in parts),
        archive=_same(part.archive for part in parts),
    )


def _capacity(parts: Sequence[Capacity]) -> Capacity:
    sums = Capacity(**_sums(parts))
    return structs.replace(sums, cost_usd=round(sums.cost_usd, 6))


def _clock(shards: Sequence[Report]) -> Clock:
    skews = [report.clock.skew_seconds for report in shards if report.clock.skew_seconds is not None]
    return Clock(skew_seconds=max(skews, key=abs, default=None))


def last_judged_at(shards: Sequence[Report]) -> int:
    """The UNIX second by which a report of these speaks: the last of those by which their rows were judged."""
    as_of = shards[0].policy.as_of
    if as_of is not None:
        return int(as_of.timestamp())
    seconds = (judged_at(finding) for report in shards for finding in report.findings)
    started = int(max(report.run.started_at for report in shards).timestamp())
    return max((second for second in seconds if second is not None), default=started)


def _findings(findings: Iterable[Finding], now: int, most: int) -> list[Finding]:
    shortlist = shortlist_of_findings(most)
    for finding in findings:
        shortlist.offer(finding.state, urgency_of(finding, now), finding.fingerprint, finding)
    return shortlist.sorted()


def _forecast(shards: Sequence[Report], now: int, horizon: int) -> list[ForecastDay]:
    expiries: Counter[int] = Counter()
    for report in shards:
        for day in report.forecast:
            expiries[(day.day - _EPOCH).days] += day.expiring
    return forecast(expiries, now, horizon)


def _same(values: Iterable[_T]) -> _T | None:
    """The value that all have; None where they differ."""
    different = list(dict.fromkeys(values))
    return different[0] if len(different) == 1 else None
