"""The templates of deploy/aws: checked, deployed to ministack, and what the task runs there run for real."""

import json
import string
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from janitor.store.create_table import create_table as create_state_table
from tests.command import Finished, janitor
from tests.deploy.cloudformation_stacks import AWS, TEMPLATES, Cloud, Container, resource, template
from tests.lambda_runtime import function
from tests.servers import ministack
from tests.sweeping import key_of, keys_in, living_rows, stale_rows
from tests.tables import create_table

TABLE, TOPIC, STATE, PARAMETER = "tokens", "told", "state", "deployment/table"
REPORTS, ARCHIVE = "reports", "archive"
USAGE = "usage-metrics"
ACCOUNT, REGION = "000000000000", "us-east-1"
STALE = 12
LONGEST_LOOK_BACK = 7 * 86_400  # API reference of PutMetricAlarm, EvaluationPeriods: for periods of an hour or more

NAMES = {"Table": TABLE, "Topic": TOPIC, "StateTable": STATE, "ReportsBucket": REPORTS, "ArchiveBucket": ARCHIVE}
# A schedule that is on might fire while the tests run.
TASK = {
    "PoliciesStack": "policies",
    "Image": "token-janitor:1",
    "ImageRepositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/token-janitor",
    "Subnets": "subnet-12345678",
    "SecurityGroups": "sg-12345678",
    "ScheduleState": "DISABLED",
}
FUNCTION = {name: TASK[name] for name in ("PoliciesStack", "Image", "ScheduleState")}


@dataclass(frozen=True)
class Deployed:
    """Everything that README.md deploys, but the alarms: metric math is more than this server has."""

    cloud: Cloud
    policies: dict[str, str]
    reporting: Container
    sweeping: Container

    def run(self, container: Container) -> Finished:
        """Run what ECS would run, with this server for every service."""
        return janitor(*container.command, env={**container.environment, "AWS_ENDPOINT_URL": self.cloud.url})


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with ministack() as url:
        cloud = Cloud(url)
        create_table(cloud.client("dynamodb"), TABLE, hashed=True, rows=[*stale_rows(STALE), *living_rows(60)])
        for bucket in (REPORTS, ARCHIVE):
            cloud.client("s3").create_bucket(Bucket=bucket)
        cloud.deploy("state", "state", StateTable=STATE)
        cloud.deploy("notices", "notices", Topic=TOPIC, Email="owner@example.com")
        policies = dict(cloud.deploy("policies", "policies", TableParameter=PARAMETER, UsageTable=USAGE, **NAMES))
        reporting = cloud.deploy("reporting", "task", **NAMES, **TASK)["TaskDefinition"]
        sweeping = cloud.deploy("sweeping", "task", **NAMES, **TASK, DeleteStale="yes")["TaskDefinition"]
        yield Deployed(cloud, policies, cloud.container(reporting), cloud.container(sweeping))


def emf_line(finished: Finished) -> dict[str, Any]:
    """The one line of metrics in what a run logged."""
    lines = [json.loads(line) for line in finished.err.splitlines() if line.startswith("{")]
    (found,) = [line for line in lines if "_aws" in line]
    assert isinstance(found, dict)
    return found


def test_cfn_lint_has_nothing_to_say_in_any_partition() -> None:
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--include-checks", "I"]
    command += ["--regions", REGION, "us-gov-west-1", "cn-north-1", "us-iso-east-1", "us-isob-east-1"]
    command += ["--", *map(str, TEMPLATES)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_describes_itself_and_all_that_it_takes(path: Path) -> None:
    read = template(path.stem)
    assert "janitor" in read["Description"]
    assert all(parameter["Description"] for parameter in read["Parameters"].values())
    assert "arn:aws:" not in path.read_text(encoding="utf-8")
    assert f"`{path.name}`" in (AWS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted({path.stem for path in (AWS / "iam").glob("*.json")} - {"schedule-task"}))
def test_a_managed_policy_is_the_file_of_its_name(deployed: Deployed, name: str) -> None:
    prefix = template("policies")["Parameters"]["ReportsPrefix" if "reports" in name else "ArchivePrefix"]["Default"]
    text = string.Template((AWS / "iam" / f"{name}.json").read_text(encoding="utf-8")).substitute(
        partition="aws",
        region=REGION,
        account=ACCOUNT,
        table=TABLE,
        bucket=REPORTS if "reports" in name else ARCHIVE,
        prefix=prefix,
        parameter=PARAMETER,
        topic=TOPIC,
        state_table=STATE,
        usage_table=USAGE,
    )
    output = {"reports-in-s3": "ReportsInS3"}.get(name, name.title().replace("-", ""))
    assert deployed.cloud.policy(deployed.policies[output]) == json.loads(text)


def test_without_a_place_for_archives_there_is_no_policy_that_deletes(deployed: Deployed) -> None:
    assert set(deployed.cloud.deploy("least", "policies", Table=TABLE)) == {"ReportOnly"}


def test_the_state_table_is_the_one_that_the_doctor_makes(deployed: Deployed) -> None:
    dynamodb = deployed.cloud.client("dynamodb")
    create_state_table(dynamodb, "made-by-the-program")
    ours, theirs = (dynamodb.describe_table(TableName=name)["Table"] for name in (STATE, "made-by-the-program"))
    for part in ("KeySchema", "AttributeDefinitions", "BillingModeSummary"):
        assert ours[part] == theirs[part], part
    # This server takes no TTL from a template.
    ttl = dynamodb.describe_time_to_live(TableName="made-by-the-program")["TimeToLiveDescription"]
    written = resource("state", "Table")["TimeToLiveSpecification"]
    assert written == {"AttributeName": ttl["AttributeName"], "Enabled": True}


def leaving() -> set[str]:
    """The keys of the rows that go: stale ones, and those that expired a day ago and keep their owners from a token."""
    return {key_of(row) for row in (*stale_rows(STALE), *living_rows(60)[2::6])}


def test_the_task_reports_and_deletes_nothing_until_it_is_told_to(deployed: Deployed) -> None:
    dynamodb = deployed.cloud.client("dynamodb")
    before = keys_in(dynamodb, TABLE)
    finished = deployed.run(deployed.reporting)
    assert finished.code == 0, finished.err
    _log_sums_it_up(finished, len(leaving()))
    line = emf_line(finished)
    assert (line["Success"], line["TokensStale"], line["DeletedTokens"]) == (1, len(leaving()), 0)
    assert line["SentNotices"] > 0
    assert keys_in(dynamodb, TABLE) == before
    (html, text) = sorted(deployed.cloud.keys(REPORTS))
    assert (html.startswith(f"janitor-reports/{TABLE}/"), html.endswith(".html"), text.endswith(".json")) == (True,) * 3
    assert deployed.cloud.keys(ARCHIVE) == []
    _alarms_look_at(line)

    swept = deployed.run(deployed.sweeping)
    assert swept.code == 0, swept.err
    _log_sums_it_up(swept, len(leaving()))
    assert emf_line(swept)["DeletedTokens"] == len(leaving())
    _alarms_look_at(emf_line(swept))
    assert before - keys_in(dynamodb, TABLE) == leaving()
    archived = deployed.cloud.keys(ARCHIVE)
    assert archived
    assert all(key.startswith("janitor-archive/") for key in archived)


def _log_sums_it_up(finished: Finished, stale: int) -> None:
    """No report in the log, and a line of it that says how the run went."""
    assert finished.out == ""
    lines = [json.loads(line) for line in finished.err.splitlines()]
    [summed] = [line for line in lines if line.get("event") == "run.finished"]
    assert (summed["outcome"], summed["stale"]) == ("complete", stale)


def _alarms_look_at(line: dict[str, Any]) -> None:
    """Both alarms on runs are on a metric that is in this line, with just its dimensions."""
    (told,) = line["_aws"]["CloudWatchMetrics"]
    resolved = {"Job": template("alarms")["Parameters"]["Job"]["Default"], "Table": TABLE, "AWS::Region": REGION}
    (successes, _) = resource("alarms", "NoSuccessfulRun")["Metrics"]
    for metric in (successes["MetricStat"]["Metric"], resource("alarms", "FailedRun")):
        assert metric["Namespace"] == told["Namespace"]
        assert metric["MetricName"] in [each["Name"] for each in told["Metrics"]]
        dimensions = {each["Name"]: resolved[each["Value"]["Ref"]] for each in metric["Dimensions"]}
        assert [set(dimensions)] == [set(names) for names in told["Dimensions"]]
        assert dimensions == {name: line[name] for name in dimensions}


def test_a_day_and_two_hours_without_a_success_are_an_alarm() -> None:
    alarm = resource("alarms", "NoSuccessfulRun")
    hours = template("alarms")["Parameters"]["HoursWithoutSuccess"]
    (successes, filled) = alarm["Metrics"]
    assert (successes["MetricStat"]["Stat"], successes["MetricStat"]["Period"]) == ("Sum", 3600)
    assert (successes["ReturnData"], filled["Expression"]) == (False, f"FILL({successes['Id']}, 0)")
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == {"Ref": "HoursWithoutSuccess"}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
    assert hours["Default"] == 26
    assert hours["MaxValue"] * 3600 == LONGEST_LOOK_BACK


def test_a_failed_run_is_an_alarm_and_no_run_is_not_the_same() -> None:
    alarm = resource("alarms", "FailedRun")
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Minimum", "LessThanThreshold", 1)
    assert (alarm["DatapointsToAlarm"], alarm["TreatMissingData"]) == (1, "notBreaching")


def test_the_container_can_write_nothing_but_its_scratch_space(deployed: Deployed) -> None:
    for container in (deployed.reporting, deployed.sweeping):
        assert container.definition["readonlyRootFilesystem"] is True
        assert container.definition["user"] == "65532:65532"
        assert not container.definition.get("mountPoints")
    # What this server does not keep.
    (container,) = resource("task", "TaskDefinition")["ContainerDefinitions"]
    linux = container["LinuxParameters"]
    assert linux["Capabilities"] == {"Drop": ["ALL"]}
    assert [mount["ContainerPath"] for mount in linux["Tmpfs"]] == ["/tmp"]  # noqa: S108 - the image's TMPDIR


def test_only_the_task_that_deletes_may(deployed: Deployed) -> None:
    assert "--delete" not in deployed.reporting.command
    assert "JANITOR_DELETE" not in {*deployed.reporting.environment, *deployed.sweeping.environment}
    policies = deployed.policies
    both = {policies["Notices"], policies["ReportsInS3"]}
    assert deployed.cloud.policies_of("reporting", "TaskRole") == {policies["ReportOnly"], *both}
    assert deployed.cloud.policies_of("sweeping", "TaskRole") == {policies["Sweep"], *both}


def test_the_schedule_may_start_its_task_and_nothing_else(deployed: Deployed) -> None:
    policy = resource("task", "SchedulerPolicy")["PolicyDocument"]
    statements = {statement["Sid"]: statement for statement in policy["Statement"]}
    assert {statement["Action"] for statement in statements.values()} == {
        "ecs:RunTask",
        "iam:PassRole",
        "sqs:SendMessage",
    }
    assert "*" not in [statement["Resource"] for statement in statements.values()]
    passed = statements["GiveItItsRoles"]["Condition"]
    assert passed == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    scheduler = deployed.cloud.client("scheduler")
    (found, _) = scheduler.list_schedules()["Schedules"]
    schedule = scheduler.get_schedule(Name=found["Name"], GroupName=found["GroupName"])
    target = schedule["Target"]
    assert target["EcsParameters"]["TaskDefinitionArn"].rpartition("/")[2] in ("reporting:1", "sweeping:1")
    assert target["DeadLetterConfig"]["Arn"].startswith("arn:aws:sqs:")
    # This server knows UTC alone.
    assert resource("task", "DailyRun")["ScheduleExpressionTimezone"] == {"Ref": "Timezone"}


@pytest.mark.parametrize(
    ("parameters", "way_out"),
    [
        ({"Table": TABLE, "DeleteStale": "yes"}, "needs an ArchiveBucket"),
        ({"Table": TABLE, "Topic": TOPIC}, "needs a StateTable"),
        ({}, "Give a Table"),
        ({"Table": TABLE, "TableParameter": PARAMETER}, "Table has to be empty"),
    ],
)
def test_parameters_that_would_lose_something_are_refused(
    deployed: Deployed, parameters: dict[str, str], way_out: str
) -> None:
    with pytest.raises(ClientError, match=way_out):
        deployed.cloud.deploy("refused", "task", **TASK, **parameters)
    with pytest.raises(ClientError, match=way_out):
        deployed.cloud.deploy("refused", "lambda", **FUNCTION, **parameters)


def test_a_task_finds_the_table_by_its_parameter_and_follows_it(deployed: Deployed) -> None:
    cloud = deployed.cloud
    names = {"TableParameter": PARAMETER, **{name: each for name, each in NAMES.items() if name != "Table"}}
    following = cloud.container(cloud.deploy("following", "task", **names, **TASK)["TaskDefinition"])
    expected = {"Notices", "ReportsInS3", "ReportOnly", "FindByParameter"}
    assert cloud.policies_of("following", "TaskRole") == {deployed.policies[name] for name in expected}
    assert following.environment["JANITOR_SSM_PARAMETER"] == f"/{PARAMETER}"
    assert "JANITOR_TABLE" not in following.environment
    for renamed in ("tokens-of-lisa-7", "tokens-of-lisa-8"):
        create_table(cloud.client("dynamodb"), renamed, hashed=True, rows=living_rows(6))
        cloud.client("ssm").put_parameter(Name=f"/{PARAMETER}", Value=renamed, Type="String", Overwrite=True)
        finished = deployed.run(following)
        assert finished.code == 0, finished.err
        assert (emf_line(finished)["table"], emf_line(finished)["Success"]) == (renamed, 1)


def test_a_function_does_what_the_task_does_with_one_role(deployed: Deployed) -> None:
    cloud, table = deployed.cloud, "tokens-of-functions"
    create_table(cloud.client("dynamodb"), table, hashed=True, rows=[*stale_rows(STALE), *living_rows(60)])
    names = {**NAMES, "Table": table}
    for stack, parameters, deleted in (("looking", {}, 0), ("removing", {"DeleteStale": "yes"}, len(leaving()))):
        name = cloud.deploy(stack, "lambda", **names, **FUNCTION, **parameters)["Function"]
        configuration = cloud.client("lambda").get_function_configuration(FunctionName=name)
        variables = configuration["Environment"]["Variables"]
        with function({**variables, "AWS_ENDPOINT_URL": cloud.url}) as started:
            answer = started.invoke({})
            assert not answer.is_error, answer.body
            assert (answer.body["outcome"], answer.body["deleted"]) == ("complete", deleted)
            lines = [json.loads(line) for line in started.log.read_text().splitlines() if line.startswith("{")]
        (told,) = [line for line in lines if "_aws" in line]
        assert (told["job"], told["table"], told["Success"]) == ("function", table, 1)
        policies = deployed.policies
        may = policies["Sweep" if deleted else "ReportOnly"]
        log = cloud.physical_id(stack, "LogPolicy")
        assert cloud.policies_of(stack, "FunctionRole") == {may, log, policies["Notices"], policies["ReportsInS3"]}
