"""aws-dynamodb-parallel-scan's paginator, four segments at once, and the plainest loop that counts rows by state.

It runs in an environment of its own (tests/bench/foreign.py).
"""

import time
from collections import Counter

import aws_dynamodb_parallel_scan  # type: ignore[import-not-found]
import boto3

from tests.bench.peers import arguments
from tests.bench.peers.paginator import state

_SEGMENTS = 4


def main() -> None:
    """Scan a table and print the outcome."""
    options = arguments.parser("parallel_scan").parse_args()
    now = int(time.time())
    client = boto3.client("dynamodb", region_name=arguments.REGION, endpoint_url=options.endpoint_url)
    counts: Counter[str] = Counter()
    rows = 0
    paginator = aws_dynamodb_parallel_scan.get_paginator(client)
    for page in paginator.paginate(TableName=options.table, TotalSegments=_SEGMENTS):
        rows += page["ScannedCount"]
        for item in page["Items"]:
            counts[state(item, now)] += 1
    arguments.tell(counts, rows=rows)


if __name__ == "__main__":
    main()
