"""What no client in Python gets under: HTTP without signing, retries or checksums, and msgspec on two attributes."""

import http.client
import time
import urllib.parse
from collections import Counter
from typing import Any

import msgspec

from tests.bench.peers import arguments, policy


class Number(msgspec.Struct, gc=False):
    """A value of type N."""

    N: str


class Row(msgspec.Struct, gc=False):
    """The one attribute that decides."""

    tokenExpiration: Number  # noqa: N815  # DynamoDB's spelling


class Page(msgspec.Struct, gc=False):
    """A Scan answer."""

    Items: list[Row]
    ScannedCount: int
    LastEvaluatedKey: dict[str, Any] | None = None


def main() -> None:
    """Scan a table and print the outcome."""
    options = arguments.parser("floor").parse_args()
    now = int(time.time())
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(options.endpoint_url).netloc)
    headers = {"X-Amz-Target": "DynamoDB_20120810.Scan", "Content-Type": "application/x-amz-json-1.0"}
    decoder = msgspec.json.Decoder(Page)
    counts: Counter[str] = Counter()
    rows = 0
    call: dict[str, Any] = {"TableName": options.table}
    while True:
        connection.request("POST", "/", msgspec.json.encode(call), headers)
        page = decoder.decode(connection.getresponse().read())
        rows += page.ScannedCount
        findings = sum(1 for row in page.Items if int(row.tokenExpiration.N) <= now + policy.HORIZON)
        counts.update(findings=findings, active=len(page.Items) - findings)
        if page.LastEvaluatedKey is None:
            break
        call["ExclusiveStartKey"] = page.LastEvaluatedKey
    arguments.tell(counts, rows=rows)


if __name__ == "__main__":
    main()
