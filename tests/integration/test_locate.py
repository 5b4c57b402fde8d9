"""The ways to the table that need more of AWS than DynamoDB."""

import json

import boto3
import pytest

from tests.command import janitor
from tests.tables import create_table

PARAMETER = "/prod/prod/lisa/tokenTableName"
ROLE = "arn:aws:iam::000000000000:role/reader"


@pytest.fixture(scope="module")
def url(ministack_url: str) -> str:
    """An AWS with a table, and its name where LISA 6 keeps it."""
    create_table(boto3.client("dynamodb", endpoint_url=ministack_url), "named-by-ssm", hashed=True)
    boto3.client("ssm", endpoint_url=ministack_url).put_parameter(Name=PARAMETER, Value="named-by-ssm", Type="String")
    return ministack_url


@pytest.mark.parametrize("value", [[], [PARAMETER]])
def test_the_name_is_read_where_lisa_keeps_it(url: str, value: list[str]) -> None:
    finished = janitor("scan", "--ssm-parameter", *value, "--endpoint-url", url)
    assert finished.code == 0, finished.err
    assert json.loads(finished.out)["tables"][0]["name"] == "named-by-ssm"


def test_a_parameter_that_is_not_there_is_named(url: str) -> None:
    finished = janitor("scan", "--ssm-parameter", "/nowhere", "--endpoint-url", url)
    assert (finished.code, "/nowhere" in finished.err, len(finished.err.splitlines())) == (2, True, 1)


def test_a_role_is_assumed_for_everything(url: str) -> None:
    finished = janitor("scan", "--ssm-parameter", "--role-arn", ROLE, "--endpoint-url", url)
    assert finished.code == 0, finished.err


def test_an_endpoint_for_one_service_beats_the_one_for_all(url: str) -> None:
    nobody = "http://127.0.0.1:1"
    only_dynamodb = {"AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_MAX_ATTEMPTS": "1"}
    table = ("scan", "--table", "named-by-ssm", "--endpoint-url", nobody)
    assert janitor(*table, env=only_dynamodb).code == 0
    assert janitor(*table, env={"AWS_MAX_ATTEMPTS": "1"}).code == 1
    assert (
        json.loads(janitor("scan", "--table", "named-by-ssm", env={"AWS_ENDPOINT_URL": url}).out)["tables"][0][
            "endpoint"
        ]
        == url
    )
