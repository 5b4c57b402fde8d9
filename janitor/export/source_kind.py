"""Detect the kind of a source from its first bytes, never from its name."""

import re
from enum import Enum

import msgspec

from janitor.errors import ConfigurationError


class SourceKind(Enum):
    """The kind of a source."""

    MANIFEST = "manifest"
    DUMP = "dump"
    ARRAY = "array"
    WRAPPED_LINES = "wrapped lines"
    BARE_LINES = "bare lines"


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Amazon Ion as text, and as binary.
_ION = (b"$ion_1_0", b"\xe0\x01\x00\xea")
_SPACE = b" \t\r\n"

_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# An answer of Scan. A row may have an attribute with such a name, but its value would be an object.
_DUMP = re.compile(
    rb'\{\s*"(?:Items"\s*:\s*\[|(?:Count|ScannedCount)"\s*:\s*\d|(?:ConsumedCapacity|NextToken|LastEvaluatedKey)")'
)
_WRAPPED_ROW = re.compile(rb'\{\s*"Item"\s*:\s*\{')
_MANIFEST_KEYS = frozenset({"exportArn", "manifestFilesS3Key", "dataFileS3Key"})
_INCREMENT_KEYS = frozenset({"Metadata", "Keys", "NewImage", "OldImage"})
_WAY_OUT = (
    "give the folder of an export to S3 in DYNAMODB_JSON, the output of `aws dynamodb scan --output json`, or a file "
    "with one row of DynamoDB JSON a line"
)


def detect_kind(head: bytes, name: str) -> SourceKind:
    """Detect the kind of a source.

    Args:
        head: its first megabyte, decompressed; all of it if it is shorter.
        name: its name in errors.

    Raises:
        ConfigurationError: it is not a source, or of a kind that janitor does not read.
    """
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip(_SPACE)
    if not text:
        raise ConfigurationError(f"{name} is empty", "check whether the program that writes it failed", "source-empty")
    _check_encoding(text, name)
    if text.startswith(b"["):
        return SourceKind.ARRAY
    keys = _keys_of(text.partition(b"\n")[0]) or _keys_of(text)
    if keys & _MANIFEST_KEYS:
        return SourceKind.MANIFEST
    if "token" in keys:
        return SourceKind.BARE_LINES
    if keys & _INCREMENT_KEYS:
        raise ConfigurationError(
            f"{name} belongs to an incremental export, which holds only the changes of some time",
            "make a full export",
            "source-incremental",
        )
    if "Items" in keys or _DUMP.match(text):
        return SourceKind.DUMP
    if "Item" in keys or _WRAPPED_ROW.match(text):
        return SourceKind.WRAPPED_LINES
    raise ConfigurationError(f"{name} is not a source of rows", _WAY_OUT, "source-kind")


def _keys_of(text: bytes) -> frozenset[str]:
    """Return the keys of a JSON object; none if the text is not exactly one object."""
    try:
        return frozenset(_KEYS.decode(text))
    except (ValueError, RecursionError):
        return frozenset()


def _check_encoding(text: bytes, name: str) -> None:
    if text.startswith(_UTF_16):
        raise ConfigurationError(
            f"{name} is in UTF-16, as `>` of an older PowerShell writes it", "write it as UTF-8", "source-encoding"
        )
    if text.startswith(_ION):
        raise ConfigurationError(
            f"{name} belongs to an export in the format ION",
            "make one with --export-format DYNAMODB_JSON",
            "source-format",
        )
