"""The templates of deploy/aws: as they are written, and deployed to a server that has CloudFormation."""

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


def template(name: str) -> dict[str, Any]:
    """The template of deploy/aws with this name."""
    text = (AWS / f"{name}.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, with tags that call nothing
    return read


def resource(name: str, logical_id: str) -> dict[str, Any]:
    """The properties of a resource of this template."""
    properties: dict[str, Any] = template(name)["Resources"][logical_id]["Properties"]
    return properties


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
            Capabilities=["CAPABILITY_IAM"],
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

    def task_policies(self, stack: str) -> set[str]:
        """The ARNs of the managed policies that the role of a stack's task has."""
        cloudformation, iam = self.client("cloudformation"), self.client("iam")
        role = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId="TaskRole")
        name = role["StackResourceDetail"]["PhysicalResourceId"]
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        return {policy["PolicyArn"] for policy in attached}

    def keys(self, bucket: str) -> list[str]:
        """The keys of every object in a bucket."""
        return [found["Key"] for found in self.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
