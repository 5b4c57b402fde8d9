"""LISA's own rules of acceptance, written out anew from its code: the judges of what janitor does to a token.

API: lambda/authorizer/lambda_functions.py at v5.4.0 (classic) and v6.6.0 (hashed). MCP Workbench:
lib/serve/mcp-workbench/…/auth.py at v6.6.0. List of tokens: lambda/api_tokens/handler.py and domain_objects.py at
v6.6.0.
"""

import base64
import hashlib
import json
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from mypy_boto3_dynamodb import DynamoDBClient
from pydantic import BaseModel


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


class TokenInfo(BaseModel):
    """What LISA's list says of a token."""

    tokenUUID: str  # noqa: N815  # LISA's own names
    tokenExpiration: int  # noqa: N815  # LISA's own names
    createdDate: int  # noqa: N815  # LISA's own names
    username: str
    createdBy: str  # noqa: N815  # LISA's own names
    name: str
    groups: list[str]
    isSystemToken: bool  # noqa: N815  # LISA's own names
    isExpired: bool  # noqa: N815  # LISA's own names
    isLegacy: bool = False  # noqa: N815  # LISA's own names


def list_token(item: dict[str, Any], now: int) -> TokenInfo:
    """What LISA's list says of a row, as DynamoDB JSON. It raises where the whole list fails."""
    row = deserialize(item)
    expiration = row.get("tokenExpiration", now)
    is_legacy = not bool(row.get("tokenUUID"))
    return TokenInfo(
        tokenUUID=row.get("tokenUUID", "-"),
        tokenExpiration=expiration,
        createdDate=row.get("createdDate", 0),
        username=row.get("username", "-"),
        createdBy=row.get("createdBy", "-"),
        name=row["token"] if is_legacy else row.get("name", "Unnamed Token"),
        groups=row.get("groups", []),
        isSystemToken=row.get("isSystemToken", False),
        isExpired=expiration < now,
        isLegacy=is_legacy,
    )


def write_context(item: dict[str, Any]) -> str:
    """What the authorizer tells API Gateway of a row's groups. It raises where API Gateway refuses the caller."""
    return json.dumps(deserialize(item).get("groups", []))


def deserialize(item: dict[str, Any]) -> dict[str, Any]:
    """What boto3 makes of a row, as DynamoDB JSON: binaries are decoded before its deserializer does the rest."""
    return {name: TypeDeserializer().deserialize(_with_bytes(value)) for name, value in item.items()}


def _with_bytes(value: dict[str, Any]) -> Any:
    [(kind, inner)] = value.items()
    match kind:
        case "B":
            return {kind: base64.b64decode(inner)}
        case "BS":
            return {kind: [base64.b64decode(each) for each in inner]}
        case "L":
            return {kind: [_with_bytes(each) for each in inner]}
        case "M":
            return {kind: {name: _with_bytes(each) for name, each in inner.items()}}
        case _:
            return value


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
