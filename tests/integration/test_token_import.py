"""`janitor token import`: a key of LISA 5.4 and 6.0 opens LISA 6.1, until it always ended; LISA's rules judge."""

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.lisa import api_accepts
from tests.servers import Server
from tests.sweeping import DAY
from tests.tables import Item, legacy, modern, token
from tests.token_changing import Token, sha256

BROKEN = (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"})

pytestmark = pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)


def run(url: str, old: str, table: str, owners: Path, *options: str, **arguments: Any) -> Finished:
    """`janitor token import`; fails when it says anything that is a key."""
    where = ("--from-table", old, "--table", table, "--owners", str(owners), "--created-by", "admin")
    said = janitor("token", "import", *where, "--endpoint-url", url, "--log-level", "debug", *options, **arguments)
    assert "Traceback" not in said.err
    assert "the-key-of" not in said.out + said.err
    return said


def owners_file(folder: Path, owners: dict[str, tuple[str, str, str]], system: str = "") -> Path:
    """The file: username, name and groups by bearer token."""
    path = folder / "owners.csv"
    lines = [f"{sha256(bearer)[:12]},{','.join(cells)},{system}" for bearer, cells in owners.items()]
    path.write_text("\n".join(["fingerprint,username,name,groups,system", *lines]))
    return path


def rows_in(client: DynamoDBClient, table: str) -> list[Item]:
    rows = client.scan(TableName=table, ConsistentRead=True)["Items"]
    return sorted(rows, key=lambda row: str(row["token"]))


def outcomes(said: Finished) -> dict[int | None, str]:
    """What became of each line: the outcome, or why it was left out."""
    document = json.loads(said.out)
    assert document["schema"] == "janitor.token-import/v1"
    sums = {name: count for name, count in document["counts"].items() if name not in ("scanned", "classic")}
    assert sums == {name: sum(row["outcome"] == name for row in document["rows"]) for name in sums}
    return {row["line"]: row["reason"] or row["outcome"] for row in document["rows"]}


def test_keys_open_the_new_lisa_as_long_as_they_opened_the_old_one(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    text: dict[str, object] = {"S": str(now + DAY)}
    ends = {"dated": now + 40 * DAY, "text": text, "undated": None, "over": now - DAY, "nobody": now + DAY}
    bearers = {kind: f"the-key-of {kind}" for kind in (*ends, "second")}
    old_rows = [token(bearers[kind], end) for kind, end in ends.items()] + [token(bearers["second"], now + DAY)]
    present_rows = [modern("another", now - DAY, username="eve"), legacy("the-key-of old days", now + DAY)]
    old, table = new_table(old_rows, hashed=False), new_table(present_rows)
    cells = {
        bearers["dated"]: ("ana", "ci", "users; admins"),
        bearers["text"]: ("bo", "job", ""),
        bearers["undated"]: ("cy", "job", ""),
        bearers["over"]: ("di", "job", ""),
        bearers["second"]: ("eve", "more", ""),
        "the-key-of nothing": ("fay", "job", ""),
    }
    owners = owners_file(tmp_path, cells)
    before = rows_in(client, old), rows_in(client, table)
    dry = run(server.url, old, table, owners)
    expected: dict[int | None, str] = {
        2: "planned",
        3: "planned",
        4: "no-expiry",
        5: "expired",
        6: "user-has-token",
        7: "not-in-table",
    }
    assert (outcomes(dry), dry.code) == ({**expected, None: "no-owner"}, 1)
    assert f"line 7, {sha256('the-key-of nothing')[:12]}: no classic row" in dry.err
    unsure = run(server.url, old, table, owners, "--write")
    forbidden = run(server.url, old, table, owners, "--write", "--yes", env={"JANITOR_DRY_RUN": "1"})
    assert (unsure.code, unsure.out, outcomes(forbidden)[2]) == (4, "", "planned")
    assert (rows_in(client, old), rows_in(client, table)) == before

    life = ("--expires-in", "30d", "--write", "--yes")
    said = run(server.url, old, table, owners, *life)
    written = {**expected, 2: "imported", 3: "imported", 4: "imported", None: "no-owner"}
    assert (outcomes(said), said.code) == (written, 1), said.err
    after = rows_in(client, table)
    assert [row for row in after if row in before[1]] == before[1]
    assert rows_in(client, old) == before[0]
    [row] = [{**each} for each in after if each.get("username") == {"S": "ana"}]
    assert row.pop("tokenUUID")["S"]
    assert now <= int(row.pop("createdDate")["N"]) <= now + 60
    assert row == {
        "token": {"S": sha256(bearers["dated"])},
        "tokenExpiration": {"N": str(ends["dated"])},
        "createdBy": {"S": "admin"},
        "username": {"S": "ana"},
        "groups": {"L": [{"S": "users"}, {"S": "admins"}]},
        "name": {"S": "ci"},
        "isSystemToken": {"BOOL": False},
    }
    for kind, last in (("dated", now + 40 * DAY), ("text", now + DAY), ("undated", now + 30 * DAY)):
        assert api_accepts(client, table, bearers[kind], last - 1, hashed=True)
        assert not api_accepts(client, table, bearers[kind], last + 60, hashed=True)
    for kind in ("over", "nobody", "second"):
        assert not api_accepts(client, table, bearers[kind], now, hashed=True)

    # Run again: nothing is written. As a system's, a second token of one owner is what LISA makes too.
    again = run(server.url, old, table, owners, *life)
    there = {line: "already_there" if outcome == "imported" else outcome for line, outcome in written.items()}
    assert (outcomes(again), rows_in(client, table)) == (there, after)
    system = owners_file(tmp_path, {bearers["second"]: cells[bearers["second"]]}, "yes")
    more = run(server.url, old, table, system, *life, "--format", "table")
    assert (more.code, f"1 of 6 classic tokens of {old} imported into {table}." in more.out) == (0, True)
    assert ("1 old row still holds the key in plain text" in more.out, "management" in more.err) == (True, False)
    assert api_accepts(client, table, bearers["second"], now, hashed=True)


def test_no_line_shows_or_stores_a_token_that_any_line_has_in_it(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    there, over, free, live = (f"the-key-of-{name}" for name in ("there", "over", "free", "live"))
    old = new_table(
        [token(there, now + DAY), token(over, now - DAY), token(free, now + DAY), token(live)], hashed=False
    )
    table = new_table([modern(there, now + DAY, username="ana")])
    before = rows_in(client, table)
    cells = {
        there: ("ana", there, ""),  # its own, and a row stands
        over: (f"bo ({live})", "job", ""),  # another's, and it has expired
        free: ("cy", "job", f"users;{live}"),  # another's, and it could be imported
        "the-key-of-nothing": ("di", f"key={live}", ""),  # its fingerprint was mistyped
        live: ("eve", "ci", ""),
    }
    owners = owners_file(tmp_path, cells)
    holds = dict.fromkeys(range(2, 6), "holds-token")
    for form in ("json", "table"):
        dry = run(server.url, old, table, owners, "--format", form)
        assert (dry.code, [f"line {line}, " in dry.err for line in holds]) == (1, [True] * 4), dry.err
    said = run(server.url, old, table, owners, "--expires-in", "30d", "--write", "--yes")
    assert (said.code, outcomes(said)) == (1, {**holds, 6: "imported"})
    [row] = [row for row in rows_in(client, table) if row not in before]
    assert row["username"] == {"S": "eve"}
    by_token = run(server.url, old, table, owners, "--write", "--yes", "--created-by", live)
    assert (by_token.code, by_token.out, "another text with --created-by" in by_token.err) == (2, "", True)


def test_classic_rows_of_the_present_table_are_imported_and_hashed_ones_passed_over(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    bearer, now = "the-key-of ana", int(time.time())
    table = new_table([legacy(bearer, now + DAY), modern("another", now + DAY, username="bo")])
    owners = tmp_path / "owners.csv"
    where = ("--table", table, "--endpoint-url", server.url)

    def list_tokens() -> dict[str, dict[str, str]]:
        content = janitor("token", "list", *where, "--format", "csv").out
        owners.write_text(content)
        return {line["state"]: line for line in csv.DictReader(io.StringIO(content))}

    listed = list_tokens()
    with owners.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(listed["legacy"]))
        writer.writeheader()
        writer.writerows([{**listed["legacy"], "username": "ana", "name": "ci"}, listed["expiring"]])
    old_row = Token(bearer, legacy(bearer)).row_name
    dry = run(server.url, table, table, owners, "--format", "table")
    assert "1 old row would still hold the key in plain text; once clients work, remove it with" in dry.out
    assert dry.out.endswith(f"`janitor token remove ROW --table {table}`: {old_row}.\n")
    said = run(server.url, table, table, owners, "--write", "--yes")
    assert (said.code, outcomes(said)) == (0, {2: "imported", 3: "already_there"}), said.err
    for each in (dry, said):
        assert f"1 token may be LISA's management key, which lisa-sdk leaves in such rows ({old_row[:12]})" in each.err
    assert json.loads(said.out)["counts"]["classic"] == 1
    assert (api_accepts(client, table, bearer, now, hashed=True), len(rows_in(client, table))) == (True, 3)
    # The list now has two lines of one token, of which the classic row's says nothing of its owner.
    assert list_tokens()["legacy"]["username"] == ""
    again = run(server.url, table, table, owners, "--write", "--yes")
    assert (again.code, list(outcomes(again).values())) == (0, ["already_there"] * 2), again.err
    assert ("management key" in again.err, json.loads(again.out)["plain_text_rows"]) == (False, [old_row])
    removed = janitor("token", "remove", old_row, *where, "--no-archive", "--yes")
    last = run(server.url, table, table, owners, "--write", "--yes")
    assert (removed.code, last.code, json.loads(last.out)["plain_text_rows"]) == (0, 0, []), removed.err + last.err


def test_a_row_that_stands_and_does_not_do_what_its_line_wants_is_named(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    names = ("works", "revoked", "foreign", "over")
    bearers = {name: f"the-key-of-{name}" for name in names}
    old = new_table([token(bearers[name], now - DAY if name == "over" else now + DAY) for name in names], hashed=False)
    present = {
        "works": modern(bearers["works"], now + DAY, username="ana"),
        "revoked": modern(bearers["revoked"], now - 1, username="ana"),
        "foreign": modern(bearers["foreign"], now + DAY, username="mallory"),
        "over": modern(bearers["over"], now - DAY, username="mallory"),
    }
    table = new_table(list(present.values()))
    before = rows_in(client, table)
    said = run(server.url, old, table, owners_file(tmp_path, {bearers[name]: ("ana", "ci", "") for name in names}))
    expected = {2: "already_there", 3: "stands-expired", 4: "other-owner", 5: "already_there"}
    assert (said.code, outcomes(said), json.loads(said.out)["counts"]["already_there"]) == (1, expected, 4)
    for line, name in ((3, "revoked"), (4, "foreign")):
        assert f"line {line}, {sha256(bearers[name])[:12]}: the token is in the table already" in said.err
        assert f"see `janitor token show {Token(bearers[name], present[name]).row_name}`" in said.err
    assert "mallory" not in said.out
    assert rows_in(client, table) == before


def test_a_row_that_comes_first_stays_and_the_first_failure_ends_an_import(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    bearers = [f"the-key-of {name}" for name in ("ana", "bo", "cy")]
    old, table = new_table([token(bearer, now + DAY) for bearer in bearers], hashed=False), new_table()
    owners = owners_file(tmp_path, {bearer: (bearer[-2:].strip(), "ci", "") for bearer in bearers})
    first = modern(bearers[0], now + 5 * DAY, username="somebody")
    count = iter(range(3))

    def meddle(request: Request, forward: Forward) -> tuple[int, Any]:
        number = next(count)
        if number == 0:
            client.put_item(TableName=table, Item=first)
        if number == 1:
            # Done, and the answer is lost: it is sent again.
            forward(request)
        return BROKEN if number == 1 else forward(request)

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["PutItem"] = meddle
        said = run(url, old, table, owners, "--write", "--yes", env={"AWS_MAX_ATTEMPTS": "1"})
        assert (said.code, outcomes(said)) == (1, {2: "other-owner", 3: "imported", 4: "imported"}), said.err
        assert first in rows_in(client, table)
        for each in rows_in(client, table):
            client.delete_item(TableName=table, Key={"token": each["token"]})
        meddling.by_operation["PutItem"] = lambda _, __: BROKEN
        failed = run(url, old, table, owners, "--write", "--yes", env={"AWS_MAX_ATTEMPTS": "1"})
    assert (failed.code, outcomes(failed)) == (1, {2: "failed", 3: "untouched", 4: "untouched"})
    assert rows_in(client, table) == []


def test_an_owner_who_makes_a_token_meanwhile_gets_no_second_one(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    ana, bo = "the-key-of-ana", "the-key-of-bo"
    old, table = new_table([token(ana, now + DAY), token(bo, now + DAY)], hashed=False), new_table()
    own = modern("by herself", now + DAY, username="ana")

    def make_one(request: Request, forward: Forward) -> tuple[int, Any]:
        # The owners are looked up before the question; what comes then is the second look.
        answer = forward(request)
        client.put_item(TableName=table, Item=own)
        return answer

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["Query"] = make_one
        owners = owners_file(tmp_path, {ana: ("ana", "ci", ""), bo: ("bo", "ci", "")})
        said = run(url, old, table, owners, "--write", "--yes")
    assert (said.code, outcomes(said)) == (0, {2: "user-has-token", 3: "imported"}), said.err
    assert {row["username"]["S"] for row in rows_in(client, table)} == {"ana", "bo"}
    assert not api_accepts(client, table, ana, now, hashed=True)


def test_a_token_that_is_ended_meanwhile_is_not_imported(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    revoked, removed, kept = bearers = [f"the-key-of-{name}" for name in ("ana", "bo", "cy")]
    old, table = new_table([token(bearer, now + DAY) for bearer in bearers], hashed=False), new_table()

    def end(request: Request, forward: Forward) -> tuple[int, Any]:
        client.put_item(TableName=old, Item=token(revoked, now - 1))
        client.delete_item(TableName=old, Key={"token": {"S": removed}})
        return forward(request)

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["Query"] = end
        owners = owners_file(tmp_path, {bearer: (bearer[-2:], "ci", "") for bearer in bearers})
        said = run(url, old, table, owners, "--write", "--yes")
    assert (said.code, outcomes(said)) == (1, {2: "changed", 3: "changed", 4: "imported"}), said.err
    assert [row["token"]["S"] for row in rows_in(client, table)] == [sha256(kept)]


def test_what_is_missing_or_wrong_is_said_before_anything_is_read(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    old = new_table(hashed=False)
    owners = owners_file(tmp_path, {})
    where = ("--table", old, "--endpoint-url", server.url)
    for options, why in (
        (("--owners", str(owners)), "--from-table must be given"),
        (("--from-table", old), "--owners must be given"),
        (("--from-table", old, "--owners", str(owners)), f"{old} is a classic table"),
    ):
        said = janitor("token", "import", *where, *options)
        assert (said.code, said.out, why in said.err) == (2, "", True), said.err
