"""A page that is not whole is an error, never the end of the table."""

import zlib
from typing import Any

import msgspec
import pytest
from botocore.parsers import create_parser
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from janitor.dynamodb.decode import FastParserFactory, Page, page_of
from janitor.errors import CorruptPageError

ITEMS = [{"token": {"S": f"key-{number}"}, "tokenExpiration": {"N": str(number)}} for number in range(5)]
BODY = msgspec.json.encode(
    {"Items": ITEMS, "Count": 5, "ScannedCount": 9, "LastEvaluatedKey": {"token": {"S": "key-4"}}}
)
SHAPE = Session().get_service_model("dynamodb").operation_model("Scan").output_shape


def answered(body: bytes, *, checksum: str | None = None, status: int = 200) -> dict[str, Any]:
    """What a client of ours makes of this answer to a Scan."""
    headers = {} if checksum is None else {"x-amz-crc32": checksum}
    parser = FastParserFactory().create_parser("json")
    parsed: dict[str, Any] = parser.parse({"status_code": status, "headers": headers, "body": body}, SHAPE)
    return parsed


def test_a_whole_page_is_read() -> None:
    page = page_of(answered(BODY, checksum=str(zlib.crc32(BODY))), "dynamodb:Scan")
    assert (page.count, page.scanned, page.is_filtered) == (5, 9, True)
    assert page.next_key == {"token": {"S": "key-4"}}
    assert [row.key.S for row in page.rows(range(5))] == [f"key-{number}" for number in range(5)]


@given(st.integers(0, len(BODY) - 1))
def test_a_page_cut_anywhere_is_an_error_even_without_a_checksum(length: int) -> None:
    with pytest.raises(CorruptPageError):
        page_of(answered(BODY[:length]), "dynamodb:Scan")


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_page_with_a_wrong_byte_is_an_error(position: int, change: int) -> None:
    damaged = bytearray(BODY)
    damaged[position] ^= change
    with pytest.raises(CorruptPageError):
        page_of(answered(bytes(damaged), checksum=str(zlib.crc32(BODY))), "dynamodb:Scan")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"Items": [], "Count": 0},
        {"Items": [], "ScannedCount": 0},
        {"Count": 0, "ScannedCount": 0},
        {"Items": [], "Count": 1, "ScannedCount": 1},
        {"Items": ITEMS, "Count": 5, "ScannedCount": 4},
        {"Items": None, "Count": 0, "ScannedCount": 0},
        {"Items": [], "Count": 0, "ScannedCount": 0, "ConsumedCapacity": {"CapacityUnits": -0.5}},
        {"Items": [], "Count": 0, "ScannedCount": 0, "ConsumedCapacity": {"CapacityUnits": 1e308}},
    ],
)
def test_counts_that_are_missing_or_contradict_the_rows_are_an_error(content: dict[str, Any]) -> None:
    with pytest.raises(CorruptPageError):
        page_of(answered(msgspec.json.encode(content)), "dynamodb:Scan")


@pytest.mark.parametrize("units", ["-0.5", "1e6", "1e300", "-1e300", '"5"', "NaN", "1e999"])
def test_a_cost_that_no_answer_can_have_is_an_error(units: str) -> None:
    cost = b'"ConsumedCapacity":{"CapacityUnits":%s},' % units.encode()
    with pytest.raises(CorruptPageError):
        page_of(answered(BODY.replace(b"{", b"{" + cost, 1)), "dynamodb:Scan")


def test_a_row_without_a_key_is_an_error_when_it_is_read() -> None:
    page = Page(msgspec.json.encode({"Items": [{"name": {"S": "x"}}], "Count": 1, "ScannedCount": 1}))
    with pytest.raises(CorruptPageError):
        list(page.rows([0]))


def test_an_error_is_left_to_botocore() -> None:
    body = b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}'
    ours = answered(body, status=400)
    assert SHAPE is not None
    theirs = create_parser("json").parse({"status_code": 400, "headers": {}, "body": body}, SHAPE)
    assert ours["Error"] == theirs["Error"]
    assert ours["Error"]["Code"] == "ThrottlingException"


def test_a_number_that_is_not_whole_makes_no_page_unreadable() -> None:
    items = [{"token": {"S": "a"}, "tokenExpiration": {"N": number}} for number in ("1.5", "nine", "7")]
    page = Page(msgspec.json.encode({"Items": items, "Count": 3, "ScannedCount": 3}))
    [glances] = page.glances()
    assert [glance.expiration.N if glance.expiration else None for glance in glances] == [None, None, 7]


def test_no_repr_shows_a_key() -> None:
    page = Page(BODY)
    rows = list(page.rows(range(5)))
    assert "key-" not in f"{page!r} {rows!r} {rows[0].key!r} {rows[0].expiration!r} {[*page.glances()]!r}"
