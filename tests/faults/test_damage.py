"""Answers that arrive cut or damaged, some so that only their checksum tells: nothing is done by them."""

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.faults.proxy import Damaged, Forward, Meddle, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import DAY, assert_exact, key_of, keys_in, living_rows, stale_rows, sweep
from tests.tables import modern

STALE, LIVING = 40, 30
EXPIRES_SOON = int(time.time()) + DAY


def damaging(damage: Callable[[bytes], bytes], times: int | None) -> Meddle:
    """Damage the first so many answers, or all."""
    numbers = itertools.count()

    def meddle(request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        if times is not None and next(numbers) >= times:
            return status, answer
        sent = json.dumps(answer).encode()
        return status, Damaged(damage(sent), None if damage is cut_without_a_checksum else sent)

    return meddle


def aged(body: bytes) -> bytes:
    """A few flipped bits make a token that expires tomorrow one that expired in 2001."""
    assert str(EXPIRES_SOON).encode() in body
    return body.replace(str(EXPIRES_SOON).encode(), b"1000000000")


def emptied(_: bytes) -> bytes:
    """The last page of a table where nothing is left."""
    return b'{"Items":[],"Count":0,"ScannedCount":0}'


def cut(body: bytes) -> bytes:
    """Not all of it arrives."""
    return body[: len(body) // 2]


def cut_without_a_checksum(body: bytes) -> bytes:
    """Nor does its checksum."""
    return cut(body)


@pytest.mark.parametrize("damage", [aged, emptied, cut])
def test_a_page_that_was_damaged_once_is_read_again(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    living = [modern("tomorrow", EXPIRES_SOON), *living_rows(LIVING)]
    table = new_table([*stale_rows(STALE), *living])
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["Scan"] = damaging(damage, 1)
        swept = sweep(url, table, tmp_path)
    deletion = swept.report["deletion"]
    assert (swept.finished.code, deletion["deleted"], deletion["changed"]) == (0, STALE, 0)
    assert swept.report["counts"]["scanned"] == STALE + LIVING + 1
    assert keys_in(client, table) == {key_of(row) for row in living}


@pytest.mark.parametrize("damage", [emptied, cut, cut_without_a_checksum])
def test_a_page_that_is_damaged_on_every_try_deletes_nothing(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["Scan"] = damaging(damage, None)
        swept = sweep(url, table, tmp_path, attempts=2)
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (1, "failed")
    assert [error["code"] for error in swept.report["errors"]] == ["corrupt-page"]
    assert keys_in(client, table) == before


def all_failed(body: bytes) -> bytes:
    """Every statement is said to have failed for good."""
    answer = json.loads(body)
    error = {"Error": {"Code": "ValidationError", "Message": "not so"}}
    return json.dumps({**answer, "Responses": [error for _ in answer["Responses"]]}).encode()


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
@pytest.mark.parametrize("damage", [all_failed, cut, cut_without_a_checksum])
def test_outcomes_that_arrive_damaged_are_not_believed(
    server: Server,
    client: DynamoDBClient,
    new_table: NewTable,
    tmp_path: Path,
    *,
    damage: Callable[[bytes], bytes],
    times: int | None,
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["BatchExecuteStatement"] = damaging(damage, times)
        swept = sweep(url, table, tmp_path, attempts=2)
    deletion = swept.report["deletion"]
    assert (swept.finished.code, deletion["failed"]) == (0, 0)
    assert deletion["deleted"] + deletion["already_gone"] == STALE
    assert_exact(swept, before, keys_in(client, table))
