"""The lease of a table: two runs never sweep it at once."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.store.create_table import create_table
from tests.command import janitor, started
from tests.fixtures import NewTable
from tests.forked import ForkedProcess
from tests.integration.stores import renewed, sqlite_leases
from tests.servers import Server
from tests.state_file import rewrite
from tests.sweeping import arguments_of, key_of, keys_in, living_rows, run, stale_rows, sweep

one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)
OTHER_RUN = "0123456789abcdef"
A_WHILE = 600


def scope_in(client: DynamoDBClient, table: str) -> str:
    account, region = client.describe_table(TableName=table)["Table"]["TableArn"].split(":")[4:2:-1]
    return f"{account}/{region}/{table}"


@contextmanager
def taken(client: DynamoDBClient, table: str, folder: Path) -> Iterator[str]:
    """A store in which another run has the lease of the table and renews it, until the block ends; the store's URL."""
    path = folder / "state.sqlite"
    with renewed(sqlite_leases(path), scope_in(client, table), OTHER_RUN):
        yield f"sqlite:///{path}"


@one_server
def test_a_sweep_is_skipped_while_another_run_has_the_lease_and_goes_on_when_it_is_free(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale, living = stale_rows(2), living_rows(6)
    table = new_table([*stale, *living])
    calendar = tmp_path / "tokens.ics"
    calendar.write_text("of the run before", encoding="utf-8")
    with taken(client, table, tmp_path) as url:
        options = ("--state-url", url, "--report", f"ics={calendar}", "--plan", str(tmp_path / "plan.ndjson"))
        swept = sweep(server.url, table, tmp_path, *options, "--metrics", f"prometheus={tmp_path / 'm.prom'}")
    assert swept.finished.code == 0
    assert (swept.report["run"]["outcome"], swept.report["run"]["dry_run"]) == ("skipped", False)
    assert (swept.report["counts"]["scanned"], swept.report["errors"]) == (0, [])
    assert f"janitor: skipped: another run ({OTHER_RUN}) sweeps the table" in swept.finished.err
    assert len(keys_in(client, table)) == 8
    assert calendar.read_text(encoding="utf-8") == "of the run before"
    assert not (tmp_path / "m.prom").exists()
    assert not (tmp_path / "plan.ndjson").exists()
    assert not swept.archive.exists()

    again = sweep(server.url, table, tmp_path, "--state-url", url)
    assert (again.report["run"]["outcome"], again.report["deletion"]["deleted"]) == ("complete", 2)
    assert keys_in(client, table) == {key_of(row) for row in living}


@one_server
def test_of_several_tables_only_the_one_that_another_run_sweeps_is_skipped(
    server: Server, client: DynamoDBClient, new_table: NewTable, table_number: Callable[[], int], tmp_path: Path
) -> None:
    names = [f"leased-{table_number():04}" for _ in range(2)]
    tables = [new_table([*stale_rows(2), *living_rows(6)], name=f"{name}-LISAApiBaseTokenTable") for name in names]
    calendar, cells = tmp_path / "tokens.ics", tmp_path / "tokens.csv"
    calendar.write_text("of the run before", encoding="utf-8")
    reports = ("--report", f"ics={calendar}", "--report", f"csv={cells}")
    options = ("--delete", "--yes", "--no-archive", "--endpoint-url", server.url, "--max-clock-skew", "1d", *reports)
    with taken(client, tables[0], tmp_path) as url:
        finished = janitor("sweep", "--deployment", names[0], "--deployment", names[1], *options, "--state-url", url)
    said = json.loads(finished.out)
    assert (finished.code, said["run"]["outcome"]) == (0, "complete"), finished.err
    assert [part["outcome"] for part in said["tables"]] == ["skipped", "complete"]
    assert [len(keys_in(client, table)) for table in tables] == [8, 6]
    assert f"janitor: {tables[0]}: skipped: another run ({OTHER_RUN}) sweeps the table" in finished.err
    assert calendar.read_text(encoding="utf-8") == "of the run before"
    assert f"incomplete: skipped: another run ({OTHER_RUN})" in cells.read_text(encoding="utf-8")


@one_server
def test_what_deletes_nothing_needs_no_lease(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table(stale_rows(2))
    with taken(client, table, tmp_path) as url:
        finished = run(server, table, "--state-url", url)
    assert json.loads(finished.out)["run"]["outcome"] == "complete"


@one_server
def test_a_plan_carried_out_by_hand_is_refused_while_another_run_has_the_lease(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table(stale_rows(2))
    plan = tmp_path / "plan.ndjson"
    assert run(server, table, "--plan", str(plan)).code == 0
    options = ("--endpoint-url", server.url, "--archive", str(tmp_path / "kept"), "--yes")
    with taken(client, table, tmp_path) as url:
        finished = janitor("apply", str(plan), *options, "--state-url", url)
    assert finished.code == 4
    assert [error["code"] for error in json.loads(finished.out)["errors"]] == ["lease"]
    assert f"another run ({OTHER_RUN}) sweeps the table" in finished.err
    assert len(keys_in(client, table)) == 2


@one_server
def test_a_run_that_finds_the_lease_of_a_dead_one_waits_until_it_is_over_and_does_its_work(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table(stale_rows(2))
    path = tmp_path / "state.sqlite"
    sqlite_leases(path).take(scope_in(client, table), OTHER_RUN, 1)
    swept = sweep(server.url, table, tmp_path, "--state-url", f"sqlite:///{path}")
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (0, "complete"), swept.finished.err
    assert keys_in(client, table) == set()


@one_server
def test_a_retry_of_the_same_job_takes_over_the_lease_of_the_attempt_that_was_killed(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table(stale_rows(2))
    path, scope = tmp_path / "state.sqlite", scope_in(client, table)
    store = sqlite_leases(path)
    # Of another job, whose run renews it, it stays; of this job's own earlier attempt, too late to renew, it is taken.
    killed = f"0f8fad5b-d9cb-469f-a165-70867728950e/{OTHER_RUN}"
    store.take(scope, killed, A_WHILE)
    options = ("--state-url", f"sqlite:///{path}")
    holder = {"JANITOR_LEASE_HOLDER": "0f8fad5b-d9cb-469f-a165-70867728950e"}
    swept = sweep(server.url, table, tmp_path, *options, env=holder, timeout=A_WHILE / 20)
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (0, "complete"), swept.finished.err
    assert keys_in(client, table) == set()
    assert not store.renew(scope, killed, A_WHILE)


@one_server
@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("next week", "with an unreadable end time"),
        (1e300, "with an unreadable end time"),
        (-1e300, "with an unreadable end time"),
        (10**18, "with an unreadable end time"),
        (2_000_000_000, "until 2033-05-18 03:33:20 UTC"),
        (253_402_300_799, "until 9999-12-31 23:59:59 UTC"),
    ],
    ids=str,
)
def test_a_lease_that_can_be_none_is_said_and_keeps_nobody_from_his_work(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, until: object, said: str
) -> None:
    table = new_table(stale_rows(2))
    path, scope = tmp_path / "state.sqlite", scope_in(client, table)
    sqlite_leases(path).take(scope, OTHER_RUN, A_WHILE)
    assert rewrite(path, "lease", lambda lease: lease.update(until=until)) == 1
    swept = sweep(server.url, table, tmp_path, "--state-url", f"sqlite:///{path}")
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (0, "complete"), swept.finished.err
    [warning] = [each for each in swept.report["warnings"] if each["where"] == "lease"]
    assert (
        f"an impossible record of the lease of the table (run {OTHER_RUN}, {said}); it was ignored"
        in warning["message"]
    )
    assert "check the clocks" in warning["message"]
    assert keys_in(client, table) == set()


@one_server
def test_whatever_stands_for_a_holder_is_written_out_plainly_and_no_key_is_repeated(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table(stale_rows(1))
    path, scope = tmp_path / "state.sqlite", scope_in(client, table)
    store = sqlite_leases(path)
    for holder, said in {
        "a\x1b[2J\nb": r"run a\x1b[2J\nb,",
        "f" * 64: "run [removed],",
        "x" * 100_000: f"run {'x' * 255}…,",
        None: "run ?,",
    }.items():
        store.take(scope, OTHER_RUN, A_WHILE)
        rewrite(path, "lease", partial(dict.update, until="never", holder=holder))
        swept = sweep(server.url, table, tmp_path, "--state-url", f"sqlite:///{path}")
        [warning] = [each for each in swept.report["warnings"] if each["where"] == "lease"]
        assert said in warning["message"]
        store.release(scope, OTHER_RUN)


@one_server
def test_where_the_lease_cannot_be_asked_for_nothing_is_deleted(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table(stale_rows(2))
    swept = sweep(server.url, table, tmp_path, "--state-url", "dynamodb://no-such-table")
    assert swept.finished.code == 4
    assert "could not be taken: the state table no-such-table does not exist here; check its name" in swept.finished.err
    assert swept.report["counts"]["scanned"] == 2
    assert len(keys_in(client, table)) == 2


def test_of_sweeps_that_start_together_each_row_is_deleted_by_one_and_counted_once(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale, living = stale_rows(300), living_rows(12)
    table = new_table([*stale, *living])
    state = new_table()
    client.delete_table(TableName=state)
    create_table(client, state)
    runs = []
    for number in range(3):
        archive = tmp_path / f"archive-{number}.ndjson"
        options = arguments_of(server.url, table, archive, "--state-url", f"dynamodb://{state}")
        runs.append(started(*options))
    processes: list[ForkedProcess] = [each.__enter__() for each in runs]
    try:
        reports = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    finally:
        for each in runs:
            each.__exit__(None, None, None)
    assert [process.returncode for process in processes] == [0, 0, 0], [report["errors"] for report in reports]
    assert {report["run"]["outcome"] for report in reports} <= {"complete", "skipped"}
    assert sum(report["deletion"]["deleted"] for report in reports) == 300
    assert sum(report["deletion"]["already_gone"] + report["deletion"]["changed"] for report in reports) == 0
    assert keys_in(client, table) == {key_of(row) for row in living}
