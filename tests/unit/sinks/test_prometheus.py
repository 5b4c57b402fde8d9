import math
import os
import re
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric as Family
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from janitor.errors import ConfigurationError, SinkError
from janitor.report.metrics import build_failure_metrics, build_metrics
from janitor.report.model import Outcome
from janitor.sinks.metric import MetricSink, TableMetrics, Unit
from janitor.sinks.prometheus import Prometheus, build_registry, format_prometheus, format_prometheus_failure
from janitor.tokens.classify import State
from tests.unit.report.test_formats import report
from tests.unit.report.test_metrics import ended, expiring, with_notices

SUCCESS = "janitor_last_success_timestamp_seconds"
END = report().run.finished_at.timestamp()
names = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=30)


class Figure(NamedTuple):
    name: str
    value: float
    unit: Unit = "count"
    help: str = "A figure."
    labels: tuple[tuple[str, str], ...] = ()


def text_of(
    outcome: Outcome = Outcome.COMPLETE, *, previous: bytes | None = None, table: str = "t", job: str = "nightly"
) -> bytes:
    return format_prometheus([TableMetrics(job, table, "r", 0, build_metrics(ended(outcome)))], previous=previous)


def families(text: bytes) -> list[Family]:
    return list(text_string_to_metric_families(text.decode()))


def value_of(text: bytes, name: str, table: str = "t", job: str = "nightly") -> float | None:
    found = [
        sample.value
        for family in families(text)
        for sample in family.samples
        if sample.name == name and (sample.labels["table"], sample.labels["job"]) == (table, job)
    ]
    return found[0] if found else None


def published(path: Path, outcome: Outcome = Outcome.COMPLETE) -> bytes:
    sink: MetricSink = Prometheus(path)
    sink.open()
    sink.publish([TableMetrics("nightly", "t", "r", 0, build_metrics(ended(outcome)))])
    return path.read_bytes()


def test_a_run_reads_back_as_gauges_of_its_table() -> None:
    metrics = build_metrics(report(expiring(60)))
    text = format_prometheus([TableMetrics("nightly", "t", "r", 0, metrics)], previous=None)
    read = families(text)
    assert {family.type for family in read} == {"gauge"}
    assert all(family.documentation for family in read)
    samples = [sample for family in read for sample in family.samples]
    assert len(samples) == len(metrics)
    places = {(sample.labels["job"], sample.labels["table"], sample.labels["region"]) for sample in samples}
    assert places == {("nightly", "t", "r")}
    states = [sample.labels["state"] for sample in samples if sample.name == "janitor_tokens"]
    assert states == [state.value for state in State]
    assert value_of(text, "janitor_next_expiry_seconds") == 60


def test_the_names_are_those_that_dashboards_rely_on() -> None:
    text = format_prometheus(
        [TableMetrics("nightly", "t", "r", 0, build_metrics(with_notices(report(expiring(60)))))], previous=None
    )
    assert {family.name.removeprefix("janitor_") for family in families(text)} == {
        "tokens",
        "last_run_planned_tokens",
        "last_run_protected_tokens",
        "last_run_waiting_tokens",
        "last_run_deleted_tokens",
        "last_run_changed_tokens",
        "last_run_already_gone_tokens",
        "last_run_failed_tokens",
        "last_run_read_units",
        "last_run_write_units",
        "last_run_requests",
        "last_run_throttled_requests",
        "last_run_due_notices",
        "last_run_sent_notices",
        "last_run_failed_notices",
        "next_expiry_seconds",
        "next_expiry_timestamp_seconds",
        "run_duration_seconds",
        "last_run_timestamp_seconds",
        "last_run_success",
        "last_run_refused",
        "last_success_timestamp_seconds",
    }


def test_names_follow_the_conventions() -> None:
    for family in families(text_of()):
        assert re.fullmatch(r"janitor_[a-z_]+", family.name)
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket"))


@given(names, names, names)
def test_any_label_reads_back_as_it_was(job: str, table: str, region: str) -> None:
    text = format_prometheus([TableMetrics(job, table, region, 0, [Figure("requests", 1)])], previous=None)
    (family,) = families(text)
    assert family.samples[0].labels == {"job": job, "table": table, "region": region}


def test_jobs_that_share_a_file_keep_their_own_and_hide_nothing_of_each_other() -> None:
    sweep = text_of(Outcome.REFUSED, job="sweep")
    both = text_of(job="report", previous=sweep)
    assert value_of(both, "janitor_last_run_success", job="sweep") == 0
    assert value_of(both, "janitor_last_run_success", job="report") == 1
    assert (value_of(both, SUCCESS, job="sweep"), value_of(both, SUCCESS, job="report")) == (None, END)
    # Whoever writes next replaces its own only.
    again = text_of(Outcome.FAILED, job="report", previous=both)
    assert value_of(again, "janitor_last_run_success", job="report") == 0
    assert value_of(again, SUCCESS, job="report") == END
    assert {line for line in again.splitlines() if b'job="sweep"' in line} == {
        line for line in sweep.splitlines() if b'job="sweep"' in line
    }
    # A table that is no longer the job's is gone from its part.
    moved = format_prometheus([TableMetrics("report", "other", "r", 0, build_metrics(report()))], previous=again)
    assert value_of(moved, "janitor_last_run_success", job="report") is None
    assert value_of(moved, "janitor_last_run_success", job="sweep") == 0


def test_jobs_that_write_a_file_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "janitor.prom"

    def publish(job: str) -> None:
        sink = Prometheus(path)
        sink.open()
        sink.publish([TableMetrics(job, "t", "r", 0, build_metrics(report()))])

    jobs = [f"job-{number}" for number in range(12)]
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(publish, jobs))
    assert [value_of(path.read_bytes(), SUCCESS, job=job) for job in jobs] == [END] * len(jobs)


def test_what_no_janitor_wrote_is_replaced() -> None:
    odd = (
        b'janitor_requests{job="x",table="t",region="r",__odd="1"} 1\njanitor_tokens{job="x",table="t",region="r"} 1\n'
    )
    text = text_of(previous=odd)
    assert value_of(text, "janitor_last_run_success") == 1
    assert b'job="x"' not in text


def test_a_registry_holds_the_last_run_of_every_table() -> None:
    metrics = build_metrics(report())
    registry = build_registry(
        [TableMetrics("nightly", "a", "r", 0, metrics), TableMetrics("nightly", "b", "r", 0, metrics)]
    )
    text = generate_latest(registry)
    assert value_of(text, SUCCESS, "a") == value_of(text, SUCCESS, "b") == END
    assert len(families(text)) == len({metric.name for metric in metrics})


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.COMPLETE])
def test_a_run_that_is_no_success_keeps_the_time_of_the_last_one(outcome: Outcome) -> None:
    first = text_of()
    second = text_of(outcome, previous=first)
    third = text_of(outcome, previous=second)
    assert value_of(second, SUCCESS) == value_of(third, SUCCESS) == END
    assert value_of(third, "janitor_last_run_success") == 0
    assert third == second
    assert [family.documentation for family in families(first) if family.name == SUCCESS] == [
        family.documentation for family in families(third) if family.name == SUCCESS
    ]


def test_a_success_replaces_the_time_of_the_last_one() -> None:
    old = format_prometheus(
        [TableMetrics("nightly", "t", "r", 0, [Figure("last_success_timestamp_seconds", 5)])], previous=None
    )
    assert value_of(old, SUCCESS) == 5
    assert value_of(text_of(previous=old), SUCCESS) == END


def test_a_failure_before_any_success_tells_of_none() -> None:
    assert value_of(text_of(Outcome.FAILED), SUCCESS) is None


def test_the_success_of_another_table_is_not_taken_over() -> None:
    assert value_of(text_of(Outcome.FAILED, previous=text_of(table="other")), SUCCESS) is None


@given(names)
def test_the_time_of_the_last_success_is_kept_for_any_table(table: str) -> None:
    second = text_of(Outcome.FAILED, previous=text_of(table=table), table=table)
    assert value_of(second, SUCCESS, table) == END


damaged = st.one_of(
    st.binary(),
    st.tuples(
        st.sampled_from(
            ["", "{", '{job="x",table="t"', '{job="x",table="t",region="r"}', '{job="x",table="t",region="r"} ']
        ),
        st.text(alphabet='{}"\\=,# \t\x85\u2028naif+-1._e5', max_size=20),
    ).map(lambda parts: f"{SUCCESS}{parts[0]}{parts[1]}\n".encode()),
)


@given(damaged)
def test_a_damaged_file_is_replaced_by_a_whole_one(previous: bytes) -> None:
    text = text_of(Outcome.FAILED, previous=previous)
    assert value_of(text, "janitor_last_run_success") == 0
    assert all(math.isfinite(sample.value) for family in families(text) for sample in family.samples)


@given(st.integers(0, len(text_of())))
def test_a_file_cut_anywhere_gives_the_right_time_or_none(length: int) -> None:
    previous = text_of()[:length]
    expected = END if length == len(text_of()) else None
    assert value_of(text_of(Outcome.FAILED, previous=previous), SUCCESS) == expected


def test_damage_elsewhere_in_the_file_loses_no_success() -> None:
    previous = b"\xff\x00{{{ no metric\n" + text_of()
    assert value_of(text_of(Outcome.FAILED, previous=previous), SUCCESS) == END


@pytest.fixture
def _private_umask() -> Iterator[None]:
    mask = os.umask(0o077)
    yield
    os.umask(mask)


@pytest.mark.usefixtures("_private_umask")
def test_the_file_is_readable_by_all_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "janitor.prom"
    for _ in range(2):
        assert published(path) == text_of()
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        path.chmod(0o600)
    assert os.listdir(tmp_path) == ["janitor.prom"]  # noqa: PTH208  # hidden files too


def test_the_file_keeps_the_last_success_over_failures(tmp_path: Path) -> None:
    path = tmp_path / "any name"
    published(path)
    assert value_of(published(path, Outcome.FAILED), SUCCESS) == END


def test_nothing_is_seen_before_the_metrics_are_there_nor_when_they_are_discarded(tmp_path: Path) -> None:
    path = tmp_path / "janitor.prom"
    sink = Prometheus(path)
    sink.open()
    assert not path.exists()
    assert not list(tmp_path.glob("*.prom"))
    sink.discard()
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # hidden files too


def test_a_folder_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Prometheus(tmp_path / "missing" / "janitor.prom").open()


def test_a_full_device_is_a_failure_of_the_sink() -> None:
    sink = Prometheus(Path("/dev/full"))
    sink.open()
    with pytest.raises(SinkError, match="No space left"):
        sink.publish([TableMetrics("nightly", "t", "r", 0, build_metrics(report()))])


def test_a_pipe_is_written_to_and_never_read() -> None:
    reader, writer = os.pipe()
    sink = Prometheus(Path(f"/dev/fd/{writer}"))
    sink.open()
    sink.publish([TableMetrics("nightly", "t", "r", 0, build_metrics(ended(Outcome.FAILED)))])
    os.close(writer)
    assert os.read(reader, 100_000) == text_of(Outcome.FAILED)
    os.close(reader)


def test_a_file_of_several_tables_keeps_what_it_holds_of_one_that_was_left_to_another_run() -> None:
    figures = [Figure("requests", 1), Figure("tokens", 3, labels=(("state", "stale"),))]
    first = format_prometheus(
        [TableMetrics("nightly", table, "r", 0, figures) for table in ("a", 'b "x"')], previous=None
    )
    again = format_prometheus(
        [TableMetrics("nightly", "a", "r", 0, [Figure("requests", 2)]), TableMetrics("nightly", 'b "x"', "r", 0, None)],
        previous=first,
    )
    text = again.decode()
    assert 'janitor_requests{job="nightly",region="r",table="a"} 2.0' in text
    assert 'janitor_requests{job="nightly",region="r",table="b \\"x\\""} 1.0' in text
    assert 'janitor_tokens{job="nightly",region="r",state="stale",table="b \\"x\\""} 3.0' in text
    assert 'state="stale",table="a"' not in text


@pytest.mark.parametrize(
    ("names", "failed"),
    [
        (["prod-LISA"], ["prod-LISA"]),
        (["prod"], ["prod-LISA"]),
        (["other"], ["other"]),
        (["prod", "dev"], ["dev-LISA", "prod-LISA"]),
        (["/prod/lisa/tokenTableName"], ["dev-LISA", "prod-LISA"]),
    ],
)
def test_a_run_without_a_report_fails_the_tables_that_its_settings_may_mean_and_no_others(
    names: list[str], failed: list[str]
) -> None:
    of_both = [
        TableMetrics("nightly", name, "r", 0, build_metrics(ended(Outcome.COMPLETE)))
        for name in ("prod-LISA", "dev-LISA")
    ]
    before = format_prometheus(of_both, previous=text_of(job="weekly"))
    tables = [TableMetrics("nightly", name, "r", 0, build_failure_metrics(1)) for name in names]
    after = format_prometheus_failure(tables, previous=before)
    assert value_of(after, "janitor_last_run_success", "t", "weekly") == 1
    found = {name: value_of(after, "janitor_last_run_success", name) for name in ("prod-LISA", "dev-LISA", *names)}
    assert sorted(name for name, value in found.items() if value == 0) == failed
    assert all(found[name] == 1 for name in {"prod-LISA", "dev-LISA"} - set(failed))
    # A first failure of a table does not hide when another one was last read without an error.
    assert value_of(after, SUCCESS, "prod-LISA") == END
