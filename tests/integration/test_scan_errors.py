"""Whatever a user can get wrong ends in one clear line and the right exit code."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import pytest

from tests.command import Finished, fake_aws, janitor
from tests.faults.proxy import Forward, Request, meddling_proxy
from tests.fixtures import NewTable
from tests.integration.scanning import scan
from tests.servers import Server
from tests.tables import create_table, token


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
        (["scan", "--table", "t", "--as-of", "20270101"], "2027-01-01"),
        (["scan", "--table", "arn:aws:dynamodb:us-east-1:222222222222:table/t"], "--role-arn"),
        (["scan", "--table", "t", "--role-arn", "foo"], "--role-arn"),
        (["scan", "--table", "t", "--format", "xml"], "--format"),
        (["scan", "--table", "t", "--report", "xml=x"], "--report"),
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


def test_settings_of_the_environment_are_named_as_such() -> None:
    both: dict[str, str | None] = {"JANITOR_TABLE": "t", "JANITOR_DEPLOYMENT": "d"}
    assert "JANITOR_TABLE and JANITOR_DEPLOYMENT" in complaint(janitor("scan", env=both))


def test_no_arguments_print_the_help_as_it_is() -> None:
    finished = janitor()
    assert (finished.code, finished.out) == (2, "")
    assert finished.err == f"{janitor('--help').out}"


@pytest.mark.parametrize("arguments", ["schema report", "--help", "demo"])
def test_a_reader_that_goes_early_is_no_bug(arguments: str) -> None:
    command = f"{sys.executable} -m janitor {arguments} | true"
    with tempfile.TemporaryDirectory() as home:
        environment = {**fake_aws(Path(home)), "PATH": os.environ["PATH"]}
        finished = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment)
    assert "bug" not in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_full_device_is_said_in_a_line() -> None:
    with Path("/dev/full").open("w") as full, tempfile.TemporaryDirectory() as home:
        environment = {**fake_aws(Path(home)), "PATH": os.environ["PATH"]}
        command = [sys.executable, "-m", "janitor", "schema", "report"]
        finished = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    assert (finished.returncode, finished.stderr) == (
        1,
        "janitor: the output could not be written: No space left on device\n",
    )


@pytest.mark.parametrize(("arguments", "code"), [("scan --no-such", 2), ("demo", 0)])
def test_errors_and_logs_that_nobody_can_read_change_no_exit_code(arguments: str, code: int) -> None:
    with Path("/dev/full").open("w") as full, tempfile.TemporaryDirectory() as home:
        environment = {**fake_aws(Path(home)), "PATH": os.environ["PATH"]}
        command = [sys.executable, "-m", "janitor", *arguments.split()]
        finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, check=False, env=environment)
    assert finished.returncode == code


def test_a_denied_name_of_a_deployment_lets_no_older_table_pass_for_it(
    dynamodb_local_url: str,
) -> None:
    client = boto3.client("dynamodb", endpoint_url=dynamodb_local_url)
    create_table(client, "dep-LISAApiTokenTable", hashed=False, rows=[token("a", 1)])

    def denied(request: Request, forward: Forward) -> tuple[int, object]:
        if request["TableName"] == "dep-LISAApiBaseTokenTable":
            return 400, {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}
        return forward(request)

    with meddling_proxy(dynamodb_local_url) as (url, meddling):
        meddling.by_operation["DescribeTable"] = denied
        finished = janitor("scan", "--deployment", "dep", "--endpoint-url", url)
        by_name = janitor("scan", "--table", "dep-LISAApiTokenTable", "--endpoint-url", url)
    client.delete_table(TableName="dep-LISAApiTokenTable")
    assert (finished.code, by_name.code) == (1, 0)
    assert "dep-LISAApiBaseTokenTable was denied" in complaint(finished)
    assert "--table" in complaint(finished)
