"""The peer to beat: boto3's client paginator, and the plainest loop that counts rows by state."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3

from tests.bench.peers import arguments, policy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, ScanInputPaginateTypeDef


def state(item: "Mapping[str, AttributeValueTypeDef]", now: int) -> str:
    """Name the state of a row of a hashed table as botocore hands it over."""
    expiration = item.get("tokenExpiration")
    if expiration is not None and "N" not in expiration:
        return "malformed"
    if "tokenUUID" not in item:
        return "legacy"
    return "permanent" if expiration is None else policy.state(int(expiration["N"]), now)


def main() -> None:
    """Scan a table and print the outcome."""
    parser = arguments.parser("paginator")
    parser.add_argument("--filtered", action="store_true", help="let the server leave out what is plainly active")
    options = parser.parse_args()
    now = int(time.time())
    client = boto3.client("dynamodb", region_name=arguments.REGION, endpoint_url=options.endpoint_url)
    call: ScanInputPaginateTypeDef = {"TableName": options.table}
    if options.filtered:
        call["FilterExpression"] = policy.FILTER
        call["ExpressionAttributeNames"] = {"#e": "tokenExpiration"}
        call["ExpressionAttributeValues"] = {
            ":n": {"S": "N"},
            ":horizon": {"N": str(now + policy.HORIZON + 1)},
            ":max": {"N": str(policy.LAST_SECOND)},
        }
    counts: Counter[str] = Counter()
    rows = 0
    for page in client.get_paginator("scan").paginate(**call):
        rows += page["ScannedCount"]
        for item in page["Items"]:
            counts[state(item, now)] += 1
    arguments.tell(counts, rows=rows)


if __name__ == "__main__":
    main()
