"""The JANITOR_ variables that manifests set, or name for whoever edits them: the command that runs there reads each."""

import re
from pathlib import Path

import pytest

from janitor.aws.lambda_handler import SCHEDULE_VARIABLE
from tests.deploy.command_line import variables_of
from tests.deploy.kubernetes_manifests import KUBERNETES, OVERLAYS, rendered

DEPLOY = KUBERNETES.parent
ELSEWHERE = {
    "aws/lambda.yaml": "run",
    "aws/task.yaml": "sweep",  # a scan where nothing is deleted, which passes over what is about deletes
    "compose/compose.yaml": "serve",
    "docker/Dockerfile": "serve",
    "helm/templates/_janitor.tpl": "run",
    "helm/templates/cronjob.yaml": "run",
    "systemd/janitor.service": "run",
    "systemd/janitor-serve.service": "serve",
    "terraform/documents/main.tf": "sweep",
    "terraform/documents/variables.tf": "sweep",
    "terraform/variables.tf": "sweep",
}
OF_THE_HANDLER = {SCHEDULE_VARIABLE}  # the Lambda handler's own, which the run does not see
NAMES = re.compile(r"\bJANITOR_[A-Z_]*[A-Z]\b").findall


def names_in(path: Path) -> set[str]:
    return set(NAMES(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_a_pod_is_told_is_read_by_its_command(overlay: str) -> None:
    manifests = rendered(overlay)
    container = manifests.container
    told = {each["name"] for each in container["env"]}
    for source in container["envFrom"]:
        maps = [
            each for each in manifests.of("ConfigMap") if each["metadata"]["name"] == source["configMapRef"]["name"]
        ]
        told |= {name for each in maps for name in each["data"]}
    told |= names_in(KUBERNETES / "overlays" / overlay / "settings.env")  # those that wait behind a # too
    ours = {name for name in told if name.startswith("JANITOR_")} - {"JANITOR_"}
    assert "JANITOR_STATE_URL" in ours
    assert ours <= variables_of(container["args"][0])


@pytest.mark.parametrize(("path", "command"), ELSEWHERE.items())
def test_what_another_manifest_names_is_read_by_its_command(path: str, command: str) -> None:
    named = names_in(DEPLOY / path)
    assert named or command == "serve"
    assert named - OF_THE_HANDLER <= variables_of(command)


def test_no_manifest_is_forgotten() -> None:
    naming = {path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".md" and _names_any(path)}
    kubernetes = {path for path in naming if path.is_relative_to(KUBERNETES)}
    others = {str(path.relative_to(DEPLOY)) for path in naming - kubernetes}
    # The probe and the check of the image name what they read themselves; three outputs say which variable takes them.
    assert others - set(ELSEWHERE) <= {
        "docker/healthcheck.py",
        "docker/check",
        "aws/notices.yaml",
        "aws/state.yaml",
        "terraform/outputs.tf",
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_adds_no_variables_of_its_services(overlay: str) -> None:
    assert rendered(overlay).pod["enableServiceLinks"] is False


def _names_any(path: Path) -> bool:
    try:
        return bool(names_in(path))
    except UnicodeDecodeError:
        return False
