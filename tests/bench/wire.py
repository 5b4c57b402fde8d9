"""How much of a table comes over the wire: a scan by boto3 and one by janitor, on Amazon's own DynamoDB Local."""

import http.client
import json
import time
import urllib.parse
from contextlib import closing
from typing import Any

from tests.bench.commands import TABLE, janitor_scan, peer
from tests.bench.counting_proxy import CountingProxy, counting_proxy
from tests.bench.figures import Figure, at_most
from tests.bench.processes import CommandFailedError, output_of
from tests.bench.rows import expiry_of, hashed_row, state_of
from tests.dynamodb_local import cache_folder, find
from tests.servers import dynamodb_local

_ROWS = 20_000
_FINDING_EVERY = 100
_GOAL_PERCENT = 2.0
_ROWS_A_WRITE = 25
_MARK = "0000"

# DynamoDB Local wants the header's shape, and checks no signature.
_AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/dynamodb/aws4_request, SignedHeaders=, Signature="


def run() -> list[Figure]:
    """Scan one table both ways through a proxy that counts; without DynamoDB Local, say why there is no figure."""
    installation = find(cache_folder())
    if isinstance(installation, str):
        return [Figure("bytes on the wire", f"not measured: {installation}", f"<= {_GOAL_PERCENT:.1f} %")]
    with dynamodb_local(installation) as url:
        port = urllib.parse.urlsplit(url).port or 0
        _fill(port)
        with counting_proxy(port) as proxy:
            return _compare(proxy)


def _compare(proxy: CountingProxy) -> list[Figure]:
    whole = json.loads(output_of(peer("paginator", proxy.url)))
    whole_bytes = proxy.take()
    counts = json.loads(output_of(janitor_scan(proxy.url, "--segments", "1", "--format", "json")))["counts"]
    our_bytes = proxy.take()
    found = (counts["scanned"], counts["scanned"] - counts["active"])
    expected = (_ROWS, sum(state_of(number, finding_every=_FINDING_EVERY) != "active" for number in range(_ROWS)))
    if found != expected or (whole["rows"], whole["findings"]) != expected:
        raise CommandFailedError(f"wire: (rows, findings) are {found} and {whole} where the table has {expected}")
    return [
        Figure(f"boto3 scan of {_ROWS:,} rows, response bytes", f"{whole_bytes:,}"),
        Figure(f"janitor scan of {_ROWS:,} rows, response bytes", f"{our_bytes:,}"),
        at_most("janitor / boto3, 1 % findings", 100 * our_bytes / whole_bytes, _GOAL_PERCENT, form="{:.2f} %"),
    ]


def _fill(port: int) -> None:
    """Make the table as LISA 6.1 does, and write its rows."""
    now = int(time.time())
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        _call(connection, "CreateTable", _table())
        for start in range(0, _ROWS, _ROWS_A_WRITE):
            writes = [_write(number, now) for number in range(start, start + _ROWS_A_WRITE)]
            outcome = _call(connection, "BatchWriteItem", {"RequestItems": {TABLE: writes}})
            if outcome["UnprocessedItems"]:
                raise CommandFailedError("DynamoDB Local left rows unwritten")


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


def _write(number: int, now: int) -> dict[str, Any]:
    expiry = expiry_of(number, now, finding_every=_FINDING_EVERY)
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
        raise CommandFailedError(f"DynamoDB Local answered {response.status} to {operation}: {answer.get('__type')}")
    return answer
