"""The templates of deploy/aws: as they are written, what they make of parameters, and deployed to a server."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml

AWS = Path(__file__).parents[2] / "deploy" / "aws"
TEMPLATES = sorted(AWS.glob("*.yaml"))

_LONG_NAMES = {"Ref": "Ref", "Condition": "Condition"}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` is `{"Ref": "X"}`, and `!Sub X` is `{"Fn::Sub": "X"}`."""


def _function(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.SequenceNode():
            value: Any = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            value = node.value
    return {_LONG_NAMES.get(name, f"Fn::{name}"): value}


_Loader.add_multi_constructor("!", _function)


@functools.cache
def template(name: str) -> dict[str, Any]:
    """The template of deploy/aws with this name."""
    text = (AWS / f"{name}.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, with tags that call nothing
    return read


def resource(name: str, logical_id: str) -> dict[str, Any]:
    """The properties of a resource of this template."""
    properties: dict[str, Any] = template(name)["Resources"][logical_id]["Properties"]
    return properties


class Made:
    """What a template makes of parameters, without a server: its conditions, references and texts are worked out.

    What only a server knows stands in angle brackets: `<TaskRole>`, `<TaskRole.Arn>`, `<policies-Sweep>`. A reference
    to a resource that is not made is a KeyError, and a value that a parameter does not allow an AssertionError.

    Attributes:
        resources: the properties of each resource that is made, by its logical id.
        types: the type of each.
        outputs: the value of each output.
    """

    def __init__(self, name: str, *, partition: str = "aws", stack: str = "janitor", **parameters: str) -> None:
        """Work out the template with this name for these parameters, in a made-up region of the partition."""
        self._template = template(name)
        declared = self._template["Parameters"]
        assert set(parameters) <= set(declared)
        self._values: dict[str, Any] = {
            "AWS::Partition": partition,
            "AWS::Region": f"{partition}-region",
            "AWS::AccountId": "123456789012",
            "AWS::StackName": stack,
            "AWS::NoValue": _NOTHING,
        }
        for key, parameter in declared.items():
            value = parameters.get(key, parameter.get("Default"))
            assert value is not None, key
            assert re.fullmatch(parameter.get("AllowedPattern", "(?s).*"), str(value)), f"{key}={value}"
            assert value in parameter.get("AllowedValues", [value]), f"{key}={value}"
            self._values[key] = value.split(",") if parameter["Type"].startswith("List<") else value
        all_resources = self._template["Resources"].items()
        made = {key: each for key, each in all_resources if self._holds(each.get("Condition"))}
        self.types: dict[str, str] = {key: each["Type"] for key, each in made.items()}
        self.resources: dict[str, Any] = {key: self._resolve(each.get("Properties", {})) for key, each in made.items()}
        outputs = self._template["Outputs"].items()
        self.outputs = {
            key: self._resolve(each["Value"]) for key, each in outputs if self._holds(each.get("Condition"))
        }

    def of_type(self, kind: str) -> dict[str, Any]:
        """The properties of every resource of a type."""
        return {key: self.resources[key] for key, each in self.types.items() if each == kind}

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self._resolve(self._template["Conditions"][condition]))

    def _resolve(self, value: Any) -> Any:
        match value:
            case {"Condition": str(condition)} if len(value) == 1:
                return self._holds(condition)
            case dict() if len(value) == 1 and (name := next(iter(value))) in _FUNCTIONS:
                return getattr(self, _FUNCTIONS[name])(value[name])
            case dict():
                resolved = {key: self._resolve(each) for key, each in value.items()}
                return {key: each for key, each in resolved.items() if each is not _NOTHING}
            case list():
                return [each for each in map(self._resolve, value) if each is not _NOTHING]
            case _:
                return value

    def _ref(self, name: str) -> Any:
        return self._values[name] if name in self._values else self._get_attribute(name)

    def _get_attribute(self, path: str) -> str:
        self.types[path.partition(".")[0]]  # a KeyError where it is not made
        return f"<{path}>"

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: str(self._ref(found[1])), text)

    def _if(self, choice: list[Any]) -> Any:
        condition, then, otherwise = choice
        return self._resolve(then if self._holds(condition) else otherwise)

    def _equals(self, both: list[Any]) -> bool:
        first, second = self._resolve(both)
        return bool(first == second)

    def _not(self, one: list[Any]) -> bool:
        return not self._resolve(one)[0]

    def _and(self, several: list[Any]) -> bool:
        return all(self._resolve(several))

    def _or(self, several: list[Any]) -> bool:
        return any(self._resolve(several))

    def _split(self, parts: list[Any]) -> list[str]:
        between, text = self._resolve(parts)
        return str(text).split(between)

    def _import(self, name: Any) -> str:
        return f"<{self._resolve(name)}>"


_NOTHING = object()
_FUNCTIONS = {
    "Ref": "_ref",
    "Fn::GetAtt": "_get_attribute",
    "Fn::Sub": "_sub",
    "Fn::If": "_if",
    "Fn::Equals": "_equals",
    "Fn::Not": "_not",
    "Fn::And": "_and",
    "Fn::Or": "_or",
    "Fn::Split": "_split",
    "Fn::ImportValue": "_import",
}


@dataclass(frozen=True)
class Container:
    """What a task runs, as its registered definition has it."""

    definition: dict[str, Any]
    command: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Cloud:
    """A server that has CloudFormation."""

    url: str

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.url)  # type: ignore[call-overload]

    def deploy(self, stack: str, name: str, **parameters: str) -> Mapping[str, str]:
        """Make a stack of the template with this name, and return its outputs.

        Raises:
            botocore.exceptions.ClientError: a rule of the template does not allow these parameters.
            botocore.exceptions.WaiterError: the stack could not be made.
        """
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=stack,
            TemplateBody=(AWS / f"{name}.yaml").read_text(encoding="utf-8"),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        (made,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in made.get("Outputs", [])}

    def container(self, task_definition: str) -> Container:
        """The one container of a registered task definition."""
        registered = self.client("ecs").describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        (definition,) = registered["containerDefinitions"]
        environment = {each["name"]: each["value"] for each in definition["environment"]}
        return Container(definition, definition["command"], environment)

    def policy(self, arn: str) -> dict[str, Any]:
        """What a managed policy allows."""
        iam = self.client("iam")
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return document

    def physical_id(self, stack: str, logical_id: str) -> str:
        """The name of a resource of a stack, of a policy its ARN."""
        cloudformation = self.client("cloudformation")
        found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        name: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return name

    def policies_of(self, stack: str, role: str) -> set[str]:
        """The ARNs of the managed policies that a role of a stack has, by its logical id."""
        attached = self.client("iam").list_attached_role_policies(RoleName=self.physical_id(stack, role))
        return {policy["PolicyArn"] for policy in attached["AttachedPolicies"]}

    def keys(self, bucket: str) -> list[str]:
        """The keys of every object in a bucket."""
        return [found["Key"] for found in self.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
