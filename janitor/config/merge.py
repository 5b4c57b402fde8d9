"""What `janitor merge` is told."""

from dataclasses import dataclass
from typing import NamedTuple

from janitor.config.output import LogSettings, OutputSettings
from janitor.config.table import TableSettings
from janitor.settings import as_in


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSettings:
    """How AWS is reached, where a report is read from S3 or written to it."""

    region: str | None = as_in(TableSettings, "region")
    profile: str | None = as_in(TableSettings, "profile")
    role_arn: str | None = as_in(TableSettings, "role_arn")
    endpoint_url: str | None = as_in(TableSettings, "endpoint_url")


class MergeCommand(NamedTuple):
    """Everything that merging reports is told."""

    output: OutputSettings
    aws: AwsSettings
    logs: LogSettings


MERGE_GROUPS: tuple[type, ...] = tuple(MergeCommand.__annotations__.values())
