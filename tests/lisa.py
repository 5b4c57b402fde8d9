"""LISA's own rules of acceptance, written out anew from its code: the judges of what janitor does to a token.

API: lambda/authorizer/lambda_functions.py at v5.4.0 (classic) and v6.6.0 (hashed). MCP Workbench:
lib/serve/mcp-workbench/…/auth.py at v6.6.0.
"""

import hashlib
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from mypy_boto3_dynamodb import DynamoDBClient


def api_accepts(client: DynamoDBClient, table: str, bearer: str, now: int, *, hashed: bool) -> bool:
    """Whether the API lets in whoever comes with this token at the UNIX second `now`."""
    if not hashed:
        return workbench_accepts(client, table, bearer, now)
    info = _row(client, table, hashlib.sha256(bearer.encode()).hexdigest())
    if info is None or not info.get("tokenUUID") or not info.get("tokenExpiration"):
        return False
    return now < int(info["tokenExpiration"])


def workbench_accepts(client: DynamoDBClient, table: str, header: str, now: int) -> bool:
    """Whether MCP Workbench lets in whoever comes with this header: it is the key, whatever the table."""
    info = _row(client, table, header)
    if info is None:
        return False
    return "tokenExpiration" not in info or now < int(info["tokenExpiration"])


def _row(client: DynamoDBClient, table: str, key: str) -> dict[str, Any] | None:
    item = client.get_item(TableName=table, Key={"token": {"S": key}}, ConsistentRead=True).get("Item")
    return None if item is None else {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def may_create_token(client: DynamoDBClient, table: str, username: str) -> bool:
    """Whether LISA lets the user create a token: no row has the username (lambda/api_tokens/handler.py at v6.6.0)."""
    rows = client.query(
        TableName=table,
        IndexName="username-index",
        KeyConditionExpression="username = :user",
        ExpressionAttributeValues={":user": {"S": username}},
    )
    return not rows["Items"]
