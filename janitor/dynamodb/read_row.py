"""Read one row by its key, as it is now."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from janitor.aws.errors import aws_errors
from janitor.dynamodb.decode import item_of
from janitor.tokens.attribute_names import KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CALL = "dynamodb:GetItem"


def read_row(client: "DynamoDBClient", table: str, key: Any) -> Mapping[str, Any] | None:
    """Read a row with a consistent read.

    Args:
        client: made with the page parser.
        table: the table's name.
        key: the row's key, as DynamoDB JSON: `{"S": …}`.

    Returns:
        the row as DynamoDB JSON; None if there is none.

    Raises:
        AwsError: DynamoDB refused or could not be reached; `dynamodb:GetItem` may be missing.
    """
    with aws_errors(_CALL, f"the table {table}"):
        response = client.get_item(TableName=table, Key={KEY: key}, ConsistentRead=True)
    return item_of(response, _CALL)
