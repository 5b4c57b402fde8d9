"""The Terraform module: its format, and what a run of it may do and is told. Nothing here needs the AWS provider."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cloudformation_stacks import Made, template

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MODULE = DEPLOY / "terraform"
PROGRAM = shutil.which("terraform") or "terraform"
GIVEN = {"Table": "tokens", "Topic": "janitor-notices", "StateTable": "janitor-state", "ReportsBucket": "reports"}
FUNCTION = {"Image": "token-janitor:1", "ArchiveBucket": "archive"}
TASK = {**FUNCTION, "Subnets": "subnet-1", "SecurityGroups": "sg-1"}
FILES = {
    "report-only": "ReportOnly",
    "sweep": "Sweep",
    "notices": "Notices",
    "reports-in-s3": "ReportsInS3",
    "find-by-parameter": "FindByParameter",
}
PARAMETER = "prod/prod/lisa/tokenTableName"
VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed here")


def terraform(folder: Path, *words: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run terraform, with nothing of this machine's own configuration."""
    (state / "rc").touch()
    own = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(state / "rc"), "TF_IN_AUTOMATION": "1"}
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run(
        [PROGRAM, *words], cwd=folder, env={**variables, **own}, capture_output=True, text=True, check=False
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


@needs_terraform
def test_it_is_formatted(tmp_path: Path) -> None:
    run = terraform(MODULE, "fmt", "-check", "-recursive", str(MODULE), state=tmp_path)
    assert (run.returncode, run.stdout) == (0, "")


def environment_of(made: Made) -> dict[str, str]:
    """The variables of the task or of the function, as CloudFormation has them."""
    if "Function" in made.resources:
        variables: dict[str, Any] = made.resources["Function"]["Environment"]["Variables"]
    else:
        (container,) = made.resources["TaskDefinition"]["ContainerDefinitions"]
        variables = {each["Name"]: each["Value"] for each in container["Environment"]}
    return {name: str(value) for name, value in variables.items()}


@needs_terraform
@pytest.mark.parametrize("run_on", ["fargate", "lambda"])
@pytest.mark.parametrize(("deletes", "parameter"), [("no", ""), ("yes", ""), ("no", PARAMETER)])
def test_the_run_may_do_and_is_told_what_cloudformation_s_is(
    tmp_path: Path, run_on: str, deletes: str, parameter: str
) -> None:
    ours = made_of(tmp_path, run_on=run_on, delete_stale=deletes == "yes", table_parameter=parameter)
    given = {**GIVEN, "Table": "" if parameter else "tokens", "TableParameter": parameter, "DeleteStale": deletes}
    theirs = Made("task", **TASK, **given) if run_on == "fargate" else Made("lambda", **FUNCTION, **given)
    policies = Made("policies", **GIVEN, TableParameter=parameter, ArchiveBucket="archive").resources
    if run_on == "fargate":
        (container,) = theirs.resources["TaskDefinition"]["ContainerDefinitions"]
        assert ours["command"] == container["Command"]
    assert ours["environment"] == environment_of(theirs)
    assert ours["job"] == ours["environment"]["JANITOR_JOB"]
    expected = {"notices", "reports-in-s3", "sweep" if deletes == "yes" else "report-only"}
    assert set(ours["policies"]) == expected | ({"find-by-parameter"} if parameter else set())
    for name, text in ours["policies"].items():
        assert json.loads(text) == policies[FILES[name]]["PolicyDocument"]


@needs_terraform
def test_further_variables_are_told_and_beat_the_others(tmp_path: Path) -> None:
    told = made_of(tmp_path, settings={"JANITOR_CONTACT": "the platform team", "JANITOR_GRACE": "60d"})["environment"]
    assert (told["JANITOR_CONTACT"], told["JANITOR_GRACE"]) == ("the platform team", "60d")


@needs_terraform
def test_a_pattern_of_tables_is_refused_without_the_parameter_that_names_one(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="only beside a table_parameter"):
        made_of(tmp_path, table="prod-LISAApi*TokenTable")


@needs_terraform
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


def test_it_takes_what_the_templates_take_with_the_same_defaults() -> None:
    parameters = {**template("lambda")["Parameters"], **template("task")["Parameters"]}
    declared = dict(VARIABLE.findall((MODULE / "variables.tf").read_text()))
    ours = {name.title().replace("_", "").replace("Mib", "MiB"): text for name, text in declared.items()}
    renamed = {"ScheduleState": "schedule_enabled", "TaskRoleArn": "role_arn", "FunctionRoleArn": "role_arn"}
    assert {*renamed.values()} <= set(declared)
    made_here = {"PoliciesStack", "Topic", "StateTable"}
    among_settings = {"ProtectUsers", "PerToken", "SnsFormat", "Contact", "CaBundle"}
    assert set(parameters) - set(ours) == {*renamed, *made_here, *among_settings}
    same = {"yes": "true", "no": "false", "DISABLED": "false"}
    # Null is what the kind of run decides, or nothing; CloudFormation says an empty text for that.
    for name in set(parameters) & set(ours):
        theirs = parameters[name].get("Default")
        (found,) = re.findall(r"^  default += (.*)$", ours[name], re.MULTILINE) or [None]
        default = None if found is None else json.loads(found)
        if default not in (None, [], "/") and theirs:
            assert str(default).lower() == same.get(theirs, str(theirs)).lower(), name


def test_the_function_is_started_as_cloudformation_s_is() -> None:
    text = (MODULE / "lambda.tf").read_text()
    function = Made("lambda", **FUNCTION, Table="tokens")
    image, limits = function.resources["Function"]["ImageConfig"], function.resources["NoRetries"]
    said = dict(re.findall(r"^ +(\w+) += (.*)$", text, re.MULTILINE))
    assert [json.loads(said["entry_point"]), json.loads(said["command"])] == [image["EntryPoint"], image["Command"]]
    assert f"maximum_retry_attempts       = {limits['MaximumRetryAttempts']}\n" in text
    for name, default in (("memory", "MemorySize"), ("scratch_mib", "EphemeralStorage")):
        theirs = function.resources["Function"][default]
        assert f"coalesce(var.{name}, {theirs['Size'] if name == 'scratch_mib' else theirs})" in text
    (rule,) = function.resources["DailyRun"]["Targets"]
    assert json.loads(said["input"]) == rule["Input"]


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
