import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.deploy.tools import find_tool
from tests.forked import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
ALERTS = FOLDER / "alerts.yaml"
# Generated from the code that makes the metrics, and compared with it by `make lint`.
REFERENCE = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
OF_EVERY_RUN = {"job", "table", "region"}
STATES = {"active", "expiring", "expired", "stale", "permanent", "malformed", "legacy"}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    return content


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in dashboard()["panels"] for target in panel["targets"])
    yield from (each["query"] for each in dashboard()["templating"]["list"] if each["type"] == "query")


def labels_of(metric: str) -> set[str]:
    [row] = re.findall(rf"^\| `{metric}` \|(.*)$", REFERENCE, re.MULTILINE)
    listed = set(re.findall(r"`([a-z]+)`", row.split("|")[1]))
    return listed if metric.startswith("janitor_daemon_") else listed | OF_EVERY_RUN


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_it_asks_for_metrics_and_labels_that_there_are(expression: str) -> None:
    found = re.findall(r"\b(janitor_[a-z_]+)\b(?:\{([^}]*)\})?", expression)
    assert found
    for metric, selector in found:
        assert set(re.findall(r"([a-z]+)=", selector)) <= labels_of(metric)
    for by in re.findall(r"by \(([^)]*)\)", expression):
        assert set(by.split(", ")) <= labels_of(found[0][0])
    assert set(re.findall(r'state="([a-z]+)"', expression)) <= STATES


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["annotations"].keys() == {"summary", "description", "action"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    named = set(re.findall(r"\$labels\.([a-z]+)", str(rule["annotations"])))
    assert all(named <= labels_of(metric) for metric in re.findall(r"\bjanitor_[a-z_]+\b", rule["expr"]))


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert {each["datasource"]["uid"] for each in dashboard()["panels"]} == {"${datasource}"}
    assert dashboard()["uid"] is None
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])


class Case(NamedTuple):
    """Series from time 0 on, a value every five minutes, and which alerts fire at which times."""

    series: dict[str, str]
    firing: dict[str, set[str]]


DAYS = "x3000"  # ten of them, and some hours
RUN = {'janitor_last_run_timestamp_seconds{job="nightly",table="t",region="r"}': f"0{DAYS}"}
CASES = [
    Case(
        {'janitor_last_success_timestamp_seconds{job="nightly",table="t",region="r"}': f"0{DAYS}"},
        {"26h10m": set(), "26h30m": {"JanitorDidNotRun"}},
    ),
    Case(
        {'janitor_last_success_timestamp_seconds{job="nightly",table="t",region="r"}': f"0x200 60000{DAYS}"},
        {"30h": set(), "43h30m": {"JanitorDidNotRun"}},
    ),
    Case(
        {'janitor_last_success_timestamp_seconds{job="weekly-audit",table="t",region="r"}': f"0{DAYS}"},
        {"192h10m": set(), "192h30m": {"JanitorDidNotRunForAWeek"}},
    ),
    Case({'janitor_last_run_timestamp_seconds{job="nightly",table="t",region="r"}': f"_x12 0{DAYS}"}, {"30h": set()}),
    Case(
        {'janitor_last_run_timestamp_seconds{job="nightly",table="t",region="r"}': "0x12"},
        {"27h": set(), "27h20m": {"JanitorHasNoMetrics"}},
    ),
    Case(
        {
            'janitor_last_run_success{job="nightly",table="t",region="r"}': "1x3 0x3 1x9",
            'janitor_last_run_refused{job="nightly",table="t",region="r"}': "0x20",
        },
        {"15m": set(), "30m": {"JanitorRunFailed"}, "50m": set()},
    ),
    # Ended without a report: nothing is known of a refusal.
    Case({'janitor_last_run_success{job="nightly",table="t",region="r"}': "0x20"}, {"10m": {"JanitorRunFailed"}}),
    Case(
        {
            'janitor_last_run_success{job="sweep",table="t",region="r"}': "1x3 0x20",
            'janitor_last_run_refused{job="sweep",table="t",region="r"}': "0x3 1x20",
            'janitor_last_run_success{job="sweep",table="other",region="r"}': "1x20",
            'janitor_last_run_refused{job="sweep",table="other",region="r"}': "0x20",
        },
        {"15m": set(), "30m": {"JanitorDeletionsRefused"}},
    ),
    Case(
        {'janitor_last_run_failed_tokens{job="sweep",table="t",region="r"}': "0x3 2x20"},
        {"15m": set(), "30m": {"JanitorDeletesFailed"}},
    ),
    Case(
        {'janitor_last_run_failed_notices{job="nightly",table="t",region="r"}': "0x3 2x20"},
        {"15m": set(), "30m": {"JanitorNoticesFailed"}},
    ),
    Case(
        {'janitor_next_expiry_timestamp_seconds{job="nightly",table="t",region="r"}': f"172800{DAYS}"},
        {"24h": set(), "24h10m": {"TokenExpiresWithinADay"}, "47h55m": {"TokenExpiresWithinADay"}, "48h": set()},
    ),
    Case(
        {
            'janitor_tokens{state="malformed",job="nightly",table="t",region="r"}': "0x3 1x40",
            'janitor_tokens{state="active",job="nightly",table="t",region="r"}': "9x40",
        },
        {"1h": set(), "1h30m": {"TokensWithBrokenDates"}},
    ),
    Case(
        {'janitor_tokens{state="permanent",job="nightly",table="t",region="r"}': "0x3 1x40"},
        {"1h": set(), "1h30m": {"TokensThatNeverExpire"}},
    ),
    Case(
        {
            'janitor_tokens{state="stale",job="nightly",table="t",region="r"}': f"501{DAYS}",
            'janitor_tokens{state="stale",job="nightly",table="other",region="r"}': f"500{DAYS}",
        },
        {"71h": set(), "72h10m": {"StaleTokensPileUp"}},
    ),
    Case(
        {
            'janitor_daemon_job_waiting{job="nightly"}': "0x3 1x40",
            'janitor_daemon_next_run_timestamp_seconds{job="nightly"}': f"864000{DAYS}",
        },
        {"1h10m": set(), "1h30m": {"JanitorDaemonJobIsOverdue"}},
    ),
    Case(
        {
            'janitor_daemon_job_waiting{job="nightly"}': f"0{DAYS}",
            'janitor_daemon_next_run_timestamp_seconds{job="nightly"}': f"3600x13 86400{DAYS}",
        },
        {"2h": set(), "24h30m": set(), "25h10m": {"JanitorDaemonJobIsOverdue"}},
    ),
    Case(
        {'janitor_daemon_file_is_broken{job="nightly"}': "_x3 1x20"},
        {"15m": set(), "30m": {"JanitorScheduleFileIsBroken"}},
    ),
    Case(
        {'janitor_daemon_missed_total{job="nightly"}': f"2x300 3{DAYS}"},
        {"20h": set(), "26h": {"JanitorDaemonMissesRuns"}, "60h": set()},
    ),
]


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    assert {name for case in CASES for firing in case.firing.values() for name in firing} == {
        rule["alert"] for rule in rules()
    }


def run_promtool(*arguments: str) -> None:
    promtool = find_tool("promtool", "apt-get install prometheus")
    checked = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_takes_the_rules() -> None:
    run_promtool("check", "rules", str(ALERTS))


def test_each_alert_fires_when_it_should_and_no_other_does(tmp_path: Path) -> None:
    tests = [
        {
            "interval": "5m",
            "input_series": [{"series": name, "values": values} for name, values in (RUN | case.series).items()],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": time,
                    "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing)],
                }
                for time, firing in case.firing.items()
            ],
        }
        for case in CASES
    ]
    file = tmp_path / "cases.yaml"
    content = {"rule_files": [str(ALERTS)], "evaluation_interval": "5m", "tests": tests}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    run_promtool("test", "rules", str(file))
