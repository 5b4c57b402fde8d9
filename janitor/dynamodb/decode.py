"""Response bytes to rows; anything cut short or damaged is an error, never an empty page.

botocore's shape-by-shape parser is nearly the whole cost of a scan in Python. Its parser is a session component, so a
subclass takes over just the bodies of successful Scan, Query, GetItem and BatchExecuteStatement answers; signing,
retries, checksums, errors and every other answer stay botocore's.

A page is read in steps, which is cheaper than at once: where its rows stand; where the server did not filter, two
attributes of each, which is enough to know the active ones; then, of the rows that are left, everything.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from botocore.parsers import JSONParser, ResponseParserFactory

from janitor.errors import CorruptPageError, JanitorError
from janitor.tokens.row import Glance, Row, row_of

DECODED = "JanitorDecoded"
BROKEN = "JanitorBroken"

_OK = 200
_CHECKSUM = "x-amz-crc32"


# Far above what a request can cost: 100 rows of 400 KB, with their entries in 20 indexes.
MAX_UNITS = 1_000_000


class _Capacity(msgspec.Struct):
    units: Annotated[float, msgspec.Meta(ge=0, lt=MAX_UNITS)] = msgspec.field(name="CapacityUnits", default=0.0)


class _Body(msgspec.Struct, gc=False):
    """A page, its rows not yet looked into. Without `Items` and both counts an answer is no page."""

    items: list[msgspec.Raw] = msgspec.field(name="Items")
    count: int = msgspec.field(name="Count")
    scanned: int = msgspec.field(name="ScannedCount")
    next_key: dict[str, dict[str, Any]] | None = msgspec.field(name="LastEvaluatedKey", default=None)
    capacity: _Capacity | None = msgspec.field(name="ConsumedCapacity", default=None)


class _Glances(msgspec.Struct, gc=False):
    glances: list[Glance] = msgspec.field(name="Items")


_BODY = msgspec.json.Decoder(_Body)
# DynamoDB writes numbers as texts; `strict=False` reads those that are whole into numbers on the way.
_GLANCES = msgspec.json.Decoder(_Glances, strict=False)
_GLANCE = msgspec.json.Decoder(Glance, strict=False)
_UNREADABLE = (ValueError, RecursionError)


class Page:
    """One page of a table.

    Attributes:
        count: how many rows came over the wire.
        scanned: how many rows the server looked at, those it filtered out too.
        next_key: where the next page starts; None on the last one.
        read_units: what the page cost.
    """

    __slots__ = ("_body", "_items", "count", "next_key", "read_units", "scanned")

    def __init__(self, body: bytes) -> None:
        """Find where the rows stand.

        Raises:
            ValueError: the body is cut short or no page at all, or its counts contradict its rows.
        """
        page = _BODY.decode(body)
        if page.count != len(page.items) or page.scanned < page.count:
            raise ValueError(f"{len(page.items)} items where Count says {page.count} of {page.scanned}")
        self._body = body
        self._items = page.items
        self.count = page.count
        self.scanned = page.scanned
        self.next_key = page.next_key
        self.read_units = page.capacity.units if page.capacity else 0.0

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self._body)

    @property
    def is_filtered(self) -> bool:
        """Whether the server kept rows to itself, so that those that came are worth decoding, each of them."""
        return self.scanned > self.count

    def glances(self) -> Sequence[Glance]:
        """Two attributes of every row, in the rows' order."""
        try:
            return _GLANCES.decode(self._body).glances
        except _UNREADABLE:
            # A number that is not whole is enough; such a page is read row by row.
            return [_glance(item) for item in self._items]

    def rows(self, positions: Iterable[int]) -> list[Row]:
        """The rows at these positions, decoded whole.

        Raises:
            CorruptPageError: a row does not decode, for example because it has no key `token`.
        """
        position = 0
        try:
            return [row_of(self._items[position]) for position in positions]
        except _UNREADABLE as error:
            raise self._unreadable(position, error) from None

    def item(self, position: int) -> bytes:
        """The bytes of one row, exactly as the server sent them."""
        return bytes(self._items[position])

    def _unreadable(self, position: int, error: Exception) -> JanitorError:  # noqa: ARG002  # other pages know where
        return CorruptPageError(f"a row of the table could not be read: {error}")

    def __repr__(self) -> str:
        return f"Page({self.count} of {self.scanned} rows)"


def _glance(item: msgspec.Raw) -> Glance:
    try:
        return _GLANCE.decode(item)
    except _UNREADABLE:
        # Not plainly anything: the row will be decoded whole.
        return Glance()


class StatementError(msgspec.Struct, gc=False):
    """Why a statement failed; `item` is the row as it is, where its condition failed and the server says so."""

    code: str = msgspec.field(name="Code", default="Unknown")
    message: str = msgspec.field(name="Message", default="")
    item: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="Item", default=msgspec.UNSET)


class StatementAnswer(msgspec.Struct, gc=False):
    """What became of one statement; `item` is the row that a DELETE took away."""

    error: StatementError | None = msgspec.field(name="Error", default=None)
    item: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="Item", default=msgspec.UNSET)


class Answers(msgspec.Struct, gc=False):
    """An answer to a batch of statements, one for each in their order. Without `Responses` it is none."""

    responses: list[StatementAnswer] = msgspec.field(name="Responses")
    capacity: list[_Capacity] | None = msgspec.field(name="ConsumedCapacity", default=None)

    @property
    def write_units(self) -> float:
        """What the batch cost."""
        return sum(capacity.units for capacity in self.capacity or ())


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
        decoder = _DECODERS.get(getattr(shape, "name", ""))
        if response["status_code"] != _OK or decoder is None:
            parsed: dict[str, Any] = self._fallback.parse(response, shape)
            return parsed
        headers = response["headers"]
        metadata = {
            "HTTPStatusCode": response["status_code"],
            "HTTPHeaders": dict(headers.items()),
            "RequestId": headers.get("x-amzn-requestid", ""),
        }
        # A broken body is handed on as a value: raised from here, it would pass botocore's retries by.
        key, decoded = _read(decoder, response["body"], headers.get(_CHECKSUM))
        if key == DECODED:
            # It matches. botocore's retry rules would work it out once more, a tenth of what it costs to read a page.
            headers.pop(_CHECKSUM, None)
        return {key: decoded, "ResponseMetadata": metadata}


def page_of(response: Mapping[str, Any], call: str) -> Page:
    """The page in an answer of a client that was made with `FastParserFactory`.

    Raises:
        CorruptPageError: the answer is cut short, damaged, or no page at all.
    """
    return _decoded(response, call, Page)


def answers_of(response: Mapping[str, Any], call: str) -> Answers:
    """What became of each statement of a batch, from a client that was made with `FastParserFactory`.

    Raises:
        CorruptPageError: the answer is cut short, damaged, or none to a batch.
    """
    return _decoded(response, call, Answers)


def item_of(response: Mapping[str, Any], call: str) -> dict[str, Any] | None:
    """The row in an answer to GetItem, as DynamoDB JSON; None where there is none.

    Raises:
        CorruptPageError: the answer is cut short or damaged, so that nobody can tell whether there is a row.
    """
    return _decoded(response, call, _Got).item


class _Got(msgspec.Struct, gc=False):
    item: dict[str, Any] | None = msgspec.field(name="Item", default=None)


_GOT = msgspec.json.Decoder(_Got)
_ANSWERS = msgspec.json.Decoder(Answers)
_DECODERS: Mapping[str, Callable[[bytes], object]] = {
    "ScanOutput": Page,
    "QueryOutput": Page,
    "BatchExecuteStatementOutput": _ANSWERS.decode,
    "GetItemOutput": _GOT.decode,
}
_Decoded = TypeVar("_Decoded")


def _decoded(response: Mapping[str, Any], call: str, kind: type[_Decoded]) -> _Decoded:
    decoded = response.get(DECODED)
    if isinstance(decoded, kind):
        return decoded
    reason = response.get(BROKEN, "it holds nothing of the kind")
    raise CorruptPageError(f"{call}: DynamoDB's answer is damaged ({reason})", "run it again")


def _read(decoder: Callable[[bytes], object], body: bytes, checksum: str | None) -> tuple[str, object]:
    if checksum is not None and checksum != str(zlib.crc32(body)):
        return BROKEN, "its checksum does not match"
    try:
        return DECODED, decoder(body)
    except _UNREADABLE as error:
        return BROKEN, str(error)
