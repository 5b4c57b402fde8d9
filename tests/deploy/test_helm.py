import json
import re
import tomllib
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

import janitor
from janitor.settings.schedule import load_schedule
from tests.deploy.helm_chart import BLOCK, CHART, NOTES, README, files_with, rendered_with, values_table
from tests.deploy.kubernetes_manifests import Manifests, not_restricted, refused_of, rendered, unbounded

TABLE = "prod-LISAApiBaseTokenTable"
ROLE = "arn:aws:iam::111122223333:role/token-janitor-"
ARCHIVE = "s3://example-archive/token-janitor/"
MODES = {"report": "cronjob", "sweep": "cronjob-sweep", "distributed": "distributed", "daemon": "daemon"}
OPTIONS = {"podMonitor": {"enabled": True}, "persistentState": {"enabled": True}}


def values_of(mode: str, **more: Any) -> dict[str, Any]:
    """The values that say what the overlay of this mode says."""
    clock = "UTC" if mode == "daemon" else "Etc/UTC"
    return {
        "mode": mode,
        "table": TABLE,
        "roleArn": ROLE + mode,
        "timeZone": clock,
        "delete": {"archive": ARCHIVE},
        "dask": {"workerRoleArn": f"{ROLE}worker"},
        **more,
    }


def comparable(manifests: Manifests) -> dict[tuple[str, str], Any]:
    """The objects by kind and name: schedule files without comments and layout, hashes in names as a word."""
    plain = json.loads(re.sub(r"(janitor-settings-daemon)-[0-9a-z]{10}", r"\1-HASH", json.dumps(manifests.objects)))
    for each in plain:
        if each["kind"] == "ConfigMap":
            each["data"] = {
                name: tomllib.loads(text) if name.endswith(".toml") else text for name, text in each["data"].items()
            }
    return {(each["kind"], each["metadata"]["name"]): each for each in plain}


def test_helm_has_nothing_to_say_of_the_chart() -> None:
    said = helm_python.lint(CHART, {"table": TABLE}, strict=True)
    assert said["errors"] == []
    assert [each["error"] for each in said["messages"]] == ["icon is recommended"]


def test_the_chart_is_of_this_version_of_janitor() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == janitor.__version__


@pytest.mark.parametrize("mode", MODES)
def test_it_makes_what_the_overlay_makes(mode: str) -> None:
    assert comparable(rendered_with(values_of(mode))) == comparable(rendered(MODES[mode]))


@pytest.mark.parametrize("mode", MODES)
def test_kubernetes_takes_what_it_makes(mode: str) -> None:
    made = rendered_with(values_of(mode, **OPTIONS))
    assert {"PodMonitor", "PersistentVolumeClaim"} <= {each["kind"] for each in made.objects} or mode != "daemon"
    for each in made.objects:
        if each["kind"] != "PodMonitor":
            kubernetes_validate.validate(each, "1.29", strict=True)
    makers = [each["metadata"]["name"] for each in made.objects if each["kind"] in {"CronJob", "Deployment"}]
    assert len(makers) == (3 if mode == "distributed" else 1)
    for pod in (made.narrowed_to(name).pod for name in makers):
        assert [*not_restricted(pod), *unbounded(pod)] == []
    assert mode == "daemon" or not list(refused_of(made.job))


@pytest.mark.parametrize("wrong", [{"tabel": TABLE}, {"delete": {"enable": True}}, {"image": {"tags": "1"}}])
def test_a_misspelt_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError, match=r"additional properties"):
        files_with({"table": TABLE, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "delete"},
        {"table": ""},
        {"mode": "sweep", "delete": {"enabled": True}},
        {"grace": "soon"},
        {"settings": {"janitor-table": "x"}},
        {"delete": {"enabled": "yes"}},
        {"deadline": "30"},
        {"dask": {"workers": -1}},
    ],
)
def test_a_value_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError):
        files_with({"table": TABLE, **wrong})


@pytest.mark.parametrize("deadline", ["90s", "10m", "3h", "1d"])
def test_a_run_ends_by_itself_before_its_job_is_ended_both_attempts(deadline: str, tmp_path: Path) -> None:
    made = rendered_with({"table": TABLE, "deadline": deadline})
    file = tmp_path / "schedule.toml"
    file.write_text(made.files_of("schedules")[file.name])
    attempts = 1 + made.job["backoffLimit"]
    assert made.job["activeDeadlineSeconds"] == attempts * load_schedule(file).values["deadline"] + 600


def test_a_deadline_that_the_job_would_not_follow_is_refused_with_the_way_out() -> None:
    with pytest.raises(helm_python.HelmError, match=r"set the value `deadline` instead"):
        files_with({"table": TABLE, "settings": {"JANITOR_DEADLINE": "3h"}})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("enabled", [False, True])
def test_it_deletes_only_where_it_is_told_to_and_says_so(mode: str, tmp_path: Path, *, enabled: bool) -> None:
    values = {"mode": mode, "table": TABLE} | ({"delete": {"enabled": True, "archive": ARCHIVE}} if enabled else {})
    deletes = []
    for name, text in rendered_with(values).files_of("schedules").items():
        (tmp_path / name).write_text(text)
        deletes.append(load_schedule(tmp_path / name).deletes)
    expected = enabled and mode != "report"
    assert any(deletes) == expected
    assert ("DELETES" in files_with(values)[NOTES]) == expected


def test_every_value_may_be_misspelt_nowhere_and_has_a_rule() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    groups = [(schema, values)] + [
        (schema["properties"][name], value) for name, value in values.items() if isinstance(value, dict) and value
    ]
    for rules, given in groups:
        assert rules["additionalProperties"] is False
        assert set(rules["properties"]) - {"global"} == set(given)


def test_the_readme_lists_every_value() -> None:
    (written,) = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert written == values_table(), "make format writes it"
