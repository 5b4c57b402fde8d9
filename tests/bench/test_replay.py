"""The replay server is faithful: what is measured against it could have come from DynamoDB."""

import signal
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.bench.peers import paginator, policy
from tests.bench.processes import replay_server
from tests.bench.rows import ROWS_PER_PAGE, counts_in, findings_in

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGES = 3
NOW_AND_THEN = 3_600  # seconds by which the clock may have gone on since the server started


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with replay_server(PAGES, "--unique") as endpoint:
        yield endpoint


@pytest.fixture
def client(url: str) -> "Iterator[DynamoDBClient]":
    with client_of(url) as connected:
        yield connected


@contextmanager
def client_of(url: str) -> "Iterator[DynamoDBClient]":
    # In legacy mode botocore raises ChecksumError when a page does not have the checksum that its header claims.
    config = Config(retries={"mode": "legacy", "total_max_attempts": 1})
    with closing(boto3.client("dynamodb", region_name="us-east-1", endpoint_url=url, config=config)) as connected:
        yield connected


def keys_of_segment(client: "DynamoDBClient", segment: int, segments: int) -> list[str]:
    pages = client.get_paginator("scan").paginate(TableName="bench", Segment=segment, TotalSegments=segments)
    return [item["token"]["S"] for page in pages for item in page["Items"]]


def test_a_paginator_reads_every_page_and_finds_the_states_that_were_made(client: "DynamoDBClient") -> None:
    pages = list(client.get_paginator("scan").paginate(TableName="bench", ReturnConsumedCapacity="TOTAL"))
    now = int(pages[0]["Items"][0]["createdDate"]["N"]) + (90 + 8) * policy.DAY
    states = Counter(paginator.state(item, now + NOW_AND_THEN) for page in pages for item in page["Items"])
    assert [page["ScannedCount"] for page in pages] == [ROWS_PER_PAGE] * PAGES
    assert [page["ConsumedCapacity"]["CapacityUnits"] for page in pages] == [128.0] * PAGES
    assert states == counts_in(PAGES)


def test_every_body_has_the_checksum_and_the_length_of_its_headers(client: "DynamoDBClient") -> None:
    claims: list[tuple[bool, bool]] = []

    def compare(response_dict: dict[str, Any], **_: object) -> None:
        headers, body = response_dict["headers"], response_dict["body"]
        claims.append((int(headers["x-amz-crc32"]) == zlib.crc32(body), int(headers["content-length"]) == len(body)))

    client.meta.events.register("before-parse.dynamodb", compare)
    client.describe_table(TableName="bench")
    for _ in client.get_paginator("scan").paginate(TableName="bench"):
        pass
    assert claims == [(True, True)] * (1 + PAGES)


def test_botocore_refuses_a_page_that_was_changed_on_its_way(client: "DynamoDBClient") -> None:
    def spoil(response: Any, **_: object) -> None:
        response[0].headers["x-amz-crc32"] = "1"

    client.meta.events.register_first("needs-retry.dynamodb.Scan", lambda **event: spoil(event["response"]))
    with pytest.raises(Exception, match="Checksum"):
        client.scan(TableName="bench")


@pytest.mark.parametrize("segments", [1, 2, PAGES + 1])
def test_segments_are_disjoint_and_complete(client: "DynamoDBClient", segments: int) -> None:
    parts = [keys_of_segment(client, segment, segments) for segment in range(segments)]
    # Only numbers are compared, so that a failure shows no key.
    assert sum(map(len, parts)) == PAGES * ROWS_PER_PAGE
    assert len(set().union(*parts)) == PAGES * ROWS_PER_PAGE


def test_a_key_of_another_segment_is_refused(client: "DynamoDBClient") -> None:
    last = client.scan(TableName="bench", Segment=0, TotalSegments=2)["LastEvaluatedKey"]
    with pytest.raises(ClientError, match="outside this segment"):
        client.scan(TableName="bench", Segment=1, TotalSegments=2, ExclusiveStartKey=last)


def test_a_limit_is_refused_as_pages_are_ready_made(client: "DynamoDBClient") -> None:
    with pytest.raises(ClientError, match="without Limit"):
        client.scan(TableName="bench", Limit=1)


def test_a_filtering_server_sends_findings_only_when_asked_to() -> None:
    with replay_server(1, "--filtered") as url, client_of(url) as client:
        asked = client.scan(TableName="bench", FilterExpression=policy.FILTER)
        unasked = client.scan(TableName="bench")
    assert (asked["Count"], len(asked["Items"]), asked["ScannedCount"]) == (
        findings_in(1),
        findings_in(1),
        ROWS_PER_PAGE,
    )
    assert (unasked["Count"], len(unasked["Items"]), unasked["ScannedCount"]) == (ROWS_PER_PAGE,) * 3


def test_the_table_is_described_as_a_hashed_one(client: "DynamoDBClient") -> None:
    table = client.describe_table(TableName="bench")["Table"]
    assert table["KeySchema"] == [{"AttributeName": "token", "KeyType": "HASH"}]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["username-index"]
    assert table["ItemCount"] == PAGES * ROWS_PER_PAGE


def test_sigterm_ends_the_server() -> None:
    command = [sys.executable, "-m", "tests.bench.replay", "--pages", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout
        assert int(server.stdout.readline()) > 0
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0


def test_rows_that_are_only_sizes_are_read_by_limits_and_cost_what_they_weigh() -> None:
    with replay_server(1, "--row-bytes", "100", "9000", "--rows", "5000") as url, client_of(url) as client:
        table = client.describe_table(TableName="bench")["Table"]
        answers = [answer for segment in range(3) for answer in sized_pages(client, segment, 3, Limit=7)]
        whole = sized_pages(client, 0, 1)
    assert table["ItemCount"] == sum(answer["ScannedCount"] for answer in answers) == 5_000
    assert sum(answer["ScannedCount"] for answer in whole) == 5_000
    units = sum(answer["ConsumedCapacity"]["CapacityUnits"] for answer in whole)
    assert 0 <= units - table["TableSizeBytes"] / 8192 <= len(whole) / 2
    # A page is as full as it can be: 1 MB, but for the row that was too much.
    assert all(126 <= answer["ConsumedCapacity"]["CapacityUnits"] <= 128 for answer in whole[:-1])
    assert max(answer["ScannedCount"] for answer in answers) == 7


def sized_pages(client: "DynamoDBClient", segment: int, segments: int, **options: Any) -> list[Any]:
    asked: Any = {"FilterExpression": policy.FILTER, "ReturnConsumedCapacity": "TOTAL", **options}
    pages: list[Any] = []
    after: Any = {}
    while True:
        page = client.scan(TableName="bench", Segment=segment, TotalSegments=segments, **asked, **after)
        pages.append(page)
        if "LastEvaluatedKey" not in page:
            return pages
        after = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
