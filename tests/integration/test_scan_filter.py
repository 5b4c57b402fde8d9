"""The server leaves out plainly active rows, and no others.

What the filter does not see is what docs/explanation/states-and-gates.md names.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.dynamodb.scan import build_filter, build_projection
from janitor.tokens.classify import State, classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.expiration import whole_seconds
from janitor.tokens.policy import Policy
from janitor.tokens.row import Row
from tests.examples import examples
from tests.tables import BATCH_ROWS, Item, create_table, modern
from tests.unit.rows import NOW, row

POLICY = Policy(dialect=Dialect.HASHED)
FAR = NOW + 60 * DAY
# As many as a run may look for at once.
PATTERNS = tuple(f"somebody-{number:02}*" for number in range(50))
# What a number may be in DynamoDB.
numbers = st.sampled_from(["0", "1", "-1", "1.5", str(NOW), str(FAR), f"{FAR}.5", "100000000000", "9.9E+125", "1E-130"])
values: st.SearchStrategy[dict[str, Any]] = st.one_of(
    numbers.map(lambda number: {"N": number}),
    st.sampled_from(["", "a", "true", "12", "AF"]).map(lambda text: {"S": text}),
    st.booleans().map(lambda truth: {"BOOL": truth}),
    st.sampled_from([{"NULL": True}, {"B": "AA=="}, {"SS": ["a"]}, {"NS": ["1"]}, {"M": {"N": {"S": "a"}}}]),
)
groups = st.lists(st.one_of(st.just({"S": "a"}), st.just({"S": "a"}), values), max_size=6).map(lambda each: {"L": each})
changes = st.fixed_dictionaries(
    {},
    optional={
        "tokenExpiration": values,
        "tokenUUID": values,
        "name": values,
        "createdBy": values,
        "createdDate": values,
        "isSystemToken": values,
        "groups": st.one_of(values, groups, groups),
    },
)
spellings: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
    [str, str, str.upper, lambda key: key[:40], lambda key: f"{key[:63]}z", lambda key: f"{key[:63]}Z"]
)
rows = st.lists(
    st.tuples(changes, st.sampled_from([(), ("name", "groups", "createdDate")]), spellings), max_size=BATCH_ROWS
)


def make_item(number: int, changed: Item, left_out: tuple[str, ...], spell: Callable[[str], str]) -> Item:
    item = {**modern(f"{number}", FAR, createdDate=NOW), **changed}
    item["token"] = {"S": spell(hashlib.sha256(f"{number}".encode()).hexdigest())}
    return {name: value for name, value in item.items() if name not in left_out or name in changed}


def without_what_is_not_seen(item: Item) -> Row:
    """The row without what that page says that the filter does not see."""
    seen = dict(item)
    for name in ("tokenExpiration", "createdDate"):
        if "N" in seen.get(name, {}):
            seen[name] = {"N": str(whole_seconds(seen[name]["N"]))}
    if "L" in seen.get("groups", {}):
        seen["groups"] = {"L": seen["groups"]["L"][:3]}
    if len(key := seen["token"]["S"]) == 64 and not set(key) & set("ABCDEF"):
        seen["token"] = {"S": "0" * 64}
    return row(seen)


@pytest.fixture(scope="module")
def local(dynamodb_local_url: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=dynamodb_local_url)


@examples(4, 300)
@given(rows=rows)
def test_a_row_that_the_server_does_not_send_is_plainly_active(local: Any, rows: list[Any]) -> None:
    items = [make_item(number, *each) for number, each in enumerate(rows)] + [modern("plain", FAR)]
    create_table(local, "filtered", hashed=True, rows=items)
    try:
        keys = [
            {item["token"]["S"] for item in local.scan(TableName="filtered", **arguments)["Items"]}
            for arguments in (
                build_filter(NOW, POLICY),
                build_filter(NOW, POLICY, whole_items=True, patterns=PATTERNS),
                build_projection(),
            )
        ]
    finally:
        local.delete_table(TableName="filtered")
    sent, sent_whole, every = keys
    assert sent == sent_whole
    assert every == {item["token"]["S"] for item in items}
    assert modern("plain")["token"]["S"] not in sent
    for item in items:
        if item["token"]["S"] not in sent:
            assert classify(row(item), NOW, POLICY).state in (State.ACTIVE, State.LEGACY)
            verdict = classify(without_what_is_not_seen(item), NOW, POLICY)
            assert (verdict.state, verdict.reasons) == (State.ACTIVE, ())
