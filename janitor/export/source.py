"""A source of rows that is no table: looked at, told apart, and read page by page.

    place ──unzipped──> head ──kind_of──┬── manifest ──> parts, each: unzipped ──> lines ──> pages
                                        ├── dump, array ──> elements by the megabyte ──> pages
                                        └── lines ──> pages

Everything is read a megabyte at a time. What is missing at the end is an error like any damage in between: fewer rows
than there were would be taken for a table that has fewer.
"""

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from janitor.dynamodb.decode import Page
from janitor.dynamodb.scan import StopRequest
from janitor.errors import ConfigurationError, JanitorError, StopRequestedError
from janitor.export.dump import pages_of_dump
from janitor.export.kinds import BYTE_ORDER_MARK, SourceKind, kind_of
from janitor.export.lines import pages_of_lines
from janitor.export.manifest import SUMMARY, Export, export_at
from janitor.export.places import CHUNK_BYTES, LocalFile, S3Place, SourcePlace, is_missing
from janitor.export.unzipped import unzipped
from janitor.logs import get_logger

log = get_logger("janitor.scan")

_PART_OF_AN_EXPORT = re.compile(r"(?:^|/)AWSDynamoDB/[^/]+/data/[^/]+$")
_TABLE_ARN = re.compile(r"arn:[a-z0-9-]+:dynamodb:([a-z0-9-]+):([0-9]{12}):table/([A-Za-z0-9_.-]{3,255})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What there is to read.

    Attributes:
        name: what the user knows it by.
        kind: what it is.
        table, region, account_id: of which table it says that it is; None where it does not.
        made_at: the UNIX second that its rows are of; None where it does not say.
        rows: how many it has; None where it does not say before its end.
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
        """Whether it says how many rows it has, so that none can be missing."""
        return self.kind in (SourceKind.MANIFEST, SourceKind.DUMP)

    def pages(self, stop: StopRequest) -> Iterator[Page]:
        """Its rows, once; a request to stop ends them early and quietly.

        Raises:
            SourceError: it is damaged, cut short, or of another kind further on.
            AwsError: S3 refused or could not be reached.
        """
        with suppress(StopRequestedError):
            while not stop.is_requested():
                with stop.waiting():
                    page = next(self._pages, None)
                if page is None:
                    return
                log.debug("page.read", source=self.name, rows=page.scanned, bytes=page.size)
                yield page


def source_at(place: SourcePlace, warn: Callable[[str], None] = lambda _: None) -> Source:
    """Look at the start of a source, which may be a folder's name; `warn` hears what is odd at its end.

    Raises:
        ConfigurationError: there is none, or it is of a kind that janitor does not read.
        SourceError: its first megabyte is damaged.
        AwsError: S3 refused or could not be reached.
    """
    if _is_folder(place):
        place = _in_folder(place)
    _check_whole(place)
    try:
        head, chunks = _looked_at(place)
    except JanitorError as error:
        if not isinstance(place, S3Place) or place.key.endswith(f"/{SUMMARY}") or not is_missing(error):
            raise
        place, head, chunks = _looked_at_as_folder(place, error)
    kind = kind_of(head, place.name)
    if kind is SourceKind.MANIFEST:
        return _of_export(export_at(place))
    content = itertools.chain([head.removeprefix(BYTE_ORDER_MARK)], chunks)
    if kind in (SourceKind.DUMP, SourceKind.ARRAY):
        return Source(name=place.name, kind=kind, _pages=pages_of_dump(content, place.name, warn))
    pages = pages_of_lines(content, place.name, is_wrapped=kind is SourceKind.WRAPPED_LINES)
    return Source(name=place.name, kind=kind, _pages=pages)


def _is_folder(place: SourcePlace) -> bool:
    match place:
        case LocalFile(path):
            return path.is_dir()
        case S3Place(key=key):
            return not key or key.endswith("/")
    return False


def _in_folder(place: SourcePlace) -> SourcePlace:
    """The summary of the export in a folder."""
    match place:
        case LocalFile(path):
            summary = LocalFile(path / SUMMARY)
            if not summary.is_there():
                sentence = f"{path} is no export to S3: it holds no {SUMMARY}"
                raise ConfigurationError(sentence, "give the folder AWSDynamoDB/ID of one", "source-manifest")
            return summary
        case S3Place(client, bucket, key):
            return S3Place(client, bucket, f"{key.rstrip('/')}/{SUMMARY}".lstrip("/"))
    return place


def _check_whole(place: SourcePlace) -> None:
    """One part of an export looks like a whole source of rows."""
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


def _looked_at(place: SourcePlace) -> tuple[bytes, Iterator[bytes]]:
    """The first megabyte, and the pieces behind it."""
    chunks = unzipped(place.chunks(), place.name)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= CHUNK_BYTES:
            break
    return head, chunks


def _looked_at_as_folder(place: S3Place, error: JanitorError) -> tuple[SourcePlace, bytes, Iterator[bytes]]:
    """As `_looked_at`, of the export that a name without a slash at its end may mean."""
    summary = S3Place(place.client, place.bucket, f"{place.key}/{SUMMARY}")
    try:
        return summary, *_looked_at(summary)
    except JanitorError as second:
        if is_missing(second):
            raise error from None
        raise


def _of_export(export: Export) -> Source:
    summary = export.summary
    # What it names may become a part of a report's path.
    named = _TABLE_ARN.fullmatch(summary.table_arn)
    if named is None and summary.table_arn:
        sentence = f"{export.place.name} names no table: its tableArn is not that of one"
        raise ConfigurationError(sentence, "copy the export's folder anew, all of it", "source-manifest")
    region, account, table = named.groups() if named else (None, None, None)
    return Source(
        name=export.place.name,
        kind=SourceKind.MANIFEST,
        table=table,
        region=region,
        account_id=account,
        made_at=_second(summary.export_time, export.place.name),
        rows=summary.item_count,
        _pages=export.pages(),
    )


def _second(time: str | None, name: str) -> int | None:
    if time is None:
        return None
    try:
        read = dt.datetime.fromisoformat(time)
    except ValueError:
        sentence = f"{name}: the exportTime is no time in ISO 8601"
        raise ConfigurationError(sentence, "copy the export's folder anew, all of it", "source-manifest") from None
    return int((read if read.tzinfo else read.replace(tzinfo=dt.UTC)).timestamp())
