"""Every setting once: its flag, its environment variable, its default and its help.

A setting is a field of one of the frozen groups below (`settings` says how it is declared). `--expiring-within` is the
field `expiring_within`, the variable `JANITOR_EXPIRING_WITHIN`, and later the key of a schedule file. `cli/options.py`
makes the flags from these fields, so that there is no second list to keep in step.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from janitor.parsers import (
    FORMATS,
    Folder,
    ReportTarget,
    S3Prefix,
    parse_archive,
    parse_count,
    parse_dialect,
    parse_fingerprint,
    parse_path,
    parse_percent,
    parse_price,
    parse_report,
    parse_role_arn,
    parse_segments,
)
from janitor.settings import setting
from janitor.tokens.duration import parse_duration, parse_time

STATES_TO_FAIL_ON = ("expiring", "expired", "stale", "permanent", "malformed", "legacy")
SSM_PARAMETER = "/prod/prod/lisa/tokenTableName"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """Which table, and how to reach it."""

    table: str | None = setting("The table's name.", metavar="NAME")
    deployment: str | None = setting(
        "LISA's deployment name: tries NAME-LISAApiBaseTokenTable, NAME-LISAApiTokenTable and LISAApiTokenTable.",
        metavar="NAME",
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
class PolicySettings:
    """What is about to expire, what is stale, and at which time."""

    dialect: str | None = setting(
        "Which LISA reads the table: before 6.1 (classic), or from 6.1 on (hashed, the default where the table has the "
        "index username-index).",
        parse=parse_dialect,
        choices=("auto", "classic", "hashed"),
        default="auto",
    )
    expiring_within: tuple[int, ...] = setting(
        "How far ahead a token counts as about to expire. Repeatable: the largest is the horizon.",
        metavar="DURATION",
        parse=parse_duration,
        default="30d",
        many=True,
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
class ProtectionSettings:
    """Which rows are never deleted, and how rows are named."""

    protect_user: tuple[str, ...] = setting(
        "Mark rows of these owners as protected from deletion; a shell pattern. Repeatable.", metavar="GLOB", many=True
    )
    protect_system: bool = setting("Mark rows of system tokens as protected from deletion.", is_switch=True)
    fingerprint_key_file: Path | None = setting(
        "A file with a secret for the fingerprints, so that a weak token cannot be guessed from a report.",
        metavar="PATH",
        parse=parse_path,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings:
    """What is said, and where."""

    format: str | None = setting(
        "Report on standard output.", choices=FORMATS, default_words="table on a terminal, json otherwise"
    )
    report: tuple[ReportTarget, ...] = setting(
        "Write a report to a file besides, which appears whole or not at all. Repeatable.",
        metavar="FORMAT=PATH",
        parse=parse_report,
        many=True,
    )
    max_findings: int = setting(
        "How many findings json, table and markdown list at most; ndjson and csv list all.",
        metavar="N",
        parse=parse_count,
        default="10000",
    )
    fail_on: tuple[str, ...] = setting(
        "End with exit code 3 when any row is in this state. Repeatable.", choices=STATES_TO_FAIL_ON, many=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """How much at once, and what it costs."""

    segments: int | None = setting(
        "How many parts of the table are read at once; auto goes by the table's size, 1 to 8.",
        metavar="N|auto",
        parse=parse_segments,
        default="auto",
    )
    read_price: float = setting(
        "Dollars for a million read units, for the report's cost; the default is on demand in us-east-1.",
        metavar="USD",
        parse=parse_price,
        default="0.125",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineSettings:
    """How long."""

    deadline: int | None = setting(
        "End by itself after this time, as after a signal, with exit code 1.",
        metavar="DURATION",
        parse=parse_duration,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings:
    """What a sweep plans, and whether it deletes."""

    delete: bool = setting("Delete what is stale. Without it nothing is: a dry run says what would be.", is_switch=True)
    include: tuple[str, ...] = setting(
        "Plan legacy rows too, once no gate accepts them and the grace is over.", choices=("legacy",), many=True
    )
    plan: Path | None = setting(
        "Keep the plan in this file, for `janitor apply`. It may hold tokens in plain text.",
        metavar="PATH",
        parse=parse_path,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionSettings:
    """How much may be deleted, in which way, and what is kept of it."""

    yes: bool = setting("Do not ask on a terminal.", is_switch=True)
    archive: Path | Folder | S3Prefix | None = setting(
        "Where rows are kept before they are deleted: a new file, a folder (there, or with a slash at its end), or "
        "s3://bucket/prefix/.",
        metavar="PATH|S3",
        parse=parse_archive,
        default_words="a new file in the state directory",
    )
    no_archive: bool = setting("Keep nothing of what is deleted: there is no way back.", is_switch=True)
    max_deletes: int = setting(
        "Refuse to delete when more rows than this are planned.", metavar="N", parse=parse_count, default="1000"
    )
    max_delete_percent: float = setting(
        "Refuse when more than this share of the scanned rows is planned (from 20 rows on), or every row that carries "
        "a date; 100 for neither rule, 0 to let none go.",
        metavar="PERCENT",
        parse=parse_percent,
        default="50",
    )
    max_clock_skew: int = setting(
        "Refuse when the local clock is further off DynamoDB's than this.",
        metavar="DURATION",
        parse=parse_duration,
        default="60s",
    )
    delete_api: str = setting(
        "How rows are deleted: by PartiQL in batches of 25, one by one, or by PartiQL unless that is denied.",
        choices=("auto", "partiql", "item"),
        default="auto",
    )
    write_price: float = setting(
        "Dollars for a million write units, for the report's cost; the default is on demand in us-east-1.",
        metavar="USD",
        parse=parse_price,
        default="0.625",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySettings:
    """How `janitor apply` goes."""

    dry_run: bool = setting("Delete nothing: say what would be.", is_switch=True)
    partial: bool = setting("Take the rows of a plan that was cut off, as far as it goes.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSettings:
    """Which rows of an archive go back."""

    fingerprint: tuple[str, ...] = setting(
        "Put back the row with this fingerprint, or with one that starts so, 6 digits at least. Repeatable.",
        metavar="HEX",
        parse=parse_fingerprint,
        many=True,
    )
    user: tuple[str, ...] = setting("Put back the rows of this owner. Repeatable.", metavar="NAME", many=True)
    all: bool = setting("Put back every row.", is_switch=True)
    dry_run: bool = setting("Put nothing back: say what would be.", is_switch=True)
    format: str | None = setting(
        "What is said on standard output.",
        choices=("table", "json"),
        default_words="table on a terminal, json otherwise",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """How `janitor demo` goes."""

    keep: bool = setting("Leave the embedded DynamoDB running, and print how to use it and end it.", is_switch=True)
    classic: bool = setting("Make the table of a LISA before 6.1: plain-text keys, few attributes.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged on standard error."""

    log_format: str | None = setting(
        "Form of the log lines.", choices=("json", "console"), default_words="console on a terminal, json otherwise"
    )
    log_level: str | None = setting(
        "The least level that is logged.",
        choices=("debug", "info", "warning", "error"),
        default_words="warning on a terminal, info otherwise",
    )


class ScanSettings(NamedTuple):
    """Everything that a scan is told; a sweep is told more."""

    table: TableSettings
    policy: PolicySettings
    protection: ProtectionSettings
    output: OutputSettings
    limits: LimitSettings
    deadline: DeadlineSettings


class ApplyCommand(NamedTuple):
    """Everything that carrying out a plan is told."""

    apply: ApplySettings
    deletion: DeletionSettings
    table: TableSettings
    protection: ProtectionSettings
    output: OutputSettings
    deadline: DeadlineSettings


class RestoreCommand(NamedTuple):
    """Everything that a restore is told."""

    restore: RestoreSettings
    table: TableSettings


APPLY_GROUPS: tuple[type, ...] = tuple(ApplyCommand.__annotations__.values())
RESTORE_GROUPS: tuple[type, ...] = tuple(RestoreCommand.__annotations__.values())
SCAN_GROUPS: tuple[type, ...] = tuple(ScanSettings.__annotations__.values())
