"""The lease of a table is lost, or its store hangs, in the middle of a sweep."""

import json
import random
import signal
import subprocess
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.dynamodb.delete import LEASE_LOST, Deleter
from janitor.dynamodb.target import Target
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy
from tests.command import janitor, started
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import arguments_of, keys_in, stale_rows

one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)
POLICY = Policy(dialect=Dialect.HASHED)
# Five seconds, and what a busy machine may add to that.
END_SECONDS = 15


@one_server
@pytest.mark.parametrize("api", ["partiql", "item"])
@pytest.mark.parametrize("is_held", [True, False], ids=["held", "lost"])
def test_a_delete_that_failed_is_sent_again_only_while_the_lease_is_held(
    server: Server, client: DynamoDBClient, new_table: NewTable, api: str, *, is_held: bool
) -> None:
    [row] = rows = stale_rows(1)
    table = new_table(rows)
    sends: list[Request] = []

    def fail_once(request: Request, forward: Forward) -> tuple[int, Any]:
        sends.append(request)
        return (500, {"__type": "InternalServerError"}) if len(sends) == 1 else forward(request)

    with (
        meddling_proxy(server.url) as (url, meddling),
        closing(AwsSession(AwsAccess(endpoint_url=url)).dynamodb) as behind,
    ):
        meddling.by_operation = {"BatchExecuteStatement": fail_once, "DeleteItem": fail_once}
        deleter = Deleter(
            behind,
            table,
            api=api,
            pause=lambda _: False,
            jitter=random.Random(1),
            may_go_on=lambda: is_held or not sends,
        )
        result = deleter.delete([Target.for_sweep(json.dumps(row).encode(), POLICY, is_legacy=False)])
    [settled] = result.rows
    if is_held:
        assert (settled.outcome, keys_in(client, table)) == (DeletionOutcome.DELETED, set())
    else:
        assert (settled.outcome, settled.code, len(sends)) == (DeletionOutcome.FAILED, LEASE_LOST, 1)
        assert len(keys_in(client, table)) == 1


@one_server
def test_a_sweep_whose_store_hangs_ends_when_it_is_told_to(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table, is_asked, may_answer = new_table(stale_rows(2)), threading.Event(), threading.Event()

    def hang(request: Request, forward: Forward) -> tuple[int, Any]:
        is_asked.set()
        may_answer.wait(60)
        return forward(request)

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation = {"BatchGetItem": hang}
        options = arguments_of(url, table, tmp_path / "kept", "--state-url", "dynamodb://janitor-state")
        with started(*options) as process:
            assert is_asked.wait(30)
            process.send_signal(signal.SIGTERM)
            try:
                _, said = process.communicate(timeout=END_SECONDS)
            except subprocess.TimeoutExpired:
                pytest.fail("it did not end")
            finally:
                may_answer.set()
    assert process.returncode == 143
    assert "stopped by SIGTERM before anything was read" in said
    assert len(keys_in(client, table)) == 2


@one_server
def test_a_job_whose_first_attempt_was_killed_in_the_middle_of_its_sweep_is_done_by_the_second(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table, is_asked, may_answer = new_table(stale_rows(60)), threading.Event(), threading.Event()

    def hang(request: Request, forward: Forward) -> tuple[int, Any]:
        is_asked.set()
        may_answer.wait(60)
        return forward(request)

    state, job = f"sqlite:///{tmp_path / 'state.sqlite'}", {"JANITOR_LEASE_HOLDER": "c9948307-e56d-4b5d-8302"}
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation = {"BatchExecuteStatement": hang}
        first = arguments_of(url, table, tmp_path / "first", "--state-url", state, "--yes")
        with started(*first, env=job) as process:
            assert is_asked.wait(30)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=END_SECONDS)
        may_answer.set()
    # At once: well within the minute for which the dead one's lease lasts.
    second = arguments_of(server.url, table, tmp_path / "second", "--state-url", state, "--yes")
    finished = janitor(*second, env=job, timeout=45)
    assert (finished.code, json.loads(finished.out)["run"]["outcome"]) == (0, "complete"), finished.err
    assert "lease.watched" not in finished.err
    assert keys_in(client, table) == set()
