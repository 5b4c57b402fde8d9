"""`--source`: the same report as the table's own without touching it, and a plan that `janitor apply` carries out."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor, started
from tests.exports import ACCOUNT, REGION, dump, export_files, written
from tests.fixtures import NewTable
from tests.integration.scanning import report_of, scan
from tests.integration.test_scan import hashed_samples
from tests.servers import Server
from tests.sweeping import DAY, key_of, keys_in, living_rows, stale_rows
from tests.tables import SAMPLE_NOW, Item, modern, sample_rows

# Nothing of AWS: neither credentials nor a region.
OFFLINE = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_REGION": None}
STALE, LIVING = 12, 30
# What the table's own report says, and a source cannot.
OF_THE_TABLE = (
    *("run", "tables", "capacity", "clock", "locked_out", "lockouts", "locked_out_unchecked", "warnings"),
    "next_steps",
)

only_on_dynamodb_local = pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)


def read(source: Path | str, *options: str, command: str = "scan", **arguments: Any) -> Finished:
    return janitor(command, "--source", str(source), *options, **{"env": OFFLINE, **arguments})


def rows_in(client: DynamoDBClient, table: str) -> list[Item]:
    """Every row as DynamoDB has it; `boto3` gives binaries as bytes, which the CLI writes in base64."""
    rows: list[Any] = client.scan(TableName=table)["Items"]
    return json.loads(json.dumps(rows, default=lambda value: value.decode("latin-1")))  # type: ignore[no-any-return]


def said(report: dict[str, Any]) -> dict[str, Any]:
    findings = sorted(report["findings"], key=json.dumps)
    return {key: value for key, value in report.items() if key not in OF_THE_TABLE} | {"findings": findings}


@only_on_dynamodb_local
@pytest.mark.parametrize("hashed", [True, False])
def test_an_export_and_a_dump_are_reported_as_the_table_is(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, hashed: bool
) -> None:
    extra = [modern(f"more-{number}", SAMPLE_NOW + (number - 20) * DAY) for number in range(200)]
    table = new_table([*(hashed_samples() if hashed else sample_rows().values()), *extra], hashed=hashed)
    of_table = report_of(scan(server, table))
    rows = rows_in(client, table)
    options = ("--dialect", "hashed" if hashed else "classic", "--as-of", str(SAMPLE_NOW))

    of_export = report_of(read(written(export_files(rows, table=table), tmp_path), *options))
    assert said(of_export) == said(of_table)
    assert of_export["locked_out"] == of_table["locked_out"]
    assert len(of_table["locked_out"]) >= 13 * hashed
    [place] = of_export["tables"]
    assert [place[key] for key in ("name", "region", "account_id", "endpoint", "source")] == [
        table, REGION, ACCOUNT, None, str(tmp_path),
    ]  # fmt: skip
    assert of_export["capacity"]["read_units"] == of_export["capacity"]["requests"] == 0
    assert (of_export["clock"]["skew_seconds"], of_table["tables"][0]["source"]) == (None, None)
    pictures = [each["message"] for each in of_export["warnings"] if each["where"] == "source"]
    assert ["made 2027-01-14 07:28 UTC (" in message for message in pictures] == [True]

    of_dump = report_of(read("-", *options, "--table", "X", input=dump(rows).decode()))
    assert said(of_dump) == said(of_table)
    [place] = of_dump["tables"]
    assert (place["name"], place["region"], place["source"]) == ("X", None, "-")


@only_on_dynamodb_local
def test_a_plan_of_a_dump_is_carried_out_on_the_table(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale, living = stale_rows(STALE), living_rows(LIVING)
    table = new_table([*stale, *living])
    picture = tmp_path / "dump.json"
    picture.write_bytes(dump(rows_in(client, table)))
    plan = tmp_path / "plan.ndjson"
    options = ("--dialect", "hashed", "--plan", str(plan))
    nameless = read(picture, *options, command="sweep")
    assert (nameless.code, plan.exists()) == (2, False)
    assert "give --table NAME and --region NAME" in nameless.err

    planned = read(picture, *options, "--table", table, "--region", "us-east-1", command="sweep")
    report = json.loads(planned.out)
    assert (planned.code, report["deletion"]["planned"], report["deletion"]["enabled"]) == (0, STALE, False)
    assert not [warning for warning in report["warnings"] if warning["where"] == "guard"]
    assert json.loads(plan.read_bytes().splitlines()[-1])["scanned"] == STALE + LIVING

    client.put_item(TableName=table, Item=stale[0] | {"tokenExpiration": {"N": str(int(time.time()) + DAY)}})
    applied = janitor("apply", str(plan), "--yes", "--endpoint-url", server.url, "--archive", str(tmp_path / "archive"))
    deletion = json.loads(applied.out)["deletion"]
    assert (applied.code, deletion["deleted"], deletion["changed"]) == (0, STALE - 1, 1)
    assert keys_in(client, table) == {key_of(row) for row in [stale[0], *living]}


@only_on_dynamodb_local
def test_the_plan_of_an_export_is_of_the_account_that_it_names(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    rows = [*stale_rows(STALE), *living_rows(LIVING)]
    table, plan = new_table(rows), tmp_path / "plan.ndjson"
    folder = written(export_files(rows, table=table), tmp_path / "export")
    planned = read(folder, "--dialect", "hashed", "--plan", str(plan), "--format", "html", command="sweep")
    assert planned.code == 0, planned.err
    assert f"from {folder}" in planned.out
    refused = janitor("apply", str(plan), "--yes", "--endpoint-url", server.url, "--region", REGION, "--no-archive")
    assert refused.code == 2
    assert f"holds rows of the account {ACCOUNT}, and this run would use" in refused.err


def test_a_plan_of_a_picture_that_was_cut_off_says_that_it_is_not_complete(tmp_path: Path) -> None:
    picture, plan = tmp_path / "dump.json", tmp_path / "plan.ndjson"
    picture.write_bytes(dump(stale_rows(STALE))[:-60])
    options = ("--dialect", "hashed", "--plan", str(plan), "--table", "X", "--region", "us-east-1")
    broken = read(picture, *options, command="sweep")
    report = json.loads(broken.out)
    assert (broken.code, report["run"]["outcome"], report["errors"][0]["where"]) == (1, "failed", "scan")
    assert f"{picture} is truncated" in report["errors"][0]["message"]
    assert '"complete":false' in plan.read_text().splitlines()[-1]


def test_a_pipe_is_read_once_and_a_signal_ends_the_wait_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    options = ("scan", "--source", str(pipe), "--dialect", "hashed", "--format", "json")
    content = dump([*stale_rows(STALE), *living_rows(LIVING)])
    with started(*options, env=OFFLINE) as process:
        pipe.write_bytes(content)
        report = json.loads(process.communicate(timeout=30)[0])
    assert (process.returncode, report["counts"]["scanned"]) == (0, STALE + LIVING)
    assert (report["locked_out"], report["locked_out_unchecked"] > 0) == ([], True)
    with started(*options, env=OFFLINE) as process, pipe.open("wb", buffering=0) as writer:
        writer.write(content * 100)
        process.terminate()
        report = json.loads(process.communicate(timeout=30)[0])
    assert (process.returncode, report["run"]["outcome"]) == (143, "interrupted")
