"""An export to S3 (DYNAMODB_JSON): its manifest, and the parts that the manifest names.

    …/AWSDynamoDB/ID/manifest-summary.json        which table, when, how many rows in all
    …/AWSDynamoDB/ID/manifest-files.json          a line for each part: its key, its rows, its MD5
    …/AWSDynamoDB/ID/data/NAME.json.gz            a line for each row: {"Item":{…}}

The manifest holds the parts' full keys in the bucket of the export. janitor looks for them by their names, next to the
manifest, so that a copy on disk or in another bucket reads like the original. `md5Checksum` is that of the part as it
is stored (in the developer guide's example, hashing it once more, as S3 does for a multipart upload, gives the `etag`).
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import ConfigurationError, SourceError
from janitor.export.decompress import decompress
from janitor.export.lines import read_line_pages
from janitor.export.places import SourcePlace

SUMMARY = "manifest-summary.json"
_FILES = "manifest-files.json"
_JSON = "DYNAMODB_JSON"
_FULL = "FULL_EXPORT"
_MAX_MANIFEST_BYTES = 64 * 1024 * 1024
_COPY = "copy the whole folder of the export again"


class ExportSummary(msgspec.Struct, frozen=True):
    """The parts of the summary that are used here. Times are ISO 8601."""

    item_count: int = msgspec.field(name="itemCount")
    output_format: str = msgspec.field(name="outputFormat")
    table_arn: str = msgspec.field(name="tableArn", default="")
    export_time: str | None = msgspec.field(name="exportTime", default=None)
    export_type: str | None = msgspec.field(name="exportType", default=None)
    from_time: str | None = msgspec.field(name="exportFromTime", default=None)


class ExportPart(msgspec.Struct, frozen=True):
    """The line of one part. `md5` is in Base64."""

    key: str = msgspec.field(name="dataFileS3Key")
    item_count: int = msgspec.field(name="itemCount")
    md5: str | None = msgspec.field(name="md5Checksum", default=None)

    @property
    def name(self) -> str:
        """The part's path from the folder of the manifest."""
        return f"data/{self.key.rpartition('/')[2]}"


_SUMMARY = msgspec.json.Decoder(ExportSummary)
_PART = msgspec.json.Decoder(ExportPart)
_Decoded = TypeVar("_Decoded")


@dataclass(frozen=True, slots=True)
class Export:
    """A whole export.

    Attributes:
        place: where its summary is.
        summary, parts: the content of its manifest.
    """

    place: SourcePlace
    summary: ExportSummary
    parts: tuple[ExportPart, ...]

    def pages(self) -> Iterator[Page]:
        """Read the rows of every part.

        Raises:
            SourceError: a part is missing, truncated or damaged.
            AwsError: S3 refused.
        """
        for part in self.parts:
            yield from _read_part(self.place.sibling(part.name), part)


def open_export(place: SourcePlace) -> Export:
    """Read an export's manifest, but none of its parts.

    Args:
        place: where the summary is, or any file in the same folder.

    Raises:
        ConfigurationError: it belongs to another kind of export, or is damaged, or a part does not exist.
        AwsError: S3 refused.
    """
    place = place.sibling(SUMMARY)
    summary = _decode(_SUMMARY, _read(place), place)
    _check_kind(summary, place)
    files = place.sibling(_FILES)
    lines = [line for line in _read(files).splitlines() if line.strip()]
    parts = tuple(_decode(_PART, line, files) for line in lines)
    _check_parts(summary, parts, files)
    return Export(place, summary, parts)


def _read(place: SourcePlace) -> bytes:
    content = b""
    for chunk in place.chunks():
        content += chunk
        if len(content) > _MAX_MANIFEST_BYTES:
            raise ConfigurationError(f"{place.name} is longer than the manifest of any export", "check --source")
    return content


def _decode(decoder: "msgspec.json.Decoder[_Decoded]", content: bytes, place: SourcePlace) -> _Decoded:
    try:
        return decoder.decode(content)
    except (ValueError, RecursionError) as error:
        sentence = f"{place.name} is not a manifest of an export to S3: {error}"
        raise ConfigurationError(sentence, _COPY, "source-manifest") from None


def _check_kind(summary: ExportSummary, place: SourcePlace) -> None:
    if summary.export_type not in (None, _FULL) or summary.from_time is not None:
        raise ConfigurationError(
            f"{place.name} belongs to an incremental export, which holds only the changes of some time",
            "make a full export",
            "source-incremental",
        )
    if summary.output_format != _JSON:
        raise ConfigurationError(
            f"{place.name} belongs to an export in the format {summary.output_format}",
            f"make one with --export-format {_JSON}",
            "source-format",
        )


def _check_parts(summary: ExportSummary, parts: tuple[ExportPart, ...], files: SourcePlace) -> None:
    rows = sum(part.item_count for part in parts)
    if rows != summary.item_count or len({part.name for part in parts}) < len(parts):
        sentence = f"{files.name} names parts with {rows:,} rows in all, but the export has {summary.item_count:,}"
        raise ConfigurationError(sentence, _COPY, "source-manifest")
    missing = [part.name for part in parts if not files.sibling(part.name).exists()]
    if missing:
        sentence = (
            f"{len(missing):,} of the export's {len(parts):,} parts are missing: {files.sibling(missing[0]).name}"
        )
        raise ConfigurationError(sentence, _COPY, "source-part")


def _read_part(place: SourcePlace, part: ExportPart) -> Iterator[Page]:
    checksum, rows = hashlib.md5(usedforsecurity=False), 0

    def read_chunks() -> Iterator[bytes]:
        for chunk in place.chunks():
            checksum.update(chunk)
            yield chunk

    for page in read_line_pages(decompress(read_chunks(), place.name), place.name, is_wrapped=True):
        rows += page.count
        yield page
    if part.md5 is not None and base64.b64encode(checksum.digest()).decode() != part.md5:
        raise SourceError(f"{place.name} is damaged: its MD5 differs from the manifest's", _COPY, "source-damaged")
    if rows != part.item_count:
        sentence = f"{place.name} holds {rows:,} rows, but the manifest says {part.item_count:,}"
        raise SourceError(sentence, _COPY, "source-cut-short")
