"""`--shard`: parts of a table in processes of their own, and one report of them all."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor, started
from tests.fixtures import NewTable
from tests.forked import ForkedProcess
from tests.servers import Server
from tests.sweeping import key_of, keys_in, living_rows, stale_rows
from tests.tables import Item

_SHARDS = 8
_MOST_LINES = 1_000
_STALE, _LIVING = 60, 140


@pytest.fixture(scope="module")
def rows() -> list[Item]:
    return [*stale_rows(_STALE), *living_rows(_LIVING)]


# What these are about is between the processes, whatever the table is in.
on_one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)


def _options(server: Server, table: str, folder: Path, *more: str) -> list[str]:
    """What every shard of a run is told."""
    state = f"sqlite:///{folder}/state.sqlite"
    merged = f"json={folder}/merged.json"
    where = ["--table", table, "--endpoint-url", server.url, "--state-url", state, "--merged-report", merged]
    return [*where, "--segments", "2", *more]


def _deleting(folder: Path, *more: str) -> list[str]:
    return ["--delete", "--yes", "--archive", f"{folder}/archives/", "--shard-run", "tonight", *more]


def _run(command: str, index: int, count: int, options: Sequence[str]) -> Finished:
    return janitor(command, "--shard", f"{index}/{count}", *options, timeout=120)


def _all_at_once(command: str, count: int, options: Sequence[str]) -> list[Finished]:
    """Every shard of a run, each a process, started together."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda index: _run(command, index, count, options), range(count)))


def _report(finished: Finished) -> dict[str, Any]:
    assert finished.out, finished.err
    report: dict[str, Any] = json.loads(finished.out)
    return report


def _merged(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "merged.json").read_text())
    return report


def _found(report: dict[str, Any]) -> dict[str, Any]:
    """What a report says of the table, whoever and however many read it."""
    said = {key: report[key] for key in ("counts", "locked_out", "locked_out_unchecked", "forecast", "deletion")}
    said["findings"] = [(finding["fingerprint"], finding["state"]) for finding in report["findings"]]
    return said | {"outcome": report["run"]["outcome"]}


def _wait_for(event: str, process: ForkedProcess) -> None:
    """Read a process's log until it says this."""
    assert process.stderr is not None
    for _ in range(_MOST_LINES):
        if f'"{event}"' in process.stderr.readline():
            return
    raise AssertionError(f"it never said {event}")


def test_eight_processes_find_what_one_finds(
    server: Server, new_table: NewTable, rows: list[Item], tmp_path: Path
) -> None:
    table = new_table(rows)
    whole = _report(janitor("scan", "--table", table, "--endpoint-url", server.url))

    finished = _all_at_once("scan", _SHARDS, _options(server, table, tmp_path))

    assert [each.code for each in finished] == [0] * _SHARDS, [each.err for each in finished]
    reports = [_report(each) for each in finished]
    shards = [report["run"]["shard"] for report in reports]
    assert shards == [{"index": index, "count": _SHARDS} for index in range(_SHARDS)]
    assert sum(report["counts"]["scanned"] for report in reports) == len(rows)
    assert _found(_merged(tmp_path)) == _found(whole)
    assert sum("shards.merged" in each.err for each in finished) == 1


@pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)
def test_a_shard_that_is_killed_and_started_again_belongs_to_its_run(
    server: Server, client: DynamoDBClient, new_table: NewTable, rows: list[Item], tmp_path: Path
) -> None:
    table = new_table(rows)
    options = _options(server, table, tmp_path, *_deleting(tmp_path))
    with ExitStack() as stack:
        early = [
            stack.enter_context(started("sweep", "--shard", f"{index}/{_SHARDS}", *options))
            for index in range(_SHARDS - 1)
        ]
        for process in early:
            _wait_for("shards.waiting", process)
        assert keys_in(client, table) == {key_of(row) for row in rows}, "nothing may go before all have counted"
        early[3].kill()
        again = stack.enter_context(started("sweep", "--shard", f"3/{_SHARDS}", *options))
        last = stack.enter_context(started("sweep", "--shard", f"{_SHARDS - 1}/{_SHARDS}", *options))
        living = [*early[:3], *early[4:], again, last]
        ends = [process.communicate(timeout=60) for process in living]

    assert [process.returncode for process in living] == [0] * _SHARDS, ends
    assert keys_in(client, table) == {key_of(row) for row in rows[_STALE:]}
    merged = _merged(tmp_path)
    assert merged["run"]["outcome"] == "complete"
    assert merged["counts"]["scanned"] == len(rows)
    assert merged["deletion"]["planned"] == merged["deletion"]["deleted"] == _STALE
    assert sum("shards.merged" in err for _, err in ends) == 1

    # Kubernetes may start a pod again that had come to its end: nothing is read, deleted or said twice.
    back = _run("sweep", 3, _SHARDS, options)
    assert back.code == 0, back.err
    assert _report(back)["run"]["outcome"] == "skipped"
    assert "has reported already" in back.err
    assert "shards.merged" not in back.err
    assert _merged(tmp_path) == merged


@on_one_server
def test_guards_hold_for_the_whole(
    server: Server, client: DynamoDBClient, new_table: NewTable, rows: list[Item], tmp_path: Path
) -> None:
    """No shard alone plans as many, but all together do."""
    table = new_table(rows)

    finished = _all_at_once(
        "sweep", 3, _options(server, table, tmp_path, *_deleting(tmp_path, "--max-deletes", str(_STALE - 1)))
    )

    assert [each.code for each in finished] == [4, 4, 4], [each.err for each in finished]
    assert all(f"{_STALE} rows are planned, more than {_STALE - 1}" in each.err for each in finished)
    assert keys_in(client, table) == {key_of(row) for row in rows}
    merged = _merged(tmp_path)
    assert merged["run"]["outcome"] == "refused"
    assert (merged["deletion"]["planned"], merged["deletion"]["deleted"]) == (_STALE, 0)


@on_one_server
def test_a_shard_that_waits_in_vain_refuses_for_all_and_whoever_comes_late_deletes_nothing(
    server: Server, client: DynamoDBClient, new_table: NewTable, rows: list[Item], tmp_path: Path
) -> None:
    table = new_table(rows)
    options = _options(server, table, tmp_path, *_deleting(tmp_path, "--shard-wait", "1s"))

    waited = _run("sweep", 1, 3, options)
    assert waited.code == 4, waited.err
    assert "and shards 0 and 2 of 3 have not read all there is" in waited.err
    assert "shards 0 and 2 of 3 never came" in waited.err
    merged = _merged(tmp_path)
    assert merged["run"]["outcome"] == "failed"

    late = _run("sweep", 0, 3, options)
    assert late.code == 4, late.err
    assert "shards 0 and 2 of 3 have not read all there is" in late.err
    assert "the report of all shards was made without shard 0, which came later" in late.err
    assert _merged(tmp_path) == merged

    # Kubernetes does not start one again that ended with 4; somebody may.
    again = _run("sweep", 1, 3, options)
    assert again.code == 1, again.err
    assert "it had refused to delete" in again.err
    assert keys_in(client, table) == {key_of(row) for row in rows}


@on_one_server
def test_what_a_dead_process_had_counted_is_no_part_of_the_whole(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    """Most of the table goes while one shard is dead: by what it had read, few enough rows would be planned."""
    stale, living = stale_rows(30), living_rows(300)
    table = new_table([*stale, *living])
    options = _options(server, table, tmp_path, *_deleting(tmp_path, "--max-delete-percent", "20"))
    with started("sweep", "--shard", "0/2", *options) as dead:
        _wait_for("shards.waiting", dead)
        dead.kill()
    for row in living[20:]:
        client.delete_item(TableName=table, Key={"token": row["token"]})

    with started("sweep", "--shard", "0/2", *options) as again:
        _wait_for("shards.waiting", again)
        other = _run("sweep", 1, 2, options)
        _, err = again.communicate(timeout=60)

    assert (again.returncode, other.code) == (4, 4), (err, other.err)
    assert "30 of 50 scanned rows are planned" in other.err
    assert len(keys_in(client, table)) == 50


@on_one_server
def test_the_deadline_ends_the_wait(server: Server, new_table: NewTable, rows: list[Item], tmp_path: Path) -> None:
    finished = _run(
        "sweep", 0, 2, _options(server, new_table(rows), tmp_path, *_deleting(tmp_path, "--deadline", "6s"))
    )

    assert finished.code == 4, finished.err
    assert "shard 1 of 2 has not read all there is" in finished.err


@on_one_server
def test_the_last_of_shards_that_run_one_after_the_other_merges(
    server: Server, new_table: NewTable, rows: list[Item], tmp_path: Path
) -> None:
    """Without a name, and without waiting: the run that is open is joined, a finished one is not."""
    table = new_table(rows)
    options = _options(server, table, tmp_path)

    first = _run("scan", 1, 2, options)
    assert first.code == 0, first.err
    assert not (tmp_path / "merged.json").exists()
    assert _run("scan", 0, 2, options).code == 0
    merged = _merged(tmp_path)
    assert merged["counts"]["scanned"] == len(rows)

    assert _run("scan", 0, 2, options).code == 0
    assert _merged(tmp_path) == merged, "half of the next run is no run"
    assert _run("scan", 1, 2, options).code == 0
    assert _merged(tmp_path)["run"]["id"] != merged["run"]["id"]


@on_one_server
def test_a_dry_run_says_what_the_guards_of_the_whole_would(
    server: Server, new_table: NewTable, rows: list[Item], tmp_path: Path
) -> None:
    options = _options(server, new_table(rows), tmp_path, "--max-deletes", str(_STALE - 1))

    finished = _all_at_once("sweep", 2, options)

    assert [each.code for each in finished] == [0, 0], [each.err for each in finished]
    messages = [warning["message"] for warning in _merged(tmp_path)["warnings"]]
    assert any(f"{_STALE} rows are planned, more than {_STALE - 1}" in message for message in messages)


@on_one_server
def test_shards_of_other_rules_are_no_shards_of_the_run(
    server: Server, new_table: NewTable, rows: list[Item], tmp_path: Path
) -> None:
    options = _options(server, new_table(rows), tmp_path, "--shard-run", "tonight")
    assert _run("scan", 0, 2, options).code == 0

    finished = _run("scan", 1, 2, [*options, "--grace", "1d"])

    assert finished.code == 2
    assert "was opened with --grace 604800, and this shard has 86400" in finished.err
