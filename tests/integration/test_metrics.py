"""`--metrics prometheus=PATH` and `emf`, of runs that end without a report: by the command line."""

import json
import os
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from prometheus_client.parser import text_string_to_metric_families

from tests.command import Finished, janitor, started
from tests.fixtures import NewTable
from tests.integration.test_sweep_lease import taken
from tests.servers import Server
from tests.sweeping import living_rows, stale_rows, sweep
from tests.tables import create_table

REGION = "us-east-1"
SUCCESS, TIME = "janitor_last_run_success", "janitor_last_run_timestamp_seconds"
LAST_SUCCESS = "janitor_last_success_timestamp_seconds"

one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metrics" / "janitor.prom"


@pytest.fixture(autouse=True)
def _folder(file: Path) -> None:
    file.parent.mkdir()


def scan(file: Path, *options: str, endpoint: str) -> Finished:
    return janitor("scan", "--endpoint-url", endpoint, "--metrics", f"prometheus={file}", "--metrics", "emf", *options)


def values(file: Path, job: str = "scan") -> dict[tuple[str, str], dict[str, float]]:
    """The metrics of a job, by table and region."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for family in text_string_to_metric_families(file.read_text(encoding="utf-8")):
        for sample in family.samples:
            if sample.labels["job"] == job:
                found.setdefault((sample.labels["table"], sample.labels["region"]), {})[sample.name] = sample.value
    return found


def emf_lines(finished: Finished) -> list[tuple[str, str, str, int]]:
    lines = [json.loads(line) for line in finished.err.splitlines() if line.startswith('{"_aws"')]
    return [(line["job"], line["table"], line["region"], line["Success"]) for line in lines]


@one_server
def test_a_failure_without_a_report_replaces_the_metrics_and_keeps_the_last_success(
    server: Server, client: DynamoDBClient, new_table: NewTable, file: Path
) -> None:
    name = new_table(living_rows(6), name="prod-LISAApiBaseTokenTable")
    where = ("--deployment", "prod")
    assert scan(file, *where, "--job", "another", endpoint=server.url).code == 0
    good = scan(file, *where, endpoint=server.url)
    assert (good.code, emf_lines(good)) == (0, [("scan", name, REGION, 1)])
    before, another = values(file)[name, REGION], values(file, "another")
    client.delete_table(TableName=name)
    for _ in range(2):
        failed = scan(file, *where, endpoint=server.url)
        assert (failed.code, failed.out) == (2, "")
        # The log cannot know what the table of the deployment was called.
        assert emf_lines(failed) == [("scan", "prod", REGION, 0)]
        [(table, after)] = values(file).items()
        assert table == (name, REGION)
        assert after.keys() == {SUCCESS, TIME, LAST_SUCCESS}
        assert (after[SUCCESS], after[LAST_SUCCESS]) == (0, before[LAST_SUCCESS])
        assert after[TIME] >= before[TIME]
    create_table(client, name, hashed=True, rows=living_rows(6))
    assert values(file, "another") == another
    assert os.listdir(file.parent) == [file.name]  # noqa: PTH208  # hidden files too

    assert scan(file, *where, endpoint=server.url).code == 0
    assert values(file)[name, REGION].keys() == before.keys()
    assert values(file)[name, REGION][SUCCESS] == 1


def test_a_first_run_that_fails_names_each_table_as_its_settings_do(ministack_url: str, file: Path) -> None:
    failed = scan(file, "--deployment", "no", "--deployment", "none", endpoint=ministack_url)
    assert failed.code == 2, failed.err
    assert emf_lines(failed) == [("scan", "no", REGION, 0), ("scan", "none", REGION, 0)]
    assert values(file).keys() == {("no", REGION), ("none", REGION)}
    assert {name for each in values(file).values() for name in each} == {SUCCESS, TIME}


def test_a_region_that_is_missing_is_no_reason_to_say_nothing(ministack_url: str, file: Path) -> None:
    arguments = ("--endpoint-url", ministack_url, "--table", "tokens", "--metrics", f"prometheus={file}")
    failed = janitor("scan", *arguments, env={"AWS_REGION": None})
    assert failed.code == 2, failed.err
    assert values(file)["tokens", "-"][SUCCESS] == 0


def test_a_run_that_is_stopped_before_it_has_a_report_was_no_success(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as connections:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        arguments = ("--endpoint-url", endpoint, "--table", "tokens", "--metrics", f"prometheus={file}")
        with started("scan", *arguments) as run:
            connections.enter_context(silent.accept()[0])
            run.send_signal(signal.SIGTERM)
            assert run.wait(60) == 143
    assert values(file)["tokens", REGION][SUCCESS] == 0


def test_a_dry_run_that_fails_changes_no_metrics(ministack_url: str, file: Path) -> None:
    failed = scan(file, "--table", "not-there", "--dry-run", endpoint=ministack_url)
    assert (failed.code, emf_lines(failed), list(file.parent.iterdir())) == (2, [], [])


def test_a_file_that_cannot_be_written_is_a_failure_of_the_run_in_the_others(ministack_url: str, file: Path) -> None:
    other = ("--metrics", f"prometheus={file.parent}/not-there/m.prom")
    failed = scan(file, "--table", "tokens", *other, endpoint=ministack_url)
    assert (failed.code, failed.err.count("not-there/m.prom cannot be written")) == (2, 1)
    assert values(file)["tokens", REGION][SUCCESS] == 0


@one_server
def test_a_skipped_run_leaves_the_metrics_as_they_were(
    server: Server, client: DynamoDBClient, new_table: NewTable, file: Path, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(2), *living_rows(6)])
    metrics = ("--metrics", f"prometheus={file}")
    refused = sweep(server.url, table, tmp_path, *metrics, "--max-deletes", "0")
    assert refused.finished.code == 4
    [each] = values(file, "sweep").values()
    assert (each[SUCCESS], each["janitor_last_run_refused"]) == (0, 1)
    before = file.read_bytes()
    with taken(client, table, tmp_path) as url:
        skipped = sweep(server.url, table, tmp_path, *metrics, "--state-url", url)
    assert (skipped.report["run"]["outcome"], file.read_bytes()) == ("skipped", before)


@one_server
def test_a_run_whose_report_could_not_be_written_was_no_success(
    server: Server, new_table: NewTable, file: Path
) -> None:
    table = new_table(living_rows(6))
    failed = scan(file, "--table", table, "--report", "html=/dev/full", endpoint=server.url)
    assert (failed.code, emf_lines(failed)) == (1, [("scan", table, REGION, 0)])
    [each] = values(file).values()
    assert (each[SUCCESS], LAST_SUCCESS in each, "janitor_tokens" in each) == (0, False, True)
