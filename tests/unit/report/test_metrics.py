import datetime as dt

import pytest
from msgspec import structs

from janitor.report.build import build_finding
from janitor.report.metrics import Metric, build_failure_metrics, build_metrics, is_success
from janitor.report.model import Counts, Deletion, Finding, NoticesPart, Outcome, Remark, Report
from janitor.tokens.classify import State, classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from tests.unit.report.test_formats import report
from tests.unit.rows import NOW, POLICIES, dated, row


def expiring(seconds: int) -> Finding:
    return finding_of(str(NOW + seconds))


def finding_of(expiration: str) -> Finding:
    policy = POLICIES[Dialect.HASHED]
    one = dated(expiration)
    return build_finding(one, classify(one, NOW, policy), now=NOW, policy=policy, fingerprint_key=None)


def ended(outcome: Outcome, *places: str, command: str = "sweep") -> Report:
    """A report of a run that ended so, with an error at each of the places."""
    whole = report(expiring(DAY))
    run = structs.replace(whole.run, outcome=outcome, command=command)
    errors = [Remark(where=place, code="aws", message="no") for place in places]
    return structs.replace(whole, run=run, errors=errors)


def with_notices(one: Report) -> Report:
    return structs.replace(one, notices=NoticesPart(due=5, sent=3, failed=2))


def by_name(one: Report) -> dict[str, float]:
    return {metric.name: metric.value for metric in build_metrics(one) if not metric.labels}


def test_every_state_is_counted() -> None:
    counts = Counts(scanned=28, active=1, expiring=2, expired=3, stale=4, permanent=5, malformed=6, legacy=7)
    told = build_metrics(structs.replace(report(), counts=counts))
    assert {metric.labels: metric.value for metric in told if metric.name == "tokens"} == {
        (("state", state.value),): getattr(counts, state.value) for state in State
    }


def test_what_was_done_and_what_it_cost_is_told() -> None:
    deletion = Deletion(planned=10, protected=1, waiting=6, deleted=2, changed=3, already_gone=4, failed=5)
    capacity = structs.replace(report().capacity, read_units=1.5, write_units=2.5, throttled=7)
    told = by_name(structs.replace(report(), deletion=deletion, capacity=capacity))
    assert {name.removeprefix("last_run_"): value for name, value in told.items() if name.startswith("last_run_")} == {
        "planned_tokens": 10,
        "protected_tokens": 1,
        "waiting_tokens": 6,
        "deleted_tokens": 2,
        "changed_tokens": 3,
        "already_gone_tokens": 4,
        "failed_tokens": 5,
        "read_units": 1.5,
        "write_units": 2.5,
        "requests": 1,
        "throttled_requests": 7,
        "timestamp_seconds": report().run.finished_at.timestamp(),
        "success": 1,
        "refused": 0,
    }
    assert told["run_duration_seconds"] == 1.0


def test_no_two_metrics_are_the_same_and_every_name_has_one_help() -> None:
    told = build_metrics(report(expiring(DAY)))
    assert len({(metric.name, metric.labels) for metric in told}) == len(told)
    assert len({(metric.name, metric.help) for metric in told}) == len({metric.name for metric in told})


def test_a_time_says_so_at_the_end_of_its_name() -> None:
    endings: dict[str, str] = {"count": "", "seconds": "_seconds", "timestamp": "_timestamp_seconds"}
    for metric in build_metrics(report(expiring(DAY))):
        assert metric.name.endswith(endings[metric.unit])
        assert metric.name.endswith("_seconds") is (metric.unit != "count")


def test_the_next_expiry_is_the_soonest_of_the_accepted_tokens() -> None:
    told = by_name(report(expiring(2 * DAY), finding_of(str(NOW - 5)), expiring(DAY), expiring(3 * DAY)))
    assert told["next_expiry_seconds"] == DAY
    assert told["next_expiry_timestamp_seconds"] == NOW + DAY


def test_without_a_coming_expiry_none_is_told() -> None:
    unaccepted = expiring(DAY)
    unaccepted.accepted_by = ()
    legacy_row = row({"token": {"S": "k"}, "tokenExpiration": {"N": str(NOW + DAY)}})
    policy = POLICIES[Dialect.HASHED]
    legacy = build_finding(legacy_row, classify(legacy_row, NOW, policy), now=NOW, policy=policy, fingerprint_key=None)
    for findings in ((), (finding_of(str(NOW - 1)),), (unaccepted,), (legacy,)):
        assert not [name for name in by_name(report(*findings)) if name.startswith("next_expiry")]


@pytest.mark.parametrize(("outcome", "errors"), [(outcome, errors) for outcome in Outcome for errors in ([], ["sns"])])
def test_only_a_complete_run_without_errors_is_a_success(outcome: Outcome, errors: list[str]) -> None:
    one = ended(outcome, *errors)
    expected = outcome is Outcome.COMPLETE and not errors
    told = by_name(one)
    assert is_success(one) is expected
    assert told["last_run_success"] == int(expected)
    assert ("last_success_timestamp_seconds" in told) is expected


@pytest.mark.parametrize("outcome", Outcome)
def test_a_refusal_is_told_apart_from_other_failures(outcome: Outcome) -> None:
    assert by_name(ended(outcome))["last_run_refused"] == (outcome is Outcome.REFUSED)


def test_of_a_run_without_a_report_only_its_end_is_told() -> None:
    ends = {name: by_name(ended(Outcome.FAILED))[name] for name in ("last_run_timestamp_seconds", "last_run_success")}
    end = ends["last_run_timestamp_seconds"]
    assert {metric.name: metric.value for metric in build_failure_metrics(end)} == ends
    assert [metric.name for metric in build_failure_metrics(None)] == ["last_run_success"]


@pytest.mark.parametrize(
    "one",
    [
        ended(Outcome.INTERRUPTED),
        ended(Outcome.SKIPPED),
        ended(Outcome.FAILED, "scan"),
        ended(Outcome.FAILED, "plan"),
        ended(Outcome.COMPLETE, command="apply"),
        structs.replace(
            report(expiring(DAY)), policy=structs.replace(report().policy, as_of=dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
        ),
    ],
    ids=["interrupted", "skipped", "scan failed", "plan failed", "apply", "as of another time"],
)
def test_a_run_that_did_not_see_the_whole_table_as_it_is_says_nothing_of_it(one: Report) -> None:
    names = {metric.name for metric in build_metrics(one)}
    assert not names & {"tokens", "next_expiry_seconds", "next_expiry_timestamp_seconds"}
    assert {"last_run_deleted_tokens", "last_run_success"} <= names


@pytest.mark.parametrize("one", [ended(Outcome.REFUSED, "guard"), ended(Outcome.FAILED, "delete")])
def test_a_run_that_only_failed_to_delete_still_says_what_is_in_the_table(one: Report) -> None:
    assert {"tokens", "next_expiry_seconds"} <= {metric.name for metric in build_metrics(one)}


def test_notices_are_told_where_there_are_any_to_send() -> None:
    told = by_name(with_notices(report()))
    assert {name: value for name, value in told.items() if name.endswith("_notices")} == {
        "last_run_due_notices": 5,
        "last_run_sent_notices": 3,
        "last_run_failed_notices": 2,
    }
    assert not [name for name in by_name(report()) if name.endswith("_notices")]


def test_a_success_is_as_old_as_its_end() -> None:
    end = dt.datetime(2026, 9, 21, 1, tzinfo=dt.UTC)
    one = structs.replace(report(), run=structs.replace(report().run, finished_at=end))
    told = by_name(one)
    assert told["last_success_timestamp_seconds"] == told["last_run_timestamp_seconds"] == end.timestamp()


def test_a_metric_without_labels_needs_none() -> None:
    assert Metric("requests", "count", "How many.", 1).labels == ()
