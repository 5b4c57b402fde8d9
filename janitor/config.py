"""Every setting once: its flag, its environment variable, its default and its help.

A setting is a field of one of the frozen groups below. `--expiring-within` is the field `expiring_within`, the variable
`JANITOR_EXPIRING_WITHIN`, and later the key of a schedule file. `cli/options.py` makes the flags from these fields, so
that there is no second list to keep in step.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from janitor.tokens.duration import parse_duration, parse_time

ENVIRONMENT_PREFIX = "JANITOR_"

FORMATS = ("table", "json", "ndjson", "csv", "markdown")
STATES_TO_FAIL_ON = ("expiring", "expired", "stale", "permanent", "malformed", "legacy")
SSM_PARAMETER = "/prod/prod/lisa/tokenTableName"

MAX_SEGMENTS = 256

_METADATA_KEY = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a field is said on the command line.

    Attributes:
        help: one sentence, without the default and the variable, which are added.
        metavar: what stands for the value in the help.
        parse: turns a text into the value; raises ValueError with a sentence that says what would be right.
        choices: the only texts allowed, when there are few.
        default: the default as a text, as the user would write it; None for none.
        default_words: what the help says about the default where the text alone does not.
        value_if_bare: what the flag means when nothing follows it.
        many: whether it may be given more than once; its values are then separated by spaces in the variable.
        is_switch: whether it takes no value.
    """

    help: str
    metavar: str = "TEXT"
    parse: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    default: str | None = None
    default_words: str | None = None
    value_if_bare: str | None = None
    many: bool = False
    is_switch: bool = False


def _setting(help_: str, **options: Any) -> Any:
    setting = Setting(help=help_, **options)
    if setting.is_switch:
        value: Any = False
    elif setting.default is None:
        value = () if setting.many else None
    else:
        parsed = setting.parse(setting.default)
        value = (parsed,) if setting.many else parsed
    return dataclasses.field(default=value, metadata={_METADATA_KEY: setting})


def settings_of(group: type) -> dict[str, Setting]:
    """The settings of a group by field name, in their order."""
    return {field.name: field.metadata[_METADATA_KEY] for field in dataclasses.fields(group)}


class ReportTarget(NamedTuple):
    """One --report: a format and the path it goes to."""

    format: str
    path: Path


def parse_report(text: str) -> ReportTarget:
    """`FORMAT=PATH`.

    Raises:
        ValueError: there is no such format, or no path.
    """
    name, equals, path = text.partition("=")
    if not equals or not path:
        raise ValueError(f"{text!r} is not FORMAT=PATH, for example json=report.json")
    if name not in FORMATS:
        raise ValueError(f"{name!r} is not a format; choose from {', '.join(FORMATS)}")
    if "://" in path:
        raise ValueError(f"{path!r} is not a path of this machine; reports go to files")
    return ReportTarget(name, Path(path))


def parse_segments(text: str) -> int | None:
    """A number of segments, 1 to 256, or None for `auto`. Each is a thread: more would only wait for each other.

    Raises:
        ValueError: the text is neither.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_SEGMENTS:
        raise ValueError(f"{text!r} is neither 'auto' nor a number from 1 to {MAX_SEGMENTS}")
    return int(text)


def parse_count(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a whole number from 0")
    return int(text)


def parse_price(text: str) -> float:
    """Dollars, from 0."""
    try:
        price = float(text)
    except ValueError:
        price = -1.0
    if not 0 <= price < float("inf"):
        raise ValueError(f"{text!r} is not an amount of dollars from 0")
    return price


def parse_dialect(text: str) -> str | None:
    """`classic`, `hashed`, or None for `auto`."""
    return None if text == "auto" else text


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """Which table, and how to reach it."""

    table: str | None = _setting("The table's name.", metavar="NAME")
    deployment: str | None = _setting(
        "LISA's deployment name: tries NAME-LISAApiBaseTokenTable, NAME-LISAApiTokenTable and LISAApiTokenTable.",
        metavar="NAME",
    )
    ssm_parameter: str | None = _setting(
        f"The parameter that holds the table's name, as LISA 6 keeps it; without PATH {SSM_PARAMETER}.",
        metavar="[PATH]",
        value_if_bare=SSM_PARAMETER,
    )
    region: str | None = _setting("AWS region.", metavar="NAME", default_words="as in the AWS CLI")
    profile: str | None = _setting(
        "Profile of the AWS configuration.", metavar="NAME", default_words="as in the AWS CLI"
    )
    role_arn: str | None = _setting("Role to assume for everything the run asks of AWS.", metavar="ARN")
    endpoint_url: str | None = _setting(
        "Endpoint for every service, as AWS_ENDPOINT_URL; AWS_ENDPOINT_URL_DYNAMODB and its like still win.",
        metavar="URL",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """What is about to expire, what is stale, and at which time."""

    dialect: str | None = _setting(
        "Which LISA reads the table: before 6.1 (classic), or from 6.1 on (hashed, the default where the table has the "
        "index username-index).",
        parse=parse_dialect,
        choices=("auto", "classic", "hashed"),
        default="auto",
    )
    expiring_within: tuple[int, ...] = _setting(
        "How far ahead a token counts as about to expire. Repeatable: the largest is the horizon.",
        metavar="DURATION",
        parse=parse_duration,
        default="30d",
        many=True,
    )
    grace: int = _setting(
        "How long an expired token is kept before it counts as stale.",
        metavar="DURATION",
        parse=parse_duration,
        default="7d",
    )
    as_of: int | None = _setting(
        "Judge the rows as of this time: ISO 8601 or UNIX seconds.",
        metavar="TIME",
        parse=parse_time,
        default_words="now",
    )
    protect_user: tuple[str, ...] = _setting(
        "Mark rows of these owners as protected from deletion; a shell pattern. Repeatable.", metavar="GLOB", many=True
    )
    protect_system: bool = _setting("Mark rows of system tokens as protected from deletion.", is_switch=True)
    fingerprint_key_file: Path | None = _setting(
        "A file with a secret for the fingerprints, so that a weak token cannot be guessed from a report.",
        metavar="PATH",
        parse=Path,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings:
    """What is said, and where."""

    format: str | None = _setting(
        "Report on standard output.", choices=FORMATS, default_words="table on a terminal, json otherwise"
    )
    report: tuple[ReportTarget, ...] = _setting(
        "Write a report to a file besides, which appears whole or not at all. Repeatable.",
        metavar="FORMAT=PATH",
        parse=parse_report,
        many=True,
    )
    max_findings: int = _setting(
        "How many findings json, table and markdown list at most; ndjson and csv list all.",
        metavar="N",
        parse=parse_count,
        default="10000",
    )
    fail_on: tuple[str, ...] = _setting(
        "End with exit code 3 when any row is in this state. Repeatable.", choices=STATES_TO_FAIL_ON, many=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """How much at once, and what it costs."""

    segments: int | None = _setting(
        "How many parts of the table are read at once; auto goes by the table's size, 1 to 8.",
        metavar="N|auto",
        parse=parse_segments,
        default="auto",
    )
    read_price: float = _setting(
        "Dollars for a million read units, for the report's cost; the default is on demand in us-east-1.",
        metavar="USD",
        parse=parse_price,
        default="0.125",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """How `janitor demo` goes."""

    keep: bool = _setting("Leave the embedded DynamoDB running, and print how to use it and end it.", is_switch=True)
    classic: bool = _setting("Make the table of a LISA before 6.1: plain-text keys, few attributes.", is_switch=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged on standard error."""

    log_format: str | None = _setting(
        "Form of the log lines.", choices=("json", "console"), default_words="console on a terminal, json otherwise"
    )
    log_level: str = _setting(
        "The least level that is logged.", choices=("debug", "info", "warning", "error"), default="info"
    )
