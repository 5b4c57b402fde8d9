"""One call in five failing, each way a call can fail: every stale row goes, no other does, and the report is exact."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.aws.errors import THROTTLES
from tests.fixtures import NewTable
from tests.servers import Microburst, Server, microburst
from tests.sweeping import assert_exact, key_of, keys_in, living_rows, stale_rows, sweep

STALE, LIVING = 400, 120
# Throttling slows a run down, as it should; and one that does not let up by that, to a crawl.
STALE_IF_THROTTLED = 150
# Every fifth call, and in turns with the threads' order, so that each run is another one.
ONE_IN_FIVE = {"service": "dynamodb", "sequence": [1, 4]}
DELETES = {"service": "dynamodb", "operation": "BatchExecuteStatement"}

PASSING = {
    "provisioned throughput": {"error": {"code": "ProvisionedThroughputExceededException"}},
    "throttling": {"error": {"code": "ThrottlingException"}},
    "internal error": {"error": {"code": "InternalServerError", "status": 500}},
    "reset": {"reset": True},
    "answer lost": {"response": {"abort_bytes": 0}},
    "truncated": {"response": {"truncate_bytes": 30}},
    "corrupt": {"response": {"set_headers": {"x-amz-crc32": "1"}}},
}


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[Microburst]:
    with microburst(server.url) as running:
        yield running


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_fault_in_one_call_of_five_costs_no_row_and_no_count(
    proxy: Microburst, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, fault: dict[str, Any]
) -> None:
    is_throttled = fault.get("error", {}).get("code", "") in THROTTLES
    count = STALE_IF_THROTTLED if is_throttled else STALE
    stale, living = stale_rows(count), living_rows(LIVING)
    table = new_table([*stale, *living])
    before = keys_in(client, table)
    proxy.rules([{**ONE_IN_FIVE, **fault}])
    swept = sweep(proxy.url, table, tmp_path)
    after = keys_in(client, table)
    assert proxy.fired()
    assert swept.finished.code == 0, swept.finished.err
    assert after == {key_of(row) for row in living}
    assert swept.report["deletion"]["deleted"] + swept.report["deletion"]["already_gone"] == count
    assert_exact(swept, before, after)


@pytest.mark.parametrize("effect", [{"truncate_bytes": 30}, {"set_headers": {"x-amz-crc32": "1"}}, {"abort_bytes": 0}])
def test_deletes_whose_answers_never_arrive_whole_are_told_by_what_is_there(
    proxy: Microburst, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, effect: dict[str, Any]
) -> None:
    table = new_table([*stale_rows(60), *living_rows(30)])
    before = keys_in(client, table)
    proxy.rules([{**DELETES, "response": effect}])
    swept = sweep(proxy.url, table, tmp_path, attempts=2)
    assert swept.report["deletion"]["already_gone"] == 60
    assert_exact(swept, before, keys_in(client, table))


def test_a_corrupt_page_on_every_try_deletes_nothing(
    proxy: Microburst, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(60), *living_rows(30)])
    before = keys_in(client, table)
    proxy.rules([{"service": "dynamodb", "operation": "Scan", "response": {"truncate_bytes": 900}}])
    swept = sweep(proxy.url, table, tmp_path, attempts=2)
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (1, "failed")
    assert keys_in(client, table) == before


def test_deletes_that_are_throttled_to_the_end_fail_with_exit_code_1_and_stay(
    proxy: Microburst, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(30), *living_rows(30)])
    before = keys_in(client, table)
    proxy.rules([{**DELETES, "error": {"code": "ProvisionedThroughputExceededException"}}])
    swept = sweep(proxy.url, table, tmp_path, attempts=1)
    assert (swept.finished.code, swept.report["deletion"]["failed"]) == (1, 30)
    assert "30 rows could not be deleted" in swept.finished.err
    assert_exact(swept, before, keys_in(client, table))


def test_two_seconds_of_latency_in_one_call_of_five(
    proxy: Microburst, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    living = living_rows(60)
    table = new_table([*stale_rows(300), *living])
    proxy.rules([{**ONE_IN_FIVE, "latency": {"ms": 2000}}])
    swept = sweep(proxy.url, table, tmp_path)
    assert (swept.finished.code, swept.report["deletion"]["deleted"]) == (0, 300)
    assert keys_in(client, table) == {key_of(row) for row in living}
