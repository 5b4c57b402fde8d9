"""Each reason to refuse to delete, as a user meets it; and the same verdict in a dry run."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import keys_in, living_rows, stale_rows
from tests.tables import Item, modern


def permanent_rows(count: int) -> list[Item]:
    return [modern(f"permanent-{number}") for number in range(count)]


# The options, how many rows are stale, which others there are, the guard, and what its message has to say.
GUARDS: dict[str, tuple[list[str], int, list[Item], str, tuple[str, ...]]] = {
    "too many": (["--max-deletes", "9"], 10, living_rows(60), "max-deletes", ("10 rows", "--max-deletes 10")),
    "none allowed": (["--max-deletes", "0"], 1, living_rows(60), "max-deletes", ("1 row is", "--max-deletes 1")),
    "too large a share": ([], 31, living_rows(30), "max-delete-percent", ("50.8 percent", "--max-delete-percent 51")),
    "a smaller share": (
        ["--max-delete-percent", "10"], 5, living_rows(30), "max-delete-percent", ("14.3 percent", "15"),
    ),
    "no share": (["--max-delete-percent", "0"], 1, living_rows(30), "max-delete-percent", ("0",)),
    "every dated row": ([], 10, permanent_rows(20), "all-dated-rows", ("expiry date (10)", "--max-delete-percent 100")),
    "another time": (["--as-of", str(int(time.time()) + 5)], 3, living_rows(30), "as-of", ("--as-of",)),
    "no archive": (["--archive", "/dev/null/archive"], 3, living_rows(30), "archive", ("--archive", "--no-archive")),
}  # fmt: skip


def run(server: Server, table: str, folder: Path, *options: str) -> Finished:
    environment = {"XDG_STATE_HOME": str(folder / "state"), "TMPDIR": str(folder)}
    return janitor("sweep", "--table", table, "--endpoint-url", server.url, *options, env=environment)


@pytest.mark.parametrize("case", GUARDS.values(), ids=GUARDS.keys())
def test_a_guard_refuses_with_a_whole_report_and_keeps_the_plan(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, case: Any
) -> None:
    options, count, others, guard, words = case
    table = new_table([*stale_rows(count), *others])
    before = keys_in(client, table)
    finished = run(server, table, tmp_path, "--delete", "--yes", *options)
    report = json.loads(finished.out)
    errors = {error["code"]: error["message"] for error in report["errors"] if error["where"] == "guard"}
    assert (finished.code, report["run"]["outcome"], report["deletion"]["deleted"]) == (4, "refused", 0)
    assert list(errors) == [guard]
    assert [word for word in words if word not in errors[guard]] == []
    assert f"janitor: {errors[guard]}" in finished.err.splitlines()
    assert report["counts"]["scanned"] == count + len(others)
    assert {finding["outcome"] for finding in report["findings"] if finding["state"] == "stale"} == {"planned"}
    plan = Path(report["deletion"]["plan"])
    folder = tmp_path / "state" / "janitor" / "plans"
    assert (plan, plan.stat().st_mode & 0o777) == (folder / f"{table}-us-east-1-000000000000.ndjson", 0o600)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(plan.read_bytes().splitlines()) == count + 2
    assert keys_in(client, table) == before
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert [path.name for path in (tmp_path / "state" / "janitor").iterdir()] == ["plans"]


def test_of_a_tables_refused_plans_the_last_one_is_kept(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    tables = [new_table(stale_rows(count)) for count in (3, 2)]
    kept = {Path(json.loads(refused(server, table, tmp_path).out)["deletion"]["plan"]) for table in tables}
    client.put_item(TableName=tables[0], Item=stale_rows(4)[3])
    again = json.loads(refused(server, tables[0], tmp_path).out)["deletion"]["plan"]
    folder = tmp_path / "state" / "janitor" / "plans"
    assert {*folder.iterdir()} == kept
    assert len(kept) == 2
    assert len(Path(again).read_bytes().splitlines()) == 4 + 2
    # And it can be carried out.
    options = ("--endpoint-url", server.url, "--no-archive", "--yes", "--max-delete-percent", "100")
    assert json.loads(janitor("apply", again, *options).out)["deletion"]["deleted"] == 4


def test_a_sweep_that_did_its_work_takes_the_plan_away_that_an_earlier_one_was_refused(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    tables = [new_table(stale_rows(3)) for _ in range(2)]
    plans = [Path(json.loads(refused(server, table, tmp_path).out)["deletion"]["plan"]) for table in tables]
    allowed = ("--no-archive", "--max-delete-percent", "100")
    for options in (("--dry-run",), ("--delete", "--yes", "--max-deletes", "2")):
        run(server, tables[0], tmp_path, *allowed, *options)
        assert [plan.exists() for plan in plans] == [True, True]
    done = run(server, tables[0], tmp_path, *allowed, "--delete", "--yes")
    assert (done.code, json.loads(done.out)["deletion"]["deleted"]) == (0, 3)
    assert [plan.exists() for plan in plans] == [False, True]
    # A plan that is asked for stays, in this very place too.
    asked = run(server, tables[0], tmp_path, *allowed, "--delete", "--yes", "--plan", str(plans[0]))
    assert (asked.code, plans[0].exists()) == (0, True)


def refused(server: Server, table: str, folder: Path) -> Finished:
    return run(server, table, folder, "--delete", "--max-deletes", "1", "--max-delete-percent", "100")


@pytest.mark.parametrize("why", ["KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4", "unwritable", "full"])
def test_where_no_disk_lasts_a_refused_plan_is_not_kept_and_the_report_says_how_to_get_it(
    server: Server, new_table: NewTable, tmp_path: Path, why: str
) -> None:
    table = new_table(stale_rows(3))
    environment = {"XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(tmp_path)}
    if why == "unwritable":
        environment["XDG_STATE_HOME"] = "/dev/null/state"
    elif why == "full":
        # A folder stands where the plan would: it cannot be replaced, as on a disk without room.
        (tmp_path / "state" / "janitor" / "plans" / f"{table}-us-east-1-000000000000.ndjson" / "x").mkdir(parents=True)
    else:
        # The disk of the root itself: nothing is mounted there, as where only the image sets the variable.
        environment |= {why: "10.0.0.1", "XDG_STATE_HOME": "/"}
    options = ("--delete", "--max-deletes", "1", "--max-delete-percent", "100", "--no-archive")
    finished = janitor("sweep", "--table", table, "--endpoint-url", server.url, *options, env=environment)
    report = json.loads(finished.out)
    assert (finished.code, report["deletion"]["plan"]) == (4, None)
    [warning] = [each for each in report["warnings"] if each["where"] == "plan"]
    assert "the plan was not kept" in warning["message"]
    assert "run `janitor sweep --plan PATH` without --delete" in warning["message"]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("case", GUARDS.values(), ids=GUARDS.keys())
def test_a_dry_run_says_which_guard_would_refuse_and_goes_on(
    server: Server, new_table: NewTable, tmp_path: Path, case: Any
) -> None:
    options, count, others, guard, _ = case
    finished = run(server, new_table([*stale_rows(count), *others]), tmp_path, *options)
    report = json.loads(finished.out)
    assert (finished.code, report["run"]["outcome"], report["errors"]) == (0, "complete", [])
    assert [warning["code"] for warning in report["warnings"] if warning["where"] == "guard"] == [guard]
    assert report["deletion"]["planned"] == count


def test_protected_rows_count_among_those_whose_dates_are_all_over(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(9), *permanent_rows(20)])
    before = keys_in(client, table)
    finished = run(server, table, tmp_path, "--delete", "--yes", "--protect-user", "user-0@*")
    [error] = json.loads(finished.out)["errors"]
    assert (finished.code, error["code"]) == (4, "all-dated-rows")
    assert (
        "every row that has an expiry date (9) would be deleted, or is protected, left out or waiting (2)"
        in error["message"]
    )
    assert keys_in(client, table) == before


def test_rows_that_patterns_leave_out_count_among_those_whose_dates_are_all_over(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table, plan = new_table([*stale_rows(9), *permanent_rows(20)]), tmp_path / "plan.ndjson"
    before = keys_in(client, table)
    options = ("--user", "user-0@*", "--no-archive", "--yes")
    swept = run(server, table, tmp_path, "--delete", *options)
    planned = run(server, table, tmp_path, "--user", "user-[01]@*", "--plan", str(plan))
    assert json.loads(planned.out)["deletion"]["left_out"] == 6
    # The plan holds three rows of the nine; of these, two are left out again.
    applied = janitor("apply", str(plan), "--endpoint-url", server.url, *options)
    for finished in (swept, applied):
        [error] = json.loads(finished.out)["errors"]
        assert (finished.code, error["code"]) == (4, "all-dated-rows")
        assert "every row that has an expiry date (9) would be deleted, or is protected, left out" in error["message"]
    assert keys_in(client, table) == before


@pytest.mark.parametrize("server", ["ministack"], indirect=True)
def test_an_archive_that_cannot_be_opened_after_all_is_the_verdict_of_its_guard(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(2), *living_rows(30)])
    before = keys_in(client, table)
    finished = run(server, table, tmp_path, "--delete", "--yes", "--archive", "s3://no-such-bucket/x/")
    report = json.loads(finished.out)
    verdicts = {guard["name"]: guard["passed"] for guard in report["tables"][0]["guards"]}
    [error] = report["errors"]
    assert (finished.code, error["code"], verdicts.pop("archive")) == (4, "archive", False)
    # Nobody leases the table here.
    assert (verdicts.pop("lease"), set(verdicts.values())) == (None, {True})
    assert keys_in(client, table) == before


def test_every_guard_that_trips_is_told(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(30), *permanent_rows(5)])
    finished = run(server, table, tmp_path, "--delete", "--yes", "--max-deletes", "3")
    codes = [error["code"] for error in json.loads(finished.out)["errors"]]
    assert codes == ["max-deletes", "max-delete-percent", "all-dated-rows"]
    assert len([line for line in finished.err.splitlines() if line.startswith("janitor: refused")]) == 3


ALLOWED: dict[str, tuple[list[str], int, list[Item]]] = {
    "as many as allowed": (["--max-deletes", "10"], 10, living_rows(60)),
    "half": ([], 30, living_rows(30)),
    "every row of a small table": ([], 19, []),
    "every row, said in so many words": (["--max-delete-percent", "100"], 40, []),
    "none, where none may go": (["--max-deletes", "0", "--max-delete-percent", "0"], 0, living_rows(30)),
}


@pytest.mark.parametrize("case", ALLOWED.values(), ids=ALLOWED.keys())
def test_within_the_guards_everything_planned_goes(
    server: Server, new_table: NewTable, tmp_path: Path, case: Any
) -> None:
    options, count, others = case
    finished = run(server, new_table([*stale_rows(count), *others]), tmp_path, "--delete", "--yes", *options)
    report = json.loads(finished.out)
    assert (finished.code, report["deletion"]["deleted"]) == (0, count)
