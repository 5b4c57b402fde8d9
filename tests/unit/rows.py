"""Rows as DynamoDB's JSON writes them, of any shape, for properties."""

import hashlib
from typing import Any

import msgspec
from hypothesis import strategies as st

from janitor.dynamodb.locate import Table
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row

NOW = 1_790_000_000
KEY = hashlib.sha256(b"k").hexdigest()
"""The key of a row of LISA 6.1 whose token is `k`."""
POLICIES = {dialect: Policy(dialect=dialect) for dialect in Dialect}
# A table that was found.
TABLE = Table(
    name="tokens",
    region="us-east-1",
    account_id=None,
    endpoint=None,
    dialect=Dialect.HASHED,
    has_owner_index=True,
    item_count=0,
    size_bytes=0,
    skew_seconds=0,
)
dialects = st.sampled_from(list(Dialect))

_near_now = st.integers(NOW - 100 * DAY, NOW + 100 * DAY)
_numbers = st.one_of(
    _near_now.map(str),
    _near_now.map(lambda second: f"{second}.75"),
    st.integers(-(10**126) + 1, 10**126 - 1).map(str),
    st.sampled_from(["0", "-0", "1.79E9", "9.99E+125", "1E-130", "99999999999", "99999999999.9", "100000000000"]),
)
_texts = st.one_of(
    _numbers,
    _near_now.map(lambda second: f" {second}\n"),
    _near_now.map(lambda second: f"{second:_}"),
    st.sampled_from(["", "  ", "2026-12-24T00:00:00Z", "١٧٩٠٠٠٠٠٠١", "1" * 5_000, "+1793456000", "nan", "None"]),
    st.text(max_size=20),
)
values = st.one_of(
    _numbers.map(lambda number: {"N": number}),
    _texts.map(lambda text: {"S": text}),
    st.booleans().map(lambda truth: {"BOOL": truth}),
    st.just({"NULL": True}),
    st.sampled_from(["", "MTcwMDAwMDAwMA=="]).map(lambda binary: {"B": binary}),
    st.lists(_numbers.map(lambda number: {"N": number}), max_size=2).map(lambda items: {"L": items}),
    st.dictionaries(st.text(max_size=3), st.just({"S": "x"}), max_size=2).map(lambda items: {"M": items}),
    st.just({"NS": ["1793456000"]}),
    st.just({"SS": ["1793456000"]}),
    st.just({"BS": ["MTc="]}),
)
_OPTIONAL = (
    "tokenExpiration",
    "tokenUUID",
    "username",
    "name",
    "createdBy",
    "createdDate",
    "groups",
    "isSystemToken",
    "janitorHold",
)
keys = st.one_of(
    st.sampled_from([KEY, KEY, KEY, KEY.upper(), f"{KEY[:-1]}G", f"{KEY[:-1]} ", f"{KEY}0"]),
    st.text(min_size=1, max_size=80),
)
items: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"token": keys.map(lambda key: {"S": key})}, optional=dict.fromkeys(_OPTIONAL, values)
)


def row(item: dict[str, Any]) -> Row:
    """The row that janitor makes of an item, through the bytes it would arrive in."""
    return msgspec.json.decode(msgspec.json.encode(item), type=Row)


def dated(expiration: str, **attributes: dict[str, Any]) -> Row:
    """A row of LISA 6.1 with this number for its expiration."""
    return row({"token": {"S": KEY}, "tokenUUID": {"S": "u"}, "tokenExpiration": {"N": expiration}, **attributes})
