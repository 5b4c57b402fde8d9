"""One report out of the shards' reports: what a single run would have said, and what it says besides."""

import datetime as dt
import io
import itertools
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.readers.interface import FoundRow
from janitor.report.build import forecast
from janitor.report.formats.json import Json
from janitor.report.merge import ReportMergeError, merged
from janitor.report.model import (
    PROTECTS_NOBODY,
    Capacity,
    Clock,
    Counts,
    Deletion,
    Outcome,
    PolicyPart,
    Remark,
    Report,
    Run,
    Shard,
    TablePart,
)
from janitor.report.shard_names import named_shards
from janitor.run.findings import Findings
from janitor.run.outlets import Outlet, Outlets
from janitor.sinks.stdout import Stdout
from janitor.tokens.classify import State, classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import DAY
from tests.unit.rows import NOW, POLICIES, row

POLICY = POLICIES[Dialect.HASHED]
START = dt.datetime.fromtimestamp(NOW, dt.UTC)
EMPTY = TablePart(name="t", region="r", account_id="123456789012", endpoint=None)
# Keys in the order of their fingerprints: a single run tells equals by the first, a merged one by the second.
KEYS = [
    next(key for tried in itertools.count() if sha256((key := f"{n:02}-{tried}").encode()).digest()[0] // 4 == n)
    for n in range(64)
]

_expirations = st.one_of(
    st.integers(NOW - 20 * DAY, NOW + 40 * DAY).map(lambda second: {"N": str(second)}),
    st.integers(NOW + DAY, NOW + 2 * DAY).map(lambda second: {"N": str(second)}),
    st.sampled_from([{"S": "soon"}, {"N": "1790000000000"}, {"N": "-999999999999999"}]),
)
_rows = st.lists(
    st.fixed_dictionaries({}, optional={"tokenExpiration": _expirations, "tokenUUID": st.just({"S": "u"})})
)


def report(
    items: Sequence[dict[str, Any]] = (), shard: tuple[int, int] | None = (0, 1), most: int = 100, **changes: Any
) -> Report:
    """The report of a run over these rows."""
    findings = Findings(Outlets([Outlet(Json(), Stdout(io.BytesIO()))]), most=most, now=NOW, policy=POLICY, secret=None)
    counts, days = dict.fromkeys(State, 0), Counter[int]()
    for item in items:
        read = row(item)
        verdict = classify(read, NOW, POLICY)
        counts[verdict.state] += 1
        if verdict.state is State.EXPIRING:
            days[(verdict.expiry or 0) // DAY] += 1
        if verdict.state is not State.ACTIVE:
            findings.tell([FoundRow(read, verdict)])
    listed = findings.most_urgent()
    run = Run(
        id="shard", command="scan", dry_run=True, outcome=Outcome.COMPLETE, started_at=START,
        finished_at=START + dt.timedelta(seconds=9), duration_seconds=9, version="1",
        shard=None if shard is None else Shard(index=shard[0], count=shard[1]),
    )  # fmt: skip
    made = Report(
        run=structs.replace(run, **changes.pop("run", {})),
        table=structs.replace(EMPTY, **changes.pop("table", {})),
        policy=PolicyPart(dialect=POLICY.dialect, thresholds_seconds=[30 * DAY], grace_seconds=7 * DAY, as_of=None),
        counts=Counts(scanned=len(items), **{state.value: count for state, count in counts.items()}),
        deletion=Deletion(),
        capacity=Capacity(read_units=1.5, write_units=0, requests=2, pages=1, throttled=0, cost_usd=0.1),
        clock=Clock(skew_seconds=None),
        findings=listed,
        findings_omitted=len(items) - counts[State.ACTIVE] - len(listed),
        locked_out=[],
        locked_out_unchecked=1,
        forecast=forecast(days, NOW, POLICY.horizon),
        errors=[],
        warnings=[],
    )
    return structs.replace(made, **changes)


def shards(count: int, **of_each: Sequence[Any]) -> list[Report]:
    """Reports of all the shards of an empty table, a value of each change for each of them."""
    return [
        report(shard=(index, count), **{name: values[index] for name, values in of_each.items()})
        for index in range(count)
    ]


def merge(*reports: Report, most: int = 100) -> Report:
    return merged(reports, run_id="whole", version="2", max_findings=most)


@given(rows=_rows, count=st.integers(1, 5), most=st.integers(0, 40), data=st.data())
def test_shards_merged_say_what_a_single_run_says(
    rows: list[dict[str, Any]], count: int, most: int, data: st.DataObject
) -> None:
    items = [{"token": {"S": key}} | item for key, item in zip(KEYS, rows, strict=False)]
    parts: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    for item in items:
        parts[data.draw(st.integers(0, count - 1))].append(item)
    reports = [report(part, (index, count), most) for index, part in enumerate(parts)]
    whole, single = merge(*data.draw(st.permutations(reports)), most=most), report(items, None, most)
    assert whole.counts == single.counts
    assert whole.findings == single.findings
    assert whole.findings_omitted == single.findings_omitted
    assert whole.forecast == single.forecast
    assert (whole.run.outcome, whole.run.shard, whole.run.id, whole.errors) == (Outcome.COMPLETE, None, "whole", [])


def test_what_is_counted_is_added_up_and_what_is_dated_is_the_first_or_the_last() -> None:
    minute = dt.timedelta(minutes=1)
    whole = merge(
        *shards(
            3,
            run=[{"started_at": START + minute * n, "finished_at": START + minute * (5 - n)} for n in range(3)],
            deletion=[Deletion(planned=n, deleted=n, archive="s3://b/a/", plan=f"plan-{n}") for n in range(3)],
            clock=[Clock(skew_seconds=skew) for skew in (2, -7, None)],
            locked_out=[["ben"], ["ana", "ben"], []],
        )
    )
    assert (whole.run.started_at, whole.run.finished_at) == (START, START + 5 * minute)
    assert whole.run.duration_seconds == 300
    assert whole.capacity == Capacity(read_units=4.5, write_units=0, requests=6, pages=3, throttled=0, cost_usd=0.3)
    assert whole.deletion == Deletion(planned=3, deleted=3, archive="s3://b/a/")
    assert (whole.clock.skew_seconds, whole.locked_out, whole.locked_out_unchecked) == (-7, ["ana", "ben"], 3)
    assert [remark.message for remark in whole.warnings] == [
        "the shards' plans: plan-0 (shard 0), plan-1 (shard 1), plan-2 (shard 2)"
    ]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("complete complete complete", "complete"),
        ("complete refused complete", "refused"),
        ("refused interrupted complete", "interrupted"),
        ("refused interrupted failed", "failed"),
        ("skipped skipped skipped", "skipped"),
        ("complete skipped complete", "failed"),
    ],
)
def test_the_outcome_is_the_worst(outcomes: str, expected: str) -> None:
    whole = merge(*shards(3, run=[{"outcome": Outcome(outcome)} for outcome in outcomes.split()]))
    assert whole.run.outcome == expected
    codes = [error.code for error in whole.errors]
    assert ("stopped-shard" in codes) == ("interrupted" in outcomes)
    assert ("skipped-shard" in codes) == (expected == "failed" and "skipped" in outcomes)


def test_shards_that_never_came_are_named_and_the_run_failed() -> None:
    whole = merge(*(report(shard=(index, 8)) for index in (0, 1, 2, 4, 6, 7)))
    assert whole.run.outcome is Outcome.FAILED
    [error] = whole.errors
    assert (error.where, error.code) == ("shards", "missing-shard")
    assert error.message.startswith("shards 3 and 5 of 8 never came: ")
    [error] = merge(report(shard=(0, 2))).errors
    assert error.message.startswith("shard 1 of 2 never came: its part ")


def test_a_remark_is_told_once_with_the_shards_that_made_it() -> None:
    slow, odd, all_over = (Remark(where="w", code="c", message=message) for message in ("slow", "odd", "all over"))
    whole = merge(*shards(3, warnings=[[slow, all_over], [all_over], [odd, slow, slow, all_over]]))
    assert [remark.message for remark in whole.warnings] == ["shards 0 and 2: slow", "all over", "shard 2: odd"]


def test_a_pattern_protects_nobody_only_where_it_does_so_in_every_shard() -> None:
    here, nowhere = (Remark(where="policy", code=PROTECTS_NOBODY, message=message) for message in ("here", "nowhere"))
    whole = merge(*shards(3, warnings=[[here, nowhere], [nowhere], [nowhere, here]]))
    assert [remark.message for remark in whole.warnings] == ["nowhere"]


@pytest.mark.parametrize(
    ("reports", "sentence"),
    [
        ([], "there is no report to merge; give"),
        ([report(shard=None)], "a report is not of a shard: "),
        ([report(shard=(2, 2))], "the report of shard 2 is of shard 2 of 2, which there is not"),
        ([report(shard=(1, 2)), report(shard=(1, 2))], "are both of shard 1; "),
        ([report(shard=(0, 2)), report(shard=(1, 3))], "shard 0 and the report of shard 1 are of different numbers"),
        (shards(2, table=[{}, {"name": "u"}]), "are of different tables; "),
        (shards(2, table=[{}, {"region": "u"}]), "are of different tables; "),
        (shards(2, table=[{}, {"account_id": None}]), "are of different tables; "),
        (shards(2, run=[{}, {"command": "sweep"}]), "are of different commands; "),
        (shards(2, run=[{}, {"dry_run": False}]), "are not all dry runs; "),
        (
            shards(2, policy=[report().policy, structs.replace(report().policy, grace_seconds=1)]),
            "are judged by different rules; ",
        ),
    ],
)
def test_reports_that_are_not_of_one_run_are_refused(reports: list[Report], sentence: str) -> None:
    with pytest.raises(ReportMergeError) as refused:
        merge(*reports)
    assert sentence in str(refused.value)
    assert refused.value.exit_code == 2


def test_shards_are_named_by_their_ranges() -> None:
    assert named_shards([3]) == "shard 3"
    assert named_shards([3, 4]) == "shards 3 and 4"
    assert named_shards([0, 1, 2, 5, 7, 8, 9]) == "shards 0 to 2, 5 and 7 to 9"
