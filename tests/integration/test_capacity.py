"""Budgets of whole commands on Amazon's own server, which says right what a request costs."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor, started
from tests.faults.proxy import Forward, Meddling, Request, meddling_proxy
from tests.sweeping import LONG_AGO, arguments_of, keys_in, stale_rows, sweep
from tests.tables import SAMPLE_NOW, create_table, modern, put_rows, token

TABLE = "budgeted"
ROWS = 300
UNITS = 60  # 300 rows of 1.6 KB at half a unit for 4 KB


@dataclass
class Watched:
    """A proxy that notes what each request asks for and what it costs."""

    url: str
    meddling: Meddling
    limits: list[int | None] = field(default_factory=list)
    units: list[float] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    ends_at: str = "Scan"
    has_come: threading.Event = field(default_factory=threading.Event)

    def scan(self, request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        self.limits.append(request.get("Limit"))
        self.units.append(answer["ConsumedCapacity"]["CapacityUnits"])
        self._come("Scan")
        return status, answer

    def delete(self, request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        self.batches.append(len(request["Statements"]))
        # DynamoDB Local does not say it of statements: a row below 1 KB costs a unit, and one in the index.
        self._come("BatchExecuteStatement")
        capacity = {"TableName": "…", "CapacityUnits": 2.0 * len(request["Statements"])}
        return status, {**answer, "ConsumedCapacity": [capacity]}

    def _come(self, operation: str) -> None:
        if operation == self.ends_at:
            self.has_come.set()


@pytest.fixture(scope="module")
def local(dynamodb_local_url: str) -> Iterator[DynamoDBClient]:
    client: DynamoDBClient = boto3.client("dynamodb", endpoint_url=dynamodb_local_url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def table(local: DynamoDBClient) -> Iterator[str]:
    """A provisioned table, a quarter of which is 100 read units a second."""
    local.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "token", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "token", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 400, "WriteCapacityUnits": 4_000},
    )
    put_rows(local, TABLE, [token(f"row-{number}", SAMPLE_NOW - number, note="x" * 1_550) for number in range(ROWS)])
    yield TABLE
    local.delete_table(TableName=TABLE)


@pytest.fixture
def proxy(dynamodb_local_url: str) -> Iterator[Watched]:
    with meddling_proxy(dynamodb_local_url) as (url, meddling):
        watched = Watched(url, meddling)
        meddling.by_operation |= {"Scan": watched.scan, "BatchExecuteStatement": watched.delete}
        yield watched


def scan(proxy: Watched, table: str, *options: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report's counts and capacity, and the log."""
    where = ("--table", table, "--endpoint-url", proxy.url, "--as-of", str(SAMPLE_NOW))
    finished = janitor("scan", *where, *options, env={"AWS_MAX_ATTEMPTS": "5"})
    assert finished.code == 0, finished.err
    report = json.loads(finished.out)
    return {"scanned": report["counts"]["scanned"], **report["capacity"]}, log_of(finished)


def log_of(finished: Finished) -> list[dict[str, Any]]:
    return [json.loads(line) for line in finished.err.splitlines()]


def events(log: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in log if event["event"] == name]


def test_a_provisioned_table_is_read_with_a_quarter_of_what_it_has_unless_that_is_switched_off(
    proxy: Watched, table: str
) -> None:
    capacity, log = scan(proxy, table)
    assert (capacity["scanned"], capacity["throttled"]) == (ROWS, 0)
    assert [event["max_rcu"] for event in events(log, "capacity.limited")] == [100.0]
    assert proxy.limits[0] == 1, "nothing is known of the rows yet"
    assert all(limit is not None for limit in proxy.limits)
    assert max(proxy.units) <= 100 / 4
    assert capacity["pages"] == len(proxy.limits) >= UNITS / 25
    assert capacity["read_units"] == pytest.approx(sum(proxy.units))
    proxy.limits.clear()
    capacity, log = scan(proxy, table, "--max-rcu", "none")
    assert (capacity["scanned"], proxy.limits, events(log, "capacity.limited")) == (ROWS, [None], [])


def test_several_segments_share_a_budget(proxy: Watched, table: str) -> None:
    capacity, _ = scan(proxy, table, "--max-rcu", "50", "--segments", "4")
    assert capacity["scanned"] == ROWS
    assert max(proxy.units) <= 50


def test_look_ups_of_an_owner_and_of_a_fingerprint_draw_on_the_budget_too(
    proxy: Watched, local: DynamoDBClient
) -> None:
    """Of a provisioned table whose quarter is 100 read units a second."""
    rows = [modern(f"row-{number}", SAMPLE_NOW - number, username="ana", note="x" * 1_400) for number in range(100)]
    create_table(local, "looked-up", hashed=True, rows=rows)
    throughput: Any = {"ReadCapacityUnits": 400, "WriteCapacityUnits": 400}
    index: Any = {"Update": {"IndexName": "username-index", "ProvisionedThroughput": throughput}}
    local.update_table(
        TableName="looked-up",
        BillingMode="PROVISIONED",
        ProvisionedThroughput=throughput,
        GlobalSecondaryIndexUpdates=[index],
    )
    proxy.meddling.by_operation["Query"] = proxy.scan
    where = ("--table", "looked-up", "--endpoint-url", proxy.url, "--as-of", str(SAMPLE_NOW))
    try:
        assert janitor("scan", *where, "--max-rcu", "20").code == 0
        of_scan, proxy.limits = proxy.limits, []
        assert janitor("token", "revoke", "--user", "ana", "--dry-run", *where).code == 0
        of_user, proxy.limits = proxy.limits, []
        shown = janitor("token", "show", "0123456", *where)
    finally:
        local.delete_table(TableName="looked-up")
    assert (shown.code, '"max_rcu": 100.0' in shown.err) == (2, True)
    # The scan's last request looks up the owner; what rows weigh is known by then.
    assert of_scan[-1] is not None
    for limits in (of_user, proxy.limits):
        assert limits[0] == 1
        assert None not in limits
    assert max(proxy.units) <= 100 / 4


@pytest.mark.parametrize("segments", ["1", "3"])
def test_a_scan_that_waits_for_units_ends_at_once_when_it_has_to(proxy: Watched, table: str, segments: str) -> None:
    where = ("--table", table, "--endpoint-url", proxy.url, "--as-of", str(SAMPLE_NOW))
    # After the first page nothing would be due for 50 seconds.
    report = stopped(proxy, "scan", *where, "--max-rcu", "0.01", "--segments", segments)
    assert report["run"]["outcome"] == "interrupted"
    assert len(proxy.limits) == 1


def test_deletes_that_wait_for_units_stay_planned_when_the_run_has_to_end(
    proxy: Watched, local: DynamoDBClient, tmp_path: Path
) -> None:
    create_table(local, "swept-in-part", hashed=True, rows=stale_rows(30))
    proxy.ends_at = "BatchExecuteStatement"
    try:
        options = ("--max-wcu", "0.01", "--max-delete-percent", "100")
        report = stopped(proxy, *arguments_of(proxy.url, "swept-in-part", tmp_path / "archive.ndjson", *options))
        left = keys_in(local, "swept-in-part")
    finally:
        local.delete_table(TableName="swept-in-part")
    deletion = report["deletion"]
    assert (deletion["planned"], deletion["deleted"], deletion["failed"], len(left)) == (30, 1, 0, 29)


def stopped(proxy: Watched, *arguments: str) -> dict[str, Any]:
    """The report of a run that was sent SIGTERM after its first request to scan, or to delete."""
    with started(*arguments, "--format", "json") as process:
        assert proxy.has_come.wait(30)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM, err
    report: dict[str, Any] = json.loads(out)
    return report


def test_a_budget_that_is_no_number_is_named(table: str) -> None:
    for wrong in ("0", "-3", "0.0009", "many", "nan", "inf"):
        finished = janitor("scan", "--table", table, "--max-rcu", wrong)
        assert (finished.code, f"'{wrong}' is neither a number of units from 0.001" in finished.err) == (2, True)


def test_a_sweep_deletes_within_its_write_units_the_index_among_them(
    proxy: Watched, local: DynamoDBClient, tmp_path: Path
) -> None:
    create_table(local, "swept-slowly", hashed=True, rows=stale_rows(40))
    try:
        swept = sweep(proxy.url, "swept-slowly", tmp_path, "--max-wcu", "80", "--max-delete-percent", "100")
        left = keys_in(local, "swept-slowly")
    finally:
        local.delete_table(TableName="swept-slowly")
    assert (swept.finished.code, swept.report["deletion"]["deleted"], left) == (0, 40, set())
    assert swept.report["capacity"]["write_units"] == 80
    # 0.15 seconds' worth: 12 units, two a row.
    assert max(proxy.batches) == 6
    assert [event["max_wcu"] for event in events(log_of(swept.finished), "capacity.limited")] == [80.0]


def test_a_row_whose_condition_failed_costs_what_it_weighs_and_so_does_one_whose_cost_is_absurd(
    proxy: Watched, local: DynamoDBClient, tmp_path: Path
) -> None:
    sent: list[str] = []

    def change(request: Request, forward: Forward) -> tuple[int, Any]:
        sent.append(request["Key"]["token"]["S"])
        if len(sent) == 1:
            status, answer = forward(request)
            return status, {**answer, "ConsumedCapacity": {"TableName": "…", "CapacityUnits": -1e300}}
        error = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
        return 400, {"__type": error, "Item": {"token": request["Key"]["token"]}}

    proxy.meddling.by_operation["DeleteItem"] = change
    rows = [modern(f"stale-{n}", int(time.time()) - LONG_AGO, note="x" * 1_500) for n in range(20)]
    create_table(local, "swept-in-vain", hashed=True, rows=rows)
    try:
        options = ("--delete-api", "item", "--max-wcu", "400", "--max-delete-percent", "100")
        swept = sweep(proxy.url, "swept-in-vain", tmp_path, *options)
    finally:
        local.delete_table(TableName="swept-in-vain")
    deletion = swept.report["deletion"]
    assert (deletion["deleted"], deletion["changed"], len(sent)) == (1, 19, 20)
    # Two for each row of more than 1 KB.
    assert swept.report["capacity"]["write_units"] == 2 * 20


def test_a_burst_of_throttled_segments_brings_the_rate_down_once(proxy: Watched, table: str) -> None:
    refused = iter(range(4))

    def throttle(request: Request, forward: Forward) -> tuple[int, Any]:
        if next(refused, None) is not None:
            return 400, {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}
        return proxy.scan(request, forward)

    proxy.meddling.by_operation["Scan"] = throttle
    capacity, log = scan(proxy, table, "--max-rcu", "none", "--segments", "4")
    assert (capacity["scanned"], capacity["throttled"]) == (ROWS, 4)
    slowed = events(log, "capacity.throttled")
    assert slowed[0]["operation"] == "Scan"
    assert len(slowed) < 4


def test_a_throttled_statement_slows_every_worker_down_and_costs_no_row(
    proxy: Watched, local: DynamoDBClient, tmp_path: Path
) -> None:
    refused = iter(range(2))

    def throttle(request: Request, forward: Forward) -> tuple[int, Any]:
        if next(refused, None) is None:
            return proxy.delete(request, forward)
        first, *others = request["Statements"]
        status, answer = proxy.delete({**request, "Statements": others}, forward)
        assert first
        error = {"Error": {"Code": "ProvisionedThroughputExceeded", "Message": "slow down"}}
        return status, {**answer, "Responses": [error, *answer["Responses"]]}

    proxy.meddling.by_operation["BatchExecuteStatement"] = throttle
    rows = [token(f"stale-{number}", int(time.time()) - LONG_AGO) for number in range(60)]
    create_table(local, "swept-throttled", hashed=False, rows=rows)
    try:
        swept = sweep(proxy.url, "swept-throttled", tmp_path, "--max-delete-percent", "100")
    finally:
        local.delete_table(TableName="swept-throttled")
    assert (swept.finished.code, swept.report["deletion"]["deleted"]) == (0, 60)
    slowed = events(log_of(swept.finished), "capacity.throttled")
    assert [event["operation"] for event in slowed] == ["BatchExecuteStatement"] * len(slowed)
    assert 1 <= len(slowed) <= 2
    # As often as a request came back with one: that the answer was a 200 hides none.
    assert swept.report["capacity"]["throttled"] == 2


def test_what_a_run_costs_is_estimated_with_its_look_ups_of_owners(
    local: DynamoDBClient, dynamodb_local_url: str, tmp_path: Path
) -> None:
    now, table = int(time.time()), "estimated"
    rows = [modern(f"stale-{n}", now - LONG_AGO, username=f"owner-{n}", note="x" * 1_500) for n in range(30)]
    rows += [modern(f"expired-{n}", now - 3_600, username=f"other-{n}") for n in range(20)]
    create_table(local, table, hashed=True, rows=[*rows, *(modern(f"active-{n}", now + LONG_AGO) for n in range(20))])
    where = ("--table", table, "--endpoint-url", dynamodb_local_url)
    try:
        estimate = json.loads(janitor("doctor", *where, "--for", "sweep", "--no-archive").out)["estimate"]
        dry = json.loads(janitor("sweep", *where).out)
        swept = sweep(dynamodb_local_url, table, tmp_path, "--delete-api", "item").report
    finally:
        local.delete_table(TableName=table)
    assert (estimate["owner_lookups"], dry["locked_out_unchecked"]) == (50, 0)
    assert estimate["read_units"] == dry["capacity"]["read_units"] == dry["estimate"]["read_units"]
    assert estimate["cost_usd"] == dry["capacity"]["cost_usd"]
    # The owners of deleted rows are looked up no more: half a unit less for each.
    assert swept["capacity"]["read_units"] == estimate["read_units"] - 30 / 2
    # Two for each row of more than 1 KB, and as many for its copy in the index.
    assert (dry["estimate"]["write_units"], swept["deletion"]["deleted"]) == (30 * 2 * 2, 30)
    assert swept["capacity"]["write_units"] == dry["estimate"]["write_units"]
    assert dry["estimate"]["cost_usd"] > dry["capacity"]["cost_usd"]
