"""Creates the state table, for `janitor doctor --create-state` only. Nothing that runs by itself does."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from janitor.errors import StoreError
from janitor.store.dynamodb import EXPIRES_AT, PARTITION_KEY, SORT_KEY, state_table_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEYS = {PARTITION_KEY: "HASH", SORT_KEY: "RANGE"}

_POLL_SECONDS = 1.0
_POLLS = 120

_DESCRIBE = "dynamodb:DescribeTable"
_CREATE = "dynamodb:CreateTable"
_DESCRIBE_TTL = "dynamodb:DescribeTimeToLive"
_UPDATE_TTL = "dynamodb:UpdateTimeToLive"
_PERMISSIONS = f"{_DESCRIBE}, {_CREATE}, {_DESCRIBE_TTL} and {_UPDATE_TTL}"


def create_table(client: "DynamoDBClient", table: str, *, wait: Callable[[float], object] = time.sleep) -> None:
    """Create the state table, on demand and with TTL on `expiresAt`, and wait up to two minutes until it can be used.

    A state table that exists stays as it is; TTL is switched on if it is off.

    Args:
        client: the run's client.
        table: the table's name.
        wait: waits so many seconds.

    Raises:
        StoreError: a call failed, or the table exists with another key or another TTL.
    """
    # Not typed by the stubs: an answer that was cut short lacks keys that they promise.
    calls: Any = client
    description = _describe_table(calls, table)
    if description is None:
        _create(calls, table)
    for _ in range(_POLLS):
        if description is not None and description.get("TableStatus") in ("ACTIVE", "UPDATING"):
            break
        wait(_POLL_SECONDS)
        description = _describe_table(calls, table)
    else:
        sentence = f"the state table {table} was not active after {_POLLS * _POLL_SECONDS:.0f} seconds"
        raise StoreError(sentence, "run it again later")
    _check_key(description, table)
    _switch_ttl_on(calls, table)


def _describe_table(client: Any, table: str) -> Mapping[str, Any] | None:
    """Describe the table; None if there is no such table."""
    with state_table_errors(_DESCRIBE, table, _PERMISSIONS):
        try:
            description: Mapping[str, Any] = client.describe_table(TableName=table)["Table"]
        except ClientError as error:
            if not _has_code(error, "ResourceNotFoundException"):
                raise
            return None
        return description


def _create(client: Any, table: str) -> None:
    with state_table_errors(_CREATE, table, _PERMISSIONS):
        try:
            client.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in _KEYS.items()],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in _KEYS],
                BillingMode="PAY_PER_REQUEST",
            )
        except ClientError as error:
            # Somebody else just created it, or the answer to our first request was lost.
            if not _has_code(error, "ResourceInUseException"):
                raise


def _check_key(description: Mapping[str, Any], table: str) -> None:
    with state_table_errors(_DESCRIBE, table, _PERMISSIONS):
        keys = {key["AttributeName"]: key["KeyType"] for key in description["KeySchema"]}
        types = {each["AttributeName"]: each["AttributeType"] for each in description["AttributeDefinitions"]}
    if keys != _KEYS or any(types.get(name) != "S" for name in _KEYS):
        sentence = f"the table {table} exists already, but its key is not that of a state table"
        raise StoreError(sentence, "give another name", "other-key")


def _switch_ttl_on(client: Any, table: str) -> None:
    if _has_ttl(client, table):
        return
    try:
        with state_table_errors(_UPDATE_TTL, table, _PERMISSIONS):
            client.update_time_to_live(
                TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES_AT}
            )
    except StoreError:
        # Refused if it is on already: somebody else switched it on, or the answer to our first request was lost.
        if not _has_ttl(client, table):
            raise


def _has_ttl(client: Any, table: str) -> bool:
    with state_table_errors(_DESCRIBE_TTL, table, _PERMISSIONS):
        ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    is_on = ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    if is_on and ttl.get("AttributeName") != EXPIRES_AT:
        sentence = f"the table {table} has TTL on another attribute than {EXPIRES_AT}"
        raise StoreError(sentence, "give another name", "other-ttl")
    return is_on


def _has_code(error: ClientError, code: str) -> bool:
    return error.response.get("Error", {}).get("Code") == code
