"""Owners whom LISA gives no token until their rows are gone: who they are, and how a sweep lets them in early."""

import json
import time
from pathlib import Path
from typing import Any

from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import janitor
from tests.exports import dump
from tests.fixtures import NewTable
from tests.integration.test_apply import apply, planned
from tests.lisa import may_create_token, workbench_accepts
from tests.servers import Server
from tests.sweeping import DAY, LONG_AGO, fingerprint_of, key_of, keys_in, run, sweep
from tests.tables import Item, legacy, modern

HOUR = 3_600
EARLY = ("--unlock-after", "1h")


def report_of(out: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(out)
    return report


def rows_of_owners(now: int) -> dict[str, list[Item]]:
    """Rows by owner: first of those who are let in early, then of those who are not."""
    gone, young = now - 2 * HOUR, now - HOUR // 2

    def of(owner: str, *dates: object, **attributes: object) -> list[Item]:
        return [modern(f"{owner}-{at}", date, username=owner, **attributes) for at, date in enumerate(dates)]

    return {
        "lone": of("lone", gone),
        "two": of("two", gone, gone - HOUR),
        "past-the-grace-too": of("past-the-grace-too", gone, now - 30 * DAY),
        "pipeline": of("pipeline", gone, isSystemToken=True),
        "too-young": of("too-young", young),
        "one-too-young": of("one-too-young", gone, young),
        "has-a-living-one": of("has-a-living-one", gone, now + 80 * DAY),
        "has-a-living-text": of("has-a-living-text", gone, {"S": str(now + 80 * DAY)}),
        "undated-too": of("undated-too", gone, None),
        "held-too": [*of("held-too", gone), modern("held", gone, username="held-too", janitorHold=True)],
        "guarded": of("guarded", gone),
        "legacy-too": [*of("legacy-too", gone), legacy("plain-text-key-of-old", gone, username="legacy-too")],
    }


LET_IN = ("lone", "two", "past-the-grace-too", "pipeline")


def test_a_sweep_lets_owners_in_early_if_that_frees_them_and_touches_nobody_else(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    rows = rows_of_owners(int(time.time()))
    table = new_table([row for each in rows.values() for row in each])
    guarded = (*EARLY, "--protect-user", "guarded")
    shown = report_of(run(server, table, *guarded).out)
    swept = sweep(server.url, table, tmp_path, *guarded)
    assert swept.finished.code == 0, swept.finished.err

    assert {owner for owner in rows if may_create_token(client, table, owner)} == set(LET_IN)
    staying = {key_of(row) for owner, each in rows.items() if owner not in LET_IN for row in each}
    assert keys_in(client, table) == staying

    # The dry run planned the same rows, and each of them is stale in both reports, with its reason.
    assert shown["deletion"]["planned"] == swept.report["deletion"]["deleted"] == 6
    early = {finding["fingerprint"] for finding in swept.report["findings"] if finding["reasons"] == ["unlocks-owner"]}
    assert early == {fingerprint_of(key_of(row)) for owner in LET_IN for row in rows[owner][: 1 + (owner == "two")]}
    for report in (shown, swept.report):
        assert report["counts"]["stale"] == 6
        assert (
            sum(report["counts"][state] for state in report["counts"] if state != "scanned")
            == report["counts"]["scanned"]
        )
        assert {finding["state"] for finding in report["findings"] if finding["outcome"]} == {"stale"}
        assert report["policy"]["unlock_after_seconds"] == HOUR
        assert any("4 owners would stay locked out" in warning["message"] for warning in report["warnings"])
    archived = [json.loads(line) for line in swept.archive.read_text().splitlines()]
    assert sum(line.get("reasons") == ["unlocks-owner"] for line in archived) == 5


def test_a_plan_of_early_rows_is_judged_again_when_it_is_applied(
    table_server: Server, tokens: DynamoDBClient, make_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    gone = [modern(name, now - 2 * HOUR, username=name) for name in ("still-out", "let-in-since")]
    table = make_table(gone)
    plan = planned(table_server, table, tmp_path / "plan", *EARLY)
    tokens.put_item(TableName=table, Item=modern("new", now + DAY, username="let-in-since"))
    shown = report_of(apply(table_server, plan, "--dry-run").out)
    report = report_of(apply(table_server, plan, "--no-archive").out)
    assert shown["deletion"]["planned"] == report["deletion"]["deleted"] == 1
    assert may_create_token(tokens, table, "still-out")
    assert key_of(gone[1]) in keys_in(tokens, table)
    assert {finding["state"]: finding["outcome"] for finding in report["findings"]} == {
        "stale": "deleted", "expired": None,
    }  # fmt: skip


def test_guards_count_early_rows_and_a_scan_and_a_copy_show_them(
    table_server: Server, tokens: DynamoDBClient, make_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    rows = [modern(f"t{number}", now - 2 * HOUR, username=f"owner-{number}") for number in range(3)]
    table = make_table([*rows, modern("living", now + 80 * DAY, username="owner-0")])
    where = ("--table", table, "--endpoint-url", table_server.url)
    refused = run(
        table_server, table, *EARLY, "--delete", "--yes", "--max-deletes", "1", "--archive", str(tmp_path / "a")
    )
    assert (refused.code, "2 rows are planned, more than 1" in refused.err) == (4, True)
    assert len(keys_in(tokens, table)) == 4
    scanned = report_of(janitor("scan", *where, *EARLY).out)
    assert (scanned["counts"]["stale"], scanned["locked_out"]) == (2, ["owner-1", "owner-2"])
    assert report_of(janitor("scan", *where).out)["counts"]["expired"] == 3

    copy = tmp_path / "dump.json"
    copy.write_bytes(dump(tokens.scan(TableName=table)["Items"]))
    of_copy = report_of(janitor("sweep", "--source", str(copy), "--dialect", "hashed", *EARLY).out)
    assert (of_copy["deletion"]["planned"], of_copy["locked_out"]) == (2, ["owner-1", "owner-2"])
    piped = janitor("sweep", "--source", "-", "--dialect", "hashed", *EARLY, input=copy.read_text())
    assert report_of(piped.out)["deletion"]["planned"] == 0
    assert "there is no way to look up" in piped.out
    classic = report_of(janitor("scan", *where, "--dialect", "classic", *EARLY).out)
    assert [warning["code"] for warning in classic["warnings"]] == ["no-effect"]
    late = report_of(janitor("scan", *where, "--unlock-after", "8d").out)
    assert [warning["message"] for warning in late["warnings"] if warning["code"] == "no-effect"] == [
        "--unlock-after has no effect: it is not shorter than the grace, after which every row is stale"
    ]


def test_every_owner_whom_lisa_refuses_is_named_with_what_would_remove_the_rows(
    table_server: Server, tokens: DynamoDBClient, make_table: NewTable
) -> None:
    now = int(time.time())
    dates: dict[str, object] = {
        "expired": now - HOUR, "stale": now - 30 * DAY, "undated": None, "text": {"S": str(now - HOUR)},
        "null": {"NULL": True}, "zero": 0, "living": now + DAY, "milliseconds": now * 1_000,
        "living-text": {"S": str(now + DAY)},
    }  # fmt: skip
    rows = [modern(owner, date, username=owner) for owner, date in dates.items()]
    rows += [
        legacy("plain-text-key-dead", now - HOUR, username="legacy-dead"),
        legacy("plain-text-key-living", now + DAY, username="legacy-living"),
        legacy("plain-text-key-undated", None, username="legacy-undated"),
        modern("held", now - HOUR, username="held", janitorHold=True),
        modern("not-alone", now - HOUR, username="living"),
        legacy("nobody-s-key", now - HOUR),
    ]
    table = make_table(rows)
    report = report_of(janitor("scan", "--table", table, "--endpoint-url", table_server.url).out)
    living = {"living", "milliseconds", "living-text"}
    owners = {row["username"]["S"] for row in rows if "username" in row} - living
    assert set(report["locked_out"]) == owners
    assert not any(may_create_token(tokens, table, owner) for owner in owners)
    said = {owner["username"]: [(row["state"], row["remedy"]) for row in owner["rows"]] for owner in report["lockouts"]}
    assert said == {
        "expired": [("expired", "unlock-after")],
        "stale": [("stale", "unlock-after")],
        "zero": [("stale", "unlock-after")],
        "undated": [("permanent", "include-undated")],
        "text": [("malformed", "remove")],
        "null": [("malformed", "remove")],
        "legacy-dead": [("legacy", "include-legacy")],
        "legacy-living": [("legacy", "remove")],
        "legacy-undated": [("legacy", "remove")],
        "held": [("expired", "unprotect")],
    }
    working = {owner["username"] for owner in report["lockouts"] for row in owner["rows"] if row["accepted_by"]}
    assert working == {"undated", "legacy-living", "legacy-undated"}
    for owner, bearer in (("legacy-living", "plain-text-key-living"), ("text", key_of(rows[3]))):
        assert workbench_accepts(tokens, table, bearer, now) == (owner in working)
    shown = janitor("scan", "--table", table, "--endpoint-url", table_server.url, "--format", "markdown").out
    ends = "MCP Workbench still accepts the key"
    by_hand = next(line for line in shown.splitlines() if "no sweep may take" in line)
    name_of = {owner["username"]: owner["rows"][0]["row_name"] for owner in report["lockouts"]}
    for owner in ("legacy-living", "legacy-undated"):
        assert name_of[owner] in by_hand.partition(ends)[2], owner
    assert name_of["text"] not in by_hand.partition(ends)[2]
    assert shown.partition("## What to do next")[0].count(ends) == 2
    gone = next(line for line in shown.splitlines() if "rows that have expired" in line)
    assert ends not in gone
    for words in ("--unlock-after 1h", "token remove", "--include legacy", "--gates api --include undated", "protect"):
        assert words.replace("-", "") in shown.replace("\\", "").replace("-", ""), words


def test_without_mcp_workbench_rows_without_a_date_may_go(
    table_server: Server, tokens: DynamoDBClient, make_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    old, young = now - 30 * DAY, now - DAY
    going = [
        modern("undated", None, createdDate=old),
        legacy("plain-text-key-undated", None, createdDate=old),
        legacy("plain-text-key-dated", now - 30 * DAY),
    ]
    staying = [
        modern("just-written", None, createdDate=young),
        modern("of-unknown-age", None, createdDate={"S": str(old)}),
        legacy("plain-text-key-of-unknown-age", None),
        legacy("plain-text-key-young", now - DAY),
        modern("living", now + DAY),
    ]
    table = make_table([*going, *staying])
    both, api = ("--include", "legacy", "--include", "undated"), ("--gates", "api")
    with_workbench = run(table_server, table, *both)
    assert (with_workbench.code, "needs --gates api" in with_workbench.err) == (2, True)
    classic = report_of(run(table_server, table, *api, *both, "--dialect", "classic").out)
    assert "undated" not in str(classic["deletion"])
    assert {finding["state"] for finding in classic["findings"] if finding["outcome"]} == {"stale"}

    shown = report_of(run(table_server, table, *api).out)
    assert (shown["deletion"]["planned"], shown["policy"]["gates"]) == (0, ["api"])
    assert not any(
        finding["accepted_by"] for finding in shown["findings"] if finding["state"] in ("permanent", "legacy")
    )
    plan = planned(table_server, table, tmp_path / "plan", *api, *both)
    assert json.loads(plan.read_text().splitlines()[0])["policy"]["gates"] == ["api"]
    # It gets a date after all.
    tokens.put_item(TableName=table, Item=modern("undated", now + DAY, createdDate=old))
    applied = report_of(apply(table_server, plan, "--no-archive", "--max-delete-percent", "100").out)
    assert (applied["deletion"]["deleted"], applied["deletion"]["changed"]) == (2, 1)
    assert keys_in(tokens, table) == {key_of(row) for row in [*staying, going[0]]}


def test_rows_without_a_date_stay_where_an_older_lisa_may_accept_them(
    table_server: Server, tokens: DynamoDBClient, make_table: NewTable, tmp_path: Path
) -> None:
    """LISA before 6.1 accepts every one of these rows, and its tables have no index."""
    old = int(time.time()) - LONG_AGO
    rows = [legacy(f"a-token-without-a-date-{number}", None, createdDate=old) for number in range(3)]
    table = make_table(rows, hashed=False)
    rules = ("--dialect", "hashed", "--gates", "api", "--include", "legacy", "--include", "undated")
    refusal = f"{table} has no index username-index"
    for dry_or_not in ((), ("--delete", "--yes")):
        swept = run(table_server, table, *rules, *dry_or_not)
        assert (swept.code, refusal in swept.err, swept.out) == (2, True, ""), swept.err
    plan = tmp_path / "plan"
    exported = tmp_path / "dump.json"
    exported.write_bytes(dump(rows))
    source = ("--source", str(exported), "--table", table, "--region", "us-east-1", "--plan", str(plan))
    made = janitor("sweep", *source, *rules)
    assert (made.code, json.loads(made.out)["deletion"]["planned"]) == (0, 3), made.err
    applied = apply(table_server, plan, "--no-archive", "--table", table)
    assert (applied.code, refusal in applied.err) == (2, True), applied.err
    assert keys_in(tokens, table) == {key_of(row) for row in rows}
