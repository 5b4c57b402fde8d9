"""A user's texts into values. Each parser raises ValueError with a sentence that says what would be right."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FORMATS = ("table", "json", "ndjson", "csv", "markdown")

MAX_SEGMENTS = 256
_WHOLE = 100
_ROLE_ARN = re.compile(r"arn:[a-z0-9-]+:iam::\d{12}:role/[\w+=,.@/-]+").fullmatch
_FINGERPRINT = re.compile(r"[0-9a-f]{6,12}").fullmatch


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
    """A path that is not empty, as that of a shell variable that was never set would be."""
    if not text:
        raise ValueError("an empty text is no path")
    return Path(text)


def parse_archive(text: str) -> "Path | Folder | S3Prefix":
    """A file's path, a folder's, which ends with a slash, or `s3://bucket/prefix/`."""
    if not text.startswith("s3://"):
        if "://" in text:
            raise ValueError(f"{text!r} is neither a path nor s3://bucket/prefix/")
        path = parse_path(text)
        return Folder(path) if text.endswith("/") else path
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not bucket:
        raise ValueError(f"{text!r} names no bucket; write s3://bucket/prefix/")
    return S3Prefix(bucket, prefix)


def parse_fingerprint(text: str) -> str:
    """6 to 12 hex digits."""
    digits = text.lower()
    if not _FINGERPRINT(digits):
        raise ValueError(f"{text!r} is not a fingerprint: 6 to 12 hex digits")
    return digits


def parse_role_arn(text: str) -> str:
    """`arn:partition:iam::account:role/name`, in any partition."""
    if not _ROLE_ARN(text):
        raise ValueError(f"{text!r} is not a role's ARN, like arn:aws:iam::123456789012:role/janitor")
    return text


class Folder(NamedTuple):
    """A folder that may not be there yet."""

    path: Path


@dataclass(frozen=True, slots=True)
class S3Prefix:
    """A place in S3; the prefix stands without a slash at its start."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"
