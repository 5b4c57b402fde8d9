"""An export to S3 (DYNAMODB_JSON): its manifest, and the parts that this names.

    …/AWSDynamoDB/ID/manifest-summary.json        which table, when, how many rows in all
    …/AWSDynamoDB/ID/manifest-files.json          a line a part: its key, its rows, its MD5
    …/AWSDynamoDB/ID/data/NAME.json.gz            a line a row: {"Item":{…}}

The manifest has the parts' full keys in the bucket that the export went to. They are looked for beside it, by their
names, so that a copy on disk or in another bucket reads like the original. `md5Checksum` is of the part as it is stored
(that of the developer guide's example, hashed once more as S3 does for an upload in parts, gives the example's `etag`).
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import ConfigurationError, SourceError
from janitor.export.lines import pages_of_lines
from janitor.export.places import SourcePlace
from janitor.export.unzipped import unzipped

SUMMARY = "manifest-summary.json"
_FILES = "manifest-files.json"
_JSON = "DYNAMODB_JSON"
_FULL = "FULL_EXPORT"
_MOST_BYTES = 64 * 1024 * 1024
_COPY = "copy the export's folder anew, all of it"


class ExportSummary(msgspec.Struct, frozen=True):
    """The summary, as far as it matters here. Times are ISO 8601."""

    item_count: int = msgspec.field(name="itemCount")
    output_format: str = msgspec.field(name="outputFormat")
    table_arn: str = msgspec.field(name="tableArn", default="")
    export_time: str | None = msgspec.field(name="exportTime", default=None)
    export_type: str | None = msgspec.field(name="exportType", default=None)
    from_time: str | None = msgspec.field(name="exportFromTime", default=None)


class ExportPart(msgspec.Struct, frozen=True):
    """One part's line. `md5` is in base64."""

    key: str = msgspec.field(name="dataFileS3Key")
    item_count: int = msgspec.field(name="itemCount")
    md5: str | None = msgspec.field(name="md5Checksum", default=None)

    @property
    def name(self) -> str:
        """Where it is from the manifest."""
        return f"data/{self.key.rpartition('/')[2]}"


_SUMMARY = msgspec.json.Decoder(ExportSummary)
_PART = msgspec.json.Decoder(ExportPart)
_Decoded = TypeVar("_Decoded")


@dataclass(frozen=True, slots=True)
class Export:
    """A whole export.

    Attributes:
        place: its summary's.
        summary, parts: what its manifest says.
    """

    place: SourcePlace
    summary: ExportSummary
    parts: tuple[ExportPart, ...]

    def pages(self) -> Iterator[Page]:
        """The rows of every part.

        Raises:
            SourceError: a part is missing, cut short or damaged.
            AwsError: S3 refused.
        """
        for part in self.parts:
            yield from _pages(self.place.beside(part.name), part)


def export_at(place: SourcePlace) -> Export:
    """Read the manifest whose summary, or any file beside it, this is; nothing of the parts.

    Raises:
        ConfigurationError: it is that of another kind of export, or it is damaged, or a part is not there.
        AwsError: S3 refused.
    """
    place = place.beside(SUMMARY)
    summary = _decoded(_SUMMARY, _content(place), place)
    _check_kind(summary, place)
    files = place.beside(_FILES)
    lines = [line for line in _content(files).splitlines() if line.strip()]
    parts = tuple(_decoded(_PART, line, files) for line in lines)
    _check_parts(summary, parts, files)
    return Export(place, summary, parts)


def _content(place: SourcePlace) -> bytes:
    content = b""
    for chunk in place.chunks():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise ConfigurationError(f"{place.name} is longer than the manifest of any export", "check --source")
    return content


def _decoded(decoder: "msgspec.json.Decoder[_Decoded]", content: bytes, place: SourcePlace) -> _Decoded:
    try:
        return decoder.decode(content)
    except (ValueError, RecursionError) as error:
        sentence = f"{place.name} is no manifest of an export to S3: {error}"
        raise ConfigurationError(sentence, _COPY, "source-manifest") from None


def _check_kind(summary: ExportSummary, place: SourcePlace) -> None:
    if summary.export_type not in (None, _FULL) or summary.from_time is not None:
        raise ConfigurationError(
            f"{place.name} is of an incremental export, which holds the changes of a while and not the table",
            "make a full one",
            "source-incremental",
        )
    if summary.output_format != _JSON:
        raise ConfigurationError(
            f"{place.name} is of an export in the format {summary.output_format}",
            f"make one with --export-format {_JSON}",
            "source-format",
        )


def _check_parts(summary: ExportSummary, parts: tuple[ExportPart, ...], files: SourcePlace) -> None:
    rows = sum(part.item_count for part in parts)
    if rows != summary.item_count or len({part.name for part in parts}) < len(parts):
        sentence = f"{files.name} names parts of {rows:,} rows, and the export has {summary.item_count:,}"
        raise ConfigurationError(sentence, _COPY, "source-manifest")
    missing = [part.name for part in parts if not files.beside(part.name).is_there()]
    if missing:
        sentence = (
            f"{len(missing):,} of the export's {len(parts):,} parts are not there: {files.beside(missing[0]).name}"
        )
        raise ConfigurationError(sentence, _COPY, "source-part")


def _pages(place: SourcePlace, part: ExportPart) -> Iterator[Page]:
    checksum, rows = hashlib.md5(usedforsecurity=False), 0

    def summed() -> Iterator[bytes]:
        for chunk in place.chunks():
            checksum.update(chunk)
            yield chunk

    for page in pages_of_lines(unzipped(summed(), place.name), place.name, is_wrapped=True):
        rows += page.count
        yield page
    if part.md5 is not None and base64.b64encode(checksum.digest()).decode() != part.md5:
        raise SourceError(f"{place.name} is damaged: its MD5 is not the manifest's", _COPY, "source-damaged")
    if rows != part.item_count:
        sentence = f"{place.name} holds {rows:,} rows, and by the manifest {part.item_count:,}"
        raise SourceError(sentence, _COPY, "source-cut-short")
