"""What we build on, asked of the servers themselves: where they differ from DynamoDB, it is said here."""

import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef, ScanOutputTypeDef

from tests.fixtures import NewTable
from tests.servers import Microburst, Server, microburst
from tests.tables import SAMPLE_NOW, Item, legacy, modern, sample_rows, token

PAGE_BYTES = 1024 * 1024
PADDED_ROW_BYTES = 1040  # as DynamoDB counts: the names and the values, a number at half a byte a digit
DAY = 86_400
PLAINLY_ACTIVE = {"active", "modern-active"}
ALL_BUT_PLAINLY_ACTIVE: Any = {
    "FilterExpression": ("attribute_not_exists(#e) OR NOT attribute_type(#e, :number) OR #e < :horizon OR #e > :max"),
    "ExpressionAttributeNames": {"#e": "tokenExpiration"},
    "ExpressionAttributeValues": {
        ":number": {"S": "N"},
        ":horizon": {"N": str(SAMPLE_NOW + 30 * DAY)},
        ":max": {"N": "99999999999"},
    },
}


def pages(client: DynamoDBClient, **scan: Any) -> Iterator[ScanOutputTypeDef]:
    """Yield the pages of a scan until one has no LastEvaluatedKey; more than a hundred are too many for a test."""
    request: ScanInputTypeDef = {**scan}  # type: ignore[typeddict-item]
    for _ in range(100):
        page = client.scan(**request)
        yield page
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    pytest.fail("the scan did not end")


def padded(rows: int) -> Iterator[Item]:
    return (token(f"padded-{number}", SAMPLE_NOW, pad="x" * 1000) for number in range(rows))


def is_now(date: str) -> bool:
    """Whether a Date header is within a minute of this machine's clock."""
    return abs(parsedate_to_datetime(date).timestamp() - time.time()) < 60


@pytest.fixture(scope="session")
def faults(server: Server) -> Iterator[Microburst]:
    """A fault-injecting proxy before `server`."""
    with microburst(server.url) as proxy:
        yield proxy


@contextmanager
def client_of(url: str) -> Iterator[DynamoDBClient]:
    """Give a client of one test's own, which asks once and never again."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=10)
    with closing(boto3.client("dynamodb", endpoint_url=url, config=config)) as client:
        yield client


def test_the_filter_leaves_out_none_but_plainly_active_rows(client: DynamoDBClient, new_table: NewTable) -> None:
    rows = sample_rows()
    labels = {row["token"]["S"]: label for label, row in rows.items()}
    table = new_table(rows.values(), hashed=False)

    [page] = pages(client, TableName=table, **ALL_BUT_PLAINLY_ACTIVE)

    returned = {labels[item["token"]["S"]] for item in page["Items"]}
    assert returned == rows.keys() - PLAINLY_ACTIVE
    assert page["ScannedCount"] == len(rows)


def test_rows_come_back_as_they_were_written(client: DynamoDBClient, new_table: NewTable) -> None:
    labels = ["string-iso", "null", "bool", "list", "map", "number-set", "modern-active", "name-terminal-escape"]
    rows = {label: sample_rows()[label] for label in labels}
    table = new_table(rows.values(), hashed=False)
    for label, row in rows.items():
        came_back = client.get_item(TableName=table, Key={"token": row["token"]})["Item"] == row
        assert came_back, label


def test_a_binary_comes_back_as_its_bytes(client: DynamoDBClient, new_table: NewTable) -> None:
    binary = sample_rows()["binary"]
    table = new_table([binary], hashed=False)
    row = client.get_item(TableName=table, Key={"token": binary["token"]})["Item"]
    assert row["tokenExpiration"] == {"B": b"1700000000"}


def test_a_hashed_table_finds_rows_by_their_owner(client: DynamoDBClient, new_table: NewTable) -> None:
    rows = [modern("one", SAMPLE_NOW, username="ana"), modern("two", SAMPLE_NOW), legacy("three")]
    found = client.query(
        TableName=new_table(rows, hashed=True),
        IndexName="username-index",
        KeyConditionExpression="username = :ana",
        ExpressionAttributeValues={":ana": {"S": "ana"}},
    )
    assert [row["tokenUUID"] for row in found["Items"]] == [rows[0]["tokenUUID"]]


def test_a_classic_table_has_no_index(client: DynamoDBClient, new_table: NewTable) -> None:
    described = client.describe_table(TableName=new_table(hashed=False))["Table"]
    assert "GlobalSecondaryIndexes" not in described
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_an_index_refuses_a_user_name_that_is_not_text(new_table: NewTable) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        new_table([sample_rows()["name-wrong-type"]], hashed=True)


def test_a_page_stops_at_one_megabyte_read(client: DynamoDBClient, new_table: NewTable) -> None:
    table = new_table(padded(2100))
    counts = [page["ScannedCount"] for page in pages(client, TableName=table)]
    assert sum(counts) == 2100
    assert len(counts) == 3
    assert all(0.99 * PAGE_BYTES < count * PADDED_ROW_BYTES < 1.01 * PAGE_BYTES for count in counts[:-1])


def test_a_filter_changes_what_a_page_returns_but_not_what_it_reads(
    client: DynamoDBClient, new_table: NewTable
) -> None:
    table = new_table(padded(2100))
    nothing = {"FilterExpression": "attribute_exists(nowhere)"}
    filtered = list(pages(client, TableName=table, **nothing))
    assert [page["Count"] for page in filtered] == [0, 0, 0]
    assert [page["ScannedCount"] for page in filtered] == [
        page["ScannedCount"] for page in pages(client, TableName=table)
    ]


def test_segments_are_complete_and_disjoint(client: DynamoDBClient, new_table: NewTable) -> None:
    table = new_table(token(f"row-{number}") for number in range(200))
    keys = [
        item["token"]["S"]
        for segment in range(4)
        for page in pages(client, TableName=table, Segment=segment, TotalSegments=4)
        for item in page["Items"]
    ]
    assert (len(keys), len(set(keys))) == (200, 200)


def test_read_units_are_right_on_dynamodb_local_only(
    client: DynamoDBClient, new_table: NewTable, server: Server
) -> None:
    page = next(pages(client, TableName=new_table(padded(2100)), ReturnConsumedCapacity="TOTAL"))
    expected = {"dynamodb-local": pytest.approx(128, abs=1), "ministack": 0.5}
    assert page["ConsumedCapacity"]["CapacityUnits"] == expected[server.name]


def test_an_answer_has_its_checksum_and_the_date(server: Server, new_table: NewTable) -> None:
    table = new_table([token("one")])
    with client_of(server.url) as client:
        answers: list[dict[str, Any]] = []
        client.meta.events.register(
            "before-parse.dynamodb.Scan", lambda response_dict, **_: answers.append(response_dict)
        )
        client.scan(TableName=table)
    [answer] = answers
    assert int(answer["headers"]["x-amz-crc32"]) == zlib.crc32(answer["body"])
    assert is_now(answer["headers"]["date"])


def test_an_error_has_the_date_and_no_checksum_on_dynamodb_local(client: DynamoDBClient, server: Server) -> None:
    with pytest.raises(ClientError) as refused:
        client.scan(TableName="no-such-table")
    headers = refused.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert is_now(headers["date"])
    assert ("x-amz-crc32" in headers) == (server.name == "ministack")


def test_the_proxy_hands_on_what_no_rule_is_for(faults: Microburst, new_table: NewTable) -> None:
    faults.rules([])
    table = new_table([token("one")])
    with client_of(faults.url) as client:
        assert client.scan(TableName=table)["Count"] == 1
    assert faults.fired() == []


def test_the_proxy_throttles_as_often_as_it_is_told(faults: Microburst, new_table: NewTable) -> None:
    table = new_table([token("one")])
    faults.rules([{"operation": "Scan", "times": 2, "error": {"code": "ProvisionedThroughputExceededException"}}])
    with client_of(faults.url) as client:
        for _ in range(2):
            with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
                client.scan(TableName=table)
        assert client.scan(TableName=table)["Count"] == 1
    assert [event["operation"] for event in faults.fired()] == ["Scan", "Scan"]


def test_new_rules_replace_the_old_ones_and_what_they_did(faults: Microburst, new_table: NewTable) -> None:
    table = new_table([token("one")])
    with client_of(faults.url) as client:
        faults.rules([{"operation": "Scan", "error": {"code": "AccessDeniedException"}}])
        with pytest.raises(ClientError, match="AccessDeniedException"):
            client.scan(TableName=table)
        faults.rules([{"operation": "Scan", "response": {"set_headers": {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}}}])
        headers = client.scan(TableName=table)["ResponseMetadata"]["HTTPHeaders"]
    assert headers["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert len(faults.fired()) == 1


def test_a_rule_that_the_proxy_would_ignore_is_refused(faults: Microburst) -> None:
    with pytest.raises(ValueError, match="does not know trottle"):
        faults.rules([{"operation": "Scan", "trottle": True}])
