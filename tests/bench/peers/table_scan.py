"""boto3's resource interface: Table.scan in a loop, with every value turned into a Python object."""

import time
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3

from tests.bench.peers import arguments, policy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ScanInputTableScanTypeDef


def state(item: Mapping[str, Any], now: int) -> str:
    """Name the state of a row of a hashed table as boto3 hands it over."""
    expiration = item.get("tokenExpiration")
    if expiration is not None and not isinstance(expiration, Decimal):
        return "malformed"
    if "tokenUUID" not in item:
        return "legacy"
    return "permanent" if expiration is None else policy.state(int(expiration), now)


def main() -> None:
    """Scan a table and print the outcome."""
    options = arguments.parser("table_scan").parse_args()
    now = int(time.time())
    table = boto3.resource("dynamodb", region_name=arguments.REGION, endpoint_url=options.endpoint_url).Table(
        options.table
    )
    counts: Counter[str] = Counter()
    rows = 0
    call: ScanInputTableScanTypeDef = {}
    while True:
        page = table.scan(**call)
        rows += page["ScannedCount"]
        for item in page["Items"]:
            counts[state(item, now)] += 1
        if "LastEvaluatedKey" not in page:
            break
        call["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    arguments.tell(counts, rows=rows)


if __name__ == "__main__":
    main()
