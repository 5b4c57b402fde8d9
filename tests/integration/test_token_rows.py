"""Which row is meant, where a name fits several: nothing is changed, and each can be named alone."""

import json
import time
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import keys_in
from tests.tables import Item, legacy, modern, token
from tests.token_changing import DAY, DIALECTS, ON_DYNAMODB_LOCAL, ON_MINISTACK, OWNER, Token, change, row_of

NOW = int(time.time())
TWICE = "a token with two rows"

# A token whose key is 64 characters, but no sha256 in small letters, and that somebody gave a tokenUUID by hand.
CAPITALS = "AB" * 32

# Two tokens whose sha256 begins with the same twelve digits.
ALIKE = ("token-33088795", "token-45819832")

CHANGES = [
    ["remove", "--yes", "--no-archive"],
    ["revoke", "--yes"],
    ["extend", "--to", str(NOW + 99 * DAY), "--revive"],
]
PAIRS: dict[str, tuple[Item, Item]] = {
    "a dead legacy row beside a living one": (legacy(TWICE, NOW - 90 * DAY), modern(TWICE, NOW + 90 * DAY)),
    "a living legacy row beside a dead one": (legacy(TWICE), modern(TWICE, NOW - 90 * DAY)),
    "a legacy row with a broken date": (legacy(TWICE, {"S": "soon"}), modern(TWICE, NOW + 90 * DAY)),
    "two that look alike": (legacy(TWICE, NOW + DAY, tokenUUID="u"), modern(TWICE, NOW + DAY, tokenUUID="u")),
    "a key in capitals": (legacy(CAPITALS, NOW + DAY, tokenUUID="u"), modern(CAPITALS, NOW + DAY)),
}


def both(pair: tuple[Item, Item], bearer: str) -> tuple[Token, Token]:
    return Token(bearer, pair[0]), Token(bearer, pair[1])


def listed_names(finished: Finished) -> list[str]:
    """The first column of the rows that a refusal lists."""
    return sorted(line.split()[0] for line in finished.err.splitlines() if line.startswith("  "))


@ON_DYNAMODB_LOCAL
@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "keyed"])
def test_a_fingerprint_of_two_rows_changes_neither_and_each_can_be_named(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, kind: str, *, keyed: bool
) -> None:
    bearer = CAPITALS if kind == "a key in capitals" else TWICE
    rows = both(PAIRS[kind], bearer)
    table = new_table([*(each.item for each in rows), modern("a stranger", NOW + DAY)])
    secret = tmp_path / "secret"
    secret.write_text("of fingerprints")
    options = ["--fingerprint-key-file", str(secret)] if keyed else []
    fingerprint = janitor("token", "fingerprint", *options, input=bearer).out.strip()
    for command, *asked in CHANGES:
        for name in (fingerprint, fingerprint[:9], fingerprint.upper(), f"_{fingerprint}"):
            refused = change(server.url, table, command, name, *asked, *options, about=rows)
            assert (refused.code, refused.out) == (2, "")
            assert "2 rows of" in refused.err
            assert "so nothing was changed" in refused.err
            assert [name[:12] for name in listed_names(refused)] == [fingerprint] * 2
            assert [row_of(client, table, each) for each in rows] == [each.item for each in rows]
    names = listed_names(refused)
    assert "its key is the token itself" in refused.err
    if kind != "two that look alike":
        assert len({line.split("  ", 2)[2] for line in refused.err.splitlines() if line.startswith("  ")}) == 2
    shown = {row["token"]["row_name"]: row["token"]["state"] for row in show(server, table, fingerprint, *options)}
    assert sorted(shown) == names
    before = keys_in(client, table)
    for number, name in enumerate(names, 1):
        [one] = show(server, table, name, *options)
        assert (one["token"]["row_name"], one["token"]["state"]) == (name, shown[name])
        done = change(server.url, table, "remove", name, "--yes", "--no-archive", *options, about=rows)
        assert done.code == 0, done.err
        [changed] = json.loads(done.out)["rows"]
        assert (changed["token"]["row_name"], changed["outcome"]) == (name, "deleted")
        assert len(keys_in(client, table)) == len(before) - number
    assert change(server.url, table, "remove", names[0], "--yes", "--no-archive", *options).code == 2


def show(server: Server, table: str, name: str, *options: str) -> list[dict[str, dict[str, str]]]:
    shown = janitor("token", "show", name, "--table", table, "--endpoint-url", server.url, "--format", "json", *options)
    assert shown.code == 0, shown.err
    rows: list[dict[str, dict[str, str]]] = json.loads(shown.out)["rows"]
    return rows


@ON_MINISTACK
def test_a_uuid_of_two_rows_changes_neither(server: Server, client: DynamoDBClient, new_table: NewTable) -> None:
    uuid = "0a1b2c3d-4e5f-4678-8bcd-ef0123456789"
    rows = [modern("one", NOW + DAY, tokenUUID=uuid), modern("other", NOW + DAY, tokenUUID=uuid.upper())]
    table = new_table(rows)
    for command, *asked in CHANGES:
        for name in (uuid, uuid.upper(), uuid.title(), f"_{uuid}"):
            refused = change(server.url, table, command, name, *asked)
            assert (refused.code, "2 rows of" in refused.err) == (2, True)
    assert [client.get_item(TableName=table, Key={"token": row["token"]}).get("Item") for row in rows] == rows
    done = change(server.url, table, "remove", listed_names(refused)[0], "--yes", "--no-archive")
    assert (done.code, len(keys_in(client, table))) == (0, 1)


@DIALECTS
def test_two_tokens_of_one_fingerprint_are_told_apart(
    server: Server, client: DynamoDBClient, new_table: NewTable, *, hashed: bool
) -> None:
    make = modern if hashed else token
    rows = [Token(bearer, make(bearer, NOW + DAY)) for bearer in ALIKE]
    assert rows[0].fingerprint == rows[1].fingerprint
    table = new_table([each.item for each in rows], hashed=hashed)
    refused = change(server.url, table, "revoke", rows[0].fingerprint, about=rows)
    assert (refused.code, len(set(listed_names(refused)))) == (2, 2)
    done = change(server.url, table, "remove", rows[1].row_name, "--yes", "--no-archive", about=rows)
    assert (done.code, keys_in(client, table)) == (0, {rows[0].key})


@ON_MINISTACK
def test_reports_name_both_rows_of_a_token(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    rows = both((legacy(TWICE, NOW - 90 * DAY), modern(TWICE, NOW + DAY)), TWICE)
    single = Token("a stranger", modern("a stranger", NOW + DAY))
    table = new_table([*(each.item for each in rows), single.item])
    forms = ("json", "ndjson", "csv", "markdown", "html", "table")
    reports = {form: tmp_path / form for form in forms}
    places = [f"--report={form}={path}" for form, path in reports.items()]
    assert janitor("scan", "--table", table, "--endpoint-url", server.url, *places).code == 0
    findings = json.loads(reports["json"].read_text())["findings"]
    assert {finding["row_name"] for finding in findings} == {each.row_name for each in (*rows, single)}
    for form, path in reports.items():
        said = path.read_text()
        assert all(each.row_name in said for each in rows), form
        assert single.fingerprint in said
        assert (single.row_name in said) == (form in {"json", "ndjson", "csv"})


@ON_MINISTACK
def test_a_name_of_two_archived_rows_puts_neither_back_and_each_can_be_named(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    pair = (legacy(TWICE, NOW - 90 * DAY, username=OWNER), modern(TWICE, NOW + 90 * DAY, username=OWNER))
    rows = both(pair, TWICE)
    other = Token("a stranger", modern("a stranger", NOW + DAY, username=OWNER))
    table = new_table([each.item for each in (*rows, other)])
    archive, fingerprint = tmp_path / "archive.ndjson", rows[0].fingerprint
    assert change(server.url, table, "remove", "--user", OWNER, "--yes", "--archive", str(archive)).code == 0
    where = ("--endpoint-url", server.url, "--format", "json")
    for name in (fingerprint, fingerprint[:6]):
        for dry in ((), ("--dry-run",)):
            refused = janitor("restore", str(archive), "--fingerprint", name, *where, *dry)
            assert (refused.code, refused.out) == (2, "")
            assert "2 rows of the archive have the fingerprint" in refused.err
            assert listed_names(refused) == sorted(each.row_name for each in rows)
            assert all(secret not in refused.err for each in rows for secret in (each.bearer, each.key))
            assert keys_in(client, table) == set()
    one = janitor("restore", str(archive), "--fingerprint", rows[0].row_name, *where)
    assert (one.code, keys_in(client, table)) == (0, {rows[0].key})
    [said] = json.loads(one.out)["rows"]
    assert said["row_name"] == rows[0].row_name
    both_named = [f"--fingerprint={each.row_name}" for each in (rows[1], other)]
    assert janitor("restore", str(archive), *both_named, "--beside", *where).code == 0
    assert keys_in(client, table) == {each.key for each in (*rows, other)}
