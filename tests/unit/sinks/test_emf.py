"""Whether a line is what CloudWatch Logs takes for metrics is checked by the rules of its specification.

They are the JSON schema and the words around it in the CloudWatch user guide, "Specification: Embedded metric format",
and the units in the API reference, "MetricDatum".
"""

import io
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.errors import SinkError
from janitor.report.metrics import build_metrics
from janitor.sinks import emf
from janitor.sinks.emf import Emf, format_emf_line
from janitor.sinks.metric import MetricSink, TableMetrics, Unit
from tests.unit.report.test_formats import report
from tests.unit.report.test_metrics import expiring, with_notices

MOST_BYTES = 256 * 1024
SIZES = [f"{size}{what}" for what in ("bytes", "bits") for size in ("", "kilo", "mega", "giga", "tera")]
RATES = ["Count", *(size.capitalize() for size in SIZES)]
UNITS = {"Seconds", "Microseconds", "Milliseconds", "Percent", "None", *RATES, *(f"{rate}/Second" for rate in RATES)}
AT = 1_790_000_000_123


class Figure(NamedTuple):
    name: str
    value: float
    unit: Unit = "count"
    help: str = "A figure."
    labels: tuple[tuple[str, str], ...] = ()


def fault(line: str) -> str | None:
    """The first rule of the specification that the line breaks."""
    if len(line.encode()) > MOST_BYTES or "\n" in line:
        return "size"
    root = json.loads(line, parse_constant=pytest.fail)
    metadata = root["_aws"]
    if set(metadata) != {"Timestamp", "CloudWatchMetrics"} or not isinstance(metadata["Timestamp"], int):
        return "metadata"
    return next(filter(None, (directive_fault(root, directive) for directive in metadata["CloudWatchMetrics"])), None)


def directive_fault(root: dict[str, Any], directive: dict[str, Any]) -> str | None:
    if set(directive) != {"Namespace", "Dimensions", "Metrics"} or not 1 <= len(directive["Namespace"]) <= 255:
        return "directive"
    if not directive["Dimensions"] or any(len(names) > 9 for names in directive["Dimensions"]):
        return "dimensions"
    if not all(isinstance(root.get(name), str) and root[name] for names in directive["Dimensions"] for name in names):
        return "dimension target"
    if len(directive["Metrics"]) > 100:
        return "too many metrics"
    return next(filter(None, (metric_fault(root, metric) for metric in directive["Metrics"])), None)


def metric_fault(root: dict[str, Any], metric: dict[str, Any]) -> str | None:
    if set(metric) != {"Name", "Unit"} or not 1 <= len(metric["Name"]) <= 255:
        return "metric"
    if metric["Unit"] not in UNITS:
        return "unit"
    value = root.get(metric["Name"])
    return None if isinstance(value, int | float) and not isinstance(value, bool) else "metric target"


def lines_of(*figures: Figure) -> dict[str, Any]:
    line = format_emf_line(figures, job="nightly", table="t", region="r", timestamp_ms=AT)
    assert fault(line) is None
    document: dict[str, Any] = json.loads(line)
    return document


def names_and_units(document: dict[str, Any]) -> dict[str, str]:
    return {
        metric["Name"]: metric["Unit"]
        for directive in document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


def test_a_run_is_one_line_with_the_names_and_units_that_the_module_promises() -> None:
    line = format_emf_line(
        build_metrics(with_notices(report(expiring(60)))), job="nightly", table="t", region="r", timestamp_ms=AT
    )
    assert fault(line) is None
    document = json.loads(line)
    promised = {
        name: cells.rsplit("|", 2)[1].strip()
        for cells in (emf.__doc__ or "").splitlines()
        if cells.startswith("| `")
        for name in re.findall(r"`(\w+)`", cells)
    }
    assert names_and_units(document) == promised
    assert document["NextExpiry"] == 60
    assert (document["table"], document["region"], document["_aws"]["Timestamp"]) == ("t", "r", AT)


def test_the_state_stands_in_the_name() -> None:
    document = lines_of(Figure("tokens", 3, labels=(("state", "expired"),)))
    assert document["TokensExpired"] == 3


def test_a_point_in_time_is_left_out() -> None:
    assert names_and_units(lines_of(Figure("last_run_timestamp_seconds", 1, "timestamp"))) == {}


@given(st.floats())
def test_a_number_that_json_does_not_know_is_left_out(value: float) -> None:
    document = lines_of(Figure("requests", value))
    assert document.get("Requests", value) is not None
    assert ("Requests" in document) is (abs(value) < float("inf"))


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_any_name_makes_one_line_of_ascii(job: str, table: str, region: str) -> None:
    line = format_emf_line([Figure("requests", 1)], job=job, table=table, region=region, timestamp_ms=AT)
    assert fault(line) is None
    assert line.isascii()
    assert [json.loads(line)[name] for name in ("job", "table", "region")] == [job, table, region]


def test_jobs_of_one_table_have_metrics_of_their_own() -> None:
    (directive,) = lines_of(Figure("requests", 1))["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["job", "table", "region"]]


@pytest.mark.parametrize(("count", "directives"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
def test_no_directive_has_more_than_a_hundred_metrics(count: int, directives: int) -> None:
    document = lines_of(*(Figure(f"figure_{number}", number) for number in range(count)))
    assert len(document["_aws"]["CloudWatchMetrics"]) == directives
    assert len(names_and_units(document)) == count


def test_the_check_of_this_test_finds_what_breaks_the_specification() -> None:
    good = json.loads(format_emf_line([Figure("requests", 1)], job="nightly", table="t", region="r", timestamp_ms=AT))
    directive = good["_aws"]["CloudWatchMetrics"][0]
    bad = {
        "metadata": {**good, "_aws": {**good["_aws"], "Timestamp": "now"}},
        "dimension target": {**good, "table": 1},
        "metric target": {**good, "Requests": "1"},
        "unit": with_directive(good, {**directive, "Metrics": [{"Name": "Requests", "Unit": "Pieces"}]}),
        "too many metrics": with_directive(good, {**directive, "Metrics": directive["Metrics"] * 101}),
        "directive": with_directive(good, {**directive, "Namespace": ""}),
        "dimensions": with_directive(good, {**directive, "Dimensions": []}),
    }
    assert {rule: fault(json.dumps(document)) for rule, document in bad.items()} == {rule: rule for rule in bad}


def with_directive(document: dict[str, Any], directive: dict[str, Any]) -> dict[str, Any]:
    return {**document, "_aws": {**document["_aws"], "CloudWatchMetrics": [directive]}}


def test_the_line_goes_to_the_stream_with_its_end() -> None:
    stream = io.StringIO()
    sink: MetricSink = Emf(stream)
    sink.open()
    sink.publish([TableMetrics("nightly", "t", "r", AT, [Figure("requests", 1)])])
    sink.discard()
    assert (
        stream.getvalue()
        == format_emf_line([Figure("requests", 1)], job="nightly", table="t", region="r", timestamp_ms=AT) + "\n"
    )


def test_a_full_device_is_a_failure_of_the_sink() -> None:
    stream = Path("/dev/full").open("w", encoding="ascii")  # noqa: SIM115  # closing it fails too, by design
    with pytest.raises(SinkError, match="No space left"):
        Emf(stream).publish([TableMetrics("nightly", "t", "r", AT, [Figure("requests", 1)])])
    with pytest.raises(OSError, match="No space left"):
        stream.close()


def test_a_closed_stream_is_a_failure_of_the_sink() -> None:
    stream = io.StringIO()
    stream.close()
    with pytest.raises(SinkError, match="closed"):
        Emf(stream).publish([TableMetrics("nightly", "t", "r", AT, [Figure("requests", 1)])])
