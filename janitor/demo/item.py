"""DynamoDB JSON, as boto3's client takes it."""

from typing import Any, TypeAlias

Item: TypeAlias = dict[str, Any]


def text(value: str) -> Item:
    """An attribute of type S."""
    return {"S": value}


def number(value: int) -> Item:
    """An attribute of type N."""
    return {"N": str(value)}
