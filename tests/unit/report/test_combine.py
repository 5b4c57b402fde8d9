"""Reports of several tables: what is summed, what is not lost, and what comes apart again."""

import datetime as dt

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.report.build import finding_urgency
from janitor.report.combine import labels_of, pick_most_urgent, split_by_table, worst_outcome
from janitor.report.encode import encode_json_line
from janitor.report.metrics import build_metrics
from janitor.report.model import (
    Capacity,
    Clock,
    Counts,
    Deletion,
    Finding,
    ForecastDay,
    NoticesPart,
    Outcome,
    Remark,
    Report,
    TablePart,
)
from janitor.report.shortlist import MIN_PER_STATE
from janitor.tokens.classify import State
from janitor.tokens.dialect import Dialect, Gate
from tests.reports import at, named, of_several, place_of
from tests.unit.report.test_formats import report
from tests.unit.report.test_metrics import expiring

few = st.integers(0, 50)


def _order(finding: Finding) -> tuple[object, ...]:
    return *finding_urgency(finding), finding.table or "", finding.fingerprint


@st.composite
def reports_of_tables(draw: st.DrawFn) -> list[Report]:
    made = []
    for number in range(draw(st.integers(2, 4))):
        findings = [
            structs.replace(expiring(draw(st.integers(1, 10**6))), fingerprint=f"{number}-{each}")
            for each in range(draw(st.integers(0, 6)))
        ]
        plain = named(report(*findings), f"t{number}")
        counts = Counts(scanned=len(findings) + draw(few), expiring=len(findings))
        changes = {
            "counts": structs.replace(counts, active=counts.scanned - len(findings)),
            "deletion": Deletion(
                enabled=draw(st.booleans()), planned=draw(few), deleted=draw(few), archive="s3://b/a/"
            ),
            "capacity": Capacity(read_units=draw(few), write_units=1, requests=2, pages=1, throttled=0, cost_usd=0.5),
            "clock": Clock(skew_seconds=draw(st.none() | st.integers(-9, 9))),
            "locked_out": sorted(draw(st.sets(st.sampled_from("abc")))),
            "notices": draw(st.none() | st.builds(NoticesPart, due=few, sent=few, state=st.just("sqlite:///x"))),
            "run": structs.replace(plain.run, outcome=draw(st.sampled_from(Outcome))),
            "policy": structs.replace(plain.policy, dialect=draw(st.sampled_from([*Dialect, None]))),
            "errors": [Remark(where="scan", code="c", message="broke off")] if draw(st.booleans()) else [],
        }
        changed = structs.replace(plain, **changes)
        made.append(at(changed, place_of(changed)))
    return made


@given(reports_of_tables())
def test_all_is_summed_and_comes_apart_again(reports: list[Report]) -> None:
    whole = of_several(*reports)
    for key in Counts.__struct_fields__:
        assert getattr(whole.counts, key) == sum(getattr(one.counts, key) for one in reports)
    assert whole.deletion.planned == sum(one.deletion.planned for one in reports)
    assert whole.capacity.read_units == sum(one.capacity.read_units for one in reports)
    assert whole.deletion.archive == "s3://b/a/"
    assert {abs(one.clock.skew_seconds or 0) for one in reports} | {0} >= {abs(whole.clock.skew_seconds or 0)}
    assert set(whole.locked_out) == {owner for one in reports for owner in one.locked_out}
    assert [error.message for error in whole.errors] == [
        f"{one.title}: broke off" for one in reports for _ in one.errors
    ]
    dialects = {one.policy.dialect for one in reports} - {None}
    assert whole.policy.dialect == (dialects.pop() if len(dialects) == 1 else None)
    assert msgspec.json.decode(encode_json_line(whole), type=Report) == whole
    for one, again in zip(reports, split_by_table(whole), strict=True):
        untold = [structs.replace(finding, table=None) for finding in again.findings]
        assert structs.replace(again, findings=sorted(untold, key=_order)) == structs.replace(
            one, findings=sorted(one.findings, key=_order)
        )
        assert build_metrics(again) == build_metrics(one)


def test_a_report_of_one_table_is_its_only_part() -> None:
    one = report(expiring(60))
    assert split_by_table(one) == [one]
    assert ([table.name for table in one.tables], one.title) == (["t"], "t")


def findings_of(table: str, state: State, count: int, seconds: int) -> list[Finding]:
    one = structs.replace(expiring(seconds), table=table, state=state, accepted_by=(Gate.API,))
    return [
        structs.replace(one, fingerprint=f"{table}{state}{number}", seconds_to_expiry=seconds + number)
        for number in range(count)
    ]


def test_what_is_kept_hides_no_table_and_no_state() -> None:
    many = findings_of("a", State.EXPIRING, 5_000, 60)
    others = [*findings_of("b", State.EXPIRING, 3, 10**6), *findings_of("c", State.PERMANENT, 30, 0)]
    kept = pick_most_urgent([*others, *many], 200)
    assert len(kept) == 200
    assert kept == sorted(kept, key=_order)
    assert next(one for one in kept if one.table == "b").seconds_to_expiry == 10**6
    assert sum(one.state is State.PERMANENT for one in kept) == MIN_PER_STATE
    assert pick_most_urgent([*others, *many], 0) == []
    # Table after table, as a run keeps them.
    assert pick_most_urgent([*pick_most_urgent(many, 200), *others], 200) == kept


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from(["1", "2"])), unique=True))
def test_no_two_tables_are_called_alike_and_one_by_itself_by_its_name(places: list[tuple[str, str, str]]) -> None:
    tables = [
        TablePart(name=name, region=region, account_id=account, endpoint=None) for name, region, account in places
    ]
    labels = labels_of(tables)
    assert len(set(labels)) == len(labels)
    names = [table.name for table in tables]
    assert all((label == name) is (names.count(name) == 1) for label, name in zip(labels, names, strict=True))


def test_a_day_that_only_all_tables_together_crowd_is_named() -> None:
    def on(day: int, count: int) -> ForecastDay:
        return ForecastDay(day=dt.date(2026, 9, 21) + dt.timedelta(days=day), expiring=count, unusual=False)

    policy = structs.replace(report().policy, thresholds_seconds=[30 * 86_400])
    one = structs.replace(report(), policy=policy, forecast=[on(3, 4), on(5, 1)])
    whole = of_several(named(one, "a"), named(one, "b"))
    assert [(day.expiring, day.unusual) for day in whole.forecast] == [(8, True), (2, False)]


def test_the_worst_outcome_stands_for_all_and_a_skipped_one_only_for_itself() -> None:
    assert worst_outcome([Outcome.REFUSED, Outcome.FAILED, Outcome.COMPLETE]) is Outcome.FAILED
    assert worst_outcome([Outcome.REFUSED, Outcome.COMPLETE, Outcome.SKIPPED]) is Outcome.REFUSED
    assert worst_outcome([Outcome.COMPLETE, Outcome.SKIPPED]) is Outcome.COMPLETE
    assert worst_outcome([Outcome.SKIPPED, Outcome.SKIPPED]) is Outcome.SKIPPED
