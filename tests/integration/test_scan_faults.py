"""A server that throttles, refuses, cuts and damages: a scan says so, and never takes a part for the whole."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.command import Finished, janitor
from tests.servers import Microburst, microburst
from tests.tables import SAMPLE_NOW, create_table, token

TABLE = "faulty"
ROWS = 2_000
SECOND_PAGE = {"body": "ExclusiveStartKey"}  # any page but the first


@pytest.fixture(scope="module")
def proxy(dynamodb_local_url: str) -> Iterator[Microburst]:
    """A proxy before a table of about three pages; every row in it has expired."""
    client = boto3.client("dynamodb", endpoint_url=dynamodb_local_url)
    rows = [token(f"faulty-{number:05}", SAMPLE_NOW - 1 - number, note="x" * 1_500) for number in range(ROWS)]
    create_table(client, TABLE, hashed=False, rows=rows)
    with microburst(dynamodb_local_url) as running:
        yield running
    client.delete_table(TableName=TABLE)


def scan(proxy: Microburst, *options: str, attempts: int = 2) -> Finished:
    where = ("--table", TABLE, "--endpoint-url", proxy.url, "--as-of", str(SAMPLE_NOW))
    return janitor("scan", *where, *options, env={"AWS_MAX_ATTEMPTS": str(attempts)})


def fault(operation: str, **effect: Any) -> dict[str, Any]:
    return {"service": "dynamodb", "operation": operation, **effect}


@pytest.mark.parametrize(
    "effect",
    [
        {"error": {"code": "ProvisionedThroughputExceededException"}},
        {"error": {"code": "InternalServerError", "status": 500}},
        {"reset": True},
        {"response": {"truncate_bytes": 300}},
        {"response": {"abort_bytes": 0}},
    ],
    ids=lambda effect: next(iter(effect)),
)
def test_a_fault_that_passes_costs_a_retry_and_no_row(proxy: Microburst, effect: dict[str, Any]) -> None:
    proxy.rules([fault("Scan", times=1, **SECOND_PAGE, **effect)])
    finished = scan(proxy)
    report = json.loads(finished.out)
    assert len(proxy.fired()) == 1
    assert (finished.code, report["run"]["outcome"], report["counts"]["scanned"]) == (0, "complete", ROWS)
    assert report["capacity"]["requests"] > report["capacity"]["pages"]


def test_a_throttled_request_is_counted(proxy: Microburst) -> None:
    proxy.rules([fault("Scan", times=1, error={"code": "ThrottlingException"})])
    assert json.loads(scan(proxy).out)["capacity"]["throttled"] == 1


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        ({"error": {"code": "ProvisionedThroughputExceededException"}}, "ProvisionedThroughputExceededException"),
        ({"error": {"code": "ExpiredTokenException"}}, "ExpiredTokenException"),
        ({"error": {"code": "AccessDeniedException"}}, "AccessDeniedException"),
        ({"reset": True}, "unreachable"),
        ({"response": {"truncate_bytes": 300}}, "corrupt-page"),
        ({"response": {"truncate_bytes": 0}}, "corrupt-page"),
        ({"response": {"set_headers": {"x-amz-crc32": "1"}}}, "corrupt-page"),
    ],
)
@pytest.mark.parametrize("segments", ["1", "2"])
def test_a_fault_in_the_middle_that_stays_is_reported_with_what_was_counted(
    proxy: Microburst, tmp_path: Path, effect: dict[str, Any], code: str, segments: str
) -> None:
    proxy.rules([fault("Scan", **SECOND_PAGE, **effect)])
    path = tmp_path / "report.json"
    finished = scan(proxy, "--segments", segments, "--report", f"json={path}")
    report = json.loads(path.read_text())
    assert finished.code == 1
    assert (report["run"]["outcome"], report["errors"][0]["code"]) == ("failed", code)
    assert 0 <= report["counts"]["scanned"] < ROWS
    assert segments != "1" or 0 < report["counts"]["scanned"] == report["counts"]["expired"] + report["counts"]["stale"]
    assert [line for line in finished.err.splitlines() if line.startswith("janitor: ")]
    assert "Traceback" not in finished.err


@pytest.mark.parametrize("operation", ["DescribeTable", "Scan"])
def test_a_denied_call_names_the_permission_and_the_table(proxy: Microburst, operation: str) -> None:
    proxy.rules([fault(operation, error={"code": "AccessDeniedException", "message": "no"})])
    finished = scan(proxy)
    said = [line for line in finished.err.splitlines() if line.startswith("janitor: ")]
    assert finished.code == 1
    assert said == [
        f"janitor: dynamodb:{operation} on the table {TABLE} was denied; allow dynamodb:{operation} on it (no)"
    ]


def test_a_description_that_is_cut_short_is_an_error(proxy: Microburst) -> None:
    proxy.rules([fault("DescribeTable", response={"truncate_bytes": 100})])
    finished = scan(proxy)
    assert (finished.code, finished.out, len(finished.err.splitlines())) == (1, "", 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("segments", ["1", "3"])
def test_a_signal_ends_a_slow_scan_at_once_with_a_whole_report(
    proxy: Microburst, tmp_path: Path, number: signal.Signals, segments: str
) -> None:
    proxy.rules([fault("Scan", timeout_ms=60_000, **SECOND_PAGE)])
    path = tmp_path / "report.json"
    command = [sys.executable, "-m", "janitor", "scan", "--table", TABLE, "--endpoint-url", proxy.url]
    environment = os.environ | {"AWS_MAX_ATTEMPTS": "1"}
    with subprocess.Popen(
        [*command, "--segments", segments, "--report", f"json={path}", "--log-level", "debug"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "page.read" in line:
                break
        process.send_signal(number)
        _, _ = process.communicate(timeout=40)  # the page would take a minute
    assert process.returncode == 128 + number
    report = json.loads(path.read_text())
    assert report["run"]["outcome"] == "interrupted"
    assert report["counts"]["scanned"] < ROWS
