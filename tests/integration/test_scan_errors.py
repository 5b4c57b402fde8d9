"""Whatever a user can get wrong ends in one clear line and the right exit code."""

import json
import socket
from pathlib import Path

import boto3
import pytest

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.integration.scanning import scan
from tests.servers import Server
from tests.tables import token


def complaint(finished: Finished) -> str:
    """The one line on stderr of a run that did not get as far as reading; nothing else was written."""
    assert "Traceback" not in finished.err
    lines = finished.err.splitlines()
    assert len(lines) == 1, finished.err
    assert lines[0].startswith("janitor: ")
    assert finished.out == ""
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["scan"], "--table NAME"),
        (["scan", "--table", "t", "--deployment", "d"], "--table and --deployment"),
        (["scan", "--table", "t", "--grace", "7x"], "--grace"),
        (["scan", "--table", "t", "--as-of", "1790000000000"], "milliseconds"),
        (["scan", "--table", "t", "--format", "xml"], "--format"),
        (["scan", "--table", "t", "--report", "html=x"], "--report"),
        (["scan", "--table", "t", "--report", "json"], "FORMAT=PATH"),
        (["scan", "--table", "t", "--dialect", "old"], "--dialect"),
        (["scan", "--table", "t", "--segments", "0"], "--segments"),
        (["scan", "--table", "t", "--max-findings", "-1"], "--max-findings"),
        (["scan", "--table", "t", "--fail-on", "active"], "--fail-on"),
        (["scan", "--table", "t", "--profile", "nobody"], "nobody"),
        (["scan", "--table", "t", "--endpoint-url", "not a url"], "--endpoint-url"),
        (["scan", "--table", "t", "--fingerprint-key-file", "/nowhere/key"], "--fingerprint-key-file"),
        (["scan", "--tabel", "t"], "--tabel"),
        (["sacn"], "sacn"),
        (["schema", "nothing"], "nothing"),
    ],
)
def test_wrong_usage_is_one_line_that_names_it(arguments: list[str], named: str) -> None:
    finished = janitor(*arguments)
    assert named in complaint(finished)
    assert finished.code == 2


def test_no_region_and_no_credentials_say_where_to_put_them() -> None:
    no_region = janitor("scan", "--table", "t", env={"AWS_REGION": None, "AWS_DEFAULT_REGION": None})
    assert (no_region.code, "--region" in complaint(no_region)) == (2, True)
    none: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    no_credentials = janitor("scan", "--table", "t", env=none)
    assert (no_credentials.code, "credentials" in complaint(no_credentials)) == (2, True)


@pytest.mark.parametrize(
    ("options", "env", "named"),
    [
        ([], {"AWS_MAX_ATTEMPTS": "many"}, "AWS_MAX_ATTEMPTS"),
        (["--region", "no such"], {}, "no such"),
        ([], {"AWS_CONFIG_FILE": __file__}, __file__),
    ],
)
def test_a_broken_aws_configuration_is_named(options: list[str], env: dict[str, str | None], named: str) -> None:
    finished = janitor("scan", "--table", "t", *options, env=env)
    assert (finished.code, named in complaint(finished)) == (2, True)


def test_an_endpoint_that_nobody_answers_at_is_named_without_its_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{unused.getsockname()[1]}"
        finished = janitor("scan", "--table", "t", "--endpoint-url", url, env={"AWS_MAX_ATTEMPTS": "1"})
    line = complaint(finished)
    assert (finished.code, "127.0.0.1" in line, "secret" in line) == (1, True, False)


def test_a_table_that_is_not_there_or_no_token_table_is_named(server: Server) -> None:
    missing = scan(server, "nowhere")
    assert (missing.code, "nowhere" in complaint(missing)) == (2, True)
    other = boto3.client("dynamodb", endpoint_url=server.url)
    other.create_table(
        TableName="other",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    finished = scan(server, "other")
    other.delete_table(TableName="other")
    assert (finished.code, "its key is id (S), not token (S)" in complaint(finished)) == (2, True)


@pytest.mark.parametrize("path", ["{tmp}/missing/report.json", "{tmp}"])
def test_a_report_that_cannot_be_written_stops_the_run_before_the_table_is_read(
    server: Server, new_table: NewTable, tmp_path: Path, path: str
) -> None:
    table, good = new_table([], hashed=False), tmp_path / "good.csv"
    where = path.format(tmp=tmp_path)
    finished = scan(server, table, "--report", f"csv={good}", "--report", f"json={where}")
    assert (finished.code, where in complaint(finished)) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_under_one_report_leaves_the_others_whole(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table, good = new_table([token("a", 1)], hashed=False), tmp_path / "good.json"
    finished = scan(server, table, "--report", "csv=/dev/full", "--report", f"json={good}")
    assert finished.code == 1
    assert "janitor: /dev/full could not be written" in finished.err
    assert json.loads(good.read_text())["counts"]["scanned"] == 1
    assert json.loads(finished.out)["counts"]["scanned"] == 1
