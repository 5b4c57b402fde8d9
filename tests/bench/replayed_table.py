"""What the replay server answers: a table that can be described, scanned and swept, and does nothing else."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.bench import replayed_deletes
from tests.bench.pages import READ_UNITS, Body, Pages
from tests.bench.rows import ROW_BYTES, ROWS_PER_PAGE

Request = dict[str, Any]
"""The decoded JSON of one call."""

_PREFIX = "com.amazonaws.dynamodb.v20120810#"


@dataclass(frozen=True)
class Reply:
    """One answer: HTTP status and body."""

    status: int
    body: Body


class RefusedError(Exception):
    """A call that this server cannot answer as DynamoDB would; `code` is the error's name in the answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ReplayedTable:
    """A table of `count` pages, whatever name it is asked by.

    With `filtering` a Scan that brings a FilterExpression gets the findings only, whatever the expression says;
    without it every Scan gets every row.
    """

    def __init__(self, pages: Pages, *, count: int, filtering: bool) -> None:
        self._pages = pages
        self._count = count
        self._filtering = filtering
        self._operations: dict[str, Callable[[Request], Body]] = {
            "DescribeTable": self._describe_table,
            "DescribeTimeToLive": self._describe_time_to_live,
            "Query": self._query,
            "Scan": self._scan,
            "BatchExecuteStatement": lambda request: _body(replayed_deletes.batch_execute_statement(request)),
            "BatchWriteItem": lambda request: _body(replayed_deletes.batch_write_item(request)),
            "DeleteItem": lambda request: _body(replayed_deletes.delete_item(request)),
        }

    def answer(self, operation: str, request: Request) -> Reply:
        """Answer one call; what is not known is refused, never guessed."""
        try:
            return Reply(200, self._operations.get(operation, _refuse_unknown)(request))
        except RefusedError as refusal:
            return Reply(400, json_body({"__type": _PREFIX + refusal.code, "message": str(refusal)}))

    def sizes(self) -> dict[str, int]:
        """Say how many rows there are, and their bytes, as DescribeTable does."""
        return {
            "ItemCount": self._count * ROWS_PER_PAGE,
            "TableSizeBytes": self._count * ROWS_PER_PAGE * ROW_BYTES,
        }

    def _scan(self, request: Request) -> Body:
        if "Limit" in request:
            raise RefusedError(
                "ValidationException", "Ready-made pages are whole: scan without Limit, or serve --row-bytes."
            )
        segment, segments = request.get("Segment", 0), request.get("TotalSegments", 1)
        after = request.get("ExclusiveStartKey")
        page = segment if after is None else _page_behind(after) + segments
        if page % segments != segment or (after is not None and page >= self._count):
            raise RefusedError("ValidationException", "The provided starting key is outside this segment.")
        if page >= self._count:
            return json_body({"Items": [], "Count": 0, "ScannedCount": 0} | capacity(request, 0.0))
        filtered = self._filtering and "FilterExpression" in request
        last = {"LastEvaluatedKey": _key_behind(page)} if page + segments < self._count else {}
        return self._pages.head(page, filtered=filtered) + _continuation(capacity(request, READ_UNITS) | last)

    def _query(self, request: Request) -> Body:
        return json_body({"Items": [], "Count": 0, "ScannedCount": 0} | capacity(request, 0.5))

    def _describe_time_to_live(self, _: Request) -> Body:
        return json_body({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})

    def _describe_table(self, request: Request) -> Body:
        name = request["TableName"]
        arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"
        sizes = self.sizes()
        index = {
            "IndexName": "username-index",
            "IndexArn": f"{arn}/index/username-index",
            "IndexStatus": "ACTIVE",
            "KeySchema": [{"AttributeName": "username", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        table = {
            "TableName": name,
            "TableArn": arn,
            "TableStatus": "ACTIVE",
            "KeySchema": [{"AttributeName": "token", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in ("token", "username")],
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "GlobalSecondaryIndexes": [index | sizes],
        }
        return json_body({"Table": table | sizes})


def _refuse_unknown(_: Request) -> Body:
    raise RefusedError("UnknownOperationException", "The replay server does not know this operation.")


def capacity(request: Request, units: float) -> dict[str, Any]:
    """Say what a call cost, in read units, if it asked."""
    if request.get("ReturnConsumedCapacity", "NONE") == "NONE":
        return {}
    return {"ConsumedCapacity": {"TableName": request["TableName"], "CapacityUnits": units}}


def _key_behind(page: int) -> dict[str, Any]:
    return {"token": {"S": f"{page:064x}"}}


def _page_behind(key: dict[str, Any]) -> int:
    try:
        return int(key["token"]["S"], 16)
    except (KeyError, TypeError, ValueError):
        raise RefusedError("ValidationException", "The provided starting key is invalid.") from None


def _continuation(members: dict[str, Any]) -> bytes:
    """Encode the members that end an object begun before."""
    encoded = msgspec.json.encode(members)
    return b"," + encoded[1:] if members else b"}"


def json_body(content: dict[str, Any]) -> Body:
    """Encode an answer."""
    return _body(msgspec.json.encode(content))


def _body(content: bytes) -> Body:
    return Body((content,), zlib.crc32(content))
