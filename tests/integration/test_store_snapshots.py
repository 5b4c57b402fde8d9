"""What a run leaves in a table while calls fail, answers are lost, and another run does the same."""

import itertools
import json
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


def test_a_run_that_ends_half_way_leaves_a_whole_snapshot(meddled: Meddled) -> None:
    """Cut off after each of its writes in turn: before the pointer is flipped the old one stands, and then the new."""
    new, seen = [b"new 1", b"new 2"], set()
    for survived in range(6):
        memory = opened(meddled)
        memory.replace_snapshot(PROFILE, [b"old 1", b"old 2"], FIRST)
        tries = itertools.count()

        def cut_off(request: Request, forward: Forward, *, tries: Any = tries, most: int = survived) -> tuple[int, Any]:
            return forward(request) if next(tries) < most else refused("AccessDeniedException")(request, forward)

        meddled[2].by_operation["UpdateItem"] = cut_off
        try:
            memory.replace_snapshot(PROFILE, new, SECOND)
        except StoreError:
            meddled[2].by_operation.clear()
            assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([b"old 1", b"old 2"], FIRST)
            seen.add("old")
        else:
            assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == (new, SECOND)
            seen.add("new")
        meddled[2].by_operation.clear()
    assert seen == {"old", "new"}


def test_a_replaced_snapshot_is_deleted_also_if_the_answer_to_the_flip_is_lost(meddled: Meddled) -> None:
    flips = itertools.count()

    def lost_once(request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        is_lost = request["Key"]["item"]["S"] == f"run/{PROFILE}" and next(flips) == 0
        return (500, {"__type": "InternalServerError"}) if is_lost else (status, answer)

    memory = opened(meddled)
    memory.replace_snapshot(PROFILE, [b"old 1", b"old 2"], FIRST)
    meddled[2].by_operation["UpdateItem"] = lost_once
    memory.replace_snapshot(PROFILE, [b"new"], SECOND)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([b"new"], SECOND)
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
def test_a_flip_that_another_run_came_before_leaves_that_ones_snapshot_and_nothing_behind(
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
    assert (list(first.snapshot(PROFILE)), first.last_run(PROFILE)) == ([b"b 1", b"b 2"], SECOND)
    assert len(items_of(*meddled[:2])) == 3


def test_a_flip_whose_answer_was_lost_before_another_run_flipped_points_to_no_chunks_that_are_gone(
    meddled: Meddled,
) -> None:
    """The other run has removed the chunks of this one by the time that this one hears of it."""
    first, second = opened(meddled), opened(meddled)
    flips = itertools.count()

    def lost_and_overtaken(request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        if request["Key"]["item"]["S"] == f"run/{PROFILE}" and next(flips) == 0:
            second.replace_snapshot(PROFILE, [b"b"], SECOND)
            return 500, {"__type": "InternalServerError"}
        return status, answer

    meddled[2].by_operation["UpdateItem"] = lost_and_overtaken
    first.replace_snapshot(PROFILE, [b"a 1", b"a 2"], FIRST)
    assert (list(first.snapshot(PROFILE)), first.last_run(PROFILE)) == ([b"b"], SECOND)
    assert len(items_of(*meddled[:2])) == 2


def test_a_flip_that_the_table_was_too_busy_for_is_tried_again(meddled: Meddled) -> None:
    memory, flips = opened(meddled), itertools.count()
    memory.replace_snapshot(PROFILE, [b"old"], FIRST)
    conflict = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException", "message": "busy"}

    def busy(request: Request, forward: Forward) -> tuple[int, Any]:
        is_flip = request["Key"]["item"]["S"] == f"run/{PROFILE}"
        return (400, conflict) if is_flip and next(flips) < 2 else forward(request)

    meddled[2].by_operation["UpdateItem"] = busy
    memory.replace_snapshot(PROFILE, [b"new"], SECOND)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([b"new"], SECOND)
    assert len(items_of(*meddled[:2])) == 2


@pytest.mark.parametrize("spoilt", [{"chunks": 1_000_000_000}, {"chunks": -1}, {"finished_at": 99_999_999_999_999}])
def test_what_no_run_can_have_left_is_read_by_nobody_and_replaced(
    meddled: Meddled, client: DynamoDBClient, spoilt: dict[str, int]
) -> None:
    """A count of a billion chunks would be removed one by one."""
    _, table, meddling = meddled
    memory = opened(meddled)
    memory.replace_snapshot(PROFILE, [b"old"], FIRST)
    [pointer] = [item for item in client.scan(TableName=table)["Items"] if item["item"]["S"] == f"run/{PROFILE}"]
    content = json.dumps({**json.loads(pointer["content"]["B"]), **spoilt}).encode()
    client.put_item(TableName=table, Item={**pointer, "content": {"B": content}})
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([], None)
    writes = itertools.count()

    def counted(request: Request, forward: Forward) -> tuple[int, Any]:
        next(writes)
        return forward(request)

    meddling.by_operation["UpdateItem"] = counted
    memory.replace_snapshot(PROFILE, [b"new"], SECOND)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE), next(writes)) == ([b"new"], SECOND, 2)
