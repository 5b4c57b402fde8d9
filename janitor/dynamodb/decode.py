"""Response bytes to rows; anything cut short or damaged is an error, never an empty page.

botocore's shape-by-shape parser is nearly the whole cost of a scan in Python. Its parser is a session component, so a
subclass takes over just the bodies of successful Scan and Query answers; signing, retries, checksums, errors and every
other answer stay botocore's.

A page is read twice, which is cheaper than once: first two attributes of each row, which is enough to know the active
ones; then, of the few rows that are left, everything.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from botocore.parsers import JSONParser, ResponseParserFactory

from janitor.errors import CorruptPageError
from janitor.tokens.row import Glance, Row

PAGE = "JanitorPage"
BROKEN = "JanitorBroken"

_OK = 200
_PAGED_SHAPES = frozenset({"ScanOutput", "QueryOutput"})


class _Capacity(msgspec.Struct):
    units: float = msgspec.field(name="CapacityUnits", default=0.0)


class _Head(msgspec.Struct, gc=False):
    """A page as far as the first reading goes. Without `Items` and both counts an answer is no page."""

    glances: list[Glance] = msgspec.field(name="Items")
    count: int = msgspec.field(name="Count")
    scanned: int = msgspec.field(name="ScannedCount")
    next_key: dict[str, dict[str, Any]] | None = msgspec.field(name="LastEvaluatedKey", default=None)
    capacity: _Capacity | None = msgspec.field(name="ConsumedCapacity", default=None)


class _RawHead(msgspec.Struct, gc=False):
    """The same for a page with a number that is not whole, which would make `_Head` fail."""

    items: list[msgspec.Raw] = msgspec.field(name="Items")
    count: int = msgspec.field(name="Count")
    scanned: int = msgspec.field(name="ScannedCount")
    next_key: dict[str, dict[str, Any]] | None = msgspec.field(name="LastEvaluatedKey", default=None)
    capacity: _Capacity | None = msgspec.field(name="ConsumedCapacity", default=None)


class _Items(msgspec.Struct):
    items: list[msgspec.Raw] = msgspec.field(name="Items")


# DynamoDB writes numbers as texts; `strict=False` reads those that are whole into numbers on the way.
_HEAD = msgspec.json.Decoder(_Head, strict=False)
_GLANCE = msgspec.json.Decoder(Glance, strict=False)
_RAW_HEAD = msgspec.json.Decoder(_RawHead)
_ITEMS = msgspec.json.Decoder(_Items)
_ROW = msgspec.json.Decoder(Row)
_UNREADABLE = (ValueError, RecursionError)


class Page:
    """One page of a table.

    Attributes:
        glances: two attributes of every row that came over the wire.
        scanned: how many rows the server looked at, those it filtered out too.
        next_key: where the next page starts; None on the last one.
        read_units: what the page cost.
        size: bytes of the body.
    """

    __slots__ = ("_body", "glances", "next_key", "read_units", "scanned")

    def __init__(self, body: bytes) -> None:
        """Read the body once.

        Raises:
            ValueError: the body is cut short or no page at all, or its counts contradict its rows.
        """
        head = _head(body)
        if head.count != len(head.glances) or head.scanned < head.count:
            raise ValueError(f"{len(head.glances)} items where Count says {head.count} of {head.scanned}")
        self._body = body
        self.glances = head.glances
        self.scanned = head.scanned
        self.next_key = head.next_key
        self.read_units = head.capacity.units if head.capacity else 0.0

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self._body)

    def rows(self, positions: Iterable[int]) -> Iterator[Row]:
        """The rows at these positions, decoded whole.

        Raises:
            CorruptPageError: a row does not decode, for example because it has no key `token`.
        """
        try:
            items = _ITEMS.decode(self._body).items
            for position in positions:
                yield _ROW.decode(items[position])
        except _UNREADABLE as error:
            raise CorruptPageError(f"a row of the table could not be read: {error}") from None

    def __repr__(self) -> str:
        return f"Page({len(self.glances)} of {self.scanned} rows)"


class FastParserFactory(ResponseParserFactory):
    """Gives a botocore session parsers that decode pages themselves (its component `response_parser_factory`)."""

    def create_parser(self, protocol_name: str) -> Any:
        """The page parser for the JSON protocol, botocore's own for any other."""
        parser = super().create_parser(protocol_name)
        return _PageParser(parser) if isinstance(parser, JSONParser) else parser


class _PageParser:
    """Decodes pages; every other answer goes to botocore's parser, and so does whatever else is asked of one."""

    def __init__(self, fallback: JSONParser) -> None:
        self._fallback = fallback

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fallback, name)

    def parse(self, response: Mapping[str, Any], shape: Any) -> dict[str, Any]:
        if response["status_code"] != _OK or getattr(shape, "name", None) not in _PAGED_SHAPES:
            parsed: dict[str, Any] = self._fallback.parse(response, shape)
            return parsed
        headers = response["headers"]
        metadata = {
            "HTTPStatusCode": response["status_code"],
            "HTTPHeaders": dict(headers.items()),
            "RequestId": headers.get("x-amzn-requestid", ""),
        }
        # A broken page is handed on as a value: raised from here, it would pass botocore's retries by.
        key, page = _read(response["body"], headers.get("x-amz-crc32"))
        return {key: page, "ResponseMetadata": metadata}


def page_of(response: Mapping[str, Any], call: str) -> Page:
    """The page in an answer of a client that was made with `FastParserFactory`.

    Raises:
        CorruptPageError: the answer is cut short, damaged, or no page at all.
    """
    page = response.get(PAGE)
    if isinstance(page, Page):
        return page
    reason = response.get(BROKEN, "it holds no page")
    raise CorruptPageError(f"{call}: DynamoDB's answer is damaged ({reason})", "run it again")


def _head(body: bytes) -> _Head:
    try:
        return _HEAD.decode(body)
    except msgspec.ValidationError:
        raw = _RAW_HEAD.decode(body)
        return _Head([_glance(item) for item in raw.items], raw.count, raw.scanned, raw.next_key, raw.capacity)


def _glance(item: msgspec.Raw) -> Glance:
    try:
        return _GLANCE.decode(item)
    except msgspec.ValidationError:
        # Not plainly anything: the row will be decoded whole.
        return Glance()


def _read(body: bytes, checksum: str | None) -> tuple[str, object]:
    if checksum is not None and checksum != str(zlib.crc32(body)):
        return BROKEN, "its checksum does not match"
    try:
        return PAGE, Page(body)
    except _UNREADABLE as error:
        return BROKEN, str(error)
