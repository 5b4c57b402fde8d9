#!/usr/bin/env python3
"""Make the table of `janitor demo` on the endpoint that AWS_ENDPOINT_URL names, unless it is there already."""

import os
import sys
import time

from janitor.aws.errors import aws_errors
from janitor.demo.emulator import EmulatorError
from janitor.demo.lisa_table import TABLE_NAMES, create_lisa_table
from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.errors import JanitorError

_DIALECT = "hashed"
_VARIABLE = "AWS_ENDPOINT_URL"


def main() -> int:
    """Make it, and return the exit code."""
    endpoint = os.environ.get(_VARIABLE)
    if not endpoint:
        # Never in somebody's account: these rows look like tokens.
        sys.stderr.write(f"make_table: {_VARIABLE} is not set; it is to name an embedded DynamoDB\n")
        return 2
    try:
        sys.stdout.write(f"{_made(endpoint)}\n")
    except (EmulatorError, JanitorError) as error:
        sys.stderr.write(f"make_table: {error}\n")
        return 1
    return 0


def _made(endpoint: str) -> str:
    client = AwsSession(AwsAccess(endpoint_url=endpoint, environment=os.environ)).dynamodb
    name = TABLE_NAMES[_DIALECT]
    with aws_errors("dynamodb:ListTables", endpoint):
        if name in client.list_tables()["TableNames"]:
            return f"{name} is there already"
    return f"{name} holds {create_lisa_table(client, name, _DIALECT, int(time.time()))} made-up tokens"


if __name__ == "__main__":
    sys.exit(main())
