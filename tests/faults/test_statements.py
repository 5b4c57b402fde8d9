"""Statements that fail inside a batch that worked: botocore sees a 200, so only the sweep itself can notice."""

import itertools
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.faults.proxy import Forward, Meddling, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import assert_exact, fingerprint_of, key_of, keys_in, living_rows, stale_rows, sweep

STALE, LIVING = 200, 60
BATCH = "BatchExecuteStatement"

PASSING = (
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "InternalServerError",
    "TransactionConflict",
)


def key_in(statement: dict[str, Any]) -> str:
    """The key that a statement deletes."""
    key: str = statement["Parameters"][0]["S"]
    return key


class FailingStatements:
    """Passes on what it does not fail, and remembers what the server deleted."""

    def __init__(self, failing: Any, *codes: str) -> None:
        self.deleted: Counter[str] = Counter()
        self._failing = failing
        self._codes = itertools.cycle(codes)
        self._lock = threading.Lock()

    def __call__(self, request: Request, forward: Forward) -> tuple[int, Any]:
        statements = request["Statements"]
        with self._lock:
            failed = {
                position: {"Error": {"Code": next(self._codes), "Message": "not this time"}}
                for position, statement in enumerate(statements)
                if self._failing(key_in(statement))
            }
        passed = [statement for position, statement in enumerate(statements) if position not in failed]
        answers = iter(self._passed_on(request, passed, forward))
        return 200, {"Responses": [failed.get(position) or next(answers) for position in range(len(statements))]}

    def _passed_on(self, request: Request, statements: list[Any], forward: Forward) -> list[Any]:
        if not statements:
            return []
        status, answer = forward({**request, "Statements": statements})
        assert status == 200, answer
        with self._lock:
            self.deleted.update(
                key_in(statement)
                for statement, response in zip(statements, answer["Responses"], strict=True)
                if "Item" in response
            )
        responses: list[Any] = answer["Responses"]
        return responses


def test_one_statement_of_five_fails_in_passing_and_every_row_goes_once(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale, living = stale_rows(STALE), living_rows(LIVING)
    table = new_table([*stale, *living])
    before = keys_in(client, table)
    turns = itertools.count()
    meddle = FailingStatements(lambda _: next(turns) % 5 == 0, *PASSING)
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[BATCH] = meddle
        swept = sweep(url, table, tmp_path)
    assert (swept.finished.code, swept.report["deletion"]["deleted"]) == (0, STALE)
    assert meddle.deleted == Counter({key_of(row): 1 for row in stale})
    assert keys_in(client, table) == {key_of(row) for row in living}
    assert_exact(swept, before, keys_in(client, table))


def test_what_succeeded_is_not_sent_again(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    stale = stale_rows(60)
    table = new_table([*stale, *living_rows(30)])
    tried: Counter[str] = Counter()
    unlucky = {key_of(row) for row in stale[::7]}

    def fails_twice(key: str) -> bool:
        tried[key] += 1
        return key in unlucky and tried[key] <= 2

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[BATCH] = FailingStatements(fails_twice, "ThrottlingError")
        swept = sweep(url, table, tmp_path)
    assert swept.report["deletion"]["deleted"] == 60
    assert tried == Counter({key_of(row): 3 if key_of(row) in unlucky else 1 for row in stale})


@pytest.mark.parametrize("code", ["ThrottlingError", "ValidationError"])
def test_rows_whose_statements_keep_failing_are_told_as_failed_and_the_others_go(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, code: str
) -> None:
    stale = stale_rows(60)
    table = new_table([*stale, *living_rows(30)])
    before = keys_in(client, table)
    unlucky = {key_of(row) for row in stale[::20]}
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[BATCH] = FailingStatements(lambda key: key in unlucky, code)
        swept = sweep(url, table, tmp_path)
    assert (swept.finished.code, swept.report["deletion"]["failed"], swept.report["deletion"]["deleted"]) == (1, 3, 57)
    assert {name for name, outcome in swept.outcomes.items() if outcome == "failed"} == {
        fingerprint_of(key) for key in unlucky
    }
    assert f"3 rows could not be deleted ({code})" in swept.finished.err
    assert_exact(swept, before, keys_in(client, table))


def test_a_statement_that_was_carried_out_and_then_failed_is_already_gone_on_its_retry(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(50), *living_rows(30)])
    before = keys_in(client, table)

    def lose_the_first_answer(request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        if len(request["Statements"]) == 25:
            answer["Responses"][0] = {"Error": {"Code": "InternalServerError", "Message": "after the fact"}}
        return status, answer

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[BATCH] = lose_the_first_answer
        swept = sweep(url, table, tmp_path)
    deletion = swept.report["deletion"]
    assert (swept.finished.code, deletion["deleted"], deletion["already_gone"]) == (0, 48, 2)
    assert_exact(swept, before, keys_in(client, table))


@pytest.mark.parametrize("count", [24, 0])
def test_an_answer_with_fewer_results_than_statements_is_no_answer(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, count: int
) -> None:
    table = new_table([*stale_rows(25), *living_rows(30)])
    before = keys_in(client, table)

    def cut(request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        return status, {"Responses": answer["Responses"][:count]}

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[BATCH] = cut
        swept = sweep(url, table, tmp_path, attempts=1)
    assert swept.report["deletion"]["already_gone"] == 25
    assert_exact(swept, before, keys_in(client, table))


def test_the_proxy_changes_nothing_by_itself(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(30), *living_rows(30)])
    with meddling_proxy(server.url) as (url, meddling):
        assert meddling == Meddling()
        assert sweep(url, table, tmp_path).report["deletion"]["deleted"] == 30
