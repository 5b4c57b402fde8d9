"""Others at work on the same table while a sweep deletes: owners who extend, and people who delete by hand."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.examples import how_many
from tests.faults.proxy import Forward, Meddle, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import (
    DAY,
    LONG_AGO,
    Swept,
    assert_exact,
    fingerprint_of,
    key_of,
    keys_in,
    living_rows,
    stale_rows,
    sweep,
)
from tests.tables import Item, legacy, modern

APIS = {"partiql": "BatchExecuteStatement", "item": "DeleteItem"}


def keys_of(request: Request) -> list[dict[str, Any]]:
    """The keys that a request deletes."""
    if "Statements" in request:
        return [{"token": statement["Parameters"][0]} for statement in request["Statements"]]
    return [request["Key"]]


def before_each_delete(act: Callable[[dict[str, Any]], object]) -> Meddle:
    """Do something with each row at the last moment: when its delete is under way, and has not arrived."""

    def meddle(request: Request, forward: Forward) -> tuple[int, Any]:
        for key in keys_of(request):
            act(key)
        return forward(request)

    return meddle


def raced(server: Server, table: str, folder: Path, api: str, meddle: Meddle, *options: str) -> Swept:
    """A sweep while something else happens to the rows it deletes."""
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[APIS[api]] = meddle
        return sweep(url, table, folder, "--delete-api", api, *options)


def update(client: DynamoDBClient, table: str, key: Any, change: str, **values: Any) -> None:
    names = {"#e": "tokenExpiration", "#h": "janitorHold", "#u": "tokenUUID"}
    used = {name: full for name, full in names.items() if name in change}
    client.update_item(
        TableName=table,
        Key=key,
        UpdateExpression=change,
        ExpressionAttributeNames=used,
        ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
    )


def test_hundreds_of_owners_extend_during_the_sweep_and_keep_their_tokens(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    extending = how_many(600, 2_000)
    stale, living = stale_rows(extending + 200), living_rows(60)
    table = new_table([*stale, *living])
    before = keys_in(client, table)
    owners = {key_of(row) for row in stale[:extending]}
    extended = []

    def extend(key: dict[str, Any]) -> None:
        if key["token"]["S"] in owners:
            update(client, table, key, "SET #e = :e", e={"N": str(int(time.time()) + 30 * DAY)})
            extended.append(key["token"]["S"])

    swept = raced(server, table, tmp_path, "partiql", before_each_delete(extend))
    deletion = swept.report["deletion"]
    assert set(extended) == owners
    assert (swept.finished.code, deletion["changed"], deletion["deleted"]) == (0, extending, 200)
    assert keys_in(client, table) == owners | {key_of(row) for row in living}
    assert_exact(swept, before, keys_in(client, table))


CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "a later date": ("SET #e = :e", {"e": {"N": "4102444800"}}),
    "an earlier date": ("SET #e = :e", {"e": {"N": "1"}}),
    "the same digits as text": ("SET #e = :e", {"e": {"S": "1000000000"}}),
    "a hold": ("SET #h = :h", {"h": {"BOOL": True}}),
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_row_that_is_not_as_it_was_seen_stays(
    server: Server,
    client: DynamoDBClient,
    new_table: NewTable,
    tmp_path: Path,
    *,
    api: str,
    change: tuple[str, dict[str, Any]],
) -> None:
    stale = [row | {"tokenExpiration": {"N": "1000000000"}} for row in stale_rows(30)]
    table = new_table([*stale, *living_rows(30)])
    before = keys_in(client, table)
    changed = {key_of(row) for row in stale[::3]}

    def act(key: dict[str, Any]) -> None:
        if key["token"]["S"] in changed:
            update(client, table, key, change[0], **change[1])

    swept = raced(server, table, tmp_path, api, before_each_delete(act))
    deletion = swept.report["deletion"]
    assert (swept.finished.code, deletion["changed"], deletion["deleted"]) == (0, 10, 20)
    assert changed <= keys_in(client, table)
    assert_exact(swept, before, keys_in(client, table))


@pytest.mark.parametrize("api", APIS)
def test_a_legacy_row_that_was_migrated_in_between_stays(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, api: str
) -> None:
    old = [legacy(f"old-{number}", int(time.time()) - LONG_AGO) for number in range(6)]
    table = new_table([*old, *living_rows(30)])

    def migrate(key: dict[str, Any]) -> None:
        if key["token"]["S"] == key_of(old[0]):
            update(client, table, key, "SET #u = :u", u={"S": "now it has one"})

    swept = raced(server, table, tmp_path, api, before_each_delete(migrate), "--include", "legacy")
    deletion = swept.report["deletion"]
    assert (deletion["planned"], deletion["changed"], deletion["deleted"]) == (6, 1, 5)
    assert key_of(old[0]) in keys_in(client, table)


@pytest.mark.parametrize("api", APIS)
def test_a_row_that_somebody_else_deleted_is_already_gone(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, api: str
) -> None:
    stale = stale_rows(40)
    table = new_table([*stale, *living_rows(30)])
    before = keys_in(client, table)
    gone = {key_of(row) for row in stale[::4]}

    def remove(key: dict[str, Any]) -> None:
        if key["token"]["S"] in gone:
            client.delete_item(TableName=table, Key=key)

    swept = raced(server, table, tmp_path, api, before_each_delete(remove))
    deletion = swept.report["deletion"]
    assert (swept.finished.code, deletion["already_gone"], deletion["deleted"]) == (0, 10, 30)
    assert_exact(swept, before, keys_in(client, table))


@pytest.mark.parametrize("api", APIS)
def test_a_key_that_came_back_with_a_new_row_stays(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, api: str
) -> None:
    stale = stale_rows(10)
    table = new_table([*stale, *living_rows(30)])
    again: Item = stale[0] | {"tokenExpiration": {"N": "4102444800"}}

    def replace(key: dict[str, Any]) -> None:
        if key["token"]["S"] == key_of(again):
            client.delete_item(TableName=table, Key=key)
            client.put_item(TableName=table, Item=again)

    swept = raced(server, table, tmp_path, api, before_each_delete(replace))
    assert (swept.report["deletion"]["changed"], swept.report["deletion"]["deleted"]) == (1, 9)
    assert client.get_item(TableName=table, Key={"token": again["token"]})["Item"] == again


def test_an_owner_who_makes_a_token_before_the_deletes_begin_loses_nothing_early(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    lone, let_in = (modern(name, now - 7_200, username=name) for name in ("lone", "let-in"))
    past_the_grace = modern("past the grace", now - 30 * DAY, username="let-in")
    new = modern("new", now + DAY, username="let-in")
    table = new_table([lone, let_in, past_the_grace])
    looked_up: list[str] = []

    def make_token(request: Request, forward: Forward) -> tuple[int, Any]:
        answer = forward(request)
        looked_up.append(request["ExpressionAttributeValues"][":owner"]["S"])
        if looked_up == ["let-in"]:
            client.put_item(TableName=table, Item=new)
        return answer

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["Query"] = make_token
        swept = sweep(url, table, tmp_path, "--unlock-after", "1h")
    deletion = swept.report["deletion"]
    assert (swept.finished.code, deletion["planned"], deletion["deleted"], deletion["changed"]) == (0, 3, 2, 1)
    assert keys_in(client, table) == {key_of(let_in), key_of(new)}
    assert swept.outcomes[fingerprint_of(key_of(let_in))] == "changed"
    assert swept.report["locked_out"] == []
    assert looked_up[:4] == ["let-in", "lone", "let-in", "lone"]


def test_nothing_goes_early_if_owners_cannot_be_looked_up_again(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    early, past_the_grace = modern("early", now - 7_200, username="ana"), modern("over", now - 30 * DAY)
    table = new_table([early, past_the_grace])
    asked: list[Request] = []

    def refuse_later(request: Request, forward: Forward) -> tuple[int, Any]:
        asked.append(request)
        denied = {"__type": "com.amazon.coral.service#AccessDeniedException", "message": "no"}
        return forward(request) if len(asked) == 1 else (400, denied)

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["Query"] = refuse_later
        swept = sweep(url, table, tmp_path, "--unlock-after", "1h")
    assert (swept.finished.code, swept.report["deletion"]["deleted"]) == (1, 1)
    assert "owners could not be looked up again" in swept.finished.err
    assert swept.outcomes[fingerprint_of(key_of(early))] == "planned"
    assert keys_in(client, table) == {key_of(early)}
