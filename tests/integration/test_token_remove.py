"""`janitor token remove`, with LISA's acceptance rules as the judge, and rows found by whatever names them."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.dynamodb.budget import Budgets
from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.dynamodb.find import Finder
from janitor.dynamodb.locate import TableChoice, locate_table
from janitor.errors import SinkError
from janitor.stopping import Stop
from janitor.tokens.policy import Policy
from janitor.wiring.confirm import NotConfirmedError
from tests.command import janitor
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.tables import Item, legacy, modern, token
from tests.token_changing import (
    DAY,
    DIALECTS,
    ON_DYNAMODB_LOCAL,
    ON_MINISTACK,
    OWNER,
    Token,
    change,
    change_here,
    gates,
    kinds,
    outcomes,
    row_of,
)

LATER = 4_000_000_000


@DIALECTS
def test_a_row_goes_whatever_it_is_and_can_be_put_back(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, hashed: bool
) -> None:
    make = modern if hashed else token
    tokens = kinds(OWNER, hashed=hashed)
    held = Token("a held token", make("a held token", LATER, username=OWNER, janitorHold=True))
    other = Token("a token of bob", make("a token of bob", LATER, username="bob"))
    everything = [*tokens.values(), held, other]
    table = new_table([each.item for each in everything], hashed=hashed)
    before = {each.bearer: gates(client, table, each, hashed=hashed) for each in everything}
    archive = tmp_path / "archive.ndjson"
    options = ("--user", OWNER, "--archive", str(archive))
    assert change_here(server.url, table, "remove", *options, "--dry-run") == 4
    with pytest.raises(NotConfirmedError, match="there is no terminal to ask on; give --yes"):
        change_here(server.url, table, "remove", *options)
    assert all(row_of(client, table, each) == each.item for each in everything)
    assert not archive.exists()

    done = change(server.url, table, "remove", *options, "--yes", about=everything)
    assert (done.code, json.loads(done.out)["archive"]) == (4, str(archive))
    assert outcomes(done) == {each.fingerprint: "deleted" for each in tokens.values()} | {held.fingerprint: "refused"}
    assert "it is protected (hold)" in done.err
    for each in tokens.values():
        assert gates(client, table, each, hashed=hashed) == set()
    assert [row_of(client, table, each) for each in (held, other)] == [held.item, other.item]

    back = janitor("restore", str(archive), "--all", "--beside", "--endpoint-url", server.url)
    assert (back.code, json.loads(back.out)["restored"]) == (0, len(tokens))
    assert all(row_of(client, table, each) == each.item for each in everything)
    assert before == {each.bearer: gates(client, table, each, hashed=hashed) for each in everything}


@ON_MINISTACK
def test_on_a_terminal_it_asks(server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path) -> None:
    each = Token("a classic token", token("a classic token"))
    table = new_table([each.item], hashed=False)
    options = ("remove", each.fingerprint, "--archive", f"{tmp_path}/")
    no = change(server.url, table, *options, about=[each], tty=True, form="table", input="n\n")
    assert (no.code, row_of(client, table, each)) == (4, each.item)
    assert f"{each.row_name}  permanent" in no.err
    assert f"Delete 1 token of {table}, 1 of them still accepted by LISA? [y/N]: " in no.err
    yes = change(server.url, table, *options, about=[each], tty=True, form="table", input="y\n")
    assert (yes.code, row_of(client, table, each)) == (0, None)
    assert f"{each.row_name}  -  deleted: no expiry" in yes.out
    assert len(list(tmp_path.iterdir())) == 1


@ON_DYNAMODB_LOCAL
def test_what_somebody_changed_in_between_stays_and_nothing_goes_unarchived(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    names = ("left alone", "dated", "extended", "migrated", "deleted")
    dates = {"dated": None, "migrated": None}
    tokens = {
        name: Token(f"{name}!", token(f"{name}!", dates.get(name, 1_700_000_000), username=OWNER)) for name in names
    }
    table = new_table([each.item for each in tokens.values()], hashed=False)
    by_key = {each.key: name for name, each in tokens.items()}
    unwritable = tmp_path / "a file, no folder"
    unwritable.touch()
    options = ("remove", "--user", OWNER, "--yes", "--archive")
    with pytest.raises(SinkError, match="is not a folder; give --archive another path"):
        change_here(server.url, table, *options, f"{unwritable}/x")
    assert all(row_of(client, table, each) == each.item for each in tokens.values())

    def meddle(request: Request, forward: Forward) -> tuple[int, Any]:
        key: Item = {"token": request["Statements"][0]["Parameters"][0]}
        match by_key[key["token"]["S"]]:
            case "dated" | "extended":
                client.put_item(TableName=table, Item={**key, "tokenExpiration": {"N": str(LATER)}})
            case "migrated":
                client.put_item(TableName=table, Item={**key, "tokenUUID": {"S": "now it has one"}})
            case "deleted":
                client.delete_item(TableName=table, Key=key)
        return forward(request)

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["BatchExecuteStatement"] = meddle
        finished = change(url, table, *options, f"{tmp_path}/", about=tokens.values())
    assert finished.code == 1
    assert {name: outcomes(finished)[each.fingerprint] for name, each in tokens.items()} == {
        "left alone": "deleted",
        "dated": "changed",
        "extended": "changed",
        "migrated": "changed",
        "deleted": "already_gone",
    }
    assert "its expiry was no expiry, and is now 2096-10-02 07:06:40 UTC" in finished.err
    assert "its tokenUUID and username changed" in finished.err
    [archive] = tmp_path.glob("*.ndjson")
    lines = [json.loads(line) for line in archive.read_text().splitlines()]
    assert sum("item" in line for line in lines) == len(names)
    assert [line["outcome"] for line in lines if "outcome" in line] == [
        row["outcome"] for row in json.loads(finished.out)["rows"]
    ]
    assert lines[-1]["rows"] == len(names)


@ON_DYNAMODB_LOCAL
def test_protected_rows_stay_and_of_two_rows_of_one_token_the_one_that_is_named_goes(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    present = Token("one token", modern("one token", LATER, username="svc-backup"))
    old = Token("one token", legacy("one token", LATER))
    table = new_table([each.item for each in (present, old)])
    guarded = ("--yes", "--no-archive", "--protect-user", "svc-*")
    for each, code in ((present, 4), (old, 0)):
        assert change(server.url, table, "remove", each.row_name, *guarded, about=[present]).code == code
    assert (row_of(client, table, present), row_of(client, table, old)) == (present.item, None)
    again = change(server.url, table, "remove", present.fingerprint, *guarded[:2], about=[present])
    assert (again.code, row_of(client, table, present)) == (0, None)


@pytest.mark.parametrize("fingerprint_key", [None, b"a secret"], ids=["plain", "keyed"])
@DIALECTS
def test_a_row_is_found_by_whatever_names_it(
    server: Server, new_table: NewTable, *, hashed: bool, fingerprint_key: bytes | None
) -> None:
    rows = {
        "active": modern("active", LATER, username=OWNER),
        "expired": modern("expired", int(time.time()) - DAY, username=OWNER),
        "legacy": legacy("legacy", LATER),
        "legacy with an empty uuid": legacy("empty", LATER, tokenUUID=""),
        "uuid of another type": legacy("strange", LATER, tokenUUID=7),
        "no sha256": modern("x", LATER) | {"token": {"S": "no sha256"}},
        "no sha256, as long": modern("y", LATER) | {"token": {"S": "F" * 64}},
    }
    table = new_table(rows.values(), hashed=hashed)
    aws = AwsSession(AwsAccess(region="us-east-1", endpoint_url=server.url))
    there = locate_table(aws, TableChoice(table=table), None, time.time)
    finder = Finder(
        aws.dynamodb,
        there,
        Policy(dialect=there.dialect),
        fingerprint_key,
        Stop(),
        budgets=Budgets.unlimited(time.monotonic),
    )
    for item in rows.values():
        found = finder.find_by_key(item["token"]["S"])
        assert found is not None
        assert repr(found) == "StoredItem(…)"
        assert json.loads(found.item) == item
        name = finder.fingerprint_of_item(found)
        for length in (6, 12):
            assert [json.loads(each.item) for each in finder.search(name[:length]).matches] == [item]
        mistyped = f"{name[:5]}{'0' if name[5] != '0' else '1'}{name[6:]}"
        assert [json.loads(each.item) for each in finder.search(mistyped).near] == [item]
    uuid = rows["active"]["tokenUUID"]["S"]
    assert [json.loads(each.item) for each in finder.find_by_uuid(uuid)] == [rows["active"]]
    mine = {each.row.key.S: json.loads(each.item) for each in finder.find_by_user(OWNER)}
    assert mine == {rows[name]["token"]["S"]: rows[name] for name in ("active", "expired")}
    assert (finder.find_by_key("none"), finder.find_by_uuid("none"), finder.find_by_user("none")) == (None, [], [])
