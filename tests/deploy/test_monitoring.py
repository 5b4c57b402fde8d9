import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

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


def test_prometheus_takes_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip(
            "no promtool on this machine: nobody but this file has read the rules (`apt-get install prometheus`)"
        )
    checked = subprocess.run(
        [promtool, "check", "rules", str(ALERTS)], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
