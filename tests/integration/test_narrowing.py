"""A part of what may be deleted: `--user` and `--fingerprint` of `sweep` and `apply`, and `[delete] users`."""

import html
import json
import re
import time
from pathlib import Path
from typing import Any

from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import janitor
from tests.fixtures import NewTable
from tests.integration.test_apply import apply, planned
from tests.servers import Server
from tests.sweeping import DAY, LONG_AGO, fingerprint_of, key_of, keys_in, living_rows, run
from tests.tables import Item, legacy, modern


def stale(owner: str, number: int = 0, **attributes: object) -> Item:
    return modern(f"{owner}-{number}", int(time.time()) - LONG_AGO, username=owner, **attributes)


def warnings_of(report: dict[str, Any], code: str) -> list[str]:
    return [remark["message"] for remark in report["warnings"] if remark["code"] == code]


def test_a_part_of_a_plan_goes_and_the_rest_can_follow(
    table_server: Server, tokens: DynamoDBClient, make_table: NewTable, tmp_path: Path
) -> None:
    ana, anton, bob = stale("ana@example.com"), stale("anton@example.com"), [stale("bob", 0), stale("bob", 1)]
    nobodys = legacy("a-key-of-nobody", int(time.time()) - LONG_AGO)
    living = [*living_rows(30), stale("ana@example.com", 2, janitorHold=True)]
    table = make_table([ana, anton, *bob, nobodys, *living])
    everything = keys_in(tokens, table)
    plan = planned(table_server, table, tmp_path / "plan", "--include", "legacy")
    content = plan.read_bytes()

    shown = json.loads(apply(table_server, plan, "--dry-run", "--user", "an*", "--user", "Bob").out)
    assert (shown["deletion"]["planned"], shown["deletion"]["left_out"]) == (2, 3)
    assert (shown["policy"]["users"], shown["policy"]["fingerprints"]) == (["an*", "Bob"], [])
    assert warnings_of(shown, "left-out") == [
        "only rows that match --user 'an*', 'Bob' were planned; 3 more rows that may be deleted were left out"
    ]
    assert warnings_of(shown, "matches-nothing") == [
        "--user 'Bob' matches no planned row; check the spelling (case matters)"
    ]
    outcomes = {finding["fingerprint"]: (finding["state"], finding["outcome"]) for finding in shown["findings"]}
    assert outcomes[fingerprint_of(key_of(bob[0]))] == ("stale", None)
    assert outcomes[fingerprint_of(key_of(ana))] == ("stale", "planned")

    nothing = json.loads(apply(table_server, plan, "--dry-run", "--user", "nobody*").out)
    assert nothing["next_steps"][0] == {
        "advice": "Nothing goes: no row that may be deleted matches. Correct --user or --fingerprint.",
        "commands": [f"janitor plan show {plan}"],
    }

    # Of both options a row has to match one pattern each. The guards look at what would go: one row.
    one = fingerprint_of(key_of(bob[1]))
    archive = tmp_path / "archive"
    report = json.loads(
        apply(
            table_server, plan, "--user", "bob", "--fingerprint", f"{one[:8]}*", "--max-deletes", "1",
            "--archive", str(archive),
        ).out
    )  # fmt: skip
    assert (report["deletion"]["deleted"], report["deletion"]["left_out"]) == (1, 4)
    assert everything - keys_in(tokens, table) == {key_of(bob[1])}
    assert plan.read_bytes() == content
    lines = [json.loads(line) for line in archive.read_text().splitlines()]
    assert lines[0]["policy"]["narrowing"] == {"users": ["bob"], "fingerprints": [f"{one[:8]}*"], "within": None}
    assert [key_of(line["item"]) for line in lines if "item" in line] == [key_of(bob[1])]

    rest = json.loads(apply(table_server, plan, "--no-archive").out)["deletion"]
    assert (rest["planned"], rest["deleted"], rest["already_gone"], rest["left_out"]) == (5, 4, 1, 0)
    assert keys_in(tokens, table) == {key_of(row) for row in living}


def test_a_sweep_plans_only_what_matches_by_flag_and_by_file_and_never_by_variable(
    table_server: Server, tokens: DynamoDBClient, make_table: NewTable, tmp_path: Path
) -> None:
    rows = [stale("workshop-1"), stale("workshop-2"), stale("ana"), *living_rows(30)]
    table = make_table(rows, hashed=False)
    plan = planned(table_server, table, tmp_path / "plan", "--user", "workshop-*")
    lines = [json.loads(line) for line in plan.read_text().splitlines()]
    assert lines[0]["policy"]["narrowing"] == {"users": ["workshop-*"], "fingerprints": [], "within": None}
    assert {line["item"]["username"]["S"] for line in lines if "item" in line} == {"workshop-1", "workshop-2"}

    # What a report says to do next is limited in the same way, or it would let more go.
    limited = ("--user", "workshop-*", "--fingerprint", "*", "--format", "html")
    for page in (run(table_server, table, *limited).out, apply(table_server, plan, "--dry-run", *limited).out):
        commands = re.findall(r"janitor (?:sweep --table|apply /)[^<]*", html.unescape(page))
        assert commands
        assert all("--user 'workshop-*' --fingerprint '*'" in command for command in commands), commands

    file = tmp_path / "workshops.toml"
    file.write_text(
        f'[table]\ntable = "{table}"\nendpoint_url = "{table_server.url}"\n'
        '[delete]\nenabled = true\nusers = "workshop-*"\nfingerprints = ["*", "0*"]\narchive = "archive/"\n'
    )
    checked = janitor("run", str(file), "--check")
    assert "or longer, only those of workshop-*, only those named * or 0*, at most" in checked.out, checked
    refused = janitor("run", str(file), env={"JANITOR_USER": "ana"})
    assert (refused.code, "give --user, or unset the variable" in refused.err) == (2, True)
    # A variable that a listing reads must not choose what is deleted.
    for variable, flag in (("JANITOR_USER", "--user"), ("JANITOR_FINGERPRINT", "--fingerprint")):
        refused = run(table_server, table, env={variable: "0" * 12})
        assert (refused.code, f"give {flag}, or unset" in refused.err) == (2, True)
    wrong = run(table_server, table, "--fingerprint", "a-token-by-mistake")
    assert (wrong.code, "3f0c*" in wrong.err, "by-mistake" in wrong.err) == (2, True, False)

    swept = janitor("run", str(file), "--archive", f"{tmp_path}/archive/")
    assert (swept.code, json.loads(swept.out)["deletion"]["deleted"]) == (0, 2), swept.err
    assert keys_in(tokens, table) == {key_of(row) for row in rows[2:]}


def test_an_owner_is_let_in_only_if_all_of_the_rows_match(table_server: Server, make_table: NewTable) -> None:
    now = int(time.time())
    rows = [modern(f"two-{number}", now - DAY, username="two") for number in range(2)]
    table = make_table([*rows, modern("one", now - DAY, username="one"), *living_rows(2)])
    one = fingerprint_of(key_of(rows[0]))
    for options, expected in ((("--fingerprint", one), 0), (("--user", "two"), 2), ((), 3)):
        shown = json.loads(run(table_server, table, "--unlock-after", "1h", *options).out)
        assert shown["deletion"]["planned"] == expected, options


def test_an_edited_plan_is_refused_with_the_way_to_carry_out_a_part(
    table_server: Server, tokens: DynamoDBClient, make_table: NewTable, tmp_path: Path
) -> None:
    table = make_table([stale("ana"), stale("bob"), *living_rows(30)])
    everything = keys_in(tokens, table)
    plan = planned(table_server, table, tmp_path / "plan")
    lines = plan.read_text().splitlines(keepends=True)
    for edited in (lines[:1] + lines[2:], lines[:2] + lines[3:]):
        plan.write_text("".join(edited))
        finished = apply(table_server, plan)
        assert (finished.code, finished.out) == (2, "")
        assert "was edited: " in finished.err
        assert "choose a part of its rows with --user or --fingerprint" in finished.err
    assert keys_in(tokens, table) == everything
