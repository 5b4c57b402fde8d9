"""Adding a token while answers get lost and others write: a token is told to somebody exactly if its row stands."""

import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, fake_aws, janitor
from tests.faults.proxy import Forward, Meddle, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.lisa import api_accepts
from tests.servers import Server
from tests.sweeping import DAY, archived_keys, keys_in
from tests.tables import modern, token

TOKEN = hashlib.sha512(b"chosen").hexdigest()
BROKEN = (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"})
ONE_ATTEMPT = {"AWS_MAX_ATTEMPTS": "1"}
HASHED = ("--user", "ana", "--name", "ci", "--created-by", "admin", "--expires-in", "1h")

pytestmark = pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)


def add(server: Server, table: str, meddle: dict[str, Meddle], *options: str, **arguments: Any) -> Finished:
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation.update(meddle)
        return janitor("token", "add", "--table", table, "--endpoint-url", url, *options, **arguments)


def answer_lost(times: int) -> Meddle:
    """The server acts, and so many of its answers arrive as errors."""
    lost = iter(range(times))

    def meddle(request: Request, forward: Forward) -> tuple[int, Any]:
        answer = forward(request)
        return answer if next(lost, None) is None else BROKEN

    return meddle


def just_before(act: Callable[[], object]) -> Meddle:
    """Do something when a call is under way, and has not arrived."""

    def meddle(request: Request, forward: Forward) -> tuple[int, Any]:
        act()
        return forward(request)

    return meddle


def refused(_: Request, __: Forward) -> tuple[int, Any]:
    return BROKEN


@pytest.mark.parametrize("attempts", ["1", "2"])
def test_a_row_whose_answer_was_lost_stands_once_and_its_token_is_told(
    server: Server, client: DynamoDBClient, new_table: NewTable, attempts: str
) -> None:
    table = new_table(hashed=False)
    lost = {"PutItem": answer_lost(1)}
    said = add(server, table, lost, "--expires-in", "1h", env={"AWS_MAX_ATTEMPTS": attempts})
    assert said.code == 0, said.err
    assert keys_in(client, table) == {said.out.removesuffix("\n")}
    assert api_accepts(client, table, said.out.strip(), int(time.time()), hashed=False)


def test_a_token_that_may_stand_or_not_is_named_and_never_told(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table = new_table(hashed=False)
    with meddling_proxy(server.url) as (url, meddling):

        def blind(request: Request, forward: Forward) -> tuple[int, Any]:
            meddling.by_operation["GetItem"] = refused
            forward(request)
            return BROKEN

        meddling.by_operation["PutItem"] = blind
        where = ("--table", table, "--endpoint-url", url)
        said = janitor("token", "add", *where, "--expires-in", "1h", env=ONE_ATTEMPT)
    (key,) = keys_in(client, table)
    name = hashlib.sha256(key.encode()).hexdigest()[:12]
    assert (said.code, said.out) == (1, "")
    assert "janitor cannot tell whether" in said.err
    assert f"`janitor token remove {name}-" in said.err


def test_a_row_that_came_first_stays_as_it_is(server: Server, client: DynamoDBClient, new_table: NewTable) -> None:
    table, other = new_table(hashed=False), token(TOKEN, int(time.time()) + DAY, note="another's")
    first = just_before(lambda: client.put_item(TableName=table, Item=other))
    said = add(server, table, {"PutItem": first}, "--token-stdin", "--permanent", input=TOKEN)
    assert (said.code, said.out, client.scan(TableName=table)["Items"]) == (2, "", [other])
    assert "already: " in said.err
    assert TOKEN[:13] not in said.err


def test_two_tokens_for_one_user_at_once_both_stand_and_it_is_said(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table, other = new_table(), modern("other", int(time.time()) + DAY, username="ana")
    meanwhile = just_before(lambda: client.put_item(TableName=table, Item=other))
    said = add(server, table, {"PutItem": meanwhile}, *HASHED)
    own = hashlib.sha256(said.out.strip().encode()).hexdigest()
    assert (said.code, keys_in(client, table)) == (0, {own, other["token"]["S"]})
    assert f"ana has another token, added at the same time: {other['token']['S'][:12]}" in said.err


def test_an_add_that_fails_after_it_made_room_says_where_the_old_row_is(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    old = modern("old", int(time.time()) - DAY, username="ana")
    table, archive = new_table([old]), tmp_path / "archive-of-old.ndjson"
    options = (*HASHED, "--replace-expired", "--yes", "--archive", str(archive))
    said = add(server, table, {"PutItem": refused}, *options, env=ONE_ATTEMPT)
    assert (said.code, said.out, keys_in(client, table)) == (1, "", set())
    assert archived_keys(tmp_path) == {old["token"]["S"]}
    assert f"`janitor restore {archive} --all` puts them back" in said.err


def test_an_expired_token_that_comes_back_to_life_meanwhile_stays(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old = modern("old", int(time.time()) - DAY, username="ana")
    extended = old | {"tokenExpiration": {"N": str(int(time.time()) + DAY)}}
    table = new_table([old])
    extend = just_before(lambda: client.put_item(TableName=table, Item=extended))
    meddle = {"BatchExecuteStatement": extend, "DeleteItem": extend}
    said = add(server, table, meddle, *HASHED, "--replace-expired", "--yes", "--no-archive")
    assert (said.code, said.out, client.scan(TableName=table)["Items"]) == (1, "", [extended])
    assert "was changed in between, so nothing was added" in said.err


def test_no_other_process_sees_the_token(tmp_path: Path, server: Server) -> None:
    assert server.url
    with socket.create_server(("127.0.0.1", 0)) as endpoint:
        where = ["--table", "t", "--endpoint-url", f"http://127.0.0.1:{endpoint.getsockname()[1]}"]
        command = [sys.executable, "-m", "janitor", "token", "add", "--token-stdin", "--permanent", *where]
        with subprocess.Popen(
            command,
            env={**fake_aws(tmp_path), **ONE_ATTEMPT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            process.stdin.write(TOKEN.encode())
            process.stdin.close()
            process.stdin = None
            # It asks for the table, so it has read the token.
            connection, _ = endpoint.accept()
            with connection:
                folder = Path(f"/proc/{process.pid}")
                shown = [(folder / name).read_bytes() for name in ("cmdline", "environ")]
                children = [path.read_text() for path in (folder / "task").glob("*/children")]
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, "".join(children)) == (1, b"", "")
    assert b"--token-stdin" in shown[0]
    assert TOKEN[:13].encode() not in b"".join([*shown, err])
