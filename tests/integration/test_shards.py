"""`--shard`: parts of a table in processes of their own, and one report of them all."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import keys_in, living_rows, stale_rows
from tests.tables import Item

_SHARDS = 8
_COUNTED = ("counts", "locked_out", "forecast")


def _arguments(server: Server, table: str, *options: str) -> list[str]:
    return ["--table", table, "--endpoint-url", server.url, "--grace", "7d", *options]


def _store(server: Server, client: DynamoDBClient, folder: Path) -> str:
    return f"sqlite:///{folder}/state.sqlite"


def _all_at_once(command: str, count: int, arguments: list[str], **environment: str) -> list[Finished]:
    """Every shard of a run, each a process, started together."""
    with ThreadPoolExecutor(count) as pool:
        return list(
            pool.map(
                lambda index: janitor(
                    command, "--shard", f"{index}/{count}", *arguments, env=environment, timeout=120
                ),
                range(count),
            )
        )


def _report(finished: Finished) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(finished.out)
    return report


@pytest.fixture(scope="module")
def rows() -> list[Item]:
    return [*stale_rows(60), *living_rows(140)]


def test_eight_processes_find_what_one_finds(
    server: Server, new_table: NewTable, rows: list[Item], tmp_path: Path
) -> None:
    table = new_table(rows)
    whole = _report(janitor("scan", *_arguments(server, table)))
    merged = tmp_path / "merged.json"
    options = ("--state-url", f"sqlite:///{tmp_path}/state.sqlite", "--merged-report", f"json={merged}")

    finished = _all_at_once("scan", _SHARDS, _arguments(server, table, *options))

    assert [each.code for each in finished] == [0] * _SHARDS, [each.err for each in finished]
    reports = [_report(each) for each in finished]
    assert [report["run"]["shard"] for report in reports] == [
        {"index": index, "count": _SHARDS} for index in range(_SHARDS)
    ]
    assert sum(report["counts"]["scanned"] for report in reports) == len(rows)
    of_all = json.loads(merged.read_text())
    assert {key: of_all[key] for key in _COUNTED} == {key: whole[key] for key in _COUNTED}
    assert [finding["fingerprint"] for finding in of_all["findings"]] == [
        finding["fingerprint"] for finding in whole["findings"]
    ]
    assert of_all["run"]["outcome"] == "complete"
    assert of_all["run"]["shard"] is None
