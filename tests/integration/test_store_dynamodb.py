"""The store in a table: what is refused, what is tried again, and how many requests it takes."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.errors import StoreError
from janitor.store.dynamodb import DynamoDbBackend
from janitor.store.records import Store
from tests.faults.proxy import Forward, Request
from tests.integration.stores import NOW, SCOPE, Meddled, items_of, marks, meddled_with, never, opened, refused, times
from tests.servers import Server


@pytest.fixture
def meddled(server: Server) -> Iterator[Meddled]:
    with meddled_with(server.url) as table:
        yield table


def cancelled(*codes: str) -> tuple[int, Any]:
    reasons = [{"Code": code, "Message": "not this time"} for code in codes]
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    return 400, {"__type": kind, "Message": "cancelled", "CancellationReasons": reasons}


def test_a_missing_table_names_the_command_that_makes_it(client: DynamoDBClient) -> None:
    with pytest.raises(StoreError, match=r"no-such-table.*make it with `janitor doctor --create-state`"):
        Store(DynamoDbBackend(client, "no-such-table"), wait=never).prove(SCOPE, ["any"], NOW)


@pytest.mark.parametrize("operation", ["BatchGetItem", "UpdateItem"])
def test_a_permission_that_is_missing_shows_when_the_store_is_opened(meddled: Meddled, operation: str) -> None:
    meddled[2].by_operation[operation] = refused("AccessDeniedException")
    with pytest.raises(StoreError, match=f"dynamodb:{operation} on the state table .* was denied") as caught:
        opened(meddled)
    assert caught.value.way_out == "allow dynamodb:BatchGetItem and dynamodb:UpdateItem on it"


def test_opening_leaves_nothing_behind_but_what_the_ttl_takes(meddled: Meddled) -> None:
    opened(meddled)
    assert items_of(*meddled[:2]) == []


def test_an_answer_without_its_parts_is_no_proof_that_nothing_was_announced(meddled: Meddled) -> None:
    memory = opened(meddled)
    memory.mark(marks(1), NOW)
    meddled[2].by_operation["BatchGetItem"] = lambda _request, _forward: (200, {})
    with pytest.raises(StoreError, match="the answer is damaged"):
        memory.find_marks([*marks(1)])


def test_keys_that_are_left_unprocessed_are_asked_for_again(meddled: Meddled) -> None:
    asked: list[int] = []
    waited: list[float] = []

    def only_half(request: Request, forward: Forward) -> tuple[int, Any]:
        [(table, wanted)] = request["RequestItems"].items()
        keys = wanted["Keys"]
        asked.append(len(keys))
        some, rest = keys[: len(keys) // 2 + 1], keys[len(keys) // 2 + 1 :]
        status, answer = forward({"RequestItems": {table: {**wanted, "Keys": some}}})
        if rest:
            answer["UnprocessedKeys"] = {table: {**wanted, "Keys": rest}}
        return status, answer

    memory = opened(meddled, waited.append)
    memory.mark(marks(100), NOW)
    meddled[2].by_operation["BatchGetItem"] = only_half
    assert times(memory.find_marks([*marks(100)])) == dict.fromkeys(marks(100), NOW)
    assert asked == sorted(asked, reverse=True)
    assert len(waited) == len(asked) - 1 > 2
    assert sum(waited) < 10


def test_keys_that_stay_unprocessed_are_an_error_in_the_end(meddled: Meddled) -> None:
    memory = opened(meddled)
    meddled[2].by_operation["BatchGetItem"] = lambda request, _forward: (
        200,
        {"Responses": {}, "UnprocessedKeys": request["RequestItems"]},
    )
    with pytest.raises(StoreError, match="too busy 9 times"):
        memory.find_marks([*marks(2)])


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_marks_that_met_another_writer_or_a_throttle_are_sent_again(meddled: Meddled, code: str) -> None:
    tries = itertools.count()

    def twice(request: Request, forward: Forward) -> tuple[int, Any]:
        return cancelled("None", code, "None") if next(tries) < 2 else forward(request)

    memory = opened(meddled)
    meddled[2].by_operation["TransactWriteItems"] = twice
    memory.mark(marks(3), NOW)
    assert times(memory.find_marks([*marks(3)])) == dict.fromkeys(marks(3), NOW)


@pytest.mark.parametrize("code", ["ValidationError", "AccessDenied"])
def test_marks_that_are_refused_for_good_are_an_error_at_once(meddled: Meddled, code: str) -> None:
    memory = opened(meddled, never)
    meddled[2].by_operation["TransactWriteItems"] = lambda _request, _forward: cancelled("None", code)
    with pytest.raises(StoreError, match="dynamodb:UpdateItem"):
        memory.mark(marks(2), NOW)


def test_marks_that_would_be_refused_are_found_out_before_any_is_made(meddled: Meddled) -> None:
    memory = opened(meddled, never)
    meddled[2].by_operation["TransactWriteItems"] = refused("AccessDeniedException")
    with pytest.raises(StoreError, match=r"dynamodb:UpdateItem .* was denied"):
        memory.prove([*marks(3)])
    meddled[2].by_operation.clear()
    memory.prove([*marks(3)])
    assert items_of(*meddled[:2]) == []


def test_ten_thousand_marks_take_a_hundred_requests(meddled: Meddled) -> None:
    requests: list[int] = []

    def counted(request: Request, _forward: Forward) -> tuple[int, Any]:
        requests.append(len(request["TransactItems"]))
        return 200, {}

    memory = opened(meddled)
    meddled[2].by_operation["TransactWriteItems"] = counted
    memory.mark(marks(10_000), NOW)
    assert requests == [100] * 100
