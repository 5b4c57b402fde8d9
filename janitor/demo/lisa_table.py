"""Create a token table as LISA does, with made-up tokens in every state."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from janitor.aws.errors import aws_errors
from janitor.demo.classic_rows import make_classic_rows
from janitor.demo.emulator import EmulatorError
from janitor.demo.hashed_rows import make_hashed_rows
from janitor.demo.row_parts import Item
from janitor.dynamodb.locate import OWNER_INDEX
from janitor.tokens.attribute_names import KEY, USERNAME

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE_NAMES = {"hashed": "demo-LISAApiBaseTokenTable", "classic": "demo-LISAApiTokenTable"}
"""The table name of each dialect, in a deployment named `demo`."""

_MAKE_ROWS: dict[str, Callable[[Random, int], list[Item]]] = {"hashed": make_hashed_rows, "classic": make_classic_rows}
_BATCH_ROWS = 25  # BatchWriteItem takes no more
_BATCH_ATTEMPTS = 10


def make_rows(now: int, dialect: str, seed: int = 6) -> list[Item]:
    """Make the table's rows, as DynamoDB JSON.

    Args:
        now: the UNIX second that their dates are counted from. Nothing else depends on it.
        dialect: `hashed` or `classic`.
        seed: another seed makes other people with other tokens.
    """
    return _MAKE_ROWS[dialect](Random(seed), now)  # noqa: S311  # tokens that no server accepts, the same in every demo


def find_next_owner(now: int, dialect: str) -> str:
    """Find whose token of these rows expires next."""
    ahead: list[tuple[int, str]] = [
        (int(row["tokenExpiration"]["N"]), row["username"]["S"])
        for row in make_rows(now, dialect)
        if "username" in row and int(row.get("tokenExpiration", {}).get("N", 0)) > now
    ]
    return min(ahead)[1]


def create_lisa_table(client: "DynamoDBClient", name: str, dialect: str, now: int) -> int:
    """Create the table, write its rows, and return how many they are.

    Args:
        client: a client of the embedded DynamoDB.
        name: the name of the new table.
        dialect: `hashed` or `classic`.
        now: the UNIX second that the rows' dates are counted from.

    Raises:
        AwsError: the table could not be created or written.
        EmulatorError: it did not take every row.
    """
    items = make_rows(now, dialect)
    with aws_errors("dynamodb:CreateTable", f"the table {name}"):
        client.create_table(**_define_table(name, dialect))
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    with aws_errors("dynamodb:BatchWriteItem", f"the table {name}"):
        for first in range(0, len(items), _BATCH_ROWS):
            _write_batch(client, name, items[first : first + _BATCH_ROWS])
    return len(items)


def _define_table(name: str, dialect: str) -> Any:
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
        "KeySchema": [{"AttributeName": USERNAME, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    attributes = [*definition["AttributeDefinitions"], {"AttributeName": USERNAME, "AttributeType": "S"}]
    return definition | {"GlobalSecondaryIndexes": [index], "AttributeDefinitions": attributes}


def _write_batch(client: "DynamoDBClient", name: str, batch: list[Item]) -> None:
    unwritten: Any = {name: [{"PutRequest": {"Item": item}} for item in batch]}
    for _ in range(_BATCH_ATTEMPTS):
        unwritten = client.batch_write_item(RequestItems=unwritten)["UnprocessedItems"]
        if not unwritten:
            return
    raise EmulatorError(f"the embedded DynamoDB did not take every row of {name}; run it again")
