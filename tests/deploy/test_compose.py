"""compose.yaml: what it starts is confined, the program reads its command line, and its table and schedule work."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from janitor.settings.schedule import load_schedule
from tests.command import janitor
from tests.deploy import dockerfile
from tests.deploy.command_line import command_of, variables_of

FOLDER = dockerfile.ROOT / "deploy" / "compose"
MOUNTED = "/etc/janitor/schedules"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    return services


def test_every_service_is_confined(services: dict[str, Any]) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108  # the container's
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert [name for name, service in services.items() if "ports" in service] == ["janitor"]


def test_every_service_is_built_here_from_a_stage_that_exists(services: dict[str, Any]) -> None:
    stages = {each.stage for each in dockerfile.instructions()}
    for service in services.values():
        context = FOLDER / service["build"]["context"]
        assert (context / service["build"]["dockerfile"]).samefile(dockerfile.PATH)
        assert service["build"]["target"] in stages
    assert {services[name]["build"]["target"] for name in ("ministack", "table")} == {"demo"}


def test_the_daemons_command_line_is_read_and_its_mounts_are_there(services: dict[str, Any]) -> None:
    daemon = services["janitor"]
    command: list[str] = daemon["command"]
    assert command_of(command) == "serve"
    assert MOUNTED in command
    sources = dict(volume.split(":")[1::-1] for volume in daemon["volumes"])
    assert sources["/var/lib/janitor"] == "state"
    assert (FOLDER / sources[MOUNTED]).is_dir()
    assert daemon["healthcheck"]["test"] == ["CMD", *dockerfile.exec_form("HEALTHCHECK")]
    assert daemon["depends_on"]["table"]["condition"] == "service_completed_successfully"
    set_for_it = {name for name in daemon["environment"] if name.startswith("JANITOR_")}
    assert set_for_it <= variables_of("serve")


def test_the_table_is_made_once_and_its_schedule_reports_on_it(
    services: dict[str, Any], ministack_url: str, tmp_path: Path
) -> None:
    script = FOLDER / services["table"]["volumes"][0].partition(":")[0]
    environment = {
        **os.environ,
        **{name: value for name, value in services["table"]["environment"].items() if name.startswith("AWS_")},
        "AWS_ENDPOINT_URL": ministack_url,
        "PYTHONPATH": str(dockerfile.ROOT),
    }
    said = [
        subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    (file,) = (FOLDER / "schedules").glob("*.toml")
    run = janitor(
        "run", str(file), "--state-url", f"sqlite:///{tmp_path}/s.db", env={"AWS_ENDPOINT_URL": ministack_url}
    )
    report = json.loads(run.out)
    boto3.client("dynamodb", endpoint_url=ministack_url).delete_table(TableName=report["tables"][0]["name"])
    assert (run.code, run.out != "", report["deletion"]["enabled"]) == (0, True, False)
    assert said[0] == f"{report['tables'][0]['name']} holds {report['counts']['scanned']} made-up tokens\n"
    assert said[1] == f"{report['tables'][0]['name']} is there already\n"


def test_the_schedule_deletes_nothing_and_remembers_in_the_volume() -> None:
    (file,) = (FOLDER / "schedules").glob("*.toml")
    schedule = load_schedule(file)
    assert not schedule.is_sweep
    assert str(schedule.values["state_url"]).startswith("sqlite:////var/lib/janitor/")


def test_no_made_up_row_goes_into_an_account() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    environment["PYTHONPATH"] = str(dockerfile.ROOT)
    run = subprocess.run(
        [sys.executable, FOLDER / "make_table.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert "AWS_ENDPOINT_URL" in run.stderr
