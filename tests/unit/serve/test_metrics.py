from pathlib import Path

import pytest
from msgspec import structs
from prometheus_client.parser import text_string_to_metric_families

from janitor.report.model import Outcome, Report
from janitor.serve.last_report import load_last_reports
from janitor.serve.metrics import render_metrics
from tests.html_reports import TABLE as REPORTED
from tests.html_reports import after_a_sweep, believable
from tests.reports import named, of_several
from tests.unit.serve.statuses import NIGHTLY, NOW, TABLE, daemon_status, job, job_status, keep


def test_the_daemon_its_jobs_and_their_reports_are_measured_without_a_name_twice(tmp_path: Path) -> None:
    keep(of_several(believable(), named(believable(), "other")), tmp_path / "scan")
    keep(after_a_sweep(), tmp_path / "sweep")
    known = {"started_at": NOW - 60, "ended_at": NOW - 50, "exit_code": 0, "outcome": "complete", "missed": 2}
    scan = job_status(
        job(tmp_path, f"{NIGHTLY}{TABLE}", 'a"b'), load_last_reports(tmp_path / "scan"),
        runs={"complete": 3, "failed": 1}, succeeded_at=NOW - 50, **known,
    )  # fmt: skip
    sweep = job_status(
        job(tmp_path, f"{NIGHTLY}{TABLE}[delete]\nenabled = true\n", "sweep"), load_last_reports(tmp_path / "sweep")
    )
    text = render_metrics(daemon_status(scan, sweep, broken={"typo": "wrong"})).decode()
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    values = {
        (sample.name, frozenset(sample.labels.items())): sample.value for each in families for sample in each.samples
    }
    assert len(values) == sum(len(each.samples) for each in families)
    one = ("job", 'a"b')
    for name, labels, value in (
        ("jobs", set(), 2),
        ("broken_files", set(), 1),
        ("file_is_broken", {("job", "typo")}, 1),
        ("runs_total", {one, ("outcome", "complete")}, 3),
        ("last_run_outcome", {one, ("outcome", "complete")}, 1),
        ("missed_total", {one}, 2),
        ("last_run_duration_seconds", {one}, 10),
        ("last_run_exit_code", {one}, 0),
        ("last_success_timestamp_seconds", {one}, NOW - 50),
        ("job_deletes", {("job", "sweep")}, 1),
    ):
        assert values[f"janitor_daemon_{name}", frozenset(labels)] == value
    table = {("table", REPORTED), ("region", "us-east-1")}
    assert values["janitor_tokens", frozenset({one, *table, ("state", "stale")})] == believable().counts.stale
    assert ("janitor_last_run_deleted_tokens", frozenset({("job", "sweep"), *table})) in values
    assert ("janitor_daemon_last_run_exit_code", frozenset({("job", "sweep")})) not in values


def values_of(report: Report | None, folder: Path, **record: object) -> dict[tuple[str, str], float]:
    """What a job's metrics say of each table, without those of the daemon, by table and name."""
    if report is not None:
        keep(report, folder / "kept")
    one = job_status(job(folder, f"{NIGHTLY}{TABLE}"), load_last_reports(folder / "kept"), **record)
    text = render_metrics(daemon_status(one)).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(each.labels["table"], each.name): each.value for each in samples if "table" in each.labels}


SUCCESS, LAST_SUCCESS = "janitor_last_run_success", "janitor_last_success_timestamp_seconds"
TIME = "janitor_last_run_timestamp_seconds"


@pytest.mark.parametrize("reported", [True, False])
def test_a_run_that_left_no_report_failed_and_hides_behind_no_earlier_one(tmp_path: Path, *, reported: bool) -> None:
    known = {"started_at": NOW - 60, "ended_at": NOW - 50, "exit_code": 2, "outcome": "failed"}
    table = REPORTED if reported else "tokens"
    report = after_a_sweep() if reported else None
    assert values_of(report, tmp_path, succeeded_at=NOW - 900, **known) == {
        (table, SUCCESS): 0, (table, TIME): NOW - 50, (table, LAST_SUCCESS): NOW - 900,
    }  # fmt: skip
    assert (table, LAST_SUCCESS) not in values_of(report, tmp_path, **known)
    assert (table, TIME) not in values_of(report, tmp_path, **known | {"ended_at": None, "outcome": "lost"})


def test_a_failed_run_keeps_the_time_of_the_last_success_and_a_skipped_one_says_no_more(tmp_path: Path) -> None:
    for outcome, success in ((Outcome.FAILED, 0), (Outcome.SKIPPED, None)):
        report = believable()
        ended = structs.replace(report, run=structs.replace(report.run, outcome=outcome))
        known = {"outcome": outcome.value, "succeeded_at": 5.0}
        told = values_of(of_several(ended, named(ended, "other")), tmp_path, **known)
        assert (told.get((REPORTED, SUCCESS)), told[REPORTED, LAST_SUCCESS]) == (success, 5)
    assert told.keys() == {(REPORTED, LAST_SUCCESS), ("other", LAST_SUCCESS)}


def test_a_run_that_failed_though_its_report_is_good_was_no_success(tmp_path: Path) -> None:
    told = values_of(believable(), tmp_path, outcome="failed", exit_code=1, succeeded_at=5.0)
    assert (told[REPORTED, SUCCESS], told[REPORTED, LAST_SUCCESS]) == (0, 5)
    assert (REPORTED, "janitor_tokens") in told


def test_a_job_that_never_ran_says_nothing_of_its_table(tmp_path: Path) -> None:
    assert values_of(None, tmp_path) == {}
