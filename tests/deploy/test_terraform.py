"""The Terraform module: its format, and what a task of it may do and is told. Nothing here needs the AWS provider."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cloudformation_stacks import Made
from tests.deploy.tools import find_tool

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MODULE = DEPLOY / "terraform"
GIVEN = {"Table": "tokens", "Topic": "janitor-notices", "StateTable": "janitor-state", "ReportsBucket": "reports"}
TASK = {"Image": "token-janitor:1", "Subnets": "subnet-1", "SecurityGroups": "sg-1", "ArchiveBucket": "archive"}
FILES = {"report-only": "ReportOnly", "sweep": "Sweep", "notices": "Notices", "reports-in-s3": "ReportsInS3"}
VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


def terraform(folder: Path, *words: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run terraform, with nothing of this machine's own configuration."""
    program = find_tool("terraform", "as its maker says")
    (state / "rc").touch()
    own = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(state / "rc"), "TF_IN_AUTOMATION": "1"}
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run(
        [program, *words], cwd=folder, env={**variables, **own}, capture_output=True, text=True, check=False
    )


def made_of(tmp_path: Path, **more: Any) -> dict[str, Any]:
    """What the module's `documents` come to, by Terraform."""
    for part in ("terraform/documents", "aws/iam"):
        shutil.copytree(DEPLOY / part, tmp_path / part)
    folder = tmp_path / "terraform" / "documents"
    defaults = {
        name: json.loads(found[1])
        for name, text in VARIABLE.findall((MODULE / "variables.tf").read_text())
        if (found := re.search(r"^  default +=(.*)$", text, re.MULTILINE))
    }
    needed = [name for name, _ in VARIABLE.findall((folder / "variables.tf").read_text())]
    given = {
        "partition": "aws",
        "region": "aws-region",
        "account": "123456789012",
        "table": "tokens",
        "topic": "janitor-notices",
        "state_table": "janitor-state",
        "reports_bucket": "reports",
        "archive_bucket": "archive",
    }
    values = {name: ({**defaults, **given, **more})[name] for name in needed}
    (folder / "terraform.tfvars.json").write_text(json.dumps(values))
    for words in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        run = terraform(folder, *words, state=tmp_path)
        assert run.returncode == 0, run.stderr
    read = json.loads(terraform(folder, "output", "-json", state=tmp_path).stdout)
    return {name: each["value"] for name, each in read.items()}


def test_it_is_formatted(tmp_path: Path) -> None:
    run = terraform(MODULE, "fmt", "-check", "-recursive", str(MODULE), state=tmp_path)
    assert (run.returncode, run.stdout) == (0, "")


@pytest.mark.parametrize("deletes", ["no", "yes"])
def test_the_task_may_do_and_is_told_what_cloudformation_s_is(tmp_path: Path, deletes: str) -> None:
    ours = made_of(tmp_path, delete_stale=deletes == "yes")
    task = Made("task", **TASK, **GIVEN, DeleteStale=deletes)
    policies = Made("policies", **GIVEN, ArchiveBucket="archive").resources
    (container,) = task.resources["TaskDefinition"]["ContainerDefinitions"]
    assert ours["command"] == container["Command"]
    environment = {each["Name"]: str(each["Value"]).rstrip("\n") for each in container["Environment"]}
    assert ours["environment"] == environment
    assert set(ours["policies"]) == {"notices", "reports-in-s3", "sweep" if deletes == "yes" else "report-only"}
    for name, text in ours["policies"].items():
        assert json.loads(text) == policies[FILES[name]]["PolicyDocument"]


def test_without_an_archive_it_refuses_to_delete(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="needs an archive_bucket"):
        made_of(tmp_path, delete_stale=True, archive_bucket="")


def test_every_variable_says_what_it_is_and_the_readme_lists_it() -> None:
    readme = (MODULE / "README.md").read_text()
    declared = dict(VARIABLE.findall((MODULE / "variables.tf").read_text()))
    assert declared
    for name, text in declared.items():
        (described,) = re.findall(r'^  description += "(.*)"$', text, re.MULTILINE)
        assert re.search(r"^  type += ", text, re.MULTILINE), name
        assert re.search(rf"^\| `{name}` \|.*\| {re.escape(described)} \|$", readme, re.MULTILINE), name
    for name in re.findall(r'^output "(\w+)"', (MODULE / "outputs.tf").read_text(), re.MULTILINE):
        assert f"| `{name}` |" in readme
    assert re.findall(r"default += (.*)", declared["delete_stale"]) == ["false"]


def test_the_roles_that_start_the_task_allow_what_cloudformation_s_do() -> None:
    text = (MODULE / "roles.tf").read_text()
    ours = re.findall(r'Sid += "(\w+)"\s+Effect += "Allow"\s+Action += (.*)', text)
    task = Made("task", **TASK, **GIVEN, ImageRepositoryArn="arn:aws:ecr:r:1:repository/x").resources
    theirs = [
        (each["Sid"], each["Action"])
        for name in ("ExecutionPolicy", "SchedulerPolicy")
        for each in task[name]["PolicyDocument"]["Statement"]
    ]
    plain = [(sid, json.loads(actions)) for sid, actions in ours]
    assert [
        (sid, actions[0] if actions == ["ecr:GetAuthorizationToken"] else actions) for sid, actions in plain
    ] == theirs
