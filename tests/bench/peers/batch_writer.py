"""boto3's batch_writer, 25 rows a request, a writer a thread: it can take no condition, and hands no row back."""

import time
from collections.abc import Sequence

import boto3
from botocore.config import Config

from tests.bench.peers import arguments


def main() -> None:
    """Delete so many rows and print how long it took."""
    options = arguments.deleting("batch_writer").parse_args()
    table = boto3.resource(
        "dynamodb",
        region_name=arguments.REGION,
        endpoint_url=options.endpoint_url,
        config=Config(max_pool_connections=options.threads),
    ).Table(options.table)

    def delete(keys: Sequence[str]) -> None:
        with table.batch_writer() as batch:
            for key in keys:
                batch.delete_item(Key={"token": key})

    keys = arguments.keys(options.rows)
    started = time.monotonic()
    arguments.in_threads(delete, [keys[first :: options.threads] for first in range(options.threads)], options.threads)
    arguments.tell_deleted(options.rows, time.monotonic() - started)


if __name__ == "__main__":
    main()
