"""The pictures of the documentation: small, complete by themselves, and without a token."""

import re
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from janitor.demo.lisa_table import TABLE_NAMES, make_rows
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row
from tests.pictures import FOLDER, NOW, PAGE_SIZE, describe_table

PICTURES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".mmd")
DRAWN = [path for path in PICTURES if path.suffix == ".svg"]
MOST_BYTES = 300_000


def test_each_picture_is_there_and_small() -> None:
    assert {path.name for path in PICTURES} == {"report.svg", "report-page.png", "one-run.svg"}
    assert max(path.stat().st_size for path in PICTURES) < MOST_BYTES


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_a_drawn_picture_fetches_nothing_and_shows_no_key(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"https?://(?!www\.w3\.org/)|@import|<script|url\((?!['\"]?#)", text) == []
    rows = [row for dialect in TABLE_NAMES for row in make_rows(int(NOW.timestamp()), dialect)]
    assert [row["token"]["S"] for row in rows if row["token"]["S"] in text] == []


def test_the_picture_of_the_page_is_of_the_demo_s_table_as_it_is_now_and_of_the_right_size() -> None:
    chunks = dict(png_chunks((FOLDER / "report-page.png").read_bytes()))
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == PAGE_SIZE
    second = int(NOW.timestamp())
    rows = [msgspec.convert(item, Row) for item in make_rows(second, "hashed")]
    states = Counter(classify(row, second, Policy(dialect=Dialect.HASHED)).state for row in rows)
    expected = describe_table(TABLE_NAMES["hashed"], states)
    assert chunks.get(b"tEXt", b"").decode() == f"Description\0{expected}", "draw it anew: make pictures"
    assert chunks[b"IEND"] == b""


def png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The type and the content of each chunk of a PNG."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    start = 8
    while start < len(content):
        length, kind = struct.unpack(">I4s", content[start : start + 8])
        yield kind, content[start + 8 : start + 8 + length]
        start += length + 12
