"""`janitor restore`: rows of an archive back into their table, each only where no row stands."""

import datetime as dt
import json
import shlex
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_s3 import S3Client

from tests.command import Finished, janitor, on_screen
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server, microburst
from tests.sweeping import LONG_AGO, fingerprint_of, key_of, keys_in, living_rows, stale_rows, sweep
from tests.tables import Item, modern

STALE, LIVING = 24, 30


def restore(server: Server, archive: Path | str, *options: str, **arguments: Any) -> Finished:
    return janitor("restore", str(archive), "--endpoint-url", server.url, *options, **arguments)


def summary_of(finished: Finished) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(finished.out)
    return summary


def items_in(client: DynamoDBClient, table: str) -> dict[str, Any]:
    """Every row by its key, as botocore gives it."""
    pages = client.get_paginator("scan").paginate(TableName=table)
    return {item["token"]["S"]: item for page in pages for item in page["Items"]}


def test_all_rows_come_back_exactly_as_they_were(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    odd = modern(
        "odd",
        int(time.time()) - LONG_AGO,
        note={"M": {"n": {"N": "12345678901234567890.123456789012345678"}, "b": {"B": "AAH/"}, "z": {"NULL": True}}},
        tags={"SS": ["x", "y"]},
    )
    table = new_table([odd, *stale_rows(STALE), *living_rows(LIVING)])
    before = items_in(client, table)
    archive = sweep(server.url, table, tmp_path).archive
    assert len(items_in(client, table)) == LIVING
    finished = restore(server, archive, "--all")
    assert finished.code == 0, finished.err
    assert summary_of(finished) == {
        "schema": "janitor.restore/v1",
        "table": {"name": table, "region": "us-east-1", "account_id": "000000000000"},
        "dry_run": False,
        "chosen": STALE + 1,
        "restored": STALE + 1,
        "skipped": {"row-stands": 0, "was-not-deleted": 0, "owner-has-row": 0},
        "failed": 0,
        "next_command": None,
        "rows": summary_of(finished)["rows"],
        "rows_omitted": 0,
    }
    assert items_in(client, table) == before


def test_a_dry_run_puts_nothing_back_and_says_the_same(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale = stale_rows(STALE)
    table = new_table([*stale, *living_rows(LIVING)])
    archive = sweep(server.url, table, tmp_path).archive
    client.put_item(TableName=table, Item=stale[0])
    before = keys_in(client, table)
    summary = summary_of(restore(server, archive, "--all", "--dry-run"))
    assert (summary["dry_run"], summary["restored"], summary["skipped"]["row-stands"]) == (True, STALE - 1, 1)
    assert Counter(row["outcome"] for row in summary["rows"]) == {"planned": STALE - 1, "row-stands": 1}
    named = {row["fingerprint"]: row for row in summary["rows"]}[fingerprint_of(key_of(stale[1]))]
    assert (named["username"], named["name"]) == (stale[1]["username"]["S"], stale[1]["name"]["S"])
    expires = dt.datetime.fromisoformat(named["expires_at"]).timestamp()
    assert (named["state"], named["accepted_by"], expires) == ("stale", [], int(stale[1]["tokenExpiration"]["N"]))
    assert keys_in(client, table) == before
    # The next command, as it is printed; a variable that forbids it is taken away.
    forbidden = {"JANITOR_DRY_RUN": "1"}
    one = ("--user", "a b", "--user", stale[1]["username"]["S"], "--format", "table")
    shown = restore(server, archive, *one, env=forbidden).out
    assert f"env -u JANITOR_DRY_RUN janitor restore {archive} --user 'a b' --user user-1@example.com --endpo" in shown
    assert shown.count("user-1@example.com, token ") == shown.count("; accepted by nothing") == 3
    program, *words = shlex.split(summary["next_command"])
    assert (program, "--dry-run" in words) == ("janitor", False)
    for_real = summary_of(janitor(*words))
    assert (for_real["restored"], for_real["skipped"]) == (summary["restored"], summary["skipped"])
    assert Counter(row["outcome"] for row in for_real["rows"]) == {"restored": STALE - 1, "row-stands": 1}


def test_rows_are_chosen_by_fingerprint_or_by_owner(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale, living = stale_rows(STALE), living_rows(LIVING)
    table = new_table([*stale, *living])
    archive = sweep(server.url, table, tmp_path).archive
    wanted = fingerprint_of(key_of(stale[0]))
    assert summary_of(restore(server, archive, "--fingerprint", wanted[:8].upper()))["restored"] == 1
    assert keys_in(client, table) == {key_of(row) for row in [*living, stale[0]]}
    summary = summary_of(restore(server, archive, "--user", "user-3@example.com"))
    assert (summary["chosen"], summary["restored"]) == (3, 3)
    assert {row["username"] for row in summary["rows"]} == {"user-3@example.com"}
    nobody = restore(server, archive, "--user", "user-3")
    assert (nobody.code, "holds no row that was asked for" in nobody.err) == (1, True)


def test_a_row_that_changed_its_owner_before_it_was_deleted_is_chosen_by_its_last_owner(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    gone = int(time.time()) - LONG_AGO
    handed_over, kept = (modern(f"of-ann-{number}", gone, username="ann") for number in range(2))
    table = new_table([handed_over, kept, *living_rows(LIVING)])
    plan, archive, where = tmp_path / "plan", tmp_path / "archive", ("--endpoint-url", server.url)
    assert janitor("sweep", "--table", table, "--plan", str(plan), *where).code == 0
    deleted: Item = handed_over | {"username": {"S": "zoe"}}
    client.put_item(TableName=table, Item=deleted)
    applied = janitor("apply", str(plan), "--yes", "--archive", str(archive), *where)
    assert json.loads(applied.out)["deletion"]["deleted"] == 2

    anns = summary_of(restore(server, archive, "--user", "ann", "--dry-run"))
    assert [row["fingerprint"] for row in anns["rows"]] == [fingerprint_of(key_of(kept))]
    zoes = summary_of(restore(server, archive, "--user", "zoe"))
    assert [(row["fingerprint"], row["username"]) for row in zoes["rows"]] == [
        (fingerprint_of(key_of(handed_over)), "zoe")
    ]
    assert items_in(client, table)[key_of(deleted)] == deleted


def test_a_row_that_stands_is_never_overwritten(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    stale = stale_rows(STALE)
    table = new_table([*stale, *living_rows(LIVING)])
    archive = sweep(server.url, table, tmp_path).archive
    newer: Item = stale[0] | {"tokenExpiration": {"N": "4102444800"}}
    client.put_item(TableName=table, Item=newer)
    summary = summary_of(restore(server, archive, "--all"))
    # Nor is another row of its owner, of which there are two, put beside it.
    assert (summary["restored"], summary["skipped"]["row-stands"]) == (STALE - 3, 1)
    assert client.get_item(TableName=table, Key={"token": newer["token"]})["Item"] == newer


def test_no_row_is_put_beside_one_that_its_owner_has_by_now_unless_that_is_asked_for(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    gone = int(time.time()) - LONG_AGO
    alice = [modern(f"alice-{number}", gone, username="alice") for number in range(2)]
    bob, nobody = modern("bob", gone, username="bob"), {**modern("nobody", gone)}
    del nobody["username"]
    table = new_table([*alice, bob, nobody, *living_rows(LIVING)])
    archive = sweep(server.url, table, tmp_path).archive
    client.put_item(TableName=table, Item=modern("bob-has-a-new-one", gone, username="bob"))

    shown, done = restore(server, archive, "--all", "--dry-run"), restore(server, archive, "--all")
    for finished in (shown, done):
        summary = summary_of(finished)
        assert (finished.code, summary["restored"], summary["skipped"]["owner-has-row"]) == (4, 3, 1)
        assert "left out, because the owner has another row (bob)" in finished.err
        assert "give --beside" in finished.err
    # Both rows of alice came back, for neither was there without the other; bob's row did not.
    keys = keys_in(client, table)
    assert {key_of(row) for row in [*alice, nobody]} <= keys
    assert key_of(bob) not in keys
    # By now alice has a row, and a restore of the other one alone is told so; a row that stands is not in its own way.
    client.delete_item(TableName=table, Key={"token": alice[0]["token"]})
    one = ("--fingerprint", fingerprint_of(key_of(alice[0])))
    assert restore(server, archive, *one).code == 4
    beside = restore(server, archive, "--all", "--beside")
    assert (beside.code, summary_of(beside)["restored"], summary_of(beside)["skipped"]["row-stands"]) == (0, 2, 2)
    assert {key_of(row) for row in [*alice, bob, nobody]} <= keys_in(client, table)


def test_no_row_is_put_beside_one_of_the_archive_that_its_owner_extended(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    gone = int(time.time()) - LONG_AGO
    first, second = (modern(f"rita-{number}", gone, username="rita") for number in range(2))
    table = new_table([first, second, *living_rows(LIVING)])
    plan, archive = tmp_path / "plan", tmp_path / "archive"
    where = ("--endpoint-url", server.url)
    assert janitor("sweep", "--table", table, "--plan", str(plan), *where).code == 0
    extended: Item = second | {"tokenExpiration": {"N": "4102444800"}}
    client.put_item(TableName=table, Item=extended)
    applied = janitor("apply", str(plan), "--yes", "--archive", str(archive), *where)
    assert json.loads(applied.out)["deletion"]["changed"] == 1

    def refused(options: tuple[str, ...], counts: dict[str, int]) -> None:
        finished = restore(server, archive, *options)
        said = summary_of(finished)["skipped"]
        assert (finished.code, {name: said[name] for name in counts}) == (4, counts), finished.err
        assert key_of(first) not in keys_in(client, table)

    chosen_by_owner = {"owner-has-row": 1, "was-not-deleted": 1}
    refused(("--user", "rita", "--dry-run"), chosen_by_owner)
    refused(("--all",), chosen_by_owner)
    # The same where that row was deleted too, and came back with another date.
    archive.write_text(archive.read_text().replace('"changed"', '"deleted"').rpartition("\n{")[0] + "\n")
    refused(("--user", "rita"), {"owner-has-row": 1, "row-stands": 1})
    # As it was deleted, it stands in nobody's way: an earlier restore may have been cut off.
    client.put_item(TableName=table, Item=second)
    done = restore(server, archive, "--all")
    assert (done.code, summary_of(done)["restored"], summary_of(done)["skipped"]["row-stands"]) == (0, 1, 1)


def test_a_row_that_had_changed_is_skipped_for_it_was_not_deleted(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    archive = sweep(server.url, table, tmp_path).archive
    lines = archive.read_text().splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if '"outcome"' in line)
    lines[first] = lines[first].replace('"deleted"', '"changed"')
    archive.write_text("".join(lines[:-1]))  # without the closing line, as after a crash
    summary = summary_of(restore(server, archive, "--all"))
    assert (summary["restored"], summary["skipped"]["was-not-deleted"]) == (STALE - 1, 1)


def test_it_says_plainly_that_an_expired_token_is_still_expired(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(3), *living_rows(LIVING)])
    archive = sweep(server.url, table, tmp_path).archive
    shown = on_screen(restore(server, archive, "--all", tty=True).out)
    assert f"3 of 3 chosen rows restored to {table}." in shown
    assert "a token that had expired is still expired, and LISA rejects it" in shown
    again = on_screen(restore(server, archive, "--all", "--format", "table").out)
    assert again.count("skipped: a row with its key stands") == 3
    assert f"0 of 3 chosen rows restored to {table}." in again


BAD: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "no row is chosen; give --fingerprint HEX, --user NAME, or --all"),
    "both": (["--all", "--user", "x"], "--all and a choice of rows exclude each other"),
    "short": (["--fingerprint", "abc"], "this is neither a fingerprint (6 to 12 hex digits)"),
}


@pytest.mark.parametrize(("options", "said"), BAD.values(), ids=BAD.keys())
def test_a_wrong_choice_is_named_in_a_line(tmp_path: Path, options: list[str], said: str) -> None:
    finished = janitor("restore", str(tmp_path / "archive"), *options)
    assert (finished.code, finished.out) == (2, "")
    assert said in finished.err


def test_a_folder_is_no_archive_and_the_way_to_its_archives_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "my archives"
    folder.mkdir()
    finished = janitor("restore", str(folder), "--all")
    assert finished.code == 2
    assert (
        f"{folder} is a folder; name a file; `janitor archive list '{folder}'` lists the archives in it" in finished.err
    )


def test_an_archive_that_is_none_or_damaged_is_named_in_a_line(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    archive = sweep(server.url, table, tmp_path).archive
    before = keys_in(client, table)
    archive.write_bytes(archive.read_bytes().replace(b'"row":3,', b'"row":4,', 1))
    for path, said in ((archive, "is damaged"), (tmp_path / "none", "cannot be read")):
        finished = restore(server, path, "--all")
        assert (finished.code, said in finished.err, "Traceback" in finished.err) == (2, True, False)
    assert before <= keys_in(client, table)


def test_a_denied_put_names_the_permission(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(3), *living_rows(LIVING)])
    archive = sweep(server.url, table, tmp_path).archive
    with microburst(server.url) as proxy:
        proxy.rules([{"service": "dynamodb", "operation": "PutItem", "error": {"code": "AccessDeniedException"}}])
        finished = restore(Server("proxy", proxy.url), archive, "--all")
    assert (finished.code, summary_of(finished)["failed"]) == (1, 3)
    assert f"dynamodb:PutItem on the table {table} was denied; allow dynamodb:PutItem on it" in finished.err


@pytest.mark.parametrize("attempts", ["1", "2"])
def test_a_put_whose_answer_was_lost_counts_as_restored(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, attempts: str
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    archive = sweep(server.url, table, tmp_path).archive
    put: set[str] = set()

    def lost(request: Request, forward: Forward) -> tuple[int, Any]:
        status, answer = forward(request)
        key = request["Item"]["token"]["S"]
        if key in put:
            return status, answer
        put.add(key)
        return 500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"}

    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation["PutItem"] = lost
        finished = restore(Server("proxy", url), archive, "--all", env={"AWS_MAX_ATTEMPTS": attempts})
    summary = summary_of(finished)
    assert (finished.code, summary["restored"], summary["skipped"]["row-stands"]) == (0, STALE, 0)
    assert len(keys_in(client, table)) == STALE + LIVING


@pytest.fixture(scope="module")
def s3(ministack_url: str) -> Iterator[S3Client]:
    client: S3Client = boto3.client("s3", endpoint_url=ministack_url)
    client.create_bucket(Bucket="kept")
    yield client
    client.close()


def sweep_into(s3: S3Client, server: Server, table: str, folder: Path, prefix: str) -> str:
    """Where in S3 the archive is."""
    environment = {"AWS_ENDPOINT_URL_S3": s3.meta.endpoint_url}
    report = sweep(server.url, table, folder, "--archive", f"s3://kept/{prefix}", env=environment).report
    place: str = report["deletion"]["archive"]
    return place


def restore_from(s3: S3Client, server: Server, place: str, *options: str) -> Finished:
    return restore(server, place, *options, env={"AWS_ENDPOINT_URL_S3": s3.meta.endpoint_url})


def test_rows_come_back_from_s3(
    s3: S3Client, server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(900), *living_rows(LIVING)])
    before = items_in(client, table)
    place = sweep_into(s3, server, table, tmp_path, f"{server.name}-all/")
    assert summary_of(restore_from(s3, server, place, "--all"))["restored"] == 900
    assert items_in(client, table) == before
    empty = restore_from(s3, server, "s3://kept/nowhere/", "--all")
    assert (empty.code, "holds no archive" in empty.err) == (2, True)


def test_of_two_archives_below_a_prefix_the_newer_decides(
    s3: S3Client, server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    row = modern("twice", int(time.time()) - LONG_AGO, name="first")
    table = new_table([row, *living_rows(LIVING)])
    prefix = f"{server.name}-twice/"
    first = sweep_into(s3, server, table, tmp_path, prefix)
    client.put_item(TableName=table, Item=row | {"name": {"S": "second"}})
    second = sweep_into(s3, server, table, tmp_path, prefix)
    if first > second:  # two runs of the same second are told apart by their ids alone
        _move(s3, first.removeprefix("s3://kept/"), f"{prefix}{table}-00000000T000000Z-older/")
    assert summary_of(restore_from(s3, server, f"s3://kept/{prefix}", "--all"))["chosen"] == 1
    assert client.get_item(TableName=table, Key={"token": row["token"]})["Item"]["name"] == {"S": "second"}


def _move(s3: S3Client, source: str, target: str) -> None:
    for entry in s3.list_objects_v2(Bucket="kept", Prefix=source)["Contents"]:
        key = entry["Key"]
        s3.copy_object(Bucket="kept", Key=target + key.removeprefix(source), CopySource={"Bucket": "kept", "Key": key})
        s3.delete_object(Bucket="kept", Key=key)


def test_a_damaged_archive_among_several_keeps_all_of_them_from_being_put_back(
    s3: S3Client, server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    prefix = f"{server.name}-damaged/"
    place = sweep_into(s3, server, table, tmp_path, prefix).removeprefix("s3://kept/")
    content = s3.get_object(Bucket="kept", Key=f"{place}000001.ndjson")["Body"].read()
    s3.put_object(Bucket="kept", Key=f"{prefix}0.ndjson", Body=content.replace(b'"row":3,', b'"row":4,', 1))
    before = keys_in(client, table)
    finished = restore_from(s3, server, f"s3://kept/{prefix}", "--all")
    assert (finished.code, finished.out, "is damaged" in finished.err) == (2, "", True)
    assert keys_in(client, table) == before


def test_an_object_of_an_archive_does_not_pass_for_a_plan_of_the_whole_table(
    s3: S3Client, server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(STALE), *living_rows(LIVING)])
    place = sweep_into(s3, server, table, tmp_path, f"{server.name}-part/").removeprefix("s3://kept/")
    assert summary_of(restore_from(s3, server, f"s3://kept/{place}", "--all"))["restored"] == STALE
    part = tmp_path / "part.ndjson"
    part.write_bytes(s3.get_object(Bucket="kept", Key=f"{place}000001.ndjson")["Body"].read())
    before = keys_in(client, table)
    finished = janitor("apply", str(part), "--yes", "--endpoint-url", server.url, "--no-archive")
    assert (finished.code, "so --max-delete-percent cannot be checked" in finished.err) == (4, True)
    assert keys_in(client, table) == before


def test_archives_of_several_tables_are_not_mixed(
    s3: S3Client, server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    tables = [new_table([*stale_rows(3), *living_rows(LIVING)]) for _ in range(2)]
    for table in tables:
        sweep_into(s3, server, table, tmp_path, f"{server.name}-two/")
    finished = restore_from(s3, server, f"s3://kept/{server.name}-two/", "--all")
    assert (finished.code, "archives of several tables" in finished.err) == (2, True)
    assert [len(keys_in(client, table)) for table in tables] == [LIVING, LIVING]
