"""`--last-seen`: when LISA's usage table saw the owners last, in findings, and who of them is idle."""

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.dynamodb.budget import Budget
from janitor.dynamodb.usage_table import UsageTable
from tests.command import janitor
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import DAY
from tests.tables import Item, modern
from tests.token_changing import sha256

BROKEN = (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"})


def usage_table(client: DynamoDBClient, name: str, seen: dict[str, object]) -> str:
    """LISA's usage table: a row for each user, with `lastSeen` as LISA's Lambda writes it, or as it is given."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "userId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "userId", "AttributeType": "S"}],
    )
    for user, when in seen.items():
        attribute: Any = when if isinstance(when, dict) else {"S": when}
        client.put_item(TableName=name, Item={"userId": {"S": user}, "lastSeen": attribute, "totalPrompts": {"N": "3"}})
    return name


def isoformat(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.250000", time.gmtime(second))


def rows(now: int) -> list[Item]:
    made = {"createdDate": now - 300 * DAY}
    return [
        modern("active idle", now + 200 * DAY, username="ana", **made),
        modern("active seen", now + 200 * DAY, username="bo", **made),
        modern("soon", now + 2 * DAY, username="cy", **made),
        modern("never seen", now + 200 * DAY, username="di", **made),
        modern("new, never seen", now + 200 * DAY, username="eve", createdDate=now - DAY),
        modern("over", now - DAY, username="ana2", **made),
        modern("odd", now + 200 * DAY, username="fay", **made),
    ] + [modern(f"many {number}", now + 200 * DAY, username=f"many-{number}", createdDate=now) for number in range(120)]


@pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)
def test_owners_are_looked_up_once_and_the_idle_ones_are_named(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    table = new_table(rows(now))
    seen: dict[str, object] = {
        "ana": isoformat(now - 100 * DAY),
        "bo": isoformat(now - 80 * DAY),
        "cy": isoformat(now - 100 * DAY),
        "ana2": isoformat(now - 100 * DAY),
        "fay": {"N": "17"},
    }
    usage = usage_table(client, f"{table}-usage", seen)
    path = tmp_path / "all.csv"
    options = ("--table", table, "--endpoint-url", server.url, "--last-seen", usage)
    try:
        # No key of a table is as long as the first: DynamoDB would refuse the whole request.
        reads = UsageTable(client, usage, Budget(None, time.monotonic), lambda _: False)
        assert set(reads.read([f"{'u' * 2_047}é", "", "bo", "bo", "nobody"])) == {"bo"}
        said = janitor("token", "list", *options, "--report", f"csv={path}")
        report = json.loads(said.out)
        by_owner = {finding["username"]: finding["last_seen"] for finding in report["findings"]}
        assert (said.code, report["warnings"]) == (0, []), said.err
        assert by_owner["bo"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 80 * DAY))
        assert [by_owner[owner] for owner in ("di", "eve", "fay", "many-7")] == [None] * 4
        in_csv = {row["username"]: row["last_seen"] for row in csv.DictReader(io.StringIO(path.read_text()))}
        assert in_csv["bo"] == by_owner["bo"]
        idle = {owner["username"]: owner["last_seen"] for owner in report["idle"]["owners"]}
        # Not ana2, whose token is over, nor eve, whose token is new, nor bo, who was seen.
        assert idle == {"ana": by_owner["ana"], "cy": by_owner["cy"], "di": None, "fay": None}
        assert report["tables"][0]["idle"] == report["idle"]

        # A scan reads no active rows. The bound of the report does not hide who is idle.
        scan = janitor("scan", *options, "--idle-after", "2w", "--max-findings", "0", "--format", "json")
        assert [owner["username"] for owner in json.loads(scan.out)["idle"]["owners"]] == ["cy"]
        html = tmp_path / "page.html"
        page = janitor("scan", *options, "--format", "markdown", "--report", f"html={html}").out
        assert "Ask 1 owner not seen for 90d whether the token is still needed" in html.read_text()
        assert f"not seen for 90 days: cy (last on {by_owner['cy'][:10]})" in page
        without = json.loads(janitor("scan", *options[:-2]).out)
        assert (without["idle"], {finding["last_seen"] for finding in without["findings"]}) == (None, {None})
        # Two owners have findings, and each look-up costs half a unit.
        units = json.loads(scan.out)["capacity"]["read_units"] - without["capacity"]["read_units"]
        assert units == 1.0

        # What cannot be looked up is said, and costs the report nothing else.
        with meddling_proxy(server.url) as (url, meddling):
            meddling.by_operation["BatchGetItem"] = _keep_half_back
            slow = json.loads(janitor("token", "list", *options[:2], "--endpoint-url", url, *options[4:]).out)
            assert slow["idle"] == report["idle"]
            meddling.by_operation["BatchGetItem"] = lambda _, __: BROKEN
            broken = janitor("scan", *options[:2], "--endpoint-url", url, *options[4:])
        report = json.loads(broken.out)
        assert (broken.code, report["idle"], report["counts"]["expiring"]) == (0, None, 1)
        assert "when owners were last seen was not looked up" in report["warnings"][0]["message"]
    finally:
        client.delete_table(TableName=usage)


def _keep_half_back(request: Request, forward: Forward) -> tuple[int, Any]:
    """Answer as a busy server does: the rows of half of the keys, and the other keys."""
    status, answer = forward(request)
    [(table, wanted)] = request["RequestItems"].items()
    later = wanted["Keys"][1::2]
    users = [key["userId"]["S"] for key in later]
    kept = [item for item in answer["Responses"][table] if item["userId"]["S"] not in users]
    unread = {table: {**wanted, "Keys": later}} if later else {}
    return status, {**answer, "Responses": {table: kept}, "UnprocessedKeys": unread}


@pytest.mark.parametrize("server", ["ministack"], indirect=True)
def test_the_usage_table_is_found_by_its_parameter(server: Server, client: DynamoDBClient, new_table: NewTable) -> None:
    now = int(time.time())
    table = new_table([modern("a", now + DAY, username="ana", createdDate=now - 100 * DAY)])
    usage = usage_table(client, f"{table}-usage", {})
    ssm = boto3.client("ssm", endpoint_url=server.url)
    where = ("--table", table, "--endpoint-url", server.url)
    missing = janitor("scan", *where, "--last-seen")
    assert (missing.code, missing.out, "/prod/prod/lisa/table/usage-metrics" in missing.err) == (2, "", True)
    ssm.put_parameter(Name="/prod/prod/lisa/table/usage-metrics", Value=usage, Type="String")
    try:
        for options, env in ((["--last-seen"], {}), ([], {"JANITOR_LAST_SEEN": "1"})):
            found = json.loads(janitor("scan", *where, *options, env=env).out)
            assert [owner["username"] for owner in found["idle"]["owners"]] == ["ana"]
    finally:
        ssm.delete_parameter(Name="/prod/prod/lisa/table/usage-metrics")
        client.delete_table(TableName=usage)
    several = ("scan", "--deployment", "a", "--deployment", "b", "--endpoint-url", server.url, "--last-seen", usage)
    assert (janitor(*several).code, "is for one table" in janitor(*several).err) == (2, True)
    dump = ("scan", "--source", "-", "--dialect", "hashed", "--last-seen", usage)
    assert (janitor(*dump).code, sha256("a") in janitor(*dump).err) == (2, False)
