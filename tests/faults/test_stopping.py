"""A sweep that is asked to stop: what is under way is finished and written down, and nothing more is begun."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.run.plan_executor import WORKERS
from tests.command import Finished, started
from tests.faults.gate import END_SECONDS, HANG_SECONDS, gated
from tests.fixtures import NewTable
from tests.forked import ForkedProcess
from tests.servers import Server
from tests.sweeping import (
    Swept,
    archived_keys,
    arguments_of,
    assert_exact,
    keys_in,
    living_rows,
    new_archive,
    stale_rows,
    sweep,
)

STALE, LIVING = 2_000, 60
# Two groups of 800 rows at most: the second waits for workers while the first is deleted, and there is no third.
ARCHIVED = 1_600
SIGNALS = {signal.SIGTERM: 143, signal.SIGINT: 130}


def stopped(process: ForkedProcess, number: signal.Signals, archive: Path) -> Swept:
    """Send the signal, and wait for the end."""
    process.send_signal(number)
    return ended(process, archive)


def ended(process: ForkedProcess, archive: Path) -> Swept:
    """Wait for the end."""
    out, err = process.communicate(timeout=END_SECONDS)
    return Swept(Finished(process.wait(), out, err), json.loads(out), archive)


@pytest.mark.parametrize(("number", "code"), SIGNALS.items())
def test_a_signal_finishes_the_batches_in_flight_and_starts_no_more(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, number: signal.Signals, code: int
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    archive = new_archive(tmp_path)
    with gated(server, 3) as (url, gate), started(*arguments_of(url, table, archive)) as process:
        assert gate.reached.wait(END_SECONDS)
        process.send_signal(number)
        gate.opened.set()
        swept = ended(process, archive)
    after = keys_in(client, table)
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (code, "interrupted")
    assert 0 < len(before - after) < STALE
    assert swept.report["deletion"]["failed"] == 0
    assert before - after <= archived_keys(tmp_path)
    assert len(archived_keys(tmp_path)) <= ARCHIVED
    assert_exact(swept, before, after)


@pytest.mark.parametrize(("number", "code"), SIGNALS.items())
def test_deletes_that_hang_do_not_hold_up_the_end(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, number: signal.Signals, code: int
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    archive = new_archive(tmp_path)
    # Every worker hangs, so that whatever else is archived waits for one.
    with (
        gated(server, 3, awaited=WORKERS) as (url, gate),
        started(*arguments_of(url, table, archive)) as process,
    ):
        assert gate.reached.wait(END_SECONDS)
        swept = stopped(process, number, archive)
        after = keys_in(client, table)
        hung = gate.passed - 3
    assert swept.finished.code == code
    assert swept.report["deletion"]["deleted"] == 75
    assert hung == WORKERS
    assert swept.report["deletion"]["failed"] == 25 * WORKERS
    assert f"no answer came for {25 * WORKERS} rows" in swept.finished.err
    assert_exact(swept, before, after)
    assert before - after <= archived_keys(tmp_path)
    outcomes = [json.loads(line) for line in archive.read_text().splitlines() if '"outcome"' in line]
    assert sum(line["outcome"] == "deleted" for line in outcomes) == 75


def test_a_second_signal_ends_it_at_once(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    with gated(server, 3) as (url, gate), started(*arguments_of(url, table, new_archive(tmp_path))) as process:
        assert gate.reached.wait(END_SECONDS)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.5)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=END_SECONDS)
    assert process.returncode != 0


def test_a_signal_during_the_scan_deletes_nothing(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(30), *living_rows(30)])
    before = keys_in(client, table)
    archive = new_archive(tmp_path)
    with gated(server, 0, "Scan") as (url, gate), started(*arguments_of(url, table, archive)) as process:
        assert gate.reached.wait(END_SECONDS)
        swept = stopped(process, signal.SIGTERM, archive)
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (143, "interrupted")
    assert keys_in(client, table) == before
    assert not archive.exists()


def test_the_deadline_does_the_same_by_itself_with_exit_code_1(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    with gated(server, 3) as (url, _):
        swept = sweep(url, table, tmp_path, "--deadline", "4s", timeout=4 + END_SECONDS)
        after = keys_in(client, table)
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (1, "interrupted")
    assert "deadline" in {error["code"] for error in swept.report["errors"]}
    assert before - after <= archived_keys(tmp_path)


class SlowS3(ThreadingHTTPServer):
    """Stores the first object, and never answers for the second."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SlowS3Handler)
        self.gate = threading.Event()
        self.reached = threading.Event()


class SlowS3Handler(BaseHTTPRequestHandler):
    server: SlowS3

    def do_PUT(self) -> None:
        if not self.path.endswith("000000.ndjson"):
            self.server.reached.set()
            self.server.gate.wait(HANG_SECONDS)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow_s3() -> Iterator[SlowS3]:
    with SlowS3() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield running
        running.gate.set()
        running.shutdown()
        thread.join()


def test_an_archive_in_s3_that_hangs_does_not_hold_up_the_end(
    slow_s3: SlowS3, server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(400), *living_rows(LIVING)])
    before = keys_in(client, table)
    environment = {"AWS_ENDPOINT_URL_S3": f"http://localhost:{slow_s3.server_address[1]}"}
    with started(*arguments_of(server.url, table, "s3://slow/"), env=environment) as process:
        assert slow_s3.reached.wait(END_SECONDS)
        swept = stopped(process, signal.SIGTERM, tmp_path)
    assert swept.finished.code == 143
    assert "no-answer" in {error["code"] for error in swept.report["errors"]}
    assert keys_in(client, table) == before
    assert_exact(swept, before, before)
