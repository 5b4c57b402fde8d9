from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

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
