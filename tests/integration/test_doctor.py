"""`janitor doctor` against servers: what it finds, what it says, and that it leaves everything as it was."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.announcing import Runs, due_rows, state_in
from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import DAY, keys_in
from tests.tables import create_table, modern

DELETES = ("dynamodb:PartiQLDelete", "dynamodb:DeleteItem")


def doctor(url: str, *options: str, **arguments: Any) -> tuple[Finished, dict[str, Any]]:
    """The finished doctor, and its JSON."""
    finished = janitor("doctor", "--endpoint-url", url, "--format", "json", *options, **arguments)
    return finished, json.loads(finished.out)


def statuses(found: dict[str, Any]) -> dict[str, str]:
    """Each check's status by its name."""
    return {check["name"]: check["status"] for check in found["checks"]}


def check(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One check."""
    [wanted] = [each for each in found["checks"] if each["name"] == name]
    checked: dict[str, Any] = wanted
    return checked


def test_a_table_that_a_sweep_can_use_is_found_so_and_stays_as_it_is(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    in_a_year = int(time.time()) + 365 * DAY
    table = new_table(modern(f"bearer {number}", in_a_year) for number in range(33))
    before = keys_in(client, table)
    finished, found = doctor(server.url, "--for", "sweep", "--table", table, "--archive", f"{tmp_path}/")
    assert (finished.code, found["ok"], found["command"]) == (0, True, "sweep"), finished.out
    tells = server.name == "ministack"
    assert statuses(found) == {
        "credentials": "ok" if tells else "warning",
        **dict.fromkeys(("table", "key", "dialect", "dynamodb:DescribeTable", "dynamodb:Scan"), "ok"),
        **dict.fromkeys(("dynamodb:GetItem", "dynamodb:Query", DELETES[0]), "ok"),
        DELETES[1]: "skipped",
        "dynamodb:DescribeTimeToLive": "ok",
        "dynamodb:DescribeContinuousBackups": "ok" if tells else "skipped",
        **dict.fromkeys(("clock", "ttl", "owners"), "ok"),
        "point-in-time-recovery": "warning" if tells else "skipped",
        **dict.fromkeys(("topic", "state"), "skipped"),
        "archive": "ok",
        "fingerprint-key": "skipped",
        "temporary-files": "ok",
        "schedules": "skipped",
    }
    assert check(found, "dialect")["found"] == "hashed: the table has the index username-index"
    assert (keys_in(client, table), list(tmp_path.iterdir())) == (before, [])
    assert not any(key in finished.out + finished.err for key in before)
    # What was reckoned is what a run then costs.
    capacity = json.loads(janitor("scan", "--table", table, "--endpoint-url", server.url).out)["capacity"]
    estimate = found["estimate"]
    assert {name: estimate[name] for name in ("read_units", "pages", "cost_usd")} == {
        name: capacity[name] for name in ("read_units", "pages", "cost_usd")
    }
    assert (estimate["rows"], estimate["seconds_by"], estimate["write_units_per_delete"]) == (33, "measured", 2.0)


def test_owners_who_are_locked_out_are_named_with_what_lets_them_in(
    ministack_url: str, dynamodb: DynamoDBClient
) -> None:
    now, table = int(time.time()), "locked-out"
    rows = [modern("gone", now - DAY, username="ana"), modern("text", {"S": "soon"}, username="bob")]
    create_table(dynamodb, table, hashed=True, rows=[*rows, modern("fine", now + DAY, username="cem")])
    try:
        finished, found = doctor(ministack_url, "--table", table)
        dynamodb.put_item(TableName=table, Item=modern("undated", None, username="bob", isSystemToken=True))
        rules = ("--protect-user", "an*", "--gates", "api")
        of_rules = [
            check(doctor(ministack_url, "--table", table, *options)[1], "owners")["way_out"]
            for options in (rules[2:], rules, (*rules, "--protect-system"))
        ]
    finally:
        dynamodb.delete_table(TableName=table)
    said = check(found, "owners")
    # By the rules of the sweep: what is protected is left to whoever protects it.
    assert ["--unlock-after 1h" in way_out for way_out in of_rules] == [True, False, False]
    assert ["--include undated" in way_out for way_out in of_rules] == [True, True, False]
    assert ["protected rows" in way_out for way_out in of_rules] == [False, True, True]
    assert not any("Workbench still accepts" in way_out for way_out in of_rules)
    assert (finished.code, said["status"]) == (0, "warning")
    assert said["found"] == ("2 owners of the first 3 rows are locked out: ana (expired), bob (malformed)")
    assert "--unlock-after 1h" in said["way_out"]
    assert "token remove" in said["way_out"]


def test_a_command_that_writes_rows_is_tried_without_writing_any(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table = new_table(hashed=False)
    finished, found = doctor(server.url, "--for", "token", "--table", table)
    assert (finished.code, found["estimate"]) == (0, None)
    allowed = {each["name"] for each in found["checks"] if each["found"] == "allowed" and each["needed"]}
    actions = ("DescribeTable", "Scan", "GetItem", "PutItem", "UpdateItem", "PartiQLDelete")
    assert allowed == {f"dynamodb:{name}" for name in actions}
    assert keys_in(client, table) == set()


@pytest.fixture
def slow_table(ministack_url: str) -> Iterator[str]:
    """A provisioned table with TTL and point-in-time recovery."""
    client, name = boto3.client("dynamodb", endpoint_url=ministack_url), "provisioned"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "token", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "token", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 2},
    )
    client.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "tokenExpiration"}
    )
    client.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    yield name
    client.delete_table(TableName=name)
    client.close()


def test_what_is_odd_about_a_table_is_a_warning(ministack_url: str, slow_table: str) -> None:
    options = ("--for", "sweep", "--table", slow_table, "--no-archive", "--dialect", "hashed", "--delete-api", "item")
    finished, found = doctor(ministack_url, *options)
    assert finished.code == 0
    assert "without a report or an archive" in check(found, "ttl")["found"]
    assert "no index username-index" in check(found, "dialect")["found"]
    assert {name: status for name, status in statuses(found).items() if status == "warning"} == {
        "ttl": "warning",
        "dialect": "warning",
    }
    assert (check(found, "point-in-time-recovery")["found"], statuses(found)["dynamodb:Query"]) == ("on", "skipped")
    assert (statuses(found)["dynamodb:DeleteItem"], found["estimate"]["seconds_by"]) == ("ok", "budget")
    assert (found["estimate"]["seconds"], found["estimate"]["write_units_per_delete"]) == (1.0, 1.0)


def test_a_table_that_lisa_no_longer_reads_is_a_warning(ministack_url: str, dynamodb: DynamoDBClient) -> None:
    for name, hashed in (("left-LISAApiTokenTable", False), ("left-LISAApiBaseTokenTable", True)):
        create_table(dynamodb, name, hashed=hashed)
    finished, found = doctor(ministack_url, "--table", "left-LISAApiTokenTable")
    assert (finished.code, check(found, "table")["status"]) == (0, "warning")
    assert "this deployment has the newer table left-LISAApiBaseTokenTable" in check(found, "table")["found"]
    _, of_newer = doctor(ministack_url, "--table", "left-LISAApiBaseTokenTable")
    assert check(of_newer, "table")["status"] == "ok"


def test_all_that_is_missing_is_said_at_once(ministack_url: str, dynamodb: DynamoDBClient, tmp_path: Path) -> None:
    name = "no-token-table"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    (tmp_path / "nightly.toml").write_text('[when]\ncron = "0 3 * *"\n')
    told = ("--sns-topic-arn", "arn:aws:sns:us-east-1:000000000000:nobody", "--state-url", "dynamodb://nowhere")
    finished, found = doctor(
        ministack_url, "--for", "apply", "--table", name, *told, "--archive", "s3://nobodys/x/", str(tmp_path)
    )
    dynamodb.delete_table(TableName=name)
    failed = {each["name"]: each["way_out"] for each in found["checks"] if each["status"] == "failed"}
    assert (finished.code, found["ok"]) == (1, False)
    assert failed.keys() == {"key", "topic", "state", "archive", "schedule nightly.toml"}
    assert "--create-state" in failed["state"]
    assert check(found, "dynamodb:GetItem")["found"] == "not checked: it is not a token table"
    # Whoever does not read the JSON reads a line for each.
    assert [line.split(": ")[1] for line in finished.err.splitlines()] == list(failed)


def test_without_credentials_only_what_needs_none_is_checked(ministack_url: str, tmp_path: Path) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    options = ("--for", "sweep", "--table", "any", "--state-url", state_in(tmp_path), "--archive", f"{tmp_path}/")
    finished, found = doctor(ministack_url, *options, env=nobody)
    assert finished.code == 1
    assert [name for name, status in statuses(found).items() if status == "failed"] == ["credentials"]
    assert "AWS_PROFILE" in check(found, "credentials")["way_out"]
    assert [name for name, status in statuses(found).items() if status == "ok"] == [
        "state",
        "archive",
        "temporary-files",
    ]
    assert check(found, "dynamodb:Scan")["found"] == "not checked: no credentials"


def test_on_a_terminal_it_is_ticks_and_crosses_in_colour(ministack_url: str) -> None:
    finished = janitor("doctor", "--table", "not-there", "--endpoint-url", ministack_url, tty=True)
    assert (finished.code, finished.err) == (1, "")
    assert "\x1b[32m✓\x1b[0m  credentials" in finished.out
    assert "\x1b[1;31m✗\x1b[0m  table" in finished.out
    assert "there is no table not-there in" in " ".join(finished.out.split())
    assert finished.out.splitlines()[-1] == "\x1b[1m1 thing is missing that `janitor scan` needs.\x1b[0m"


def test_what_runs_remember_may_be_in_a_table_that_the_doctor_makes(
    runs: Callable[..., Runs], ministack_url: str, table_number: Callable[[], int]
) -> None:
    state = f"dynamodb://state-{table_number()}"
    nightly = runs(*due_rows(20, 5), state=state)
    told = ("--state-url", state, "--sns-topic-arn", nightly.arn)
    before, found = doctor(ministack_url, "--table", nightly.table, *told)
    assert (before.code, statuses(found)["topic"], "--create-state" in before.err) == (1, "ok", True)
    rehearsed, found = doctor(ministack_url, "--table", nightly.table, *told, "--create-state", "--dry-run")
    assert (rehearsed.code, "does not exist here" in check(found, "state")["found"]) == (1, True)
    # Whoever only makes the table need not name the other.
    made, found = doctor(ministack_url, *told, "--create-state")
    assert (made.code, statuses(found)["table"]) == (0, "skipped")
    assert check(found, "state")["found"] == f"{state} can be read and written"
    first, second = nightly.run(), nightly.run()
    assert [first.notices["sent"], second.notices["sent"]] == [2, 0]
    assert second.report["changes"]["since"]
