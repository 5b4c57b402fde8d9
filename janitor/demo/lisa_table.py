"""A token table as LISA makes it, filled with made-up tokens in every state."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from janitor.aws.errors import aws_errors
from janitor.demo.classic_rows import classic_rows
from janitor.demo.emulator import EmulatorError
from janitor.demo.hashed_rows import hashed_rows
from janitor.demo.item import Item
from janitor.dynamodb.locate import KEY, OWNER_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE_NAMES = {"hashed": "demo-LISAApiBaseTokenTable", "classic": "demo-LISAApiTokenTable"}
"""The table of each dialect, as a deployment named `demo` calls it."""

_ROWS: dict[str, Callable[[Random, int], list[Item]]] = {"hashed": hashed_rows, "classic": classic_rows}
_OWNER = "username"
_BATCH_ROWS = 25  # BatchWriteItem takes no more
_BATCH_ATTEMPTS = 10


def rows(now: int, dialect: str, seed: int = 6) -> list[Item]:
    """The table's rows, as DynamoDB JSON.

    Args:
        now: the UNIX second that their dates are counted from. Nothing else depends on it.
        dialect: `hashed` or `classic`.
        seed: another one makes other people with other tokens.
    """
    return _ROWS[dialect](Random(seed), now)  # noqa: S311  # tokens that no server accepts, the same in every demo


def create(client: "DynamoDBClient", name: str, dialect: str, now: int) -> int:
    """Make the table, write its rows, and return how many they are.

    Args:
        client: of the embedded DynamoDB.
        name: of the new table.
        dialect: `hashed` or `classic`.
        now: the UNIX second that the rows' dates are counted from.

    Raises:
        AwsError: the table could not be made or written.
        EmulatorError: it did not take every row.
    """
    items = rows(now, dialect)
    with aws_errors("dynamodb:CreateTable", f"the table {name}"):
        client.create_table(**_definition(name, dialect))
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    with aws_errors("dynamodb:BatchWriteItem", f"the table {name}"):
        for first in range(0, len(items), _BATCH_ROWS):
            _put(client, name, items[first : first + _BATCH_ROWS])
    return len(items)


def _definition(name: str, dialect: str) -> Any:
    definition = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": KEY, "AttributeType": "S"}],
    }
    if dialect == "classic":
        return definition
    index = {
        "IndexName": OWNER_INDEX,
        "KeySchema": [{"AttributeName": _OWNER, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    attributes = [*definition["AttributeDefinitions"], {"AttributeName": _OWNER, "AttributeType": "S"}]
    return definition | {"GlobalSecondaryIndexes": [index], "AttributeDefinitions": attributes}


def _put(client: "DynamoDBClient", name: str, batch: list[Item]) -> None:
    unwritten: Any = {name: [{"PutRequest": {"Item": item}} for item in batch]}
    for _ in range(_BATCH_ATTEMPTS):
        unwritten = client.batch_write_item(RequestItems=unwritten)["UnprocessedItems"]
        if not unwritten:
            return
    raise EmulatorError(f"the embedded DynamoDB did not take every row of {name}; run it again")
