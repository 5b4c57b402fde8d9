"""Permissions that go missing in the middle: what was done until then is counted as done."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import assert_exact, keys_in, living_rows, stale_rows, sweep

STALE, LIVING = 900, 60
BATCH = "BatchExecuteStatement"
DENIED: dict[str, str] = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}


def denied(_: Request, __: Forward) -> tuple[int, Any]:
    return 400, DENIED


def test_rows_that_went_before_delete_item_was_denied_are_counted(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    numbers = itertools.count()

    def denied_after_a_while(request: Request, forward: Forward) -> tuple[int, Any]:
        return forward(request) if next(numbers) < 700 else (400, DENIED)

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation |= {BATCH: denied, "DeleteItem": denied_after_a_while}
        swept = sweep(url, table, tmp_path)
    after = keys_in(client, table)
    assert (swept.finished.code, len(before - after)) == (1, 700)
    assert swept.report["deletion"]["deleted"] == 700
    assert "allow dynamodb:DeleteItem" in swept.finished.err
    assert_exact(swept, before, after)


@pytest.mark.parametrize(("api", "deleted"), [("partiql", 34), ("auto", 36)])
def test_what_a_batch_did_counts_where_one_of_its_statements_was_denied(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, api: str, deleted: int
) -> None:
    table = new_table([*stale_rows(36), *living_rows(LIVING)])
    before = keys_in(client, table)

    def first_denied(request: Request, forward: Forward) -> tuple[int, Any]:
        _, *others = request["Statements"]
        status, answer = forward({**request, "Statements": others})
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        return status, {**answer, "Responses": [error, *answer["Responses"]]}

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[BATCH] = first_denied
        swept = sweep(url, table, tmp_path, "--delete-api", api)
    after = keys_in(client, table)
    deletion = swept.report["deletion"]
    assert (deletion["deleted"], deletion["already_gone"], len(before - after)) == (deleted, 0, deleted)
    assert swept.finished.code == (0 if api == "auto" else 1)
    assert_exact(swept, before, after)
