"""Where a text is cut does not matter for what is read of it, and one that ends too early is an error."""

import gzip
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.dynamodb.decode import Page
from janitor.errors import SourceError
from janitor.export.decompress import decompress
from janitor.export.dump import read_dump_pages
from janitor.export.lines import read_line_pages

# What a scanner may stumble over: brackets, quotes and backslashes inside of texts, and objects in lists.
TEXTS = st.text(alphabet='{}[],:"\\ \n\té1', max_size=8)
VALUES = st.recursive(
    st.builds(lambda text: {"S": text}, TEXTS),
    lambda inner: st.one_of(
        st.builds(lambda each: {"L": each}, st.lists(inner, max_size=3)),
        st.builds(lambda each: {"M": each}, st.dictionaries(TEXTS, inner, max_size=3)),
    ),
    max_leaves=6,
)
ROWS = st.lists(
    st.builds(lambda key, other: {"token": {"S": key}, **other}, TEXTS, st.dictionaries(TEXTS, VALUES, max_size=3)),
    max_size=12,
)
INDENTS = st.sampled_from([None, 1, 4])


def cut(text: bytes, borders: list[int]) -> Iterator[bytes]:
    """The text in pieces; a border beyond its end counts from its start again."""
    places = sorted({0, len(text), *(border % (len(text) + 1) for border in borders)})
    return iter([text[start:end] for start, end in itertools.pairwise(places)])


def rows_of(pages: Iterator[Page]) -> list[Any]:
    return [json.loads(page.item(position)) for page in pages for position in range(page.count)]


@given(ROWS, st.randoms(use_true_random=False), INDENTS, st.lists(st.integers(0, 10_000), max_size=8))
def test_a_dump_may_be_cut_anywhere(rows: list[Any], order: random.Random, indent: int | None, borders: Any) -> None:
    answer: dict[str, Any] = {"Items": rows, "Count": len(rows), "ScannedCount": len(rows), "ConsumedCapacity": None}
    keys = list(answer)
    order.shuffle(keys)
    text = json.dumps({key: answer[key] for key in keys}, indent=indent).encode()
    assert rows_of(read_dump_pages(cut(text, borders), "dump")) == rows
    assert rows_of(read_dump_pages(cut(text + b"\n" + text, borders), "dump")) == [*rows, *rows]
    array = json.dumps(rows, indent=indent).encode()
    assert rows_of(read_dump_pages(cut(array, borders), "dump")) == rows


@given(ROWS, INDENTS, st.integers(1, 10_000), st.integers(0, 10_000))
def test_a_dump_that_ends_too_early_is_an_error(rows: list[Any], indent: int | None, end: int, border: int) -> None:
    answer = {"Items": rows, "Count": len(rows), "ScannedCount": len(rows)}
    text = json.dumps(answer, indent=indent).encode()
    with pytest.raises(SourceError):
        rows_of(read_dump_pages(cut(text[: 1 + end % (len(text) - 1)], [border]), "dump"))


@given(ROWS, st.sampled_from([b"\n", b"\r\n", b"\n\n"]), st.lists(st.integers(0, 10_000), max_size=8))
def test_lines_may_be_cut_anywhere(rows: list[Any], end: bytes, borders: list[int]) -> None:
    for is_wrapped in (True, False):
        lines = [json.dumps({"Item": row} if is_wrapped else row).encode() for row in rows]
        for text in (end.join(lines), end.join([*lines, b""])):
            assert rows_of(read_line_pages(cut(text, borders), "lines", is_wrapped=is_wrapped)) == rows


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=3), st.lists(st.integers(0, 1_000), max_size=6))
def test_gzip_may_be_cut_anywhere_and_come_in_several_parts(parts: list[bytes], borders: list[int]) -> None:
    stored = b"".join(gzip.compress(part, mtime=0) for part in parts)
    assert b"".join(decompress(cut(stored, borders), "part")) == b"".join(parts)


def test_gzip_that_ends_too_early_is_an_error_wherever_it_does() -> None:
    stored = gzip.compress(bytes(range(256)) * 20, mtime=0)
    for end in range(2, len(stored)):
        with pytest.raises(SourceError, match="is truncated"):
            b"".join(decompress(iter([stored[:end]]), "part"))


def test_what_is_packed_a_thousandfold_comes_in_pieces() -> None:
    stored = gzip.compress(bytes(5_000_000), mtime=0)
    pieces = list(decompress(iter([stored]), "part"))
    assert sum(map(len, pieces)) == 5_000_000
    assert max(map(len, pieces)) <= 1024 * 1024


def test_a_list_within_a_row_that_looks_like_rows_costs_no_more_than_going_through_it() -> None:
    row = {"token": {"S": "a"}, "groups": {"L": [{"S": f"{number}"} for number in range(30_000)]}}
    text = json.dumps({"Items": [row] * 4, "Count": 4, "ScannedCount": 4}).encode()
    borders = list(range(0, len(text), 100_000))
    assert rows_of(read_dump_pages(cut(text, borders), "dump")) == [row] * 4
