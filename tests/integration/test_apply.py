"""`janitor apply`: a plan made earlier, perhaps by someone else, carried out."""

import gzip
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import DAY, key_of, keys_in, living_rows, stale_rows
from tests.tables import modern

STALE, LIVING = 12, 30


def planned(server: Server, table: str, plan: Path, *options: str) -> Path:
    """The plan of a dry run."""
    where = ("--table", table, "--endpoint-url", server.url)
    assert janitor("sweep", *where, "--plan", str(plan), *options).code == 0
    return plan


def apply(server: Server, plan: Path, *options: str, **arguments: Any) -> Finished:
    return janitor("apply", str(plan), "--yes", "--endpoint-url", server.url, *options, **arguments)


@pytest.mark.parametrize("name", ["plan.ndjson", "plan.ndjson.gz"])
def test_a_plan_is_carried_out_without_a_scan(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, name: str
) -> None:
    living = living_rows(LIVING)
    table = new_table([*stale_rows(STALE), *living])
    plan = planned(server, table, tmp_path / name)
    content = plan.read_bytes()
    finished = apply(server, plan, "--archive", str(tmp_path / "archive"))
    report = json.loads(finished.out)
    assert (finished.code, report["run"]["command"], report["deletion"]["deleted"]) == (0, "apply", STALE)
    assert report["tables"][0]["name"] == table
    assert report["capacity"]["read_units"] < STALE
    assert keys_in(client, table) == {key_of(row) for row in living}
    assert plan.read_bytes() == content
    again = json.loads(apply(server, plan, "--archive", str(tmp_path / "again")).out)
    assert (again["deletion"]["deleted"], again["deletion"]["already_gone"]) == (0, STALE)


def test_a_dry_run_of_a_plan_deletes_nothing(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    finished = apply(server, planned(server, table, tmp_path / "plan"), "--dry-run")
    report = json.loads(finished.out)
    assert (finished.code, report["deletion"]["enabled"], report["deletion"]["planned"]) == (0, False, STALE)
    assert keys_in(client, table) == before


def test_rows_that_were_extended_or_held_since_stay(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale = stale_rows(STALE)
    table = new_table([*stale, *living_rows(LIVING)])
    plan = planned(server, table, tmp_path / "plan")
    client.put_item(TableName=table, Item=stale[0] | {"tokenExpiration": {"N": str(int(time.time()) + DAY)}})
    client.put_item(TableName=table, Item=stale[1] | {"janitorHold": {"BOOL": True}})
    deletion = json.loads(apply(server, plan, "--no-archive").out)["deletion"]
    assert (deletion["changed"], deletion["deleted"]) == (2, STALE - 2)
    assert {key_of(stale[0]), key_of(stale[1])} <= keys_in(client, table)


@pytest.mark.parametrize(
    ("of_plan", "options", "change"),
    [
        ((), ("--protect-system",), {"isSystemToken": {"BOOL": True}}),
        ((), ("--protect-user", "svc-*"), {"username": {"S": "svc-backup"}}),
        ((), ("--user", "user-*"), {"username": {"S": "svc-backup"}}),
        # The plan was limited itself: what its own run would not have taken does not go later, with --user or without.
        (("--user", "user-*"), (), {"username": {"S": "svc-backup"}}),
        (("--user", "user-*"), ("--fingerprint", "*"), {"username": {"S": "svc-backup"}}),
    ],
)
def test_a_row_that_is_protected_by_now_or_another_owners_stays(
    server: Server,
    client: DynamoDBClient,
    new_table: NewTable,
    tmp_path: Path,
    *,
    of_plan: Any,
    options: Any,
    change: Any,
) -> None:
    stale = stale_rows(STALE)
    table = new_table([*stale, *living_rows(LIVING)])
    plan, archive = planned(server, table, tmp_path / "plan", *of_plan), tmp_path / "archive"
    client.put_item(TableName=table, Item=stale[0] | change)
    deletion = json.loads(apply(server, plan, "--archive", str(archive), *options).out)["deletion"]
    assert (deletion["changed"], deletion["deleted"]) == (1, STALE - 1)
    narrowing = json.loads(archive.read_text().splitlines()[0])["policy"]["narrowing"]
    assert (narrowing["within"] or {}).get("users", []) == [*of_plan[1:]]
    assert key_of(stale[0]) in keys_in(client, table)


def test_a_row_that_went_as_another_than_was_planned_is_archived_as_it_went(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale = stale_rows(STALE)
    table = new_table([*stale, *living_rows(LIVING)])
    plan, archive = planned(server, table, tmp_path / "plan"), tmp_path / "archive"
    newer = stale[0] | {"name": {"S": "another name"}, "blob": {"B": b"\x00\x01\xff"}, "set": {"SS": ["b", "a"]}}
    client.put_item(TableName=table, Item=newer)
    for api in ("partiql", "item"):
        deletion = json.loads(apply(server, plan, "--archive", f"{archive}-{api}", "--delete-api", api).out)["deletion"]
        assert (deletion["deleted"], deletion["failed"]) == (STALE, 0)
        lines = [json.loads(line) for line in Path(f"{archive}-{api}").read_text().splitlines()]
        assert len([line for line in lines if "outcome" in line and "item" in line]) == 1
        restored = janitor("restore", f"{archive}-{api}", "--all", "--endpoint-url", server.url)
        assert (restored.code, json.loads(restored.out)["restored"]) == (0, STALE)
        back = client.get_item(TableName=table, Key={"token": newer["token"]})["Item"]
        assert {**back, "set": {"SS": sorted(back["set"]["SS"])}} == {**newer, "set": {"SS": ["a", "b"]}}


def test_a_refused_plan_is_the_one_that_was_given_and_stays_refused(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(15), *living_rows(10)])
    before = keys_in(client, table)
    plan = planned(server, table, tmp_path / "plan")
    finished = apply(server, plan, env={"TMPDIR": str(tmp_path)})
    assert (finished.code, json.loads(finished.out)["deletion"]["plan"]) == (4, str(plan))
    assert f"the plan is {plan}" in finished.err
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]
    assert keys_in(client, table) == before


def test_a_report_does_not_overwrite_the_plan(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    plan = planned(server, table, tmp_path / "plan")
    content = plan.read_bytes()
    finished = apply(server, plan, "--dry-run", "--report", f"json={plan}")
    assert (finished.code, "are one file" in finished.err) == (2, True)
    assert plan.read_bytes() == content


def test_every_row_is_judged_anew_at_the_present_time(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    alive = [modern(f"alive-{number}", int(time.time()) + 10 * DAY) for number in range(5)]
    table = new_table([*stale_rows(STALE), *alive, *[modern(f"permanent-{number}") for number in range(20)]])
    plan = planned(server, table, tmp_path / "plan", "--as-of", str(int(time.time()) + 100 * DAY))
    assert len(plan.read_bytes().splitlines()) == STALE + 5 + 2
    report = json.loads(apply(server, plan, "--no-archive", "--max-delete-percent", "100").out)
    assert (report["deletion"]["planned"], report["deletion"]["deleted"]) == (STALE, STALE)
    assert {key_of(row) for row in alive} <= keys_in(client, table)


def test_more_may_be_protected_than_the_plan_protects(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(16), *living_rows(LIVING)])
    plan = planned(server, table, tmp_path / "plan")
    deletion = json.loads(apply(server, plan, "--no-archive", "--protect-user", "user-3*").out)["deletion"]
    assert (deletion["protected"], deletion["deleted"]) == (2, 14)


def test_the_guards_look_at_the_table_that_was_scanned(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(40), *living_rows(LIVING)])
    before = keys_in(client, table)
    plan = planned(server, table, tmp_path / "plan")
    share = apply(server, plan)
    number = apply(server, plan, "--max-deletes", "39", "--max-delete-percent", "60")
    assert [(run.code, json.loads(run.out)["errors"][0]["code"]) for run in (share, number)] == [
        (4, "max-delete-percent"),
        (4, "max-deletes"),
    ]
    assert keys_in(client, table) == before
    assert apply(server, plan, "--max-delete-percent", "60", "--no-archive").code == 0


def test_a_plan_of_another_table_region_or_account_is_turned_away(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table, other = new_table([*stale_rows(STALE), *living_rows(LIVING)]), new_table(stale_rows(STALE))
    plan = planned(server, table, tmp_path / "plan")
    table_differs = apply(server, plan, "--table", other)
    assert (table_differs.code, table_differs.out) == (2, "")
    assert f"holds rows of the table {table}, and this run would use {other}" in table_differs.err
    region_differs = apply(server, plan, "--table", table, "--region", "eu-west-1")
    assert region_differs.code == 2
    assert len(keys_in(client, other)) == STALE


def rewritten(plan: Path, header: dict[str, Any]) -> None:
    """Another header, under a sum that is right."""
    first, *rows, closing = plan.read_bytes().splitlines(keepends=True)
    first = json.dumps({**json.loads(first), **header}).encode() + b"\n"
    total = hashlib.sha256(b"".join([first, *rows])).hexdigest()
    plan.write_bytes(b"".join([first, *rows, json.dumps({**json.loads(closing), "sha256": total}).encode() + b"\n"]))


def test_a_plan_of_another_account_is_turned_away(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    plan = planned(server, table, tmp_path / "plan")
    named = json.loads(plan.read_bytes().splitlines()[0])["table"]
    rewritten(plan, {"table": {**named, "account_id": "999999999999"}})
    finished = apply(server, plan)
    assert finished.code == 2
    assert "of the account 999999999999" in finished.err


def cut_off(plan: Path) -> None:
    plan.write_bytes(b"".join(plan.read_bytes().splitlines(keepends=True)[:-3]) + b'{"row":9')


def damaged(plan: Path) -> None:
    plan.write_bytes(plan.read_bytes().replace(b'"user-3@', b'"user-4@', 1))


def doubled(plan: Path) -> None:
    plan.write_bytes(plan.read_bytes() * 2)


def no_plan(plan: Path) -> None:
    plan.write_text("hello\n")


def emptied(plan: Path) -> None:
    plan.write_text("")


BROKEN = {
    cut_off: "is not complete",
    damaged: "its lines do not match the digest",
    doubled: "is damaged",
    no_plan: "is not a plan",
    emptied: "is not a plan",
    Path.unlink: "cannot be read",
}


@pytest.mark.parametrize(("ruin", "said"), BROKEN.items())
def test_a_plan_that_is_not_whole_is_turned_away_in_one_line(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, ruin: Any, said: str
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    before = keys_in(client, table)
    plan = planned(server, table, tmp_path / "plan")
    ruin(plan)
    finished = apply(server, plan)
    assert (finished.code, finished.out, len(finished.err.splitlines())) == (2, "", 1)
    assert said in finished.err
    assert str(plan) in finished.err
    assert keys_in(client, table) == before


def test_a_plan_that_was_cut_off_can_be_taken_as_far_as_it_goes(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    plan = planned(server, table, tmp_path / "plan")
    cut_off(plan)
    unknown_share = apply(server, plan, "--partial")
    assert (unknown_share.code, "--max-delete-percent 100" in unknown_share.err) == (4, True)
    finished = apply(server, plan, "--partial", "--max-delete-percent", "100", "--no-archive")
    assert json.loads(finished.out)["deletion"]["deleted"] == STALE - 2


def test_a_zipped_plan_that_was_cut_off_is_noticed(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    plan = planned(server, table, tmp_path / "plan.ndjson.gz")
    plan.write_bytes(plan.read_bytes()[:-20])
    finished = apply(server, plan)
    assert (finished.code, "is not complete" in finished.err) == (2, True)


def test_a_plan_that_somebody_wrote_gets_no_living_row_deleted(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    """Rows are judged by their own content, and the content has to be what the table holds."""
    alive = modern("alive", int(time.time()) + 100 * DAY)
    table = new_table([*stale_rows(1), alive, *living_rows(LIVING)])
    before = keys_in(client, table)
    plan = planned(server, table, tmp_path / "plan.ndjson.gz")
    lines = gzip.decompress(plan.read_bytes()).splitlines(keepends=True)
    forged = {"row": 0, "fingerprint": "0" * 12, "state": "stale", "item": alive | {"tokenExpiration": {"N": "5"}}}
    plain = tmp_path / "forged"
    plain.write_bytes(lines[0] + json.dumps(forged).encode() + b"\n" + lines[-1])
    rewritten(plain, {})
    deletion = json.loads(apply(server, plain, "--no-archive").out)["deletion"]
    assert (deletion["planned"], deletion["deleted"], deletion["changed"]) == (1, 0, 1)
    assert keys_in(client, table) == before


def test_grace_cannot_be_taken_from_a_plan_below_zero(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    alive = modern("alive", int(time.time()) + DAY)
    table = new_table([alive, *living_rows(LIVING)])
    plan = planned(server, table, tmp_path / "plan")
    first, closing = plan.read_bytes().splitlines(keepends=True)
    row = {"row": 0, "fingerprint": "0" * 12, "state": "stale", "item": alive}
    plan.write_bytes(first + json.dumps(row).encode() + b"\n" + json.dumps({**json.loads(closing), "rows": 1}).encode())
    plan.write_bytes(plan.read_bytes() + b"\n")
    rewritten(plan, {"policy": {**json.loads(first)["policy"], "grace_seconds": -10 * DAY}})
    report = json.loads(apply(server, plan, "--no-archive").out)
    assert (report["deletion"]["planned"], report["counts"]["expiring"]) == (0, 1)
    assert key_of(alive) in keys_in(client, table)
