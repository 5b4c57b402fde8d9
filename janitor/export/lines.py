"""Read lines with one row each as pages: `{"Item":{…}}` as in an export to S3, or the item alone."""

from collections.abc import Iterator
from functools import partial

import msgspec

from janitor.dynamodb.decode import Page
from janitor.errors import SourceError
from janitor.export.page import SourcePage

# DynamoDB's own limit is 400 KB of names and values; as JSON with escapes they take a few times that.
MAX_ROW_BYTES = 16 * 1024 * 1024


class _Wrapped(msgspec.Struct, gc=False):
    item: msgspec.Raw = msgspec.field(name="Item")


_WRAPPED = msgspec.json.Decoder(_Wrapped)
_BARE = msgspec.json.Decoder(msgspec.Raw)
_UNREADABLE = (ValueError, RecursionError)


def read_line_pages(chunks: Iterator[bytes], name: str, *, is_wrapped: bool) -> Iterator[Page]:
    """Read lines, about one page for every chunk.

    Args:
        chunks: the lines, cut anywhere.
        name: the file's name in errors.
        is_wrapped: whether each item is the value of a key `Item`.

    Raises:
        SourceError: a line is not JSON, not an item, or too long for one.
    """
    for first, block in _split_into_blocks(chunks, name):
        try:
            items = [line.item for line in _WRAPPED.decode_lines(block)] if is_wrapped else _BARE.decode_lines(block)
        except _UNREADABLE:
            number = first + _position_of_bad_line(block, is_wrapped=is_wrapped)
            what = "row of an export" if is_wrapped else "row in DynamoDB JSON"
            raise SourceError(f"{name}, line {number:,}, is not a {what}", "copy or make it again") from None
        if items:
            yield SourcePage(items, partial(_name_row, name, first, block))


def _split_into_blocks(chunks: Iterator[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield blocks of whole lines, with the number of the first line."""
    number, rest = 1, b""
    for chunk in chunks:
        lines, newline, after = chunk.rpartition(b"\n")
        if newline:
            block = rest + lines + newline
            yield number, block
            number, rest = number + block.count(b"\n"), after
        else:
            rest += after
        if len(rest) > MAX_ROW_BYTES:
            sentence = f"{name}, line {number:,}, is longer than {MAX_ROW_BYTES:,} bytes"
            raise SourceError(sentence, "give a file with one row in each line")
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


def _name_row(name: str, first: int, block: bytes, position: int) -> str:
    non_empty = (number for number, line in enumerate(block.split(b"\n"), first) if line.strip())
    number = next((number for row, number in enumerate(non_empty) if row == position), first)
    return f"{name}, line {number:,},"
