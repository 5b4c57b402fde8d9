"""An export in S3: found without a listing, read on where a stream breaks off, each error with its permission."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from mypy_boto3_s3 import S3Client

from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.errors import AwsError, ConfigurationError, SourceError
from janitor.export.places import S3Place
from janitor.export.source import open_source
from janitor.stopping import Stop
from tests.command import janitor
from tests.exports import BUCKET, FOLDER, dump, export_files
from tests.tables import SAMPLE_NOW, modern

ROWS = [modern(f"key-{number}", SAMPLE_NOW + number) for number in range(100)]
CONTENT = bytes(range(256)) * 20_000


@pytest.fixture(scope="module")
def s3(ministack_url: str) -> Iterator[S3Client]:
    """The client that runs use, and a bucket with an export."""
    client = AwsSession(AwsAccess(endpoint_url=ministack_url, region="us-east-1")).s3
    client.create_bucket(Bucket=BUCKET)
    for name, content in export_files(ROWS).items():
        client.put_object(Bucket=BUCKET, Key=f"{FOLDER}/{name}", Body=content)
    client.put_object(Bucket=BUCKET, Key="dump.json", Body=dump(ROWS))
    yield client
    client.close()


class Breaking(BaseHTTPRequestHandler):
    """Serves one object as S3 does, and breaks each answer off after a third of it, or as often as it is told to."""

    protocol_version = "HTTP/1.1"
    etags: Iterator[str]
    asked: list[tuple[str | None, str | None]]
    bytes_an_answer: int
    reads_ranges: bool

    def do_GET(self) -> None:
        asked, etag = self.headers["Range"], next(self.etags)
        self.asked.append((asked, self.headers["If-Match"]))
        if self.headers["If-Match"] not in (None, etag):
            self.send_response(412)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.reads_ranges else 0
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body[: self.bytes_an_answer])
        self.close_connection = len(body) > self.bytes_an_answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def breaking() -> Iterator[S3Place]:
    Breaking.asked = []
    Breaking.etags = iter(lambda: '"one"', None)
    Breaking.bytes_an_answer = len(CONTENT) // 3 + 1
    Breaking.reads_ranges = True
    with ThreadingHTTPServer(("127.0.0.1", 0), Breaking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        client = AwsSession(AwsAccess(endpoint_url=url, region="us-east-1")).s3
        yield S3Place(client, "bucket", "key")
        client.close()
        server.shutdown()


def test_a_stream_that_breaks_off_is_read_on_where_it_did(breaking: S3Place) -> None:
    assert b"".join(breaking.chunks()) == CONTENT
    assert [match for _, match in Breaking.asked] == [None, '"one"', '"one"']
    assert len({ranges for ranges, _ in Breaking.asked}) == 3


def test_a_server_that_begins_anew_after_a_break_doubles_no_row(breaking: S3Place) -> None:
    Breaking.reads_ranges = False
    with pytest.raises(
        SourceError, match=r"key: the server does not go on at byte \d.* copy the file to this machine first"
    ):
        list(breaking.chunks())
    assert len(Breaking.asked) == 2


def test_an_object_that_was_replaced_meanwhile_is_an_error(breaking: S3Place) -> None:
    Breaking.etags = iter(['"one"', '"two"'])
    with pytest.raises(SourceError, match="s3://bucket/key was changed while it was read"):
        list(breaking.chunks())


def test_a_stream_without_an_end_to_its_breaks_is_an_error(breaking: S3Place) -> None:
    Breaking.bytes_an_answer = 0
    with pytest.raises(AwsError, match="s3:GetObject on s3://bucket/key"):
        list(breaking.chunks())
    assert len(Breaking.asked) == 6


@pytest.mark.parametrize("key", [f"{FOLDER}/", FOLDER, f"{FOLDER}/manifest-summary.json", "dump.json"])
def test_an_export_or_a_dump_is_found_without_a_listing(s3: S3Client, key: str) -> None:
    source = open_source(S3Place(s3, BUCKET, key))
    assert sum(page.count for page in source.pages(Stop())) == len(ROWS)


@pytest.mark.parametrize(
    ("bucket", "key", "words"),
    [
        (BUCKET, "nothing", f"s3://{BUCKET}/nothing does not exist"),
        (BUCKET, "nothing/", f"s3://{BUCKET}/nothing/manifest-summary.json does not exist"),
        ("no-such-bucket", "key", "s3://no-such-bucket/key does not exist"),
        (BUCKET, f"{FOLDER}/data/part0000.json.gz", "is one part of an export"),
    ],
)
def test_what_is_not_there_is_said(s3: S3Client, bucket: str, key: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        open_source(S3Place(s3, bucket, key))


@pytest.mark.usefixtures("s3")
def test_credentials_are_asked_for_once_for_the_source_and_all_reports(ministack_url: str, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    program = tmp_path / "program"
    program.write_text(
        f"""#!/bin/sh\necho once >>{asked}\n"""
        """echo '{"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "test"}'\n"""
    )
    program.chmod(0o700)
    (tmp_path / "config").write_text(f"[profile asking]\ncredential_process = {program}\n")
    where = ("--source", f"s3://{BUCKET}/dump.json", "--endpoint-url", ministack_url, "--dialect", "hashed")
    reports = (f"--report=json=s3://{BUCKET}/a.json", f"--report=csv=s3://{BUCKET}/b.csv")
    environment = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ACCESS_KEY_ID": None,
        "AWS_SECRET_ACCESS_KEY": None,
    }
    finished = janitor("scan", *where, *reports, "--profile", "asking", env=environment)
    assert finished.code == 0, finished.err
    assert asked.read_text() == "once\n"


def test_a_part_that_is_missing_ends_the_scan_of_an_export(s3: S3Client, ministack_url: str) -> None:
    copy = "copy/AWSDynamoDB/1"
    for name, content in export_files(ROWS).items():
        if not name.endswith("part0002.json.gz"):
            s3.put_object(Bucket=BUCKET, Key=f"{copy}/{name}", Body=content)
    where = ("--source", f"s3://{BUCKET}/{copy}", "--endpoint-url", ministack_url, "--dialect", "hashed")
    finished = janitor("scan", *where, "--report", f"json=s3://{BUCKET}/report.json")
    report = json.loads(finished.out)
    assert (finished.code, report["run"]["outcome"], report["counts"]["scanned"]) == (1, "failed", 67)
    assert "part0002.json.gz does not exist" in report["errors"][0]["message"]
    assert s3.get_object(Bucket=BUCKET, Key="report.json")["Body"].read() == finished.out.encode()
