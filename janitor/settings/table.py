"""Which table, how to reach it, and by which rules its rows are judged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from janitor.settings.parsers import (
    parse_deployment,
    parse_dialect,
    parse_gates,
    parse_owner,
    parse_path,
    parse_role_arn,
)
from janitor.settings.setting import Settings, setting
from janitor.tokens.dialect import Gate
from janitor.tokens.duration import parse_duration
from janitor.tokens.times import parse_time

# The settings that name the table; one of them is given.
TABLE_OPTIONS = ("table", "deployment", "ssm_parameter")
# The settings that say how to reach it.
CONNECTION_OPTIONS = ("region", "profile", "role_arn", "endpoint_url")
SSM_PARAMETER = "/prod/prod/lisa/tokenTableName"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings(Settings):
    """Which table, and how to reach it."""

    table: str | None = setting("The table's name.", metavar="NAME")
    deployment: tuple[str, ...] = setting(
        "LISA's deployment name: tries NAME-LISAApiBaseTokenTable, NAME-LISAApiTokenTable and LISAApiTokenTable. "
        "Repeatable for scan, sweep and run: one run, and one report, of all the tables.",
        metavar="NAME",
        parse=parse_deployment,
        is_repeatable=True,
    )
    ssm_parameter: str | None = setting(
        f"The parameter that holds the table's name, as LISA 6 keeps it; without PATH {SSM_PARAMETER}.",
        metavar="[PATH]",
        value_if_bare=SSM_PARAMETER,
    )
    region: str | None = setting("AWS region.", metavar="NAME", default_words="as in the AWS CLI")
    profile: str | None = setting(
        "Profile of the AWS configuration.", metavar="NAME", default_words="as in the AWS CLI"
    )
    role_arn: str | None = setting(
        "Role to assume for everything the run asks of AWS.", metavar="ARN", parse=parse_role_arn
    )
    endpoint_url: str | None = setting(
        "Endpoint for every service, as AWS_ENDPOINT_URL; AWS_ENDPOINT_URL_DYNAMODB and its like still win.",
        metavar="URL",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings(Settings):
    """When a token counts as about to expire or stale, and at which time that is judged."""

    dialect: str | None = setting(
        "Which LISA reads the table: before 6.1 (classic), or from 6.1 on (hashed, the default where the table has the "
        "index username-index).",
        parse=parse_dialect,
        choices=("auto", "classic", "hashed"),
        default="auto",
    )
    gates: tuple[Gate, ...] = setting(
        "The parts of LISA that let tokens in. api alone says that this LISA runs no MCP Workbench: what only "
        "Workbench would accept counts as dead.",
        parse=parse_gates,
        choices=("api,workbench", "api"),
        default="api,workbench",
    )
    expiring_within: tuple[int, ...] = setting(
        "How far ahead a token counts as about to expire. Repeatable: the largest is the horizon, and a token is "
        "announced at each.",
        metavar="DURATION",
        parse=parse_duration,
        default="30d 7d 1d",
        is_repeatable=True,
    )
    grace: int = setting(
        "How long an expired token is kept before it counts as stale.",
        metavar="DURATION",
        parse=parse_duration,
        default="7d",
    )
    as_of: int | None = setting(
        "Judge the rows as of this time: ISO 8601 or UNIX seconds.",
        metavar="TIME",
        parse=parse_time,
        default_words="now",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockSettings(Settings):
    """When a row that keeps its owner from a new token counts as stale."""

    unlock_after: int | None = setting(
        "How long after its expiry a token counts as stale, whatever the grace, if it keeps its owner from a new one: "
        "LISA 6.1 and later give none to a user who has any row. Each such owner is looked up.",
        metavar="DURATION",
        parse=parse_duration,
        default_words="the grace",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionSettings(Settings):
    """Which rows are never deleted, and how rows are named."""

    protect_user: tuple[str, ...] = setting(
        "Mark rows of these owners as protected from deletion; a shell pattern. Repeatable.",
        metavar="GLOB",
        parse=parse_owner,
        is_repeatable=True,
        may_hold_spaces=True,
    )
    protect_system: bool = setting("Mark rows of system tokens as protected from deletion.", is_switch=True)
    fingerprint_key_file: Path | None = setting(
        "A file with a secret for the fingerprints, so that a weak token cannot be guessed from a report.",
        metavar="PATH",
        parse=parse_path,
    )


class JudgedTableSettings(Protocol):
    """The settings of every command that looks at rows of one table."""

    @property
    def table(self) -> TableSettings:
        """Which table, and how to reach it."""

    @property
    def policy(self) -> PolicySettings:
        """By which rules its rows are judged."""

    @property
    def protection(self) -> ProtectionSettings:
        """Which rows are never deleted, and how rows are named."""
