"""The program as a Lambda function: AWS's runtime client calls the handler, and each run is a process on ministack."""

from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.lambda_runtime import Function, function
from tests.servers import ministack
from tests.sweeping import key_of, keys_in, living_rows, stale_rows
from tests.tables import create_table

TABLE, BUCKET = "tokens", "archive"
STALE = 12
REPORTS = f'[table]\ntable = "{TABLE}"\n'
DELETES = f'{REPORTS}[delete]\nenabled = true\narchive = "s3://{BUCKET}/"\n'


@dataclass(frozen=True)
class Deployed:
    """A function, and what it works on."""

    function: Function
    dynamodb: DynamoDBClient
    url: str


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with ministack() as url, function({"AWS_ENDPOINT_URL": url}) as started:
        dynamodb = boto3.client("dynamodb", endpoint_url=url)
        create_table(dynamodb, TABLE, hashed=True, rows=[*stale_rows(STALE), *living_rows(60)])
        boto3.client("s3", endpoint_url=url).create_bucket(Bucket=BUCKET)
        yield Deployed(started, dynamodb, url)


def test_it_runs_the_schedule_of_the_event_and_answers_in_a_few_words(deployed: Deployed) -> None:
    before = keys_in(deployed.dynamodb, TABLE)
    fails_on_stale = f'{REPORTS}[report]\nfail_on = ["stale"]\n'
    for schedule, code in ((REPORTS, 0), (fails_on_stale, 3)):
        answer = deployed.function.invoke({"schedule": schedule})
        assert not answer.is_error, answer.body
        assert set(answer.body) == {"exit_code", "run_id", "outcome", "counts", "deleted"}
        assert (answer.body["exit_code"], answer.body["outcome"], answer.body["deleted"]) == (code, "complete", 0)
        assert (answer.body["counts"]["scanned"], answer.body["counts"]["stale"]) == (len(before), STALE)
    assert keys_in(deployed.dynamodb, TABLE) == before
    # The log has the run's lines, and no report.
    log = deployed.function.log.read_text()
    assert '"event": "run.finished"' in log
    assert "janitor.report/v1" not in log


def test_a_run_that_did_not_end_well_is_an_error_of_the_function_and_deletes_nothing(deployed: Deployed) -> None:
    before = keys_in(deployed.dynamodb, TABLE)
    refused = deployed.function.invoke({"schedule": f"{DELETES}max_deletes = {STALE - 1}\n"})
    assert (refused.is_error, refused.body["errorType"]) == (True, "RunFailedError")
    meaning = "exit code 4: a guard refused to delete"
    assert refused.body["errorMessage"] == f"the run ended with {meaning}; the function's log says why"
    # Its own disk is lost with the function.
    lost = deployed.function.invoke({"schedule": DELETES.replace(f"s3://{BUCKET}/", "/tmp/archive/")})  # noqa: S108
    assert (lost.is_error, "exit code 4" in lost.body["errorMessage"]) == (True, True)
    assert "is lost with the Lambda function; give --archive a place in S3" in deployed.function.log.read_text()
    misspelt = deployed.function.invoke({"schedule": '[tabel]\ntable = "tokens"\n'})
    assert "exit code 2" in misspelt.body["errorMessage"]
    assert "nightly.toml, line 1: [tabel]: an unknown section" in deployed.function.log.read_text()
    assert "exit code 2" in deployed.function.invoke({"schedule": "# \ud800\n"}).body["errorMessage"]
    assert "nightly.toml: not UTF-8" in deployed.function.log.read_text()
    assert keys_in(deployed.dynamodb, TABLE) == before


def test_its_deadline_comes_before_the_function_is_ended(deployed: Deployed) -> None:
    # Three seconds are left for a scan of ten; the rest is reserved for the end.
    answer = deployed.function.invoke({"schedule": f"{REPORTS}[limits]\nmax_rcu = 1\n"}, seconds=18.9)
    assert (answer.is_error, "exit code 1" in answer.body["errorMessage"]) == (True, True)
    assert '"outcome": "interrupted"' in deployed.function.log.read_text()


def test_it_deletes_what_the_schedule_says_and_the_environment_beats_the_event(deployed: Deployed) -> None:
    before = keys_in(deployed.dynamodb, TABLE)
    with function({"AWS_ENDPOINT_URL": deployed.url, "JANITOR_SCHEDULE": DELETES}) as fixed:
        other = fixed.invoke({"schedule": REPORTS})
        assert (other.is_error, other.body["errorType"]) == (True, "ConfigurationError")
        assert keys_in(deployed.dynamodb, TABLE) == before
        answer = fixed.invoke({})
    assert not answer.is_error, answer.body
    assert (answer.body["outcome"], answer.body["deleted"]) == ("complete", STALE)
    assert before - keys_in(deployed.dynamodb, TABLE) == {key_of(row) for row in stale_rows(STALE)}
