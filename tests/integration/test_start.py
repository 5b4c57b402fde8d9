"""`python -m janitor`, in a new interpreter, once a command: other tests fork one that has started."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.cli.app import COMMANDS
from tests.command import fake_aws, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import arguments_of, key_of, keys_in, living_rows, stale_rows

SECONDS = 60
one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)


class SweptTable:
    """A table of which a sweep may take two rows, with places for the plan and the archive."""

    def __init__(self, url: str, client: DynamoDBClient, new_table: NewTable, folder: Path) -> None:
        stale = stale_rows(2)
        self.name = new_table([*stale, *living_rows(6)])
        self.client, self.stale, self.folder = client, {key_of(row) for row in stale}, folder
        self.url, self.plan, self.archive = url, str(folder / "plan.ndjson"), str(folder / "archive.ndjson")
        self.where = ["--table", self.name, "--endpoint-url", url]

    @property
    def is_swept(self) -> bool:
        return not self.stale & keys_in(self.client, self.name)

    def sweep(self, *options: str, anew: bool = False) -> None:
        run(*arguments_of(self.url, self.name, self.archive, "--plan", self.plan, "--yes", *options), anew=anew)


def run(*arguments: str, anew: bool = True, **options: Any) -> str:
    finished = janitor(*arguments, anew=anew, **options)
    assert finished.code == 0, finished.err
    return finished.out


@pytest.fixture
def table(server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path) -> SweptTable:
    return SweptTable(server.url, client, new_table, tmp_path)


def test_every_command_is_started_here() -> None:
    started = {name.removeprefix("test_start_of_") for name in globals() if name.startswith("test_start_of_")}
    assert started == set(COMMANDS)


@one_server
def test_start_of_scan(table: SweptTable) -> None:
    assert json.loads(run("scan", *table.where))["counts"]["stale"] == 2


@one_server
def test_start_of_sweep(table: SweptTable) -> None:
    table.sweep(anew=True)
    assert table.is_swept


@one_server
def test_start_of_apply(table: SweptTable) -> None:
    run("sweep", *table.where, "--plan", table.plan, anew=False)
    limits = ["--max-delete-percent", "100", "--archive", table.archive, "--yes"]
    run("apply", table.plan, "--endpoint-url", table.url, *limits)
    assert table.is_swept


@one_server
def test_start_of_restore(table: SweptTable) -> None:
    table.sweep()
    assert table.is_swept
    run("restore", table.archive, "--all", "--endpoint-url", table.url)
    assert not table.is_swept


@one_server
def test_start_of_plan(table: SweptTable) -> None:
    run("sweep", *table.where, "--plan", table.plan, anew=False)
    assert json.loads(run("plan", "show", table.plan))["rows"] == 2


def test_start_of_archive(tmp_path: Path) -> None:
    assert json.loads(run("archive", "list", str(tmp_path)))["archives"] == []


@one_server
def test_start_of_run(table: SweptTable) -> None:
    file = table.folder / "job.toml"
    file.write_text(f'[table]\ntable = "{table.name}"\n', encoding="utf-8")
    assert json.loads(run("run", str(file), "--endpoint-url", table.url))["counts"]["stale"] == 2


def test_start_of_serve(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "job.toml").write_text('[when]\ncron = "0 3 * * *"\n[table]\ntable = "tokens"\n', encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "janitor",
        "serve",
        str(jobs),
        "--listen",
        "127.0.0.1:0",
        "--state-dir",
        str(tmp_path),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=fake_aws(tmp_path)) as process:
        assert process.stderr is not None
        assert any("daemon.started" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 0


@one_server
def test_start_of_token(table: SweptTable) -> None:
    assert len(run("token", "list", *table.where, "--format", "ndjson").splitlines()) >= 8


@one_server
def test_start_of_doctor(table: SweptTable) -> None:
    assert table.name in run("doctor", *table.where)


def test_start_of_demo() -> None:
    assert "Subject: Token " in run("demo")


def test_start_of_schema() -> None:
    assert json.loads(run("schema", "report"))["title"]
