"""Parsers from a user's text to a value. Each raises ValueError with a sentence that says what would be right."""

import datetime as dt
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from janitor.tokens.dialect import Gate

FORMATS = ("table", "json", "ndjson", "csv", "markdown", "html", "ics", "xlsx")
# On standard output: no report.
NO_REPORT = "none"

# The placeholders of a report's place.
KEY_PLACEHOLDERS = ("{table}", "{region}", "{account}", "{date}", "{run_id}")
# Two places in one text: a space, comma or semicolon does not separate them.
_NEXT_REPORT = re.compile(rf"[ ,;](?:{'|'.join(FORMATS)})=").search
_NEXT_METRICS = re.compile(r"[ ,;](?:emf$|prometheus=)").search
_NEXT_URL = re.compile(r"[\s,;](?:[A-Za-z][A-Za-z0-9+.-]*://|file:)").search
_EACH = "repeat the option, or write the variable as one a line or as a JSON array"
_BRACED = re.compile(r"(\{[^{}]*\})")

MAX_THREADS = 256
MAX_WORKERS = 256
# The most that Scan takes (Amazon DynamoDB API Reference, TotalSegments).
MAX_SEGMENTS = 1_000_000
_WHOLE = 100
_ROLE_ARN = re.compile(r"arn:[a-z0-9-]+:iam::\d{12}:role/[\w+=,.@/-]+").fullmatch
_TOPIC_ARN = re.compile(r"arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?").fullmatch
# A row's name has a hyphen and six more digits.
_FINGERPRINT = re.compile(r"[0-9a-f]{6,12}|[0-9a-f]{12}-[0-9a-f]{6}").fullmatch
_FINGERPRINT_PATTERN = re.compile(r"[0-9a-f]{12}(?:-[0-9a-f]{6})?|(?=[^*?\[]*[*?\[])[0-9a-f*?\[\]!-]{1,60}").fullmatch
# A table's name, as DynamoDB allows it (TableName, Amazon DynamoDB API Reference).
is_table_name = re.compile(r"[A-Za-z0-9_.-]{3,255}").fullmatch
_LEASE_HOLDER = re.compile(r"[A-Za-z0-9._:-]{1,128}").fullmatch
# Units a second. At this rate a row of 400 KB takes half a day.
_MIN_UNITS = 0.001


def parse_usage_table(text: str) -> str:
    """The name of LISA's usage table, or with a `/` at its start of the parameter that holds it.

    Raises:
        ValueError: DynamoDB allows no such name.
    """
    if not text.startswith("/") and not is_table_name(text):
        raise ValueError(
            f"{text!r} is neither a table's name (3 to 255 letters, digits, _ . or -) nor a parameter's (/…)"
        )
    return text


class S3Key(NamedTuple):
    """An object in S3; the key may contain placeholders."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class ReportTarget(NamedTuple):
    """One --report: a format and where it goes."""

    format: str
    place: Path | S3Key

    def __str__(self) -> str:
        return f"{self.format}={self.place}"


def parse_report(text: str) -> ReportTarget:
    """`FORMAT=PATH` or `FORMAT=s3://bucket/key`.

    Raises:
        ValueError: there is no such format, or no path.
    """
    name, equals, place = text.partition("=")
    if not equals or not place:
        raise ValueError(f"{text!r} is not FORMAT=PATH, for example json=report.json")
    if _NEXT_REPORT(place):
        raise ValueError(f"{text!r} holds several values; {_EACH}")
    if name not in FORMATS:
        raise ValueError(f"{name!r} is not a format; choose from {', '.join(FORMATS)}")
    if place.startswith("s3://"):
        return ReportTarget(name, _parse_s3_key(place))
    if "://" in place:
        raise ValueError(f"{place!r} is neither a path nor s3://bucket/key")
    if place == "-":
        raise ValueError(f"--report writes files; --format {name} is for standard output")
    return ReportTarget(name, Path(place))


def _parse_s3_key(text: str) -> S3Key:
    bucket, _, key = text.removeprefix("s3://").partition("/")
    if not bucket or not key or key.endswith("/"):
        raise ValueError(f"{text!r} is not s3://bucket/key, for example s3://reports/{{table}}/{{date}}.json")
    expand_key(key, _NOWHERE)
    return S3Key(bucket, key)


class Placeholders(NamedTuple):
    """The values of the placeholders: the table's name, region and account, the run's date in UTC and its id."""

    table: str
    region: str
    account: str
    date: dt.date
    run_id: str


_NOWHERE = Placeholders("", "", "", dt.date.min, "")


def expand_key(pattern: str, placeholders: Placeholders) -> str:
    """Fill in the placeholders of a key; `{date}` becomes YYYY-MM-DD.

    Raises:
        ValueError: the key contains an unknown placeholder, or a single brace.
    """
    values = _list_values(placeholders)
    return "".join(_expand_part(part, values, pattern) for part in _BRACED.split(pattern))


def expand_path(pattern: Path, placeholders: Placeholders) -> Path:
    """Fill in the placeholders of a path; any other brace is part of the name."""
    values = _list_values(placeholders)
    return Path("".join(values.get(part, part) for part in _BRACED.split(str(pattern))))


def _list_values(placeholders: Placeholders) -> dict[str, str]:
    return {f"{{{name}}}": str(value) for name, value in placeholders._asdict().items()}


def _expand_part(part: str, values: dict[str, str], pattern: str) -> str:
    if part in values:
        return values[part]
    if "{" in part or "}" in part:
        fault = f"{part} is none of them" if _BRACED.fullmatch(part) else "a single brace is not allowed"
        raise ValueError(f"{pattern!r}: the placeholders of a key are {', '.join(KEY_PLACEHOLDERS)}; {fault}")
    return part


class MetricsTarget(NamedTuple):
    """One --metrics: `emf`, or `prometheus` and the file it goes to."""

    format: str
    path: Path | None


def parse_metrics(text: str) -> MetricsTarget:
    """`emf` or `prometheus=PATH`."""
    name, _, path = text.partition("=")
    if _NEXT_METRICS(path):
        raise ValueError(f"{text!r} holds several values; {_EACH}")
    if name == "emf" and not path:
        return MetricsTarget(name, None)
    if name == "prometheus" and path:
        return MetricsTarget(name, Path(path))
    raise ValueError(f"{text!r} is neither emf nor prometheus=PATH")


def parse_segments(text: str) -> int | None:
    """A number of segments, from 1, or None for `auto`.

    Raises:
        ValueError: the text is neither.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_SEGMENTS:
        raise ValueError(f"{text!r} is neither 'auto' nor a number from 1 to {MAX_SEGMENTS}")
    return int(text)


def parse_workers(text: str) -> int | None:
    """A number of processes, 1 to 256, or None for `auto`.

    Raises:
        ValueError: the text is neither.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_WORKERS:
        raise ValueError(f"{text!r} is neither 'auto' nor a number from 1 to {MAX_WORKERS}")
    return int(text)


def parse_scheduler(text: str) -> str:
    """The address of a Dask scheduler.

    Raises:
        ValueError: it is not one.
    """
    parts = urlsplit(text)
    try:
        is_address = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        is_address = False
    if not is_address or parts.path or parts.query or "@" in text:
        raise ValueError(f"{text!r} is not the address of a Dask scheduler; write tcp://HOST:PORT, or tls://HOST:PORT")
    return text


def parse_job(text: str) -> str:
    """A printable name that is not only white space."""
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{text!r} is not a name: it must be printable text")
    return text.strip()


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


def parse_units(text: str) -> float | None:
    """Units a second, at least 0.001; `inf` for `none`, None for `auto`.

    Raises:
        ValueError: the text is none of these.
    """
    if text == "auto":
        return None
    if text == "none":
        return math.inf
    try:
        units = float(text)
    except ValueError:
        units = 0.0
    if not _MIN_UNITS <= units < math.inf:
        raise ValueError(f"{text!r} is neither a number of units from {_MIN_UNITS}, nor 'none', nor 'auto'")
    return units


def parse_dialect(text: str) -> str | None:
    """`classic`, `hashed`, or None for `auto`."""
    return None if text == "auto" else text


def parse_gates(text: str) -> tuple[Gate, ...]:
    """`api,workbench` or `api`."""
    return tuple(map(Gate, text.split(",")))


def parse_percent(text: str) -> float:
    """0 to 100, without a sign."""
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= _WHOLE:
        raise ValueError(f"{text!r} is not a percentage from 0 to 100")
    return percent


def parse_path(text: str) -> Path:
    """A path. An empty one is refused: it may come from a shell variable that was never set."""
    if not text:
        raise ValueError("the path is empty")
    return Path(text)


def parse_owner(text: str) -> str:
    """A user's name, or a pattern for names. An empty one may come from a shell variable that was never set.

    Raises:
        ValueError: the text is empty, or is not UTF-8, as every name in DynamoDB is.
    """
    if not text.strip():
        raise ValueError("the name is empty")
    if not text.isascii() and text.encode(errors="ignore").decode() != text:
        raise ValueError(f"{text!a} is not UTF-8")
    return text


def parse_deployment(text: str) -> str:
    """The name of a deployment. An empty one may come from a shell variable that was never set."""
    if not text.strip():
        raise ValueError("the name is empty")
    return text


def parse_archive(text: str) -> "Path | Folder | S3Prefix":
    """The path of a file, the path of a folder (with a slash at its end), or `s3://bucket/prefix/`."""
    if not text.startswith("s3://"):
        if "://" in text:
            raise ValueError(f"{text!r} is neither a path nor s3://bucket/prefix/")
        path = parse_path(text)
        return Folder(path) if text.endswith("/") else path
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not bucket:
        raise ValueError(f"{text!r} names no bucket; write s3://bucket/prefix/")
    return S3Prefix(bucket, prefix)


def parse_source(text: str) -> "Path | S3Prefix | Literal['-']":
    """A path, `s3://bucket/key` or `s3://bucket/prefix/`, or `-` for standard input."""
    if text == "-":
        return "-"
    if "://" in text and not text.startswith("s3://"):
        raise ValueError(f"{text!r} is neither a path nor s3://bucket/key nor -")
    place = parse_archive(text)
    return place.path if isinstance(place, Folder) else place


def parse_fingerprint(text: str) -> str:
    """6 to 12 hex digits, or a row's name such as `3f0c9a1b2d4e-7b21c0`, as any report prints them, CSV too.

    Raises:
        ValueError: the text is neither. The message does not repeat it, because it may be a token.
    """
    name = strip_csv_mark(text).lower()
    if not _FINGERPRINT(name):
        raise ValueError(
            "this is neither a fingerprint (6 to 12 hex digits) nor a row's name (like 3f0c9a1b2d4e-7b21c0)"
        )
    return name


def parse_fingerprint_pattern(text: str) -> str:
    """A shell pattern for fingerprints and row names; without wildcards, one of them in full.

    Raises:
        ValueError: no fingerprint and no row name matches it. The message does not repeat it, because it may be a
            token.
    """
    pattern = strip_csv_mark(text).lower()
    if not _FINGERPRINT_PATTERN(pattern):
        raise ValueError(
            "this is neither a whole fingerprint (12 hex digits) nor a row's name (like 3f0c9a1b2d4e-7b21c0) nor a "
            "pattern for them (like 3f0c*)"
        )
    return pattern


def strip_csv_mark(text: str) -> str:
    """A name without the mark that `janitor.report.formats.csv` puts before it."""
    return text.strip().removeprefix("_")


def parse_lease_holder(text: str) -> str:
    """The name under which all attempts of one piece of work hold the lease."""
    if not _LEASE_HOLDER(text):
        raise ValueError(f"{text!r} cannot name the holder of a lease; give 1 to 128 letters, digits or . _ : -")
    return text


def parse_topic_arn(text: str) -> str:
    """`arn:partition:sns:region:account:name`, in any partition; the name of a FIFO topic ends with `.fifo`."""
    if not _TOPIC_ARN(text):
        raise ValueError(f"{text!r} is not a topic's ARN, like arn:aws:sns:eu-central-1:123456789012:tokens")
    return text


@dataclass(frozen=True, slots=True)
class NotifyUrl:
    """One --notify: the URL of a service of Apprise. It is a secret, so it is never shown."""

    text: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.text.partition(':')[0]}://[removed]"


@dataclass(frozen=True, slots=True)
class NotifyFile:
    """One --notify: a file with URLs."""

    path: Path

    def __str__(self) -> str:
        return f"file:{self.path}"


def parse_notify(text: str) -> NotifyUrl | NotifyFile:
    """A URL of Apprise, or `file:PATH`.

    Raises:
        ValueError: the text is neither. The message does not repeat it, because it may contain a secret.
    """
    if text.startswith("file:") and not text.startswith("file://") and text != "file:":
        return NotifyFile(Path(text.removeprefix("file:")))
    scheme, separator, rest = text.partition("://")
    if not separator or not rest or not re.fullmatch("[A-Za-z][A-Za-z0-9+.-]*", scheme):
        raise ValueError("this is neither a URL of Apprise, like slack://… or mailto://…, nor file:PATH")
    if _NEXT_URL(rest):
        raise ValueError(f"this holds several URLs; {_EACH}")
    return NotifyUrl(text)


def parse_owner_address(text: str) -> str:
    """A template with `{username}`, or the path of a file.

    Raises:
        ValueError: it looks like a template without the placeholder, or has another one.
    """
    if "{username}" in text:
        rest = text.replace("{username}", "")
        if "{" in rest or "}" in rest:
            raise ValueError(f"{text!r} has another placeholder than {{username}}")
        return text
    if not text or "@" in text:
        raise ValueError(f"{text!r} is neither a template like {{username}}@example.com nor a file username,address")
    return text


def parse_heartbeat_url(text: str) -> str:
    """`http://` or `https://`, a host, and whatever path the monitor wants.

    Raises:
        ValueError: the text is not such a URL. The message does not repeat it, because it may contain a secret.
    """
    if not _is_url(text):
        raise ValueError("this is not a URL like https://hc-ping.com/UUID: it needs http or https, and a host")
    return text


def _is_url(text: str) -> bool:
    if not (text.isascii() and text.isprintable()) or " " in text:
        return False
    try:
        parts = urlsplit(text)
        is_port = parts.port != 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and is_port


def parse_role_arn(text: str) -> str:
    """`arn:partition:iam::account:role/name`, in any partition."""
    if not _ROLE_ARN(text):
        raise ValueError(f"{text!r} is not a role's ARN, like arn:aws:iam::123456789012:role/janitor")
    return text


class Folder(NamedTuple):
    """A folder that may not exist yet."""

    path: Path


class S3Prefix(msgspec.Struct, frozen=True):
    """A place in S3; the prefix has no slash at its start."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"
