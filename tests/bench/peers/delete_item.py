"""boto3's DeleteItem, one row a request, from one thread or from several: no condition, nothing kept of the rows."""

import time

import boto3
from botocore.config import Config

from tests.bench.peers import arguments


def main() -> None:
    """Delete so many rows and print how long it took."""
    options = arguments.deleting("delete_item").parse_args()
    client = boto3.client(
        "dynamodb",
        region_name=arguments.REGION,
        endpoint_url=options.endpoint_url,
        config=Config(max_pool_connections=options.threads),
    )

    def delete(key: str) -> None:
        client.delete_item(TableName=options.table, Key={"token": {"S": key}})

    started = time.monotonic()
    arguments.in_threads(delete, arguments.keys(options.rows), options.threads)
    arguments.tell_deleted(options.rows, time.monotonic() - started)


if __name__ == "__main__":
    main()
