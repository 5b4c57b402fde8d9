"""Whoever reads for a run is killed, hangs or is lost: what was not read is read again, or nothing is deleted."""

import json
import os
import queue
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.wiring.readers import count_available_cores
from tests.command import Finished, fake_aws, janitor, started
from tests.dask_cluster import Cluster, dask_cluster
from tests.faults.gate import END_SECONDS, gated
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.forked import ForkedProcess
from tests.servers import Server
from tests.sweeping import arguments_of, keys_in, living_rows, new_archive, stale_rows
from tests.tables import create_table, put_rows

STALE, LIVING = 60, 40
SEGMENTS = ("--segments", "6")
PROCESSES = ("--workers", "2", *SEGMENTS)
# As after an upgrade of Python under a running daemon: no new process can be started with this interpreter.
WITHOUT_ITS_INTERPRETER = """
import os, sys
os.unlink(sys.executable)
from janitor.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def table(request: pytest.FixtureRequest, tokens: DynamoDBClient) -> str:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    create_table(tokens, name, hashed=True, rows=[*stale_rows(STALE), *living_rows(LIVING)])
    return name


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask"), workers=2) as running:
        yield running


def children_of(process: ForkedProcess) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@contextmanager
def watched(pids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Hold on to these processes, to see that they have ended when the block has; a zombie has."""
    held = [os.pidfd_open(pid) for pid in pids]
    yield pids
    for each in held:
        assert select.select([each], [], [], END_SECONDS)[0], "a reader outlived the run"
        os.close(each)


def ended(process: ForkedProcess) -> Finished:
    out, err = process.communicate(timeout=3 * END_SECONDS)
    assert "Traceback" not in err
    return Finished(process.wait(), out, err)


def deletion_in(finished: Finished) -> dict[str, Any]:
    deletion: dict[str, Any] = json.loads(finished.out)["deletion"]
    return deletion


def test_a_process_that_is_killed_is_replaced(
    table_server: Server, tokens: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    with (
        gated(table_server, 0, "Scan", awaited=2) as (url, gate),
        started(*arguments_of(url, table, new_archive(tmp_path), *PROCESSES)) as process,
    ):
        assert gate.reached.wait(2 * END_SECONDS)
        with watched(children_of(process)) as readers:
            os.kill(readers[0], signal.SIGKILL)
            gate.opened.set()
            swept = ended(process)
    assert len(readers) == 2
    assert swept.code == 0
    assert swept.err.count('"event": "reader.died"') == 1
    assert json.loads(swept.out)["counts"]["scanned"] == STALE + LIVING
    assert deletion_in(swept)["deleted"] == STALE
    assert len(keys_in(tokens, table)) == LIVING


def test_processes_that_die_again_and_again_fail_the_run_and_nothing_is_deleted(
    table_server: Server, tokens: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    before = keys_in(tokens, table)
    at_work: queue.Queue[ForkedProcess] = queue.Queue()

    def kill(request: Request, forward: Forward) -> tuple[int, Any]:
        process = at_work.get()
        at_work.put(process)
        for pid in children_of(process):
            os.kill(pid, signal.SIGKILL)
        return forward(request)

    with (
        meddling_proxy(table_server.url) as (url, meddling),
        started(*arguments_of(url, table, new_archive(tmp_path), *PROCESSES)) as process,
    ):
        meddling.by_operation["Scan"] = kill
        at_work.put(process)
        swept = ended(process)
    assert swept.code == 1
    assert "3 reader processes died one after the other while reading the same segment of the table" in swept.err
    assert deletion_in(swept)["deleted"] == 0
    assert keys_in(tokens, table) == before


def run_without_interpreter(arguments: Sequence[str], folder: Path) -> Finished:
    interpreter = folder / "python"
    interpreter.symlink_to(Path(sys.executable).resolve())
    run = subprocess.run(
        [interpreter, "-c", WITHOUT_ITS_INTERPRETER, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **fake_aws(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Finished(run.returncode, run.stdout, run.stderr)


def appear_large(request: Request, forward: Forward) -> tuple[int, Any]:
    """Describe the table as one that several processes read unless told otherwise."""
    status, answer = forward(request)
    answer["Table"]["TableSizeBytes"] = 1024**3
    return status, answer


@pytest.mark.skipif(count_available_cores() == 1, reason="on one core nothing is read by several processes unasked")
def test_a_run_that_cannot_start_the_processes_that_it_chose_reads_by_itself(
    table_server: Server, tokens: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    with meddling_proxy(table_server.url) as (url, meddling):
        meddling.by_operation["DescribeTable"] = appear_large
        swept = run_without_interpreter(arguments_of(url, table, new_archive(tmp_path)), tmp_path)
    assert swept.code == 0, swept.err
    assert swept.err.count('"event": "reader.') == swept.err.count('"event": "reader.not_started"') == 1
    assert json.loads(swept.out)["counts"]["scanned"] == STALE + LIVING
    assert deletion_in(swept)["deleted"] == STALE
    assert len(keys_in(tokens, table)) == LIVING


@pytest.mark.parametrize("wish", [("--workers", "2"), ("--segments", "1000")])
def test_a_run_that_cannot_start_the_processes_that_it_was_told_to_use_fails_and_nothing_is_deleted(
    table_server: Server, tokens: DynamoDBClient, table: str, tmp_path: Path, wish: Sequence[str]
) -> None:
    before = keys_in(tokens, table)
    swept = run_without_interpreter(arguments_of(table_server.url, table, new_archive(tmp_path), *wish), tmp_path)
    assert swept.code == 1
    assert "a reader process cannot be started (No such file or directory)" in swept.err
    assert "reader.not_started" not in swept.err
    assert deletion_in(swept)["deleted"] == 0
    assert keys_in(tokens, table) == before


def test_readers_die_with_a_run_that_is_killed_in_the_middle_of_a_segment(
    table_server: Server, table: str, tmp_path: Path
) -> None:
    with (
        gated(table_server, 0, "Scan", awaited=2) as (url, gate),
        started(*arguments_of(url, table, new_archive(tmp_path), *PROCESSES)) as process,
    ):
        assert gate.reached.wait(2 * END_SECONDS)
        with watched(children_of(process)) as readers:
            process.kill()
    assert len(readers) == 2


@pytest.mark.parametrize("who", ["processes", "dask"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_that_others_read_for(
    request: pytest.FixtureRequest,
    table_server: Server,
    tokens: DynamoDBClient,
    table: str,
    tmp_path: Path,
    *,
    who: str,
    number: signal.Signals,
    code: int,
) -> None:
    before = keys_in(tokens, table)
    reader = PROCESSES if who == "processes" else ("--dask", request.getfixturevalue("cluster").address, *SEGMENTS)
    with (
        gated(table_server, 0, "Scan", awaited=2) as (url, gate),
        started(*arguments_of(url, table, new_archive(tmp_path), *reader)) as process,
    ):
        assert gate.reached.wait(2 * END_SECONDS)
        with watched(children_of(process)) as readers:
            # As a terminal sends it: to all that belong to the run.
            for pid in (*readers, process.pid):
                os.kill(pid, number)
            out, err = process.communicate(timeout=END_SECONDS)
    assert (process.wait(), json.loads(out)["run"]["outcome"]) == (code, "interrupted")
    assert "Traceback" not in err
    assert len(readers) == (2 if who == "processes" else 0)
    assert keys_in(tokens, table) == before


def test_a_deadline_ends_a_run_that_others_read_for(
    table_server: Server, tokens: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    before = keys_in(tokens, table)
    with gated(table_server, 0, "Scan") as (url, _):
        arguments = arguments_of(url, table, new_archive(tmp_path), *PROCESSES)
        swept = janitor(*arguments, "--deadline", "4s", timeout=4 + END_SECONDS)
    assert (swept.code, json.loads(swept.out)["run"]["outcome"]) == (1, "interrupted")
    assert keys_in(tokens, table) == before


def test_what_hinders_a_reader_is_said_and_nothing_is_deleted(
    table_server: Server, tokens: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    def deny_one(request: Request, forward: Forward) -> tuple[int, Any]:
        if request.get("Segment") != 3:
            return forward(request)
        return 400, {"__type": "x#AccessDeniedException", "message": "User: role/reader may not"}

    before = keys_in(tokens, table)
    with meddling_proxy(table_server.url) as (url, meddling):
        meddling.by_operation["Scan"] = deny_one
        swept = janitor(*arguments_of(url, table, new_archive(tmp_path), *PROCESSES))
    assert swept.code == 1
    assert f"a reader of segment 3: dynamodb:Scan on the table {table} was denied" in swept.err
    assert deletion_in(swept)["deleted"] == 0
    assert keys_in(tokens, table) == before


def test_a_worker_that_is_killed_is_made_up_for_and_a_lost_scheduler_ends_the_run(
    table_server: Server, tokens: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    with dask_cluster(tmp_path, workers=2) as cluster:
        reader = ("--dask", cluster.address, *SEGMENTS)
        with (
            gated(table_server, 0, "Scan", awaited=2) as (url, gate),
            started(*arguments_of(url, table, new_archive(tmp_path), *reader)) as process,
        ):
            assert gate.reached.wait(2 * END_SECONDS)
            cluster.workers[0].kill()
            gate.opened.set()
            swept = ended(process)
        assert swept.code == 0, swept.err
        assert json.loads(swept.out)["counts"]["scanned"] == STALE + LIVING
        assert deletion_in(swept)["deleted"] == STALE
        assert len(keys_in(tokens, table)) == LIVING

        put_rows(tokens, table, stale_rows(STALE))
        before = keys_in(tokens, table)
        with (
            gated(table_server, 0, "Scan") as (url, gate),
            started(*arguments_of(url, table, new_archive(tmp_path), *reader)) as process,
        ):
            assert gate.reached.wait(2 * END_SECONDS)
            cluster.scheduler.kill()
            swept = ended(process)
    assert swept.code == 1
    assert f"--dask {cluster.address}: the connection to the scheduler was lost" in swept.err
    assert deletion_in(swept)["deleted"] == 0
    assert keys_in(tokens, table) == before
