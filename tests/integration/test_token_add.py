"""`janitor token add`: rows as LISA writes them, accepted by LISA's own rules, and nothing overwritten."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, fake_aws, janitor
from tests.fixtures import NewTable
from tests.lisa import api_accepts, workbench_accepts
from tests.servers import Server
from tests.sweeping import DAY, archived_keys, keys_in
from tests.tables import Item, legacy, modern, token
from tests.token_changing import Token

TOKEN = hashlib.sha512(b"chosen").hexdigest()
HASHED = ("--user", "ana@example.com", "--name", "ci", "--created-by", "admin", "--expires-in", "1h")

pytestmark = pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)


def add(server: Server, table: str, *options: str, **arguments: Any) -> Finished:
    where = ("--table", table, "--endpoint-url", server.url, "--log-level", "debug")
    return janitor("token", "add", *where, *options, **arguments)


def items_in(client: DynamoDBClient, table: str) -> list[Item]:
    return list(client.scan(TableName=table, ConsistentRead=True)["Items"])


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def assert_silent(said: str, bearer: str) -> None:
    """Neither the token nor its row's key, nor any piece of them that is longer than a fingerprint."""
    for secret in (bearer, sha256(bearer)):
        assert not [at for at in range(len(secret) - 12) if secret[at : at + 13] in said]


@pytest.mark.parametrize(
    ("expires_in", "until"),
    [
        (None, "MCP Workbench accepts it for ever, by the row"),
        (DAY, "MCP Workbench accepts it until 20"),
        (-1, "MCP Workbench does not"),
    ],
)
def test_where_a_legacy_row_of_the_token_stands_add_and_show_agree_about_workbench(
    server: Server, client: DynamoDBClient, new_table: NewTable, expires_in: int | None, until: str
) -> None:
    now = int(time.time())
    table = new_table([legacy(TOKEN, None if expires_in is None else now + expires_in)])
    said = add(server, table, *HASHED, "--token-stdin", input=TOKEN)
    assert said.code == 0, said.err
    where = ("--table", table, "--endpoint-url", server.url, "--format", "json")
    shown = json.loads(janitor("token", "show", "--token-stdin", *where, input=TOKEN).out)["rows"]
    by_state = {each["token"]["state"]: each["gates"][1] for each in shown}
    accepts = workbench_accepts(client, table, TOKEN, int(time.time()))
    assert accepts is by_state["legacy"]["accepts"] is (expires_in != -1)
    assert until in said.err
    name = Token(TOKEN, legacy(TOKEN)).row_name
    assert (f"by the row {name}, whose key is the token itself" in said.err) is accepts
    assert "the token itself, its key" in by_state["legacy"]["why"] or not accepts
    assert "not the token, but its sha256" in by_state["expiring"]["why"]
    assert_silent(said.err, TOKEN)


def test_a_generated_token_of_a_classic_table_is_accepted_until_it_expires(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table, before = new_table(hashed=False), int(time.time())
    said = add(server, table, "--expires-in", "1h")
    bearer = said.out.removesuffix("\n")
    assert (said.code, bool(re.fullmatch("[0-9a-f]{128}", bearer))) == (0, True), said.err
    (item,) = items_in(client, table)
    expires = int(item["tokenExpiration"]["N"])
    assert item == {"token": {"S": bearer}, "tokenExpiration": {"N": str(expires)}}
    assert before + 3_600 <= expires <= int(time.time()) + 3_600
    for second, accepted in ((before, True), (expires - 1, True), (expires, False)):
        assert api_accepts(client, table, bearer, second, hashed=False) is accepted
    assert f"Added token {sha256(bearer)[:12]} to {table} (classic)" in said.err
    assert "(in 60 minutes)" in said.err
    assert_silent(said.err, bearer)
    dry = add(server, table, "--expires-at", "2036-01-01", "--dry-run")
    assert (dry.code, dry.out, len(items_in(client, table))) == (0, "", 1)
    assert "Would add a token" in dry.err
    assert "2036-01-01 00:00:00 UTC" in dry.err


def test_a_permanent_token_from_standard_input_is_never_printed_and_never_overwritten(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table = new_table(hashed=False)
    assert not api_accepts(client, table, TOKEN, 0, hashed=False)
    said = add(server, table, "--token-stdin", "--permanent", input=f"{TOKEN}\n")
    assert (said.code, said.out, items_in(client, table)) == (0, "", [{"token": {"S": TOKEN}}]), said.err
    assert api_accepts(client, table, TOKEN, 99_999_999_999, hashed=False)
    again = add(server, table, "--token-stdin", "--expires-in", "1h", input=TOKEN)
    assert (again.code, again.out, items_in(client, table)) == (2, "", [{"token": {"S": TOKEN}}])
    row_name = Token(TOKEN, token(TOKEN)).row_name
    assert f"the token is in {table} already: {row_name} (-, permanent: no expiration" in again.err
    owned = add(server, table, "--permanent", "--user", "ana", env={"JANITOR_NAME": "not asked for"})
    assert "--user: a row of a classic table has only" in owned.err
    assert (owned.code, len(items_in(client, table))) == (2, 1)
    for each in (said, again, owned):
        assert_silent(each.out + each.err, TOKEN)


def test_a_token_of_a_hashed_table_is_what_lisa_would_have_made(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table, before = new_table([modern("other")]), int(time.time())
    said = add(server, table, *HASHED, "--group", "lisa-users", "--group", "b", "--length", "64")
    bearer = said.out.removesuffix("\n")
    assert (said.code, len(bearer)) == (0, 64), said.err
    (item,) = [each for each in items_in(client, table) if each["token"]["S"] == sha256(bearer)]
    made, expires = int(item["createdDate"]["N"]), int(item["tokenExpiration"]["N"])
    assert uuid.UUID(item["tokenUUID"]["S"]).version == 4
    assert item == {
        "token": {"S": sha256(bearer)},
        "tokenUUID": item["tokenUUID"],
        "tokenExpiration": {"N": str(made + 3_600)},
        "createdDate": {"N": str(made)},
        "createdBy": {"S": "admin"},
        "username": {"S": "ana@example.com"},
        "groups": {"L": [{"S": "lisa-users"}, {"S": "b"}]},
        "name": {"S": "ci"},
        "isSystemToken": {"BOOL": False},
    }
    assert before <= made <= int(time.time())
    for second, accepted in ((made, True), (expires - 1, True), (expires, False)):
        assert api_accepts(client, table, bearer, second, hashed=True) is accepted
    # Workbench knows no token of LISA 6.1, but takes the key of one for a token.
    assert (workbench_accepts(client, table, bearer, made), workbench_accepts(client, table, sha256(bearer), made)) == (
        False,
        True,
    )
    assert "MCP Workbench does not" in said.err
    assert_silent(said.err, bearer)
    more = add(server, table, *HASHED, "--replace-expired")
    assert (more.code, more.out, len(items_in(client, table))) == (2, "", 2)
    name = Token(bearer, modern(bearer)).row_name
    assert f"has a token already, and LISA allows one per user: {name} (ci, expiring: valid" in more.err
    system = add(server, table, *HASHED, "--system")
    (other,) = [each for each in items_in(client, table) if each["token"]["S"] == sha256(system.out.strip())]
    assert (system.code, other["isSystemToken"], other["groups"]) == (0, {"BOOL": True}, {"L": []})


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (HASHED[2:], "--user must be given"),
        ((*HASHED[:2], "--name", f"key={TOKEN}", *HASHED[4:]), "--name has a token in it"),
        (HASHED[:4] + HASHED[6:], "give --created-by NAME"),
    ],
)
def test_what_lisa_would_not_take_or_everybody_would_read_is_refused(
    server: Server, client: DynamoDBClient, new_table: NewTable, options: tuple[str, ...], word: str
) -> None:
    table = new_table()
    said = add(server, table, *options, "--token-stdin", input=TOKEN)
    assert (said.code, said.out, items_in(client, table)) == (2, "", [])
    assert word in said.err
    assert_silent(said.err, TOKEN)


def test_an_expired_token_makes_room_archived_and_only_where_it_may_go(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    old = modern("old", int(time.time()) - DAY, username="ana@example.com")
    held = modern("held", int(time.time()) - DAY, username="bob", janitorHold=True)
    table, name = new_table([old, held]), Token("old", old).row_name
    refused = add(server, table, *HASHED)
    assert refused.code == 2
    assert f"{name} (token" in refused.err
    assert "expired: LISA has rejected it everywhere" in refused.err
    assert "give --replace-expired" in refused.err
    kept = add(server, table, "--user", "bob", *HASHED[2:], "--replace-expired")
    assert (kept.code, "is protected (hold)" in kept.err) == (4, True)
    dry = add(server, table, *HASHED, "--replace-expired", "--dry-run")
    assert (dry.code, "which would be removed first" in dry.err, len(items_in(client, table))) == (0, True, 2)
    archive = tmp_path / "archive-of-old.ndjson"
    said = add(server, table, *HASHED, "--replace-expired", "--yes", "--archive", str(archive))
    assert said.code == 0, said.err
    assert keys_in(client, table) == {held["token"]["S"], sha256(said.out.strip())}
    assert archived_keys(tmp_path) == {old["token"]["S"]}
    assert f"the expired token {name} is removed, and archived in {archive}" in said.err


OLD = int(time.time()) - DAY


def replaced(server: Server, client: DynamoDBClient, table: str, *options: str) -> tuple[Finished, Item]:
    """An add that replaces, and the row that is then there."""
    user = ("--user", "ana@example.com", "--created-by", "admin", "--expires-in", "1h")
    said = add(server, table, *user, *options, "--replace-expired", "--yes", "--no-archive")
    return said, items_in(client, table)[0]


def test_what_replaces_a_token_keeps_its_name_its_groups_and_whether_it_is_a_systems(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    same = {"username": "ana@example.com", "isSystemToken": True}
    earlier = modern("earlier", OLD - DAY, name="earlier", groups=["dev", "ops"], **same)
    old = modern("old", OLD, name="nightly", groups=["ops", "dev"], **same)
    said, item = replaced(server, client, new_table([earlier, old]))
    assert said.code == 0, said.err
    assert (item["name"], item["groups"]) == ({"S": "nightly"}, {"L": [{"S": "ops"}, {"S": "dev"}]})
    assert item["isSystemToken"] == {"BOOL": True}
    assert "keeps       its name, groups, system flag" in said.err
    assert "groups      ops, dev" in said.err
    assert_silent(said.err, said.out.strip())


def test_rows_that_differ_in_rights_are_replaced_only_by_what_options_say(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    person = modern("person", OLD - DAY, username="ana@example.com", groups=["users"])
    system = modern("system", OLD, username="ana@example.com", groups=["admin"], isSystemToken=True)
    none = modern("none", OLD, username="ana@example.com", groups=[])
    for rows, options, word in (
        ((person, system), ("--personal",), "these rows have different groups: "),
        ((person, none), (), "these rows have different groups: "),
        ((person, system), ("--group", "users"), "one of these rows is a system's, and another is not"),
    ):
        table = new_table(list(rows))
        refused, _ = replaced(server, client, table, *options)
        assert (refused.code, refused.out, word in refused.err) == (2, "", True), refused.err
        assert keys_in(client, table) == {row["token"]["S"] for row in rows}
        said, item = replaced(server, client, table, "--personal", "--group", "users")
        assert (said.code, item["groups"], item["isSystemToken"]) == (0, {"L": [{"S": "users"}]}, {"BOOL": False})


def test_the_question_comes_after_what_the_new_row_will_say(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old = modern("old", OLD, username="ana@example.com", name="nightly", groups=["ops"], isSystemToken=True)
    table, user = new_table([old]), ("--user", "ana@example.com", "--created-by", "admin", "--expires-in", "1h")
    said = add(server, table, *user, "--replace-expired", tty=True, input="n\n")
    assert (said.code, items_in(client, table)) == (4, [old]), said.err
    told, _, _ = said.err.partition("[y/N]")
    for fact in ("keeps       its name, groups, system flag", "ana@example.com (system)", "groups      ops"):
        assert fact in told


def test_what_replaces_a_token_keeps_nothing_that_options_say_otherwise(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old = modern("old", OLD, username="ana@example.com", name="nightly", groups=["ops"], isSystemToken=True)
    said, item = replaced(server, client, new_table([old]), "--name", "ci", "--group", "dev", "--personal")
    assert said.code == 0, said.err
    assert (item["name"], item["groups"]) == ({"S": "ci"}, {"L": [{"S": "dev"}]})
    assert item["isSystemToken"] == {"BOOL": False}
    assert "keeps" not in said.err


@pytest.mark.parametrize(
    ("attributes", "code", "word"),
    [
        ({"groups": {"SS": ["ops", "dev"]}}, 0, "groups      dev, ops"),
        ({"groups": {"NULL": True}}, 0, "groups      none"),
        ({"groups": {"L": [{"N": "1"}]}}, 2, "give each of its groups with --group"),
        ({"groups": {"S": "ops"}}, 2, "give each of its groups with --group"),
        ({"name": {"N": "1"}}, 2, "--name must be given"),
    ],
)
def test_odd_attributes_of_a_replaced_token_are_kept_only_where_lisa_can_read_them(
    server: Server, client: DynamoDBClient, new_table: NewTable, *, attributes: Item, code: int, word: str
) -> None:
    old = {**modern("old", OLD, username="ana@example.com", name="nightly"), **attributes}
    table = new_table([old])
    said, _ = replaced(server, client, table)
    assert (said.code, word in said.err) == (code, True), said.err
    assert (old["token"]["S"] in keys_in(client, table)) is (code == 2)


def test_what_replaces_a_token_keeps_no_text_that_has_the_old_one_in_it(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    bearer, other = "Zq-live-secret", "Yp-older-secret"
    for kept, option in (({"name": bearer}, "name"), ({"name": f"({other})"}, "name"), ({"groups": [bearer]}, "group")):
        old = modern(bearer, OLD, username="ana@example.com", **kept)
        table = new_table([old, modern(other, OLD - DAY, username="ana@example.com", **{**kept, "name": "ci"})])
        said, _ = replaced(server, client, table)
        assert (said.code, said.out, len(items_in(client, table))) == (2, "", 2)
        assert f"the {option} of the replaced row has a token in it" in said.err
        assert f"give another one with --{option}" in said.err
        assert_silent(said.err, bearer)
        given, item = replaced(server, client, table, f"--{option}", "ops")
        assert (given.code, bearer in str(item), other in str(item)) == (0, False, False), given.err


def redirected(
    server: Server, table: str, redirection: str, folder: Path, command: tuple[str, ...] = ("add",)
) -> subprocess.CompletedProcess[str]:
    """An add, or this command of `janitor token`, whose standard output the shell sends there."""
    where = ["--table", table, "--endpoint-url", server.url, "--expires-in", "1h"]
    run = [sys.executable, "-m", "janitor", "token", *command, *where]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *run],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **fake_aws(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirection", "code", "word"),
    [
        (">&-", 2, "standard output goes nowhere"),
        (">/dev/full", 1, "No space left on device), so its row"),
    ],
)
def test_a_token_that_reaches_nobody_leaves_no_row(
    server: Server,
    client: DynamoDBClient,
    new_table: NewTable,
    tmp_path: Path,
    *,
    redirection: str,
    code: int,
    word: str,
) -> None:
    table = new_table(hashed=False)
    ended = redirected(server, table, redirection, tmp_path)
    assert (ended.returncode, items_in(client, table)) == (code, [])
    assert word in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_rotation_that_nobody_reads_says_how_to_capture_its_token(server: Server, tmp_path: Path) -> None:
    ended = redirected(server, "no-table", ">/dev/null", tmp_path, ("rotate", "3f0c9a1b"))
    assert (ended.returncode, "TOKEN=$(janitor token rotate …)" in ended.stderr) == (2, True), ended.stderr


def test_the_caller_makes_the_token_where_nobody_else_is_named(
    ministack_url: str, server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table = new_table()
    environment = {"AWS_ENDPOINT_URL_STS": ministack_url, "AWS_ENDPOINT_URL_DYNAMODB": server.url}
    given = ("--table", table, *HASHED[:4], *HASHED[6:])
    said = janitor("token", "add", *given, env=environment)
    assert said.code == 0, said.err
    (item,) = items_in(client, table)
    assert item["createdBy"] == {"S": "root"}
    assert json.loads(said.err.splitlines()[0])["event"] == "token.added"


def test_a_key_file_names_the_new_token_and_what_stands_in_its_way(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s3cret")
    table, keyed = new_table([token(TOKEN)], hashed=False), ("--fingerprint-key-file", str(tmp_path / "secret"))
    named = hmac.new(b"s3cret", sha256(TOKEN).encode(), hashlib.sha256).hexdigest()[:12]
    said = add(server, table, "--token-stdin", "--permanent", *keyed, input=TOKEN)
    assert (said.code, named in said.err, sha256(TOKEN)[:12] in said.err) == (2, True, False)
    assert len(items_in(client, table)) == 1
