"""A report as an object in S3: whole or not at all, and refused at once where it cannot be written."""

import datetime as dt
import itertools
import re
import socket
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st
from mypy_boto3_s3 import S3Client

from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.errors import ConfigurationError, JanitorError, SinkError
from janitor.settings.parsers import Placeholders, expand_key
from janitor.sinks.interface import Sink
from janitor.sinks.s3_object import S3Object
from tests.servers import Microburst, microburst

BUCKET = "reports"
DATE = dt.date(2027, 1, 31)
PARTS = 12  # MiB: more than one part of a multipart upload
# What the proxy takes the upload of an object or of a part for, and an abort.
PUT, ABORT = "PutObject", "DeleteObject"
KEYS = (f"report-{number}.json" for number in itertools.count(1))


@pytest.fixture(scope="module")
def s3(ministack_url: str) -> Iterator[S3Client]:
    client = AwsSession(AwsAccess(endpoint_url=ministack_url)).s3  # the client that runs use
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()


@pytest.fixture(scope="module")
def proxy(ministack_url: str) -> Iterator[Microburst]:
    with microburst(ministack_url) as running:
        yield running


@pytest.fixture
def faulty(proxy: Microburst, s3: S3Client) -> Iterator[S3Client]:
    """A client that meets the proxy's faults, of the server that has the bucket."""
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    client: S3Client = boto3.client("s3", region_name=s3.meta.region_name, endpoint_url=proxy.url, config=once)
    yield client
    client.close()
    proxy.rules([])


def opened(client: S3Client, key: str, content_type: str = "application/json") -> Sink:
    sink = S3Object(client, BUCKET, key, content_type)
    sink.open()
    return sink


def in_bucket(s3: S3Client, key: str) -> bytes | None:
    if not s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents"):
        return None
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def pending_uploads(s3: S3Client, key: str) -> int:
    return len(s3.list_multipart_uploads(Bucket=BUCKET, Prefix=key).get("Uploads", []))


def test_twelve_megabytes_come_back_as_they_were_written_with_their_content_type(s3: S3Client) -> None:
    key = next(KEYS)
    sink = opened(s3, key, "text/html; charset=utf-8")
    blocks = [bytes([number]) * 1024 * 1024 for number in range(PARTS)]
    for block in blocks:
        sink.write(block)
    assert in_bucket(s3, key) is None
    sink.commit()
    assert in_bucket(s3, key) == b"".join(blocks)
    assert s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "text/html; charset=utf-8"
    assert pending_uploads(s3, key) == 0


def test_a_small_report_replaces_the_old_one(s3: S3Client) -> None:
    key = next(KEYS)
    for content in (b"old", b"", b"new"):
        sink = opened(s3, key)
        sink.write(content)
        sink.commit()
        assert in_bucket(s3, key) == content


def test_what_is_opened_and_discarded_leaves_the_old_object_and_nothing_pending(s3: S3Client) -> None:
    key = next(KEYS)
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"old")
    sink = opened(s3, key)
    sink.write(b"new")
    sink.discard()
    sink.discard()
    assert (in_bucket(s3, key), pending_uploads(s3, key)) == (b"old", 0)
    with pytest.raises(SinkError, match="was not opened"):
        sink.write(b"more")


def test_a_bucket_that_does_not_exist_is_refused_at_once(s3: S3Client) -> None:
    with pytest.raises(ConfigurationError, match="the bucket no-such-bucket does not exist; check its name") as failure:
        S3Object(s3, "no-such-bucket", "key", "text/csv").open()
    assert "s3:PutObject on s3://no-such-bucket/key" in failure.value.sentence


def test_a_denial_is_refused_at_once_and_names_the_permission(faulty: S3Client, proxy: Microburst) -> None:
    proxy.rules([{"service": "s3", "operation": "CreateMultipartUpload", "error": {"code": "AccessDenied"}}])
    with pytest.raises(ConfigurationError, match=r"s3:PutObject on s3://reports/denied was denied; allow s3:PutObject"):
        opened(faulty, "denied")


def test_a_denied_abort_keeps_no_report_back(faulty: S3Client, proxy: Microburst, s3: S3Client) -> None:
    key = next(KEYS)
    proxy.rules([{"service": "s3", "operation": ABORT, "error": {"code": "AccessDenied"}}])
    sink = opened(faulty, key)
    assert len(proxy.fired()) == 1
    sink.write(b"new")
    sink.commit()
    assert in_bucket(s3, key) == b"new"


@pytest.mark.parametrize("mebibytes", [1, PARTS])
def test_an_upload_that_fails_leaves_the_old_object(
    faulty: S3Client, proxy: Microburst, s3: S3Client, mebibytes: int
) -> None:
    key = next(KEYS)
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"old")
    sink = opened(faulty, key)
    sink.write(b"x" * mebibytes * 1024 * 1024)
    proxy.rules([{"service": "s3", "operation": PUT, "error": {"code": "AccessDenied"}}])
    with pytest.raises(SinkError, match=rf"s3:PutObject on s3://reports/{key} was denied"):
        sink.commit()
    sink.discard()
    assert (in_bucket(s3, key), pending_uploads(s3, key)) == (b"old", 0)


def test_an_answer_that_was_cut_short_is_a_failure_of_the_sink(faulty: S3Client, proxy: Microburst) -> None:
    cut = {"service": "s3", "operation": "CreateMultipartUpload", "response": {"truncate_bytes": 60}}
    proxy.rules([cut])
    with pytest.raises(SinkError, match="s3:PutObject on s3://reports/cut failed with 500"):
        opened(faulty, "cut")


def test_an_endpoint_that_never_answers_is_a_failure_of_the_sink() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=1, connect_timeout=1)
        client: S3Client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}", config=config)
        with pytest.raises(JanitorError, match=r"s3:PutObject on s3://reports/silent: .*timeout") as failure:
            opened(client, "silent")
        client.close()
    assert isinstance(failure.value, SinkError)


def placeholders(table: str) -> Placeholders:
    return Placeholders(table, "eu-west-1", "123456789012", DATE, "r")


def test_placeholders_of_a_key_are_filled_in() -> None:
    pattern = "janitor/{account}/{region}/{table}/{date}-{run_id}-{table}.json"
    assert expand_key(pattern, placeholders("t")) == "janitor/123456789012/eu-west-1/t/2027-01-31-r-t.json"


@given(st.text(st.characters(exclude_characters="{}")), st.text())
def test_what_is_no_placeholder_stays_and_what_is_filled_in_is_not_read_again(plain: str, table: str) -> None:
    assert expand_key(plain, placeholders(table)) == plain
    assert expand_key(f"{plain}{{table}}", placeholders(table)) == f"{plain}{table}"


@pytest.mark.parametrize("pattern", ["{user}", "{}", "{table", "table}", "{{table}}", "{ table }", "{table:>9}", "}{"])
def test_another_placeholder_or_a_stray_brace_is_refused_with_the_known_ones(pattern: str) -> None:
    with pytest.raises(ValueError, match=re.escape("{table}, {region}, {account}, {date}, {run_id}")):
        expand_key(pattern, placeholders("t"))
