"""A row a line to pages: `{"Item":{…}}` as an export to S3 has it, or the item alone."""

from collections.abc import Iterator
from functools import partial

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import SourceError
from janitor.export.page import SourcePage

# DynamoDB's own limit is 400 KB of names and values; as JSON, escapes and all, they take a few times that.
MOST_BYTES_A_ROW = 16 * 1024 * 1024


class _Wrapped(msgspec.Struct, gc=False):
    item: msgspec.Raw = msgspec.field(name="Item")


_WRAPPED = msgspec.json.Decoder(_Wrapped)
_BARE = msgspec.json.Decoder(msgspec.Raw)
_UNREADABLE = (ValueError, RecursionError)


def pages_of_lines(chunks: Iterator[bytes], name: str, *, is_wrapped: bool) -> Iterator[Page]:
    """A page for about every chunk.

    Args:
        chunks: the lines, cut anywhere.
        name: what an error calls them.
        is_wrapped: whether each item is the value of a key `Item`.

    Raises:
        SourceError: a line is no JSON, or no item, or too long for one.
    """
    for first, block in _blocks(chunks, name):
        try:
            items = [line.item for line in _WRAPPED.decode_lines(block)] if is_wrapped else _BARE.decode_lines(block)
        except _UNREADABLE:
            number = first + _position_of_bad_line(block, is_wrapped=is_wrapped)
            what = "row as an export has it" if is_wrapped else "row in DynamoDB's JSON"
            raise SourceError(f"{name}, line {number:,}, is no {what}", "copy or make it anew") from None
        if items:
            yield SourcePage(items, partial(_row_name, name, first, block))


def _blocks(chunks: Iterator[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Whole lines, with the number of the first."""
    number, rest = 1, b""
    for chunk in chunks:
        lines, newline, after = chunk.rpartition(b"\n")
        if newline:
            block = rest + lines + newline
            yield number, block
            number, rest = number + block.count(b"\n"), after
        else:
            rest += after
        if len(rest) > MOST_BYTES_A_ROW:
            sentence = f"{name}, line {number:,}, is longer than {MOST_BYTES_A_ROW:,} bytes"
            raise SourceError(sentence, "give a file with one row a line")
    if rest:
        yield number, rest


def _position_of_bad_line(block: bytes, *, is_wrapped: bool) -> int:
    decoder = _WRAPPED if is_wrapped else _BARE
    for position, line in enumerate(block.split(b"\n")):
        try:
            if line.strip():
                decoder.decode(line)
        except _UNREADABLE:
            return position
    return 0


def _row_name(name: str, first: int, block: bytes, position: int) -> str:
    filled = (number for number, line in enumerate(block.split(b"\n"), first) if line.strip())
    number = next((number for row, number in enumerate(filled) if row == position), first)
    return f"{name}, line {number:,},"
