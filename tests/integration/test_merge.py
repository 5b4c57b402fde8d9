"""`janitor merge`: the reports of real scans as shards of one."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from janitor.dynamodb.client import Aws, Connection
from tests.announcing import Loudspeaker, Runs, due_rows
from tests.command import janitor
from tests.fixtures import NewTable
from tests.integration.scanning import report_of, scan
from tests.servers import Server
from tests.tables import sample_rows

one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)
BUCKET = "shards"


@pytest.fixture
def scanned(server: Server, new_table: NewTable, tmp_path: Path) -> dict[str, Any]:
    """The report of a table; those of its two halves stand in `0.json` and, with lines, in `1.ndjson.gz`."""
    rows = list(sample_rows().values())
    whole = report_of(scan(server, new_table(rows, hashed=False)))
    for index in range(2):
        made = scan(server, new_table(rows[index::2], hashed=False), "--format", "ndjson").out.splitlines()
        report = json.loads(made[-1])
        report["table"] = whole["table"]
        report["run"]["shard"] = {"index": index, "count": 2}
        if index:
            lines = "\n".join([*made[:-1], json.dumps(report)])
            (tmp_path / "1.ndjson.gz").write_bytes(gzip.compress(lines.encode()))
        else:
            content = {**report, "findings": [json.loads(line) for line in made[:-1]]}
            (tmp_path / "0.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    return whole


def told(report: dict[str, Any]) -> list[str]:
    return sorted(json.dumps(finding) for finding in report["findings"])


@one_server
def test_two_halves_merged_say_what_the_whole_says(server: Server, scanned: dict[str, Any], tmp_path: Path) -> None:
    first, second = tmp_path / "0.json", tmp_path / "1.ndjson.gz"
    merged = janitor(
        "merge", "-", str(second), "--report", f"csv={tmp_path}/all.csv", "--report", f"html={tmp_path}/all.html",
        input=first.read_text(encoding="utf-8"),
    )  # fmt: skip
    assert merged.code == 0, merged.err
    report = json.loads(merged.out)
    for part in ("table", "policy", "counts", "deletion", "forecast", "locked_out", "errors", "findings_omitted"):
        assert report[part] == scanned[part], part
    assert told(report) == told(scanned)
    assert report["run"]["shard"] is None
    assert (report["run"]["command"], report["run"]["outcome"]) == ("scan", "complete")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text(encoding="utf-8"))))
    assert len(rows) == len(scanned["findings"])
    assert scanned["table"]["name"] in (tmp_path / "all.html").read_text(encoding="utf-8")

    bucket = Aws(Connection(endpoint_url=server.url)).s3
    bucket.create_bucket(Bucket=BUCKET)
    bucket.put_object(Bucket=BUCKET, Key="1.gz", Body=second.read_bytes())
    fewer = ("--max-findings", "5", "--format", "ndjson", "--report", f"json=s3://{BUCKET}/{{table}}.json")
    merged = janitor(
        "merge", str(first), f"s3://{BUCKET}/1.gz", *fewer, "--fail-on", "stale", "--endpoint-url", server.url
    )
    assert merged.code == 3, merged.err
    lines = [json.loads(line) for line in merged.out.splitlines()]
    assert [finding["seconds_to_expiry"] for finding in lines[:-1]] == [
        finding["seconds_to_expiry"] for finding in scanned["findings"][:5]
    ]
    assert lines[-1]["findings_omitted"] == len(scanned["findings"]) - 5
    kept = bucket.get_object(Bucket=BUCKET, Key=f"{scanned['table']['name']}.json")["Body"].read()
    assert json.loads(kept)["counts"] == scanned["counts"]


@one_server
def test_a_missing_shard_is_named_and_a_file_that_is_none_too(
    server: Server,  # noqa: ARG001  # of the reports
    scanned: dict[str, Any],
    tmp_path: Path,
) -> None:
    first, place = str(tmp_path / "0.json"), tmp_path / "all.csv"
    alone = janitor("merge", first, "--report", f"csv={place}", "--fail-on", "stale")
    report = json.loads(alone.out)
    assert (alone.code, report["run"]["outcome"], report["errors"][0]["code"]) == (1, "failed", "missing-shard")
    assert "janitor: shard 1 of 2 never came: " in alone.err
    assert not place.exists()  # a format that cannot say that a part is missing
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps(scanned), encoding="utf-8")
    for files, sentence in (
        ((), "Missing argument"),
        ((first, first), "are one file"),
        ((first, str(whole)), f"{whole} is not of a shard"),
        ((first, str(tmp_path / "none.json")), "none.json cannot be read: No such file or directory; check the path"),
        ((first, str(tmp_path)), "cannot be read: Is a directory"),
        ((first, __file__), "is no report"),
    ):
        refused = janitor("merge", *files, "--report", f"csv={place}")
        assert (refused.code, refused.out) == (2, "")
        assert sentence in refused.err
        assert "Traceback" not in refused.err
        assert not place.exists()


def test_the_digest_of_the_whole_is_published_once(
    runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path
) -> None:
    queue = topic.queue("merged")
    nightly = runs(*due_rows(20, 5, -1))
    report = json.loads(janitor("scan", "--table", nightly.table, "--endpoint-url", nightly.url).out)
    report["run"]["shard"] = {"index": 0, "count": 1}
    (tmp_path / "0.json").write_text(json.dumps(report), encoding="utf-8")
    told = ("--sns-topic-arn", topic.arn, "--state-url", nightly.state, "--endpoint-url", nightly.url)
    merged = janitor("merge", str(tmp_path / "0.json"), *told)
    assert merged.code == 0, merged.err
    said = json.loads(merged.out)
    assert said["notices"] == {
        "due": 3, "sent": 3, "failed": 0, "left": 0, "long_expired": 0, "digests": 1, "state": nightly.state,
    }  # fmt: skip
    assert said["changes"] is None
    [digest] = queue.bodies()
    assert {notice["fingerprint"] for notice in digest["notices"]} == {row["fingerprint"] for row in report["findings"]}
    again = janitor("merge", str(tmp_path / "0.json"), *told)
    assert (json.loads(again.out)["notices"]["due"], queue.take()) == (0, [])
    assert (nightly.run().notices["due"], queue.take()) == (0, [])
    cut = janitor("merge", str(tmp_path / "0.json"), *told, "--max-findings", "1")
    [remark] = json.loads(cut.out)["warnings"]
    assert (remark["code"], remark["message"][:10]) == ("not-listed", "2 findings")


def test_of_a_dry_run_s_reports_nobody_is_told(runs: Callable[..., Runs], topic: Loudspeaker, tmp_path: Path) -> None:
    queue = topic.queue("merged-dry")
    nightly = runs(*due_rows(20, 5, -1))
    report = json.loads(janitor("sweep", "--table", nightly.table, "--endpoint-url", nightly.url).out)
    report["run"]["shard"] = {"index": 0, "count": 1}
    (tmp_path / "0.json").write_text(json.dumps(report), encoding="utf-8")
    told = ("--sns-topic-arn", topic.arn, "--state-url", nightly.state, "--endpoint-url", nightly.url)
    merged = janitor("merge", str(tmp_path / "0.json"), *told)
    said = json.loads(merged.out)
    assert (merged.code, said["notices"]["due"], said["notices"]["sent"], queue.take()) == (0, 3, 0, []), merged.err
    assert "would get a digest, with 3 notices" in said["warnings"][-1]["message"]
    assert nightly.run().notices["sent"] == 3
