"""`janitor sweep`: what it plans, keeps, deletes and says."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import fake_aws, janitor, on_screen
from tests.fixtures import NewTable
from tests.servers import Server, microburst
from tests.sweeping import DAY, LONG_AGO, key_of, keys_in, living_rows, run, stale_rows, sweep
from tests.tables import Item, legacy, modern, token

EVERYTHING_ALLOWED = ("--max-deletes", "100000", "--max-delete-percent", "100", "--max-clock-skew", "1d")


def test_without_delete_nothing_is_deleted_and_the_report_says_what_would_be(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    before = keys_in(client, table)
    finished = run(server, table, env={"XDG_STATE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)})
    report = json.loads(finished.out)
    assert (finished.code, report["run"]["command"], report["run"]["outcome"]) == (0, "sweep", "complete")
    assert report["deletion"] == {
        "enabled": False, "planned": 5, "protected": 0, "deleted": 0, "changed": 0, "already_gone": 0, "failed": 0,
        "waiting": 0, "left_out": 0,
        "plan": None, "archive": None, "archive_place": f"{tmp_path}/janitor/archive/",
        "restore_command": f"janitor restore {tmp_path}/janitor/archive/{table}-TIME-RUN.ndjson --all --beside "
        f"--table {table} --region us-east-1 --endpoint-url {server.url}",
    }  # fmt: skip
    assert {finding["outcome"] for finding in report["findings"] if finding["state"] == "stale"} == {"planned"}
    assert {finding["outcome"] for finding in report["findings"] if finding["state"] != "stale"} == {None}
    assert keys_in(client, table) == before
    assert list(tmp_path.iterdir()) == []


def accepted_in_a_hashed_table(now: int) -> list[Item]:
    """Rows that the API's gate accepts, MCP Workbench's, or both, however stale they look."""
    dates: list[object] = [now + 60, now + 300 * DAY, {"N": f"{now + 90}.5"}, {"N": "1E15"}, None]
    return [
        *(modern(f"modern-{number}", date) for number, date in enumerate(dates)),
        *(legacy(f"legacy-{number}", date) for number, date in enumerate(dates)),
        modern("as-text", {"S": str(now + 300 * DAY)}),
        legacy("as-text-legacy", {"S": str(now + 300 * DAY)}),
        legacy("no-date-but-a-name", None, username="someone"),
    ]


def accepted_in_a_classic_table(now: int) -> list[Item]:
    """Rows that the classic gate accepts."""
    dates: list[object] = [now + 60, {"N": f"{now + 90}.9"}, {"N": "1E15"}, {"S": str(now + 300 * DAY)}, None]
    return [token(f"classic-{number}", date) for number, date in enumerate(dates)]


@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "classic"])
@pytest.mark.parametrize("api", ["partiql", "item"])
def test_no_option_deletes_a_row_that_a_gate_accepts(
    server: Server, client: DynamoDBClient, new_table: NewTable, *, hashed: bool, api: str
) -> None:
    now = int(time.time())
    accepted = accepted_in_a_hashed_table(now) if hashed else accepted_in_a_classic_table(now)
    gone = [(modern if hashed else token)(f"gone-{number}", now - 5 - number) for number in range(30)]
    gone += [legacy(f"gone-legacy-{number}", now - 5 - number) for number in range(5)] if hashed else []
    table = new_table([*accepted, *gone], hashed=hashed)
    reckless = (
        "--delete",
        "--yes",
        "--include",
        "legacy",
        "--grace",
        "0s",
        "--expiring-within",
        "9000d",
        "--no-archive",
    )
    finished = run(server, table, *reckless, "--delete-api", api, *EVERYTHING_ALLOWED)
    report = json.loads(finished.out)
    assert (finished.code, report["deletion"]["deleted"]) == (0, len(gone))
    assert keys_in(client, table) == {key_of(row) for row in accepted}
    again = run(server, table, *reckless, *EVERYTHING_ALLOWED)
    assert json.loads(again.out)["deletion"]["planned"] == 0


def test_protected_rows_stay(server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path) -> None:
    long_ago = int(time.time()) - LONG_AGO
    held = [
        modern("held", long_ago, janitorHold=True),
        modern("held-by-text", long_ago, janitorHold="until the audit is over"),
        modern("glob", long_ago, username="svc-backup@example.com"),
        modern("system", long_ago, isSystemToken=True),
    ]
    table = new_table([*held, *stale_rows(10), *living_rows(30)])
    options = ("--protect-user", "svc-*", "--protect-system")
    deletion = sweep(server.url, table, tmp_path, *options).report["deletion"]
    assert (deletion["planned"], deletion["protected"], deletion["deleted"]) == (10, 4, 10)
    assert {key_of(row) for row in held} <= keys_in(client, table)


def test_legacy_rows_go_only_when_they_are_asked_for(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    old = [legacy(f"old-{number}", int(time.time()) - LONG_AGO) for number in range(3)]
    table = new_table([*old, *living_rows(30)])
    assert sweep(server.url, table, tmp_path).report["deletion"]["planned"] == 0
    assert {key_of(row) for row in old} <= keys_in(client, table)
    assert sweep(server.url, table, tmp_path, "--include", "legacy").report["deletion"]["deleted"] == 3


def test_delete_item_does_what_partiql_does(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(60), *living_rows(30)])
    swept = sweep(server.url, table, tmp_path, "--delete-api", "item")
    assert (swept.finished.code, swept.report["deletion"]["deleted"]) == (0, 60)


@pytest.mark.parametrize("code", ["UnknownOperationException", "AccessDeniedException"])
def test_where_there_is_no_partiql_it_falls_back_once_and_says_so(
    server: Server, new_table: NewTable, tmp_path: Path, code: str
) -> None:
    table = new_table([*stale_rows(60), *living_rows(30)])
    with microburst(server.url) as proxy:
        proxy.rules([{"service": "dynamodb", "operation": "BatchExecuteStatement", "error": {"code": code}}])
        swept = sweep(proxy.url, table, tmp_path)
        alone = sweep(proxy.url, new_table(stale_rows(3)), tmp_path, "--delete-api", "partiql")
    assert (swept.finished.code, swept.report["deletion"]["deleted"]) == (0, 60)
    assert swept.finished.err.count('"event": "delete.without_partiql"') == 1
    assert (alone.finished.code, alone.report["deletion"]["failed"]) == (1, 3)


def test_ttl_on_the_same_attribute_is_said(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table(living_rows(6))
    assert "ttl" not in [warning["code"] for warning in sweep(server.url, table, tmp_path).report["warnings"]]
    on = {"Enabled": True, "AttributeName": "tokenExpiration"}
    client.update_time_to_live(TableName=table, TimeToLiveSpecification=on)  # type: ignore[arg-type]
    assert "ttl" in [warning["code"] for warning in sweep(server.url, table, tmp_path).report["warnings"]]


def test_the_cost_counts_what_was_written(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    swept = sweep(server.url, new_table([*stale_rows(60), *living_rows(30)]), tmp_path, "--delete-api", "item")
    assert swept.report["capacity"]["write_units"] >= 60


@pytest.mark.parametrize(("answer", "deleted"), [("y", 5), ("n", 0), ("", 0)])
def test_on_a_terminal_it_asks_once_with_the_count_and_the_dates(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, answer: str, deleted: int
) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    before = keys_in(client, table)
    arguments = ("--delete", "--archive", str(tmp_path / "archive"), "--log-level", "error")
    finished = run(server, table, *arguments, tty=True, input=f"{answer}\n", env={"TMPDIR": str(tmp_path)})
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - LONG_AGO))
    assert finished.err.count(f"Delete 5 tokens of {table} in us-east-1, account 000000000000, expired") == 1
    assert day[:7] in finished.err
    assert finished.code == (0 if deleted else 4)
    assert len(before - keys_in(client, table)) == deleted
    if not deleted:
        assert "you did not confirm" in on_screen(finished.out)
        assert re.search(r"not-confirmed +no +a yes, on a terminal or by --yes +refused", on_screen(finished.out))


def test_yes_does_not_ask(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    finished = run(server, table, "--delete", "--yes", "--archive", str(tmp_path / "archive"), tty=True)
    assert (finished.code, "Delete 5" in finished.err) == (0, False)
    assert "Deleted 5 of 5 rows that were planned." in on_screen(finished.out)


def test_a_dry_run_on_a_terminal_shows_what_would_go(server: Server, new_table: NewTable) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    finished = run(server, table, tty=True, columns=120)
    shown = on_screen(finished.out)
    assert shown.count("expired 400 days ago, grace 7 days") == 5
    assert "Planned for deletion" in shown
    assert "Dry run, nothing was deleted: 5 rows would be." in shown


BAD = {
    "both": (["--archive", "x", "--no-archive"], "--archive and --no-archive contradict each other"),
    "scheme": (["--archive", "http://x"], "neither a path nor s3://bucket/prefix/"),
    "bucket": (["--archive", "s3://"], "names no bucket"),
    "percent": (["--max-delete-percent", "101"], "--max-delete-percent"),
    "number": (["--max-deletes", "-1"], "--max-deletes"),
    "api": (["--delete-api", "sql"], "--delete-api"),
    "include": (["--include", "permanent"], "--include"),
    "no archive": (["--archive", ""], "--archive"),
    "no plan": (["--plan", ""], "--plan"),
    "plan and report": (["--plan", "same", "--report", "json=./same"], "--plan and --report json=same are one file"),
    "archive and report": (
        ["--archive", "same", "--report", "csv=same"],
        "--archive and --report csv=same are one file",
    ),
    "plan and archive": (["--archive", "same", "--plan", "same"], "--plan and --archive are one file"),
    "two reports": (["--report", "json=same", "--report", "csv=same"], "--report csv=same are one file"),
}


@pytest.mark.parametrize(("options", "said"), BAD.values(), ids=BAD.keys())
def test_a_wrong_option_is_named_in_a_line(ministack_url: str, options: list[str], said: str) -> None:
    finished = janitor("sweep", "--table", "any", "--endpoint-url", ministack_url, *options)
    assert (finished.code, finished.out) == (2, "")
    assert said in finished.err
    assert "Traceback" not in finished.err


def test_the_question_is_asked_where_standard_error_goes_elsewhere(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    before = keys_in(client, table)
    command = f"{sys.executable} -m janitor sweep --delete --table {table} --endpoint-url {server.url} 2>{tmp_path}/log"
    environment = {**fake_aws(tmp_path), "PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        ["script", "-qec", command, "/dev/null"], input=b"n\n", env=environment, capture_output=True, check=False
    )
    assert (ran.returncode, b"Delete 5 tokens" in ran.stdout) == (4, True)
    assert keys_in(client, table) == before
