"""The settings of `plan show` and `archive list`, which read plans and archives and no table."""

from dataclasses import dataclass
from typing import Any

from janitor.settings.output import OutputSettings
from janitor.settings.parsers import parse_count
from janitor.settings.setting import Settings, reuse, setting
from janitor.settings.table import CONNECTION_OPTIONS, TableSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings(Settings):
    """How to reach S3."""

    region: str | None = reuse(TableSettings, "region")
    profile: str | None = reuse(TableSettings, "profile")
    role_arn: str | None = reuse(TableSettings, "role_arn")
    endpoint_url: str | None = reuse(TableSettings, "endpoint_url")

    @property
    def without_table(self) -> TableSettings:
        """The settings of a table that is not named, and is reached in the same way."""
        values: dict[str, Any] = {name: getattr(self, name) for name in CONNECTION_OPTIONS}
        return TableSettings(origins=self.origins, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShowSettings(Settings):
    """How a plan is shown."""

    format: str | None = setting(
        "Format of standard output; csv and ndjson have a line for each row, as in a report.",
        choices=("table", "json", "ndjson", "csv"),
        default_words="table on a terminal, json otherwise",
    )
    max_findings: int = reuse(OutputSettings, "max_findings")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveListSettings(Settings):
    """How archives are listed."""

    format: str | None = setting(
        "Format of standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )
    max_archives: int = setting(
        "How many archives are read and listed at most, the newest.", metavar="N", parse=parse_count, default="20"
    )
