"""An archive that cannot be written: what it does not hold is not deleted."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_s3 import S3Client

from tests.fixtures import NewTable
from tests.servers import Microburst, Server, microburst
from tests.sweeping import archived_keys, assert_exact, keys_in, living_rows, stale_rows, sweep

ROWS_OF_A_GROUP = 800
STALE, LIVING = 2_000, 60
LINE_BYTES = 450  # of a row in an archive, more or less
BUCKET = "archives"
PUT = {"service": "s3", "operation": "PutObject"}


@pytest.fixture(scope="module")
def s3(ministack_url: str) -> Iterator[S3Client]:
    client: S3Client = boto3.client("s3", endpoint_url=ministack_url)
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()


@pytest.fixture(scope="module")
def s3_proxy(ministack_url: str) -> Iterator[Microburst]:
    with microburst(ministack_url) as running:
        yield running


def archived_in_s3(s3: S3Client, prefix: str) -> set[str]:
    """The keys of every row in any object below the prefix."""
    keys = set()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for entry in page.get("Contents", ()):
            lines = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read().decode().splitlines()
            keys |= {item["token"]["S"] for line in lines if (item := json.loads(line).get("item"))}
    return keys


def test_a_disk_that_fills_up_ends_the_deletes_with_exit_code_1_and_says_so(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    # The plan is zipped, so that it is the archive that meets the end of the disk.
    plan = tmp_path / "plan.ndjson.gz"
    most = int(1.5 * ROWS_OF_A_GROUP * LINE_BYTES)
    swept = sweep(server.url, table, tmp_path, "--plan", str(plan), largest_file=most)
    after = keys_in(client, table)
    assert swept.finished.code == 1
    assert before - after == archived_keys(tmp_path)
    assert len(before - after) == ROWS_OF_A_GROUP
    assert [(error["where"], error["code"]) for error in swept.report["errors"]] == [("archive", "disk")]
    assert "nothing of this batch was deleted" in swept.finished.err
    assert_exact(swept, before, after)
    assert len(gzip.decompress(plan.read_bytes()).splitlines()) == STALE + 2


def test_a_disk_that_is_full_from_the_start_deletes_nothing(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(30), *living_rows(30)])
    before = keys_in(client, table)
    plan = tmp_path / "plan.ndjson.gz"
    swept = sweep(server.url, table, tmp_path, "--plan", str(plan), largest_file=9_000)
    assert swept.finished.code == 1
    assert keys_in(client, table) == before
    assert {outcome for outcome in swept.outcomes.values() if outcome} == {"planned"}


def test_a_plan_that_does_not_fit_on_the_disk_deletes_nothing(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    swept = sweep(server.url, table, tmp_path, largest_file=60_000)
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (1, "failed")
    assert swept.report["errors"][0]["where"] == "plan"
    assert keys_in(client, table) == before


REFUSALS: dict[str, dict[str, Any]] = {
    "denied": {"error": {"code": "AccessDenied", "status": 403}},
    "slow down": {"error": {"code": "SlowDown", "status": 503}},
    "reset": {"reset": True},
}


def sweep_into_s3(proxy: Microburst, server: Server, table: str, folder: Path, prefix: str) -> Any:
    environment = {"AWS_ENDPOINT_URL_S3": proxy.url, "AWS_MAX_ATTEMPTS": "2"}
    return sweep(server.url, table, folder, "--archive", f"s3://{BUCKET}/{prefix}", env=environment)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_s3_that_refuses_in_the_middle_ends_the_deletes_with_exit_code_1(
    s3: S3Client,
    s3_proxy: Microburst,
    server: Server,
    client: DynamoDBClient,
    new_table: NewTable,
    *,
    tmp_path: Path,
    refusal: dict[str, Any],
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    prefix = f"{server.name}-{next(iter(refusal))}"
    # The empty first object and the first group's get through: the first rule that fits decides.
    s3_proxy.rules([{**PUT, "times": 2, "latency": {"ms": 1}}, {**PUT, **refusal}])
    swept = sweep_into_s3(s3_proxy, server, table, tmp_path, prefix)
    after = keys_in(client, table)
    assert swept.finished.code == 1
    assert before - after == archived_in_s3(s3, prefix)
    assert len(before - after) == ROWS_OF_A_GROUP
    assert swept.report["errors"][0]["where"] == "archive"
    assert "000002" in swept.finished.err
    assert_exact(swept, before, after)


def test_s3_that_refuses_from_the_start_is_a_guard(
    s3_proxy: Microburst, server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(30), *living_rows(30)])
    before = keys_in(client, table)
    s3_proxy.rules([{**PUT, **REFUSALS["denied"]}])
    swept = sweep_into_s3(s3_proxy, server, table, tmp_path, "refused")
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (4, "refused")
    assert "allow s3:PutObject" in swept.finished.err
    assert "--no-archive" in swept.finished.err
    assert keys_in(client, table) == before


def test_an_archive_in_s3_holds_every_row_and_its_outcome(
    s3: S3Client, s3_proxy: Microburst, server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    stale = stale_rows(STALE)
    table = new_table([*stale, *living_rows(LIVING)])
    s3_proxy.rules([])
    prefix = f"{server.name}-whole/"
    swept = sweep_into_s3(s3_proxy, server, table, tmp_path, prefix)
    assert swept.report["deletion"]["deleted"] == STALE
    assert swept.report["deletion"]["archive"].startswith(f"s3://{BUCKET}/{prefix}{table}-")
    assert archived_in_s3(s3, prefix) == {row["token"]["S"] for row in stale}
