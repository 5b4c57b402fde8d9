"""The rows of one owner, through the table's index on `username`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from janitor.aws_errors import aws_errors
from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.decode import Page, page_of
from janitor.dynamodb.locate import KEY, OWNER_INDEX
from janitor.dynamodb.scan import sleep, units_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def pages_of_owner(client: "DynamoDBClient", table: str, username: str, budgets: Budgets) -> Iterator[Page]:
    """Every page of rows that carry this username; for the main thread.

    Args:
        client: made with the page parser.
        table: the table's name.
        username: as the rows have it.
        budgets: what the pages may cost.

    Raises:
        AwsError: the index could not be read; `dynamodb:Query` may be missing.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": OWNER_INDEX,
        "KeyConditionExpression": "#o = :owner",
        # No more than a gate asks for; the key is what makes it a row.
        "ProjectionExpression": "#k, #e, #u",
        "ExpressionAttributeNames": {"#o": "username", "#k": KEY, "#e": "tokenExpiration", "#u": "tokenUUID"},
        "ExpressionAttributeValues": {":owner": {"S": username}},
        "ReturnConsumedCapacity": "TOTAL",
    }
    while (allowance := budgets.take_page(sleep)) is not None:
        allowance.set_limit(request)
        with aws_errors("dynamodb:Query", f"the index {OWNER_INDEX} of the table {table}"):
            response = client.query(**request)
        page = page_of(response, "dynamodb:Query")
        budgets.settle_page(allowance, page.scanned, page.read_units or units_of(page))
        yield page
        if page.next_key is None:
            return
        request["ExclusiveStartKey"] = page.next_key
