"""A table on Amazon's own DynamoDB Local, as LISA 6.1 makes it, filled with made-up rows."""

import contextlib
import http.client
import json
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from tests.bench.commands import TABLE
from tests.bench.processes import CommandFailedError
from tests.bench.rows import expiry_of, hashed_row
from tests.dynamodb_local import Installation
from tests.servers import dynamodb_local

_ROWS_A_WRITE = 25
_MARK = "0000"

# DynamoDB Local wants the header's shape, and checks no signature.
_AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/dynamodb/aws4_request, SignedHeaders=, Signature="


@contextlib.contextmanager
def local_table(installation: Installation, rows: int, *, finding_every: int) -> Iterator[str]:
    """Serve a table of so many rows, of which one in `finding_every` is a finding; yields the endpoint's URL."""
    with dynamodb_local(installation) as url:
        fill_table(url, rows, finding_every=finding_every)
        yield url


def fill_table(url: str, rows: int, *, finding_every: int) -> None:
    """Make the table as LISA 6.1 does on the server at this URL, and write its rows."""
    port, now = urllib.parse.urlsplit(url).port or 0, int(time.time())
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        _call(connection, "CreateTable", _table())
        for start in range(0, rows, _ROWS_A_WRITE):
            writes = [_write(number, now, finding_every) for number in range(start, min(rows, start + _ROWS_A_WRITE))]
            outcome = _call(connection, "BatchWriteItem", {"RequestItems": {TABLE: writes}})
            if outcome["UnprocessedItems"]:
                raise CommandFailedError("the server left rows unwritten")


def _table() -> dict[str, Any]:
    index = {
        "IndexName": "username-index",
        "KeySchema": [{"AttributeName": "username", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    return {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "token", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("token", "username")],
        "GlobalSecondaryIndexes": [index],
    }


def _write(number: int, now: int, finding_every: int) -> dict[str, Any]:
    expiry = expiry_of(number, now, finding_every=finding_every)
    return {"PutRequest": {"Item": hashed_row(number, expiry=expiry, mark=_MARK)}}


def _call(connection: http.client.HTTPConnection, operation: str, content: dict[str, Any]) -> dict[str, Any]:
    headers = {
        "Authorization": _AUTHORIZATION,
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
    }
    connection.request("POST", "/", json.dumps(content), headers)
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    if response.status != http.client.OK:
        raise CommandFailedError(f"the server answered {response.status} to {operation}: {answer.get('__type')}")
    return answer
