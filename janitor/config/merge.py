"""What `janitor merge` is told."""

from dataclasses import dataclass
from typing import NamedTuple

from janitor.config.output import LogSettings, NoticeSettings, OutputSettings, StateSettings
from janitor.config.table import TableSettings
from janitor.settings import as_in


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSettings:
    """How AWS is reached, where anything is asked of it: S3, a topic, a state store."""

    region: str | None = as_in(TableSettings, "region")
    profile: str | None = as_in(TableSettings, "profile")
    role_arn: str | None = as_in(TableSettings, "role_arn")
    endpoint_url: str | None = as_in(TableSettings, "endpoint_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """Who hears of the merged report."""

    sns_topic_arn: str | None = as_in(NoticeSettings, "sns_topic_arn")
    digest: str = as_in(NoticeSettings, "digest")


class MergeCommand(NamedTuple):
    """Everything that merging reports is told."""

    output: OutputSettings
    notices: DigestSettings
    state: StateSettings
    aws: AwsSettings
    logs: LogSettings


MERGE_GROUPS: tuple[type, ...] = tuple(MergeCommand.__annotations__.values())
