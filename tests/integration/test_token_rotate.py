"""`janitor token rotate`: the successor works before the old token ends, whatever fails; LISA's rules are the judge."""

import time
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor, started
from tests.faults.proxy import Forward, Meddle, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.lisa import api_accepts
from tests.servers import Server
from tests.sweeping import DAY
from tests.tables import Item, legacy, modern, token
from tests.token_changing import Token, row_of, sha256

BROKEN = (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"})
ONE_ATTEMPT = {"AWS_MAX_ATTEMPTS": "1"}
LIFE = ("--expires-in", "90d", "--created-by", "admin", "--yes")

pytestmark = pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)


def rotate(url: str, table: str, *options: str, secrets: tuple[Token, ...] = (), **arguments: Any) -> Finished:
    """`janitor token rotate`; fails when it says a token anywhere but the new one alone on standard output."""
    said = janitor("token", "rotate", "--table", table, "--endpoint-url", url, *options, **arguments)
    hidden = [secret for each in secrets for secret in (each.bearer, each.key)]
    if bearer := said.out.strip():
        assert said.out == f"{bearer}\n"
        hidden += [sha256(bearer)]
        assert bearer not in said.err
    assert not [secret for secret in hidden if secret in said.err + said.out]
    return said


def of_ana(bearer: str, days: int, **attributes: object) -> Token:
    given = {"username": "ana", "name": "ci", "groups": ["b", "a"], "isSystemToken": True, **attributes}
    return Token(bearer, modern(bearer, int(time.time()) + days * DAY, **given))


def only_new_row(client: DynamoDBClient, table: str, *before: Token) -> Item:
    [item] = [item for item in rows_in(client, table) if item["token"]["S"] not in {each.key for each in before}]
    return item


def rows_in(client: DynamoDBClient, table: str) -> list[Item]:
    return list(client.scan(TableName=table, ConsistentRead=True)["Items"])


def test_a_successor_keeps_what_a_row_says_and_the_old_token_ends_after_the_overlap(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old, over = of_ana("the old one", 20), of_ana("long over", -20)
    table, before = new_table([old.item, over.item]), int(time.time())
    dry = rotate(server.url, table, "--user", "ana", *LIFE, "--dry-run", secrets=(old, over))
    assert (dry.code, dry.out, len(rows_in(client, table))) == (0, "", 2), dry.err
    assert f"Token {old.row_name} would end now" in dry.err
    forbidden = rotate(server.url, table, "--user", "ana", *LIFE, env={"JANITOR_DRY_RUN": "1"})
    assert (forbidden.code, forbidden.out, len(rows_in(client, table))) == (0, "", 2)
    unsure = rotate(server.url, table, "--user", "ana", *LIFE[:-1], secrets=(old, over))
    assert (unsure.code, unsure.out, len(rows_in(client, table))) == (4, "", 2)

    said = rotate(server.url, table, "--user", "ana", *LIFE, "--overlap", "2h", secrets=(old, over))
    assert said.code == 0, said.err
    bearer, new = said.out.strip(), only_new_row(client, table, old, over)
    kept = {name: old.item[name] for name in ("username", "name", "groups", "isSystemToken")}
    assert {**new, **kept} == new
    assert new["token"]["S"] == sha256(bearer)
    assert new["tokenUUID"] != old.item["tokenUUID"]
    ended = row_of(client, table, old)
    assert ended is not None
    end = int(ended["tokenExpiration"]["N"])
    assert 0 <= end - before - 2 * 3_600 <= 60
    assert ended == {**old.item, "tokenExpiration": {"N": str(end)}}
    assert row_of(client, table, over) == over.item
    for second, accepted in ((before, True), (end - 1, True), (end, False)):
        assert api_accepts(client, table, old.bearer, second, hashed=True) is accepted
        assert api_accepts(client, table, bearer, second, hashed=True)
    moved = f"token:{old.item['tokenUUID']['S']}, move it to token:{new['tokenUUID']['S']}"
    assert moved in said.err
    assert f"after it has ended, a sweep deletes it, or `janitor token remove {old.row_name}`" in said.err
    # The new row keeps its owner from another one anyway, so that is no reason to remove the old one.
    assert "no token" not in said.err

    # Two of them work now, and a token that ends sooner than the overlap is left to do so.
    both = rotate(server.url, table, "--user", "ana", *LIFE)
    assert (both.code, both.out, "accepts 2 tokens of ana" in both.err) == (2, "", True)
    later = rotate(server.url, table, old.fingerprint, *LIFE, "--overlap", "30d")
    assert (later.code, row_of(client, table, old)) == (0, ended)
    assert "stays as it is, and ends by itself" in later.err


def test_a_classic_token_gets_a_successor_and_ends_at_once(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old = Token("an old key", token("an old key"))
    table = new_table([old.item], hashed=False)
    said = rotate(server.url, table, old.fingerprint, "--permanent", "--yes", secrets=(old,))
    assert said.code == 0, said.err
    assert only_new_row(client, table, old) == {"token": {"S": said.out.strip()}}
    assert not api_accepts(client, table, old.bearer, int(time.time()), hashed=False)
    assert "rateLimitOverrides" not in said.err
    again = rotate(server.url, table, old.fingerprint, "--permanent", "--yes", secrets=(old,))
    assert (again.code, again.out, len(rows_in(client, table))) == (2, "", 2)
    assert "there is nothing to rotate" in again.err


def test_rows_that_no_successor_can_keep_are_refused(server: Server, new_table: NewTable) -> None:
    now = int(time.time())
    rows = {
        "there is nothing to rotate": Token("plain", legacy("plain", now + DAY, username="bo")),
        "its row has no username to keep": of_ana("nameless", 20, username={"NULL": True}),
        "its groups are not a list of texts": of_ana("odd", 20, groups={"L": [{"N": "1"}]}),
        "its name has a token in it": of_ana("told", 20, name=f"mine: {'ab' * 30}"),
    }
    del rows["its row has no username to keep"].item["username"]
    table = new_table([each.item for each in rows.values()])
    for why, each in rows.items():
        said = rotate(server.url, table, each.fingerprint, *LIFE, secrets=(each,))
        assert (said.code, said.out, why in said.err) == (2, "", True), said.err


@pytest.mark.parametrize("attempts", ["1", "2"])
def test_lost_answers_leave_one_successor_and_an_ended_token(
    server: Server, client: DynamoDBClient, new_table: NewTable, attempts: str
) -> None:
    old = of_ana("the old one", 20)
    table = new_table([old.item])
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation.update(PutItem=_lost_once(), UpdateItem=_lost_once())
        said = rotate(url, table, old.row_name, *LIFE, secrets=(old,), env={"AWS_MAX_ATTEMPTS": attempts})
    now = int(time.time())
    assert (said.code, len(rows_in(client, table))) == (0, 2), said.err
    assert api_accepts(client, table, said.out.strip(), now, hashed=True)
    assert not api_accepts(client, table, old.bearer, now, hashed=True)


def test_no_failure_leaves_an_owner_without_a_token_that_works(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old = of_ana("the old one", 20)
    table, now = new_table([old.item]), int(time.time())
    extended = {**old.item, "tokenExpiration": {"N": str(now + 30 * DAY)}}

    def extend(request: Request, forward: Forward) -> tuple[int, Any]:
        client.put_item(TableName=table, Item=extended)
        return forward(request)

    with meddling_proxy(server.url) as (url, meddling):
        # The new row is not written: nothing is told, and the old token is as it was.
        meddling.by_operation["PutItem"] = _refused
        unwritten = rotate(url, table, old.row_name, *LIFE, secrets=(old,), env=ONE_ATTEMPT)
        assert (unwritten.code, unwritten.out, rows_in(client, table)) == (1, "", [old.item])
        del meddling.by_operation["PutItem"]
        # Nobody reads the new token: its row goes again.
        where = ("--table", table, "--endpoint-url", url)
        with started("token", "rotate", old.row_name, *where, *LIFE) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.wait(60) == 1
        assert rows_in(client, table) == [old.item]
        # The old token cannot be ended, or is another row by now: both work, and it is said.
        for meddle, why in ((_refused, "InternalServerError"), (extend, "somebody changed it in between")):
            meddling.by_operation["UpdateItem"] = meddle
            half = rotate(url, table, old.row_name, *LIFE, secrets=(old,), env=ONE_ATTEMPT)
            assert (half.code, why in half.err) == (1, True), half.err
            assert f"end it with `janitor token revoke {old.row_name}`" in half.err
            for bearer in (old.bearer, half.out.strip()):
                assert api_accepts(client, table, bearer, now, hashed=True)
            client.delete_item(TableName=table, Key={"token": {"S": sha256(half.out.strip())}})


def test_a_token_that_changes_while_somebody_decides_gets_no_successor(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old = of_ana("the old one", 20)
    table, now = new_table([old.item]), int(time.time())
    changed = {**old.item, "tokenExpiration": {"N": str(now - 1)}}, {**old.item, "isSystemToken": {"BOOL": False}}
    for after, why in ((changed[0], "its expiry was"), (changed[1], "its isSystemToken changed"), (None, "deleted it")):
        client.put_item(TableName=table, Item=old.item)
        rest = [] if after is None else [after]

        def change(request: Request, forward: Forward, after: Item | None = after) -> tuple[int, Any]:
            # The new key is looked up before the question; what comes then is the old row again.
            answer = forward(request)
            if after is None:
                client.delete_item(TableName=table, Key={"token": {"S": old.key}})
            else:
                client.put_item(TableName=table, Item=after)
            return answer

        with meddling_proxy(server.url) as (url, meddling):
            meddling.by_operation["GetItem"] = change
            said = rotate(url, table, old.row_name, *LIFE, secrets=(old,))
        assert (said.code, said.out, rows_in(client, table)) == (1, "", rest), said.err
        assert f"{old.row_name} was not rotated: somebody" in said.err
        assert why in said.err


def test_the_question_comes_after_what_the_successor_will_say(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old = of_ana("the old one", 20)
    table = new_table([old.item])
    where = ("--table", table, "--endpoint-url", server.url)
    said = janitor("token", "rotate", old.row_name, *where, *LIFE[:-1], tty=True, input="n\n")
    assert (said.code, rows_in(client, table)) == (4, [old.item]), said.err
    told, _, _ = said.err.partition("[y/N]")
    assert "ana (system)" in told
    assert "groups      b, a" in told


def test_two_rotations_at_once_name_the_other_token(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    old, other = of_ana("the old one", 20), of_ana("of the other rotation", 90)
    table, now = new_table([old.item]), int(time.time())

    def rotate_too(request: Request, forward: Forward) -> tuple[int, Any]:
        client.put_item(TableName=table, Item=other.item)
        client.put_item(TableName=table, Item={**old.item, "tokenExpiration": {"N": str(now)}})
        return forward(request)

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["PutItem"] = rotate_too
        said = rotate(url, table, old.row_name, *LIFE, secrets=(old, other))
    assert (said.code, len(rows_in(client, table))) == (1, 3), said.err
    assert f"ana has other tokens that LISA accepts: {other.row_name}" in said.err


def _lost_once() -> Meddle:
    """The server acts, and its first answer arrives as an error."""
    lost = iter([True])

    def meddle(request: Request, forward: Forward) -> tuple[int, Any]:
        answer = forward(request)
        return BROKEN if next(lost, False) else answer

    return meddle


def _refused(_: Request, __: Forward) -> tuple[int, Any]:
    return BROKEN
