"""What `janitor token` does not do by a variable, nor leave half done, nor repeat."""

import hashlib
import time
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor, started
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import keys_in
from tests.tables import Item, modern, token

one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)
DAY = 86_400


def ran(server: Server, table: str, *arguments: str, **variables: str) -> Finished:
    where = {"AWS_ENDPOINT_URL": server.url, "JANITOR_TABLE": table}
    return janitor("token", *arguments, env={**where, **variables})


def living(count: int) -> list[Item]:
    now = int(time.time())
    return [modern(f"bearer-{number}", now + (90 + number) * DAY, username="ana") for number in range(count)]


@one_server
def test_no_variable_chooses_what_is_changed_or_says_yes_to_it(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table = new_table(living(2))
    variables = {"JANITOR_USER": "ana", "JANITOR_YES": "1"}
    for command in (["remove", "--yes"], ["revoke"], ["extend", "--by", "1d"]):
        finished = ran(server, table, *command, **variables)
        assert (finished.code, "no token is named" in finished.err) == (2, True)
    for asking in ("remove", "revoke"):
        assert ran(server, table, asking, "--user", "ana", **variables).code == 4
    assert ran(server, table, "remove", "--user", "").code == 2
    assert len(keys_in(client, table)) == 2
    for name in ("AT", "REVIVE", "SHORTEN", "PERMANENT"):
        refused = ran(server, table, "revoke", "--user", "ana", **{f"JANITOR_{name}": "1"})
        assert (refused.code, f"--{name.lower()} can only be given as a flag" in refused.err) == (2, True)
    assert len(keys_in(client, table)) == 2


@one_server
def test_no_variable_makes_a_row_that_lisa_does_not_accept(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    hashed, classic = new_table(), new_table(hashed=False)
    for table, said in ((hashed, "classic"), (classic, "hashed")):
        refused = ran(server, table, "add", "--expires-in", "1h", JANITOR_DIALECT=said)
        assert (refused.code, refused.out) == (2, "")
        assert "unset JANITOR_DIALECT" in refused.err
        assert keys_in(client, table) == set()
    meant = ran(server, hashed, "add", "--expires-in", "1h", "--dialect", "classic")
    assert (meant.code, "the dialect is set to classic" in meant.err) == (0, True)


@one_server
def test_what_was_begun_is_done_though_nobody_reads_it(
    server: Server, new_table: NewTable, client: DynamoDBClient
) -> None:
    table = new_table(living(4))
    where = {"AWS_ENDPOINT_URL": server.url, "JANITOR_TABLE": table}
    with started("token", "revoke", "--yes", "--user", "ana", "--format", "table", env=where) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(60)
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 1
    assert "4 of 4 tokens were changed, but not all output was written" in said
    items = client.scan(TableName=table)["Items"]
    assert all(int(item["tokenExpiration"]["N"]) <= time.time() + 1 for item in items)


@one_server
def test_where_some_were_changed_and_some_refused_the_code_is_not_that_of_nothing_done(
    server: Server, new_table: NewTable
) -> None:
    now = int(time.time())
    table = new_table([*living(1), modern("over", now - DAY, username="ana")])
    finished = ran(server, table, "extend", "--user", "ana", "--by", "30d")
    assert finished.code == 1
    assert ran(server, table, "extend", "--user", "ana", "--to", "2001-01-01").code == 2


@one_server
def test_a_legacy_row_with_a_broken_date_is_not_brought_to_life(server: Server, new_table: NewTable) -> None:
    table = new_table([token("plain-text-key", {"S": "soon"}, username="ana")])
    finished = ran(server, table, "extend", "--user", "ana", "--expires-in", "30d", "--revive")
    assert finished.code == 2
    assert "a legacy row without tokenUUID" in finished.err


@one_server
def test_a_flag_about_the_archive_beats_a_variable(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table, kept = new_table(living(2)), tmp_path / "kept.ndjson"
    names = [janitor("token", "fingerprint", input=f"bearer-{number}").out.strip() for number in (0, 1)]
    none = ran(server, table, "remove", names[0], "--yes", "--no-archive", JANITOR_ARCHIVE=str(kept))
    assert (none.code, kept.exists()) == (0, False)
    some = ran(server, table, "remove", names[1], "--yes", "--archive", str(kept), JANITOR_NO_ARCHIVE="1")
    assert (some.code, kept.exists()) == (0, True)
    assert keys_in(client, table) == set()
    both = ran(server, table, "remove", names[0], "--yes", JANITOR_ARCHIVE=str(kept), JANITOR_NO_ARCHIVE="1")
    assert (both.code, "contradict each other" in both.err) == (2, True)


@one_server
def test_a_short_prefix_does_not_hide_a_row_whose_key_is_written_in_capitals(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    [plain, odd] = living(2)
    capitals = "AB" * 32
    digits = hashlib.sha256(capitals.encode()).hexdigest()[:6]
    table = new_table([{**plain, "token": {"S": digits + "0" * 58}}, {**odd, "token": {"S": capitals}}])
    finished = ran(server, table, "remove", digits, "--yes")
    assert (finished.code, f"2 rows of {table} have the fingerprint" in finished.err) == (2, True)
    assert len(keys_in(client, table)) == 2


BY_MISTAKE = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "abcdef", BY_MISTAKE],
        ["extend", "abcdef", BY_MISTAKE],
        ["list", BY_MISTAKE],
        ["fingerprint", f"--{BY_MISTAKE}"],
        [BY_MISTAKE],
    ],
)
def test_a_word_that_is_not_known_is_not_repeated(arguments: list[str]) -> None:
    finished = janitor("token", *arguments)
    assert finished.code == 2
    assert BY_MISTAKE not in finished.out + finished.err


@one_server
def test_a_uuid_that_nobody_has_is_not_repeated(server: Server, new_table: NewTable) -> None:
    table = new_table(living(1))
    for command in ("show", "remove", "revoke"):
        finished = ran(server, table, command, BY_MISTAKE)
        assert (finished.code, BY_MISTAKE in finished.out + finished.err) == (2, False)


@one_server
def test_a_fingerprint_that_is_typed_beats_a_variable(server: Server, new_table: NewTable) -> None:
    table = new_table(living(1))
    [line] = janitor("token", "fingerprint", input="bearer-0").out.splitlines()
    assert ran(server, table, "show", line, JANITOR_TOKEN_STDIN="1").code == 0
    with_mark = janitor("token", "fingerprint", input="\ufeffbearer-0")
    assert with_mark.out == f"{line}\n"
