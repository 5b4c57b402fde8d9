"""Token tables as LISA makes them, and rows to put in: items are DynamoDB JSON, `{"token": {"S": "…"}}`."""

import base64
import hashlib
import itertools
import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef, GlobalSecondaryIndexTypeDef, WriteRequestTypeDef

Item: TypeAlias = dict[str, Any]

BATCH_ROWS = 25  # BatchWriteItem takes no more
BATCH_ATTEMPTS = 10

ROWS_FILE = Path(__file__).parent / "data" / "rows.json"
_SAMPLE: dict[str, Any] = json.loads(ROWS_FILE.read_text(encoding="utf-8"))

SAMPLE_NOW: int = _SAMPLE["now"]
"""The time, in UNIX seconds, that the sample rows' labels speak of."""


def sample_rows() -> dict[str, Item]:
    """Return the sample rows by their label; they fit a classic table only, for one user name is a list."""
    return {row["label"]: row["item"] for row in _SAMPLE["rows"]}


def token(key: str, expires: object = None, **attributes: object) -> Item:
    """Return a row as the seed describes it.

    `expires` is UNIX seconds; None leaves the attribute out, and a dict is DynamoDB JSON as it stands, as in every
    attribute: `token("k", {"S": "soon"})`.
    """
    dated = {} if expires is None else {"tokenExpiration": expires}
    given = {"token": key, **dated, **attributes}
    return {name: _as_dynamodb_json(value) for name, value in given.items()}


def modern(bearer: str, expires: object = None, **attributes: object) -> Item:
    """Return a row as LISA 6.1 writes it for this bearer token: its key is the token's sha256."""
    key = hashlib.sha256(bearer.encode()).hexdigest()
    believable = {
        "tokenUUID": str(uuid.UUID(key[:32])),
        "username": f"user-{key[:6]}@example.com",
        "name": f"token {key[:6]}",
        "createdBy": "admin",
        "createdDate": SAMPLE_NOW - 90 * 86_400,
        "groups": ["lisa-users"],
        "isSystemToken": False,
    }
    return token(key, expires, **{**believable, **attributes})


def legacy(bearer: str, expires: object = None, **attributes: object) -> Item:
    """Return a row from before LISA 6.1 in a hashed table: the token itself is the key, and there is no `tokenUUID`."""
    return token(bearer, expires, **attributes)


def create_table(client: DynamoDBClient, name: str, *, hashed: bool, rows: Iterable[Item] = ()) -> None:
    """Make a table as LISA makes it, hashed (6.1 and later) or classic, and write these rows into it."""
    index: GlobalSecondaryIndexTypeDef = {
        "IndexName": "username-index",
        "KeySchema": [{"AttributeName": "username", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    attributes = ["token", "username"] if hashed else ["token"]
    table: CreateTableInputTypeDef = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "token", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in attributes],
    }
    if hashed:
        table["GlobalSecondaryIndexes"] = [index]
    client.create_table(**table)
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    put_rows(client, name, rows)


def put_rows(client: DynamoDBClient, name: str, rows: Iterable[Item]) -> None:
    """Write these rows in batches, the rows that a busy server hands back again."""
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, BATCH_ROWS)):
        _put_batch(client, name, [{"PutRequest": {"Item": _as_boto3_takes_it(row)}} for row in batch])


def _put_batch(client: DynamoDBClient, name: str, batch: list[WriteRequestTypeDef]) -> None:
    unwritten: Any = {name: batch}
    for _ in range(BATCH_ATTEMPTS):
        unwritten = client.batch_write_item(RequestItems=unwritten)["UnprocessedItems"]
        if not unwritten:
            return
    raise RuntimeError(f"table {name}: rows were still unwritten after {BATCH_ATTEMPTS} attempts")


def _as_dynamodb_json(value: object) -> dict[str, Any]:
    match value:
        case dict():
            return value
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case list():
            return {"L": [_as_dynamodb_json(each) for each in value]}
        case _:
            raise TypeError(f"say a {type(value).__name__} as DynamoDB JSON")


def _as_boto3_takes_it(item: Item) -> Item:
    return {name: _unpacked(attribute) for name, attribute in item.items()}


def _unpacked(attribute: dict[str, Any]) -> dict[str, Any]:
    """Return an attribute with its binaries as bytes: on the wire they are base64, and boto3 does that itself."""
    ((kind, value),) = attribute.items()
    match kind:
        case "B":
            return {kind: base64.b64decode(value)}
        case "BS":
            return {kind: [base64.b64decode(each) for each in value]}
        case "L":
            return {kind: [_unpacked(each) for each in value]}
        case "M":
            return {kind: _as_boto3_takes_it(value)}
        case _:
            return attribute
