"""Read rows from a source other than a table: detect its kind, and read it page by page.

    place ──decompress──> head ──detect_kind──┬── manifest ──> each part: decompress ──> lines ──> pages
                                              ├── dump, array ──> elements by the megabyte ──> pages
                                              └── lines ──> pages

Everything is read a megabyte at a time. A missing end is an error like any other damage: a truncated source would look
like a table with fewer rows.
"""

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from janitor.dynamodb.decode import Page
from janitor.errors import ConfigurationError, JanitorError, StopRequestedError
from janitor.export.decompress import decompress
from janitor.export.dump import read_dump_pages
from janitor.export.lines import read_line_pages
from janitor.export.manifest import SUMMARY, Export, open_export
from janitor.export.places import CHUNK_BYTES, LocalFile, S3Place, SourcePlace, is_missing
from janitor.export.source_kind import BYTE_ORDER_MARK, SourceKind, detect_kind
from janitor.logs import get_logger
from janitor.stopping import StopRequest

log = get_logger("janitor.scan")

_PART_OF_AN_EXPORT = re.compile(r"(?:^|/)AWSDynamoDB/[^/]+/data/[^/]+$")
_TABLE_ARN = re.compile(r"arn:[a-z0-9-]+:dynamodb:([a-z0-9-]+):([0-9]{12}):table/([A-Za-z0-9_.-]{3,255})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened source.

    Attributes:
        name: its name for the user.
        kind: its kind.
        table, region, account_id: the table that its rows are from; None if it does not say.
        made_at: the UNIX second at which its rows were exported; None if it does not say.
        rows: how many rows it has; None if it does not say before its end.
    """

    name: str
    kind: SourceKind
    table: str | None = None
    region: str | None = None
    account_id: str | None = None
    made_at: int | None = None
    rows: int | None = None
    _pages: Iterator[Page]

    @property
    def is_counted(self) -> bool:
        """Whether it says how many rows it has, so that missing rows are noticed."""
        return self.kind in (SourceKind.MANIFEST, SourceKind.DUMP)

    def pages(self, stop: StopRequest) -> Iterator[Page]:
        """Read its rows, once; a request to stop ends that early, without an error.

        Raises:
            SourceError: it is damaged, truncated, or of another kind further on.
            AwsError: S3 refused or could not be reached.
        """
        with suppress(StopRequestedError):
            while not stop.is_requested():
                with stop.interruptible_wait():
                    page = next(self._pages, None)
                if page is None:
                    return
                log.debug("page.read", source=self.name, rows=page.scanned, bytes=page.size)
                yield page


def open_source(place: SourcePlace, warn: Callable[[str], None] = lambda _: None) -> Source:
    """Open a source, and detect its kind from its start.

    Args:
        place: a file, an object, or the folder of an export.
        warn: called at the end of the source with a sentence, if rows may be missing.

    Raises:
        ConfigurationError: there is no source, or it is of a kind that janitor does not read.
        SourceError: its first megabyte is damaged.
        AwsError: S3 refused or could not be reached.
    """
    if _is_folder(place):
        place = _find_summary(place)
    _refuse_part_of_export(place)
    try:
        head, chunks = _read_head(place)
    except JanitorError as error:
        if not isinstance(place, S3Place) or place.key.endswith(f"/{SUMMARY}") or not is_missing(error):
            raise
        place, head, chunks = _read_head_in_folder(place, error)
    kind = detect_kind(head, place.name)
    if kind is SourceKind.MANIFEST:
        return _make_export_source(open_export(place))
    content = itertools.chain([head.removeprefix(BYTE_ORDER_MARK)], chunks)
    if kind in (SourceKind.DUMP, SourceKind.ARRAY):
        return Source(name=place.name, kind=kind, _pages=read_dump_pages(content, place.name, warn))
    pages = read_line_pages(content, place.name, is_wrapped=kind is SourceKind.WRAPPED_LINES)
    return Source(name=place.name, kind=kind, _pages=pages)


def _is_folder(place: SourcePlace) -> bool:
    match place:
        case LocalFile(path):
            return path.is_dir()
        case S3Place(key=key):
            return not key or key.endswith("/")
    return False


def _find_summary(place: SourcePlace) -> SourcePlace:
    """Return where the summary of the export in a folder is."""
    match place:
        case LocalFile(path):
            summary = LocalFile(path / SUMMARY)
            if not summary.exists():
                sentence = f"{path} is not an export to S3: it holds no {SUMMARY}"
                raise ConfigurationError(sentence, "give the folder AWSDynamoDB/ID of an export", "source-manifest")
            return summary
        case S3Place(client, bucket, key):
            return S3Place(client, bucket, f"{key.rstrip('/')}/{SUMMARY}".lstrip("/"))
    return place


def _refuse_part_of_export(place: SourcePlace) -> None:
    """Refuse a single part of an export, because it looks like a complete source of rows."""
    match place:
        case LocalFile(path):
            address = path.absolute().as_posix()
        case S3Place(key=key):
            address = key
        case _:
            return
    if _PART_OF_AN_EXPORT.search(address):
        way_out = "give the folder above its data/, where the manifest is"
        raise ConfigurationError(f"{place.name} is one part of an export to S3", way_out, "source-part")


def _read_head(place: SourcePlace) -> tuple[bytes, Iterator[bytes]]:
    """Return the first megabyte, and the pieces after it."""
    chunks = decompress(place.chunks(), place.name)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= CHUNK_BYTES:
            break
    return head, chunks


def _read_head_in_folder(place: S3Place, error: JanitorError) -> tuple[SourcePlace, bytes, Iterator[bytes]]:
    """Read the start of the summary in the folder that a name without a slash at its end may mean."""
    summary = S3Place(place.client, place.bucket, f"{place.key}/{SUMMARY}")
    try:
        return summary, *_read_head(summary)
    except JanitorError as second:
        if is_missing(second):
            raise error from None
        raise


def _make_export_source(export: Export) -> Source:
    summary = export.summary
    # The table's name may become a part of a report's path.
    arn = _TABLE_ARN.fullmatch(summary.table_arn)
    if arn is None and summary.table_arn:
        sentence = f"{export.place.name}: its tableArn is not the ARN of a table"
        raise ConfigurationError(sentence, "copy the whole folder of the export again", "source-manifest")
    region, account, table = arn.groups() if arn else (None, None, None)
    return Source(
        name=export.place.name,
        kind=SourceKind.MANIFEST,
        table=table,
        region=region,
        account_id=account,
        made_at=_parse_export_time(summary.export_time, export.place.name),
        rows=summary.item_count,
        _pages=export.pages(),
    )


def _parse_export_time(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        sentence = f"{name}: its exportTime is not a time in ISO 8601"
        raise ConfigurationError(sentence, "copy the whole folder of the export again", "source-manifest") from None
    return int((time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp())
