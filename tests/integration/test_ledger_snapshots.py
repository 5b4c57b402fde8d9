"""What a run leaves in a table while calls fail, answers are lost, and another run does the same."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.errors import StoreError
from tests.faults.proxy import Forward, Request
from tests.integration.stores import FIRST, PROFILE, SECOND, Meddled, items_of, meddled_with, opened, refused
from tests.servers import Server


@pytest.fixture
def meddled(server: Server) -> Iterator[Meddled]:
    with meddled_with(server.url) as table:
        yield table


@pytest.mark.parametrize("operation", ["UpdateItem", "DeleteItem"])
def test_a_run_that_ends_half_way_leaves_a_whole_snapshot(meddled: Meddled, operation: str) -> None:
    """Cut off after each of its calls in turn: before the pointer is flipped the old one stands, and then the new."""
    new, seen = [b"new 1", b"new 2"], set()
    for survived in range(4):
        ledger = opened(meddled)
        ledger.replace_snapshot(PROFILE, [b"old 1", b"old 2"], FIRST)
        tries = itertools.count()

        def cut_off(request: Request, forward: Forward, *, tries: Any = tries, most: int = survived) -> tuple[int, Any]:
            return forward(request) if next(tries) < most else refused("AccessDeniedException")(request, forward)

        meddled[2].by_operation[operation] = cut_off
        try:
            ledger.replace_snapshot(PROFILE, new, SECOND)
        except StoreError:
            assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == ([b"old 1", b"old 2"], FIRST)
            seen.add("old")
        else:
            assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == (new, SECOND)
            seen.add("new")
        meddled[2].by_operation.clear()
    assert seen == ({"old", "new"} if operation == "UpdateItem" else {"new"})


def test_a_replaced_snapshot_is_deleted_also_if_the_answer_to_the_flip_is_lost(meddled: Meddled) -> None:
    flips = itertools.count()

    def lost_once(request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        is_lost = request["Key"]["item"]["S"] == f"run/{PROFILE}" and next(flips) == 0
        return (500, {"__type": "InternalServerError"}) if is_lost else (status, answer)

    ledger = opened(meddled)
    ledger.replace_snapshot(PROFILE, [b"old 1", b"old 2"], FIRST)
    meddled[2].by_operation["UpdateItem"] = lost_once
    ledger.replace_snapshot(PROFILE, [b"new"], SECOND)
    assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == ([b"new"], SECOND)
    chunk, run = items_of(*meddled[:2])
    assert (chunk.split("/")[0], run) == ("chunk", f"run/{PROFILE}")


def test_of_two_runs_that_leave_their_findings_at_once_one_stands_whole(meddled: Meddled) -> None:
    first, second = opened(meddled), opened(meddled)

    def meanwhile() -> Iterator[bytes]:
        yield b"a 1"
        second.replace_snapshot(PROFILE, [b"b 1", b"b 2"], SECOND)
        yield b"a 2"

    first.replace_snapshot(PROFILE, meanwhile(), FIRST)
    assert (list(first.snapshot(PROFILE)), first.last_run(PROFILE)) == ([b"a 1", b"a 2"], FIRST)
    assert len(items_of(*meddled[:2])) == 3


@pytest.mark.parametrize("has_old", [False, True])
def test_a_flip_that_another_run_came_before_is_tried_again_and_both_leave_nothing_behind(
    meddled: Meddled, *, has_old: bool
) -> None:
    first, second = opened(meddled), opened(meddled)
    flips = itertools.count()
    if has_old:
        first.replace_snapshot(PROFILE, [b"old"], FIRST)

    def overtaken(request: Request, forward: Forward) -> tuple[int, Any]:
        if request["Key"]["item"]["S"] == f"run/{PROFILE}" and next(flips) == 0:
            second.replace_snapshot(PROFILE, [b"b 1", b"b 2"], SECOND)
        return forward(request)

    meddled[2].by_operation["UpdateItem"] = overtaken
    first.replace_snapshot(PROFILE, [b"a"], FIRST)
    assert (list(first.snapshot(PROFILE)), first.last_run(PROFILE)) == ([b"a"], FIRST)
    assert len(items_of(*meddled[:2])) == 2


@pytest.mark.parametrize("spoilt", [{"chunks": "1000000000"}, {"chunks": "-1"}, {"finishedAt": "99999999999999"}])
def test_what_no_run_can_have_left_is_read_by_nobody_and_replaced(
    meddled: Meddled, client: DynamoDBClient, spoilt: dict[str, str]
) -> None:
    """A count of a billion chunks would be deleted one by one."""
    _, table, meddling = meddled
    ledger = opened(meddled)
    ledger.replace_snapshot(PROFILE, [b"old"], FIRST)
    [pointer] = [item for item in client.scan(TableName=table)["Items"] if "generation" in item]
    client.put_item(TableName=table, Item={**pointer, **{name: {"N": value} for name, value in spoilt.items()}})
    assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == ([], None)
    deletes = itertools.count()

    def counted(request: Request, forward: Forward) -> tuple[int, Any]:
        next(deletes)
        return forward(request)

    meddling.by_operation["DeleteItem"] = counted
    ledger.replace_snapshot(PROFILE, [b"new"], SECOND)
    assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE), next(deletes)) == ([b"new"], SECOND, 0)
