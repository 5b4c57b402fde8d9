"""Decode DynamoDB's answers; a truncated or damaged answer is an error, never an empty page.

botocore's shape-by-shape parser is nearly the whole cost of a scan in Python. The parser is a session component, so
janitor's own takes over the bodies of successful Scan, Query, GetItem and BatchExecuteStatement answers. Signing,
retries, checksums, errors and every other answer stay botocore's.

A page is decoded in steps, which is cheaper than all at once: first the positions of its rows; then, if the server did
not filter, a glance at each row, which is enough to recognize plainly active ones; then the remaining rows as a whole.
The glances come in groups, so that those of one group take the memory of those before: all at once, a page's would not
fit the processor's cache.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from botocore.parsers import JSONParser, ResponseParserFactory

from janitor.errors import CorruptPageError, JanitorError
from janitor.tokens.row import Glance, Row, decode_row

DECODED = "JanitorDecoded"
BROKEN = "JanitorBroken"

_OK = 200
_CHECKSUM = "x-amz-crc32"


# Far above what a request can cost: 100 rows of 400 KB, with their entries in 20 indexes.
MAX_UNITS = 1_000_000


class _Capacity(msgspec.Struct):
    units: Annotated[float, msgspec.Meta(ge=0, lt=MAX_UNITS)] = msgspec.field(name="CapacityUnits", default=0.0)


class _Body(msgspec.Struct, gc=False):
    """A page with its rows still encoded. An answer without `Items` and both counts is not a page."""

    items: list[msgspec.Raw] = msgspec.field(name="Items")
    count: int = msgspec.field(name="Count")
    scanned: int = msgspec.field(name="ScannedCount")
    next_key: dict[str, dict[str, Any]] | None = msgspec.field(name="LastEvaluatedKey", default=None)
    capacity: _Capacity | None = msgspec.field(name="ConsumedCapacity", default=None)


_BODY = msgspec.json.Decoder(_Body)
# DynamoDB writes numbers as texts; `strict=False` turns whole ones into integers.
_GLANCES = msgspec.json.Decoder(list[Glance], strict=False)
_GLANCE = msgspec.json.Decoder(Glance, strict=False)
# Of 8 to 512 tried, groups of 64 and more took the least time.
_GLANCES_IN_A_GROUP = 256
_UNREADABLE = (ValueError, RecursionError)


class Page:
    """One page of a table.

    Attributes:
        count: how many rows the page holds.
        scanned: how many rows the server read, including those that it filtered out.
        next_key: where the next page starts; None on the last one.
        read_units: what the page cost.
        size: of its JSON, in bytes.
    """

    __slots__ = ("_items", "count", "next_key", "read_units", "scanned", "size")

    def __init__(self, body: bytes) -> None:
        """Find the positions of the rows.

        Raises:
            ValueError: the body is truncated or not a page, or its counts contradict its rows.
        """
        page = _BODY.decode(body)
        if page.count != len(page.items) or page.scanned < page.count:
            raise ValueError(f"{len(page.items)} items, but Count says {page.count} of {page.scanned}")
        self.size = len(body)
        self._items = page.items
        self.count = page.count
        self.scanned = page.scanned
        self.next_key = page.next_key
        self.read_units = page.capacity.units if page.capacity else 0.0

    @property
    def is_filtered(self) -> bool:
        """Whether the server filtered rows out, so that each of the remaining ones has to be decoded."""
        return self.scanned > self.count

    def glances(self) -> Iterator[Sequence[Glance]]:
        """Decode a glance at every row, in the rows' order, one group of rows after the other."""
        for start in range(0, self.count, _GLANCES_IN_A_GROUP):
            yield self._decode_glances(range(start, min(self.count, start + _GLANCES_IN_A_GROUP)))

    def _decode_glances(self, positions: range) -> Sequence[Glance]:
        try:
            return _GLANCES.decode(self._join_items(positions))
        except _UNREADABLE:
            # One attribute of another type, or number that is not whole, is enough to fail; then row by row.
            return [_decode_glance(self._items[position]) for position in positions]

    def _join_items(self, positions: range) -> bytes:
        return b"[%b]" % b",".join(self._items[positions.start : positions.stop])

    def rows(self, positions: Iterable[int]) -> list[Row]:
        """Decode the rows at these positions as a whole.

        Raises:
            CorruptPageError: a row cannot be decoded, for example because it has no key `token`.
        """
        position = 0
        try:
            return [decode_row(self._items[position]) for position in positions]
        except _UNREADABLE as error:
            raise self._unreadable_error(position, error) from None

    def item(self, position: int) -> bytes:
        """Return the bytes of one row exactly as the server sent them."""
        return bytes(self._items[position])

    def _unreadable_error(self, position: int, error: Exception) -> JanitorError:  # noqa: ARG002  # subclasses use it
        return CorruptPageError(f"a row of the table could not be read: {error}")

    def __repr__(self) -> str:
        return f"Page({self.count} of {self.scanned} rows)"


def _decode_glance(item: msgspec.Raw) -> Glance:
    try:
        return _GLANCE.decode(item)
    except _UNREADABLE:
        # Not plainly active: the row will be decoded as a whole.
        return Glance()


class StatementError(msgspec.Struct, gc=False):
    """Why a statement failed; `item` is the current row, if the condition failed and the server returned the row."""

    code: str = msgspec.field(name="Code", default="Unknown")
    message: str = msgspec.field(name="Message", default="")
    item: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="Item", default=msgspec.UNSET)


class StatementAnswer(msgspec.Struct, gc=False):
    """What became of one statement; `item` is the row that a DELETE removed."""

    error: StatementError | None = msgspec.field(name="Error", default=None)
    item: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="Item", default=msgspec.UNSET)


class BatchAnswer(msgspec.Struct, gc=False):
    """The answer to a batch of statements: one response for each, in their order. `Responses` is required."""

    responses: list[StatementAnswer] = msgspec.field(name="Responses")
    capacity: list[_Capacity] | None = msgspec.field(name="ConsumedCapacity", default=None)

    @property
    def write_units(self) -> float:
        """What the batch cost."""
        return sum(capacity.units for capacity in self.capacity or ())


class FastParserFactory(ResponseParserFactory):
    """Makes a botocore session use the page parser (as its component `response_parser_factory`)."""

    def create_parser(self, protocol_name: str) -> Any:
        """Make the page parser for the JSON protocol, botocore's own parser for any other."""
        parser = super().create_parser(protocol_name)
        return _PageParser(parser) if isinstance(parser, JSONParser) else parser


class _PageParser:
    """Decodes pages itself, and leaves every other answer and every other method to botocore's parser."""

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
        # A damaged body is returned as a value: an exception raised here would bypass botocore's retries.
        key, decoded = _try_decode(decoder, response["body"], headers.get(_CHECKSUM))
        if key == DECODED:
            # The checksum matches. botocore would compute it again, a tenth of the cost of reading a page.
            headers.pop(_CHECKSUM, None)
        return {key: decoded, "ResponseMetadata": metadata}


def page_of(response: Mapping[str, Any], call: str) -> Page:
    """Return the page in an answer of a client that was made with `FastParserFactory`.

    Raises:
        CorruptPageError: the answer is truncated, damaged, or not a page.
    """
    return _take_decoded(response, call, Page)


def batch_answer_of(response: Mapping[str, Any], call: str) -> BatchAnswer:
    """Return what became of each statement of a batch, from a client that was made with `FastParserFactory`.

    Raises:
        CorruptPageError: the answer is truncated, damaged, or not an answer to a batch.
    """
    return _take_decoded(response, call, BatchAnswer)


def item_of(response: Mapping[str, Any], call: str) -> dict[str, Any] | None:
    """Return the row in an answer to GetItem, as DynamoDB JSON; None if there is none.

    Raises:
        CorruptPageError: the answer is truncated or damaged, so that nobody can tell whether there is a row.
    """
    return _take_decoded(response, call, _GetItemAnswer).item


class _GetItemAnswer(msgspec.Struct, gc=False):
    item: dict[str, Any] | None = msgspec.field(name="Item", default=None)


_GET_ITEM_ANSWER = msgspec.json.Decoder(_GetItemAnswer)
_BATCH_ANSWER = msgspec.json.Decoder(BatchAnswer)
_DECODERS: Mapping[str, Callable[[bytes], object]] = {
    "ScanOutput": Page,
    "QueryOutput": Page,
    "BatchExecuteStatementOutput": _BATCH_ANSWER.decode,
    "GetItemOutput": _GET_ITEM_ANSWER.decode,
}
_Decoded = TypeVar("_Decoded")


def _take_decoded(response: Mapping[str, Any], call: str, kind: type[_Decoded]) -> _Decoded:
    decoded = response.get(DECODED)
    if isinstance(decoded, kind):
        return decoded
    reason = response.get(BROKEN, "it is an answer to another request")
    raise CorruptPageError(f"{call}: DynamoDB's answer is damaged ({reason})", "run it again")


def _try_decode(decoder: Callable[[bytes], object], body: bytes, checksum: str | None) -> tuple[str, object]:
    if checksum is not None and checksum != str(zlib.crc32(body)):
        return BROKEN, "its checksum does not match"
    try:
        return DECODED, decoder(body)
    except _UNREADABLE as error:
        return BROKEN, str(error)
