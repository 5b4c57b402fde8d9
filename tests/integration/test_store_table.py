"""Making the state table, and taking no other for one."""

from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.errors import StoreError
from janitor.store.create_table import create_table
from janitor.store.dynamodb import DynamoDbBackend
from janitor.store.records import Store
from tests.faults.proxy import Forward, Request
from tests.integration.stores import NOW, SCOPE, Meddled, at_once, meddled_with, never, state_table
from tests.servers import Server
from tests.tables import create_table as create_token_table


@pytest.fixture
def meddled(server: Server) -> Iterator[Meddled]:
    with meddled_with(server.url) as table:
        yield table


def test_the_table_has_the_key_is_on_demand_and_forgets_by_itself(server: Server) -> None:
    with state_table(server.url) as (client, table):
        create_table(client, table, wait=never)
        description = client.describe_table(TableName=table)["Table"]
        ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert {key["AttributeName"]: key["KeyType"] for key in description["KeySchema"]} == {
        "scope": "HASH",
        "item": "RANGE",
    }
    assert description["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expiresAt")


def test_ttl_is_switched_on_where_it_is_off(server: Server) -> None:
    with state_table(server.url) as (client, table):
        off = {"Enabled": False, "AttributeName": "expiresAt"}
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=off)  # type: ignore[arg-type]
        create_table(client, table, wait=never)
        ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"


def test_a_table_of_tokens_is_not_taken_for_one_of_state(client: DynamoDBClient) -> None:
    create_token_table(client, "tokens-not-state", hashed=True)
    try:
        with pytest.raises(StoreError, match="its key is not that"):
            create_table(client, "tokens-not-state", wait=never)
        with pytest.raises(StoreError, match="tokens-not-state"):
            Store(DynamoDbBackend(client, "tokens-not-state"), wait=at_once).prove(SCOPE, ["any"], NOW)
        assert client.scan(TableName="tokens-not-state")["Count"] == 0
    finally:
        client.delete_table(TableName="tokens-not-state")


def test_a_table_whose_ttl_is_on_another_attribute_is_not_touched(server: Server) -> None:
    with state_table(server.url) as (client, table):
        for is_on, name in ((False, "expiresAt"), (True, "other")):
            specification: Any = {"Enabled": is_on, "AttributeName": name}
            client.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)
        with pytest.raises(StoreError, match="TTL on another attribute"):
            create_table(client, table, wait=never)


def test_a_table_that_does_not_become_active_is_waited_for_two_minutes(meddled: Meddled) -> None:
    client, table, meddling = meddled
    waited: list[float] = []

    def creating(request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        answer["Table"]["TableStatus"] = "CREATING"
        return status, answer

    meddling.by_operation["DescribeTable"] = creating
    with pytest.raises(StoreError, match="not active after 120 seconds"):
        create_table(client, table, wait=waited.append)
    assert sum(waited) == 120
