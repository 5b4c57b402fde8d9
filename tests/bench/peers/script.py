"""The script that somebody would write in place of janitor: boto3's paginator, the rules by hand, JSON at the end."""

import json
import sys
import time
from typing import Any

import boto3

from tests.bench.peers import policy


def main() -> None:
    """Scan the table, named after the endpoint, and print the counts and every row that is not plainly active."""
    url, table = sys.argv[1:]
    now = int(time.time())
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=url)
    counts: dict[str, int] = {}
    findings: list[dict[str, Any]] = []
    for page in client.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            expiry = int(item["tokenExpiration"]["N"]) if "tokenExpiration" in item else None
            state = "permanent" if expiry is None else policy.state(expiry, now)
            counts[state] = counts.get(state, 0) + 1
            if state != "active":
                findings.append(
                    {
                        "state": state,
                        "name": item["name"]["S"],
                        "username": item["username"]["S"],
                        "expiration": expiry,
                    }
                )
    print(json.dumps({"counts": counts, "findings": findings}, indent=2))


if __name__ == "__main__":
    main()
