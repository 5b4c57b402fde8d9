"""The files of a sweep: plans and archives, where they go and what they hold."""

import gzip
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import DAY, LONG_AGO, key_of, keys_in, living_rows, run, stale_rows
from tests.tables import modern

EVERYTHING_ALLOWED = ("--max-deletes", "100000", "--max-delete-percent", "100", "--max-clock-skew", "1d")


def lines_of(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    return [json.loads(line) for line in (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()]


def test_the_rows_are_archived_by_default_and_only_the_owner_can_read_that(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale, living = stale_rows(5), living_rows(30)
    table = new_table([*stale, *living])
    finished = run(server, table, "--delete", "--yes", env={"XDG_STATE_HOME": str(tmp_path)})
    deletion = json.loads(finished.out)["deletion"]
    archive = Path(deletion["archive"])
    assert (finished.code, deletion["deleted"]) == (0, 5)
    assert keys_in(client, table) == {key_of(row) for row in living}
    assert archive.is_relative_to(tmp_path / "janitor" / "archive")
    assert (archive.stat().st_mode & 0o777, archive.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    header, *lines, closing = lines_of(archive)
    assert (header["schema"], header["table"]["name"]) == ("janitor.plan/v1", table)
    assert {key_of(line["item"]) for line in lines if "item" in line} == {key_of(row) for row in stale}
    assert [line["outcome"] for line in lines if "outcome" in line] == ["deleted"] * 5
    assert closing["rows"] == 5


@pytest.mark.parametrize("name", ["plan.ndjson", "plan.ndjson.gz"])
def test_a_plan_holds_each_row_exactly_and_ends_with_its_sum(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, name: str
) -> None:
    odd = modern(
        "odd",
        int(time.time()) - LONG_AGO,
        note={"M": {"n": {"N": "1.0000000000000000000000000000000000001E-100"}, "b": {"B": "AAH/"}}},
    )
    table = new_table([odd, *stale_rows(3), *living_rows(30)])
    path = tmp_path / name
    finished = run(server, table, "--plan", str(path), "--grace", "30d", "--protect-user", "nobody*")
    header, *rows, closing = lines_of(path)
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    assert json.loads(finished.out)["deletion"]["plan"] == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (header["policy"]["grace_seconds"], header["policy"]["protect_users"]) == (30 * DAY, ["nobody*"])
    assert closing["sha256"] == hashlib.sha256(b"".join(content.splitlines(keepends=True)[:-1])).hexdigest()
    assert (closing["rows"], closing["scanned"], closing["complete"]) == (4, 34, True)
    assert [row["row"] for row in rows] == [0, 1, 2, 3]
    held = next(row["item"] for row in rows if row["item"]["token"] == odd["token"])
    as_read = client.get_item(TableName=table, Key={"token": odd["token"]})["Item"]["note"]["M"]
    assert held["note"]["M"] == {"n": as_read["n"], "b": {"B": "AAH/"}}


def test_a_plan_or_an_archive_is_never_overwritten(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    before = keys_in(client, table)
    there = tmp_path / "there.ndjson"
    there.write_text("precious")
    plan = run(server, table, "--delete", "--yes", "--no-archive", "--plan", str(there))
    archive = run(server, table, "--delete", "--yes", "--archive", str(there))
    assert (plan.code, archive.code) == (2, 4)
    assert f"{there} exists already" in plan.err
    assert f"{there} exists already" in archive.err
    assert there.read_text() == "precious"
    assert keys_in(client, table) == before


def test_an_archive_in_a_folder_that_is_not_there_yet_makes_it(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    for count in (1, 2):
        table = new_table([*stale_rows(5), *living_rows(30)])
        finished = run(server, table, "--delete", "--yes", "--archive", f"{tmp_path}/new/folder/")
        assert finished.code == 0, finished.err
        assert len(list((tmp_path / "new" / "folder").iterdir())) == count


def test_an_archive_whose_path_cannot_be_is_a_guard(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    before = keys_in(client, table)
    for path in (tmp_path / ("x" * 300), tmp_path / ("x" * 300) / "archive"):
        finished = run(server, table, "--delete", "--yes", "--archive", str(path))
        assert (finished.code, json.loads(finished.out)["run"]["outcome"]) == (4, "refused")
        assert "bug" not in finished.err
    assert keys_in(client, table) == before


def test_an_archive_in_a_folder_gets_a_name_of_its_own(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    finished = run(server, table, "--delete", "--yes", "--archive", str(tmp_path))
    archive = Path(json.loads(finished.out)["deletion"]["archive"])
    assert (archive.parent, archive.name.startswith(f"{table}-")) == (tmp_path, True)


def test_no_archive_keeps_nothing(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(5), *living_rows(30)])
    finished = run(
        server,
        table,
        "--delete",
        "--yes",
        "--no-archive",
        env={"XDG_STATE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
    )
    deletion = json.loads(finished.out)["deletion"]
    assert (finished.code, deletion["deleted"], deletion["archive"]) == (0, 5, None)
    assert list(tmp_path.iterdir()) == []
