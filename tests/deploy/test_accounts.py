"""What the templates make in accounts that ask something of roles, for every combination and in every partition."""

import importlib
import itertools
import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from janitor.aws.lambda_handler import SCHEDULE_VARIABLE
from janitor.settings.schedule import load_schedule
from tests.deploy.cloudformation_stacks import AWS, Made, template

BOUNDARY = "arn:{partition}:iam::123456789012:policy/boundary"
ACCOUNT_RULES = {"PermissionsBoundary": BOUNDARY, "IamNamePrefix": "Unit7-", "IamPath": "/lisa/"}
LISA_PARAMETER = "prod/prod/lisa/tokenTableName"
# Of each template: what has no default, and for each role the parameter that names another, and who assumes it.
REQUIRED = {
    "task": {"Image": "token-janitor:1", "Subnets": "subnet-12345678", "SecurityGroups": "sg-12345678"},
    "lambda": {"Image": "token-janitor:1"},
}
ROLES = {
    "task": {"TaskRole": "ecs-tasks", "ExecutionRole": "ecs-tasks", "SchedulerRole": "scheduler"},
    "lambda": {"FunctionRole": "lambda"},
}
RUNS_AS = {"task": "TaskRole", "lambda": "FunctionRole"}


def subsets(names: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    return itertools.chain.from_iterable(itertools.combinations(names, size) for size in range(len(names) + 1))


def existing(role: str, partition: str) -> str:
    return f"arn:{partition}:iam::123456789012:role/service/{role}"


def make(name: str, partition: str = "aws", given: tuple[str, ...] = (), /, **parameters: str) -> Made:
    """Make a template of a table's name, with these roles given as those that exist."""
    named = {} if "TableParameter" in parameters else {"Table": "tokens"}
    roles = {f"{role}Arn": existing(role, partition) for role in given}
    return Made(name, partition=partition, **REQUIRED[name], **named, **roles, **parameters)


def environment(made: Made) -> dict[str, str]:
    """The variables of the run."""
    if "Function" in made.resources:
        variables: dict[str, str] = made.resources["Function"]["Environment"]["Variables"]
        return variables
    (container,) = made.resources["TaskDefinition"]["ContainerDefinitions"]
    return {each["Name"]: str(each["Value"]) for each in container["Environment"]}


def strings(value: object) -> Iterator[str]:
    match value:
        case dict():
            for each in value.values():
                yield from strings(each)
        case list():
            for each in value:
                yield from strings(each)
        case str():
            yield value


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn", "aws-iso", "aws-iso-b"])
@pytest.mark.parametrize("name", ROLES)
def test_every_role_and_policy_is_as_the_account_asks_or_is_its_own(name: str, partition: str) -> None:
    for given, asked in itertools.product(subsets(ROLES[name]), subsets(ACCOUNT_RULES)):
        rules = {key: ACCOUNT_RULES[key].format(partition=partition) for key in asked}
        made = make(name, partition, given, **rules)
        roles = made.of_type("AWS::IAM::Role")
        assert set(roles) == set(ROLES[name]) - set(given)
        for logical_id, role in roles.items():
            assert "Policies" not in role, "an inline policy"
            assert role.get("PermissionsBoundary") == rules.get("PermissionsBoundary")
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Principal"] == {"Service": f"{ROLES[name][logical_id]}.amazonaws.com"}
        policies = made.of_type("AWS::IAM::ManagedPolicy")
        assert {kind.split("::")[1] for kind in made.types.values()} & {"IAM"} == ({"IAM"} if roles else set())
        names = [each.get("RoleName") for each in roles.values()]
        names += [each.get("ManagedPolicyName") for each in policies.values()]
        for each in names:
            assert each is None if "IamNamePrefix" not in rules else each.startswith("Unit7-janitor-")
        for each in (*roles.values(), *policies.values()):
            assert each.get("Path") == rules.get("IamPath")
        arns = [text for text in strings([made.resources, made.outputs]) if "arn:" in text]
        assert all(f"arn:{partition}:" in arn for arn in arns), arns


@pytest.mark.parametrize("given", list(subsets(ROLES["task"])))
def test_the_task_and_its_schedule_use_the_roles_that_exist(given: tuple[str, ...]) -> None:
    made = make("task", "aws", given)
    arns = {role: existing(role, "aws") if role in given else f"<{role}.Arn>" for role in ROLES["task"]}
    task = made.resources["TaskDefinition"]
    assert (task["TaskRoleArn"], task["ExecutionRoleArn"]) == (arns["TaskRole"], arns["ExecutionRole"])
    assert made.resources["DailyRun"]["Target"]["RoleArn"] == arns["SchedulerRole"]
    if "SchedulerRole" not in given:
        statements = made.resources["SchedulerPolicy"]["PolicyDocument"]["Statement"]
        (passed,) = [each for each in statements if each["Action"] == "iam:PassRole"]
        assert passed["Resource"] == [arns["TaskRole"], arns["ExecutionRole"]]


def test_the_function_uses_the_role_that_exists_and_no_other() -> None:
    made = make("lambda", "aws", ("FunctionRole",))
    assert made.resources["Function"]["Role"] == existing("FunctionRole", "aws")
    assert [kind for kind in made.types.values() if kind.startswith("AWS::IAM")] == []
    assert make("lambda").resources["Function"]["Role"] == "<FunctionRole.Arn>"


@pytest.mark.parametrize("name", ROLES)
def test_a_run_has_the_policies_that_it_needs_and_no_more(name: str) -> None:
    more = {"StateTable": "state", "ReportsBucket": "reports", "TableParameter": LISA_PARAMETER}
    imported = {"StateTable": "Notices", "ReportsBucket": "ReportsInS3", "TableParameter": "FindByParameter"}
    for deletes, chosen in itertools.product(("no", "yes"), subsets(more)):
        parameters = {key: more[key] for key in chosen}
        made = make(name, DeleteStale=deletes, ArchiveBucket="archive", **parameters)
        policies = set(made.resources[RUNS_AS[name]]["ManagedPolicyArns"])
        expected = {"Sweep" if deletes == "yes" else "ReportOnly", *(imported[key] for key in chosen)}
        assert policies - {"<LogPolicy>"} == {f"<janitor-policies-{each}>" for each in expected}


@pytest.mark.parametrize("name", ROLES)
def test_the_table_is_named_once_and_the_certificates_where_there_are_some(name: str) -> None:
    by_name, by_parameter = environment(make(name)), environment(make(name, TableParameter=LISA_PARAMETER))
    assert (by_name["JANITOR_TABLE"], "JANITOR_SSM_PARAMETER" in by_name) == ("tokens", False)
    assert (by_parameter["JANITOR_SSM_PARAMETER"], "JANITOR_TABLE" in by_parameter) == (f"/{LISA_PARAMETER}", False)
    assert "AWS_CA_BUNDLE" not in by_name
    trusting = environment(make(name, CaBundle="/etc/janitor/ca-bundle.pem"))
    assert trusting["AWS_CA_BUNDLE"] == "/etc/janitor/ca-bundle.pem"
    with pytest.raises(AssertionError):
        make(name, CaBundle="relative.pem")


def test_policies_narrow_to_a_pattern_of_tables_and_never_to_all() -> None:
    made = Made("policies", partition="aws-iso", Table="prod-LISAApi*TokenTable", **rules_of("aws-iso"))
    (read, look_up) = made.resources["ReportOnly"]["PolicyDocument"]["Statement"]
    table = "arn:aws-iso:dynamodb:aws-iso-region:123456789012:table/prod-LISAApi*TokenTable"
    assert (read["Resource"], look_up["Resource"]) == (table, f"{table}/index/username-index")
    for too_wide in ("*", "**", "a*", "*TokenTable"):
        with pytest.raises(AssertionError):
            Made("policies", Table=too_wide)


def test_every_policy_is_named_as_the_account_asks() -> None:
    names = {"Topic": "told", "StateTable": "state", "ReportsBucket": "reports", "ArchiveBucket": "archive"}
    tables = {"Table": "tokens", "TableParameter": LISA_PARAMETER, "UsageTable": "usage"}
    made = Made("policies", **tables, **names, **rules_of("aws"))
    policies = made.of_type("AWS::IAM::ManagedPolicy")
    assert set(made.resources) == set(template("policies")["Resources"])
    assert len({each["ManagedPolicyName"] for each in policies.values()}) == len(policies)
    for each in policies.values():
        assert (each["ManagedPolicyName"].startswith("Unit7-janitor-"), each["Path"]) == (True, "/lisa/")
    plain = Made("policies", Table="tokens").resources["ReportOnly"]
    assert {"ManagedPolicyName", "Path"}.isdisjoint(plain)


def rules_of(partition: str) -> dict[str, str]:
    """What the account asks of policies, which no boundary bounds."""
    asked = {key: each.format(partition=partition) for key, each in ACCOUNT_RULES.items()}
    return {key: each for key, each in asked.items() if key in template("policies")["Parameters"]}


def test_the_file_for_a_scheduler_role_allows_what_the_template_does() -> None:
    text = (AWS / "iam" / "schedule-task.json").read_text(encoding="utf-8")
    names = {"partition": "aws", "region": "aws-region", "account": "123456789012", "stack": "janitor"}
    roles = {"task_role_arn": "<TaskRole.Arn>", "execution_role_arn": "<ExecutionRole.Arn>"}
    of_file = json.loads(string.Template(text).substitute(names, **roles))["Statement"]
    of_template = make("task").resources["SchedulerPolicy"]["PolicyDocument"]["Statement"]
    for key in ("Sid", "Effect", "Action"):
        assert [each[key] for each in of_file] == [each[key] for each in of_template]
    (run, passed, kept), (same_run, same_passed, _) = of_file, of_template
    assert (run["Resource"], passed) == (same_run["Resource"], same_passed)
    # The template knows the names that CloudFormation makes up; the file knows how they begin.
    assert run["Condition"] == {"ArnLike": {"ecs:cluster": "arn:aws:ecs:aws-region:123456789012:cluster/janitor-*"}}
    assert kept["Resource"] == "arn:aws:sqs:aws-region:123456789012:janitor-DeadLetterQueue-*"


def test_the_state_table_can_do_without_point_in_time_recovery() -> None:
    with_it = Made("state").resources["Table"]["PointInTimeRecoverySpecification"]
    assert with_it == {"PointInTimeRecoveryEnabled": True}
    assert "PointInTimeRecoverySpecification" not in Made("state", PointInTimeRecovery="no").resources["Table"]


def test_task_and_function_take_the_same_parameters_and_run_the_same_job() -> None:
    of_task, of_function = template("task")["Parameters"], template("lambda")["Parameters"]
    differ = {"PoliciesStack", "Image", "Memory", "ScratchMiB", "Subnets", "SecurityGroups", "Schedule"}
    for shared in (set(of_task) & set(of_function)) - differ:
        assert of_task[shared] == of_function[shared], shared
    everything = {
        "Topic": "told",
        "PerToken": "yes",
        "StateTable": "state",
        "ReportsBucket": "reports",
        "ProtectUsers": "svc-*",
        "DeleteStale": "yes",
        "ArchiveBucket": "archive",
    }
    # A function has its region, its deadline and its log from Lambda and the handler.
    only_task = {"JANITOR_REGION", "JANITOR_DEADLINE", "JANITOR_FORMAT"}
    task, function = environment(make("task", **everything)), environment(make("lambda", **everything))
    assert set(task) - only_task == set(function) - {SCHEDULE_VARIABLE}
    for name in set(task) & set(function) - {"JANITOR_JOB"}:
        assert task[name] == str(function[name])


@pytest.mark.parametrize("deletes", ["yes", "no"])
def test_the_functions_schedule_deletes_just_when_it_is_told_to(deletes: str, tmp_path: Path) -> None:
    made = make("lambda", DeleteStale=deletes, ArchiveBucket="archive")
    file = tmp_path / "function.toml"
    file.write_text(environment(made)[SCHEDULE_VARIABLE])
    schedule = load_schedule(file)
    assert schedule.deletes is schedule.is_sweep is (deletes == "yes")
    # The deadline is the function's.
    assert set(schedule.values) == {"deadline"}


def test_a_function_runs_once_alone_and_is_invoked_by_its_rule_only() -> None:
    made = make("lambda")
    function = made.resources["Function"]
    assert function["ImageConfig"]["EntryPoint"] == ["python", "-m", "awslambdaric"]
    module, _, handler = function["ImageConfig"]["Command"][0].rpartition(".")
    assert callable(getattr(importlib.import_module(module), handler))
    assert function["ReservedConcurrentExecutions"] == 1
    assert "ReservedConcurrentExecutions" not in make("lambda", ReserveConcurrency="no").resources["Function"]
    assert "VpcConfig" not in function
    assert made.resources["NoRetries"]["MaximumRetryAttempts"] == 0
    assert made.resources["TheRuleInvokes"]["SourceArn"] == "<DailyRun.Arn>"
    (target,) = made.resources["DailyRun"]["Targets"]
    assert (target["Arn"], target["Input"]) == ("<Function.Arn>", "{}")
    assert target["DeadLetterConfig"] == {"Arn": "<DeadLetterQueue.Arn>"}


def test_a_function_in_a_vpc_may_make_its_network_interfaces() -> None:
    made = make("lambda", "aws-iso-b", Subnets="subnet-1,subnet-2", SecurityGroups="sg-1")
    assert made.resources["Function"]["VpcConfig"] == {
        "SubnetIds": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1"],
    }
    vpc = "arn:aws-iso-b:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    assert vpc in made.resources["FunctionRole"]["ManagedPolicyArns"]
    assert vpc not in make("lambda", "aws-iso-b").resources["FunctionRole"]["ManagedPolicyArns"]


def test_an_error_of_the_function_is_an_alarm_in_place_of_that_on_metrics() -> None:
    plain, of_function = Made("alarms", Table="tokens"), Made("alarms", Table="tokens", Function="janitor-Function-1")
    assert ("FailedRun" in plain.types, "FailedFunction" in plain.types) == (True, False)
    assert ("FailedRun" in of_function.types, "FailedFunction" in of_function.types) == (False, True)
    alarm = of_function.resources["FailedFunction"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "janitor-Function-1"}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
