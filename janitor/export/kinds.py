"""Which kind of source some bytes are the start of: told by what is in them, never by a name."""

import re
from enum import Enum

import msgspec

from janitor.errors import ConfigurationError


class SourceKind(Enum):
    """What a source is."""

    MANIFEST = "manifest"
    DUMP = "dump"
    ARRAY = "array"
    WRAPPED_LINES = "wrapped lines"
    BARE_LINES = "bare lines"


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Ion as text, and as binary.
_ION = (b"$ion_1_0", b"\xe0\x01\x00\xea")
_SPACE = b" \t\r\n"

_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# An answer of Scan; a row may have an attribute of such a name, but its value is an object.
_DUMP = re.compile(
    rb'\{\s*"(?:Items"\s*:\s*\[|(?:Count|ScannedCount)"\s*:\s*\d|(?:ConsumedCapacity|NextToken|LastEvaluatedKey)")'
)
_WRAPPED_ROW = re.compile(rb'\{\s*"Item"\s*:\s*\{')
_OF_MANIFEST = frozenset({"exportArn", "manifestFilesS3Key", "dataFileS3Key"})
_OF_INCREMENT = frozenset({"Metadata", "Keys", "NewImage", "OldImage"})
_WAY_OUT = (
    "give an export to S3 in DYNAMODB_JSON (its folder), what `aws dynamodb scan --output json` prints, or a row of "
    "DynamoDB's JSON a line"
)


def kind_of(head: bytes, name: str) -> SourceKind:
    """The kind of a source.

    Args:
        head: its first megabyte, unzipped; all of it where it is shorter.
        name: what an error calls it.

    Raises:
        ConfigurationError: it is none, or one that janitor does not read.
    """
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip(_SPACE)
    if not text:
        raise ConfigurationError(f"{name} is empty", "see whether what was to write it has failed", "source-empty")
    _check_encoding(text, name)
    if text.startswith(b"["):
        return SourceKind.ARRAY
    keys = _keys_of(text.partition(b"\n")[0]) or _keys_of(text)
    if keys & _OF_MANIFEST:
        return SourceKind.MANIFEST
    if "token" in keys:
        return SourceKind.BARE_LINES
    if keys & _OF_INCREMENT:
        raise ConfigurationError(
            f"{name} is of an incremental export, which holds the changes of a while and not the table",
            "make a full one",
            "source-incremental",
        )
    if "Items" in keys or _DUMP.match(text):
        return SourceKind.DUMP
    if "Item" in keys or _WRAPPED_ROW.match(text):
        return SourceKind.WRAPPED_LINES
    raise ConfigurationError(f"{name} is no source of rows", _WAY_OUT, "source-kind")


def _keys_of(text: bytes) -> frozenset[str]:
    """The keys of an object; none where the text is not just one."""
    try:
        return frozenset(_KEYS.decode(text))
    except (ValueError, RecursionError):
        return frozenset()


def _check_encoding(text: bytes, name: str) -> None:
    if text.startswith(_UTF_16):
        raise ConfigurationError(
            f"{name} is UTF-16, as an older PowerShell's `>` writes it", "write it as UTF-8", "source-encoding"
        )
    if text.startswith(_ION):
        raise ConfigurationError(
            f"{name} is of an export in the format ION", "make one with --export-format DYNAMODB_JSON", "source-format"
        )
