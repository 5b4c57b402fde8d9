"""Read the rows of one owner through the table's index on `username`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from janitor.aws.errors import aws_errors
from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.decode import Page, page_of
from janitor.dynamodb.locate import OWNER_INDEX
from janitor.dynamodb.scan import build_projection, estimate_units, sleep
from janitor.tokens.attribute_names import USERNAME

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# How many owners are looked up at the end of a run, one after the other: 500 take a few seconds.
MAX_OWNER_LOOKUPS = 500

PagesOfOwner = Callable[[str], Iterable[Page]]
"""Takes a username, and returns its rows page by page."""


def read_owner_pages(
    client: "DynamoDBClient",
    table: str,
    username: str,
    budgets: Budgets,
    *,
    is_whole: bool = False,
    interruptible_wait: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Iterator[Page]:
    """Read every page of rows with this username.

    Args:
        client: made with the page parser.
        table: the table's name.
        username: the exact username.
        budgets: what the pages may cost.
        is_whole: whether to read whole items; else only the attributes that janitor uses.
        interruptible_wait: entered around each wait for the budget or an answer, which it may end; for the main thread.

    Raises:
        AwsError: the index could not be read; `dynamodb:Query` may be missing.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": OWNER_INDEX,
        "KeyConditionExpression": "#o = :owner",
        "ExpressionAttributeNames": {"#o": USERNAME},
        "ExpressionAttributeValues": {":owner": {"S": username}},
        "ReturnConsumedCapacity": "TOTAL",
    }
    if not is_whole:
        request |= build_projection()
    while True:
        with interruptible_wait():
            allowance = budgets.take_page(sleep)
        if allowance is None:
            return
        allowance.set_limit(request)
        with interruptible_wait(), aws_errors("dynamodb:Query", f"the index {OWNER_INDEX} of the table {table}"):
            response = client.query(**request)
        page = page_of(response, "dynamodb:Query")
        budgets.correct_page(allowance, page.scanned, page.read_units or estimate_units(page))
        yield page
        if page.next_key is None:
            return
        request["ExclusiveStartKey"] = page.next_key
