"""The rows of one owner, through the table's index on `username`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from janitor.aws.errors import aws_errors
from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.decode import Page, page_of
from janitor.dynamodb.locate import KEY, OWNER_INDEX
from janitor.dynamodb.scan import sleep, units_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# How many owners are looked up at the end of a run. One after the other: 500 take a few seconds.
MOST_LOOKUPS = 500

PagesOfOwner = Callable[[str], Iterable[Page]]
"""The rows that carry a username, page by page."""


def pages_of_owner(
    client: "DynamoDBClient",
    table: str,
    username: str,
    budgets: Budgets,
    *,
    is_whole: bool = False,
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Iterator[Page]:
    """Every page of rows that carry this username; for the main thread.

    Args:
        client: made with the page parser.
        table: the table's name.
        username: as the rows have it.
        budgets: what the pages may cost.
        is_whole: whether the whole items come, and not only what a gate asks for.
        waiting: around each wait for the budget or an answer, as `Stop.waiting`; it may end that.

    Raises:
        AwsError: the index could not be read; `dynamodb:Query` may be missing.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": OWNER_INDEX,
        "KeyConditionExpression": "#o = :owner",
        "ExpressionAttributeNames": {"#o": "username"},
        "ExpressionAttributeValues": {":owner": {"S": username}},
        "ReturnConsumedCapacity": "TOTAL",
    }
    if not is_whole:
        # The key is what makes it a row.
        request["ProjectionExpression"] = "#k, #e, #u"
        request["ExpressionAttributeNames"] |= {"#k": KEY, "#e": "tokenExpiration", "#u": "tokenUUID"}
    while True:
        with waiting():
            allowance = budgets.take_page(sleep)
        if allowance is None:
            return
        allowance.set_limit(request)
        with waiting(), aws_errors("dynamodb:Query", f"the index {OWNER_INDEX} of the table {table}"):
            response = client.query(**request)
        page = page_of(response, "dynamodb:Query")
        budgets.settle_page(allowance, page.scanned, page.read_units or units_of(page))
        yield page
        if page.next_key is None:
            return
        request["ExclusiveStartKey"] = page.next_key
