"""A clock that is wrong: what looks expired by it may not be, so nothing is deleted."""

import datetime as dt
from email.utils import format_datetime
from pathlib import Path

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fixtures import NewTable
from tests.servers import Server, microburst
from tests.sweeping import keys_in, living_rows, stale_rows, sweep

MINUTES = 5


def server_date(minutes: int) -> dict[str, object]:
    """A rule that makes the server's answers carry a date so many minutes from now."""
    date = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes), usegmt=True)
    return {"service": "dynamodb", "operation": "DescribeTable", "response": {"set_headers": {"Date": date}}}


@pytest.mark.parametrize("minutes", [MINUTES, -MINUTES])
def test_a_clock_that_is_five_minutes_off_refuses(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, minutes: int
) -> None:
    table = new_table([*stale_rows(30), *living_rows(30)])
    before = keys_in(client, table)
    with microburst(server.url) as proxy:
        proxy.rules([server_date(minutes)])
        swept = sweep(proxy.url, table, tmp_path, env={"XDG_STATE_HOME": str(tmp_path)})
    deletion = swept.report["deletion"]
    assert (swept.finished.code, swept.report["run"]["outcome"]) == (4, "refused")
    assert [error["code"] for error in swept.report["errors"]] == ["clock"]
    assert "--max-clock-skew" in swept.finished.err
    assert (deletion["planned"], deletion["deleted"]) == (30, 0)
    assert keys_in(client, table) == before
    assert Path(deletion["plan"]).exists()


def test_a_clock_within_what_is_allowed_deletes(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table([*stale_rows(30), *living_rows(30)])
    with microburst(server.url) as proxy:
        proxy.rules([server_date(MINUTES)])
        swept = sweep(proxy.url, table, tmp_path, "--max-clock-skew", "10m")
    assert (swept.finished.code, swept.report["deletion"]["deleted"]) == (0, 30)


def test_an_answer_without_a_date_refuses(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*stale_rows(30), *living_rows(30)])
    before = keys_in(client, table)
    with microburst(server.url) as proxy:
        rule = {"service": "dynamodb", "operation": "DescribeTable", "response": {"set_headers": {"Date": "no date"}}}
        proxy.rules([rule])
        swept = sweep(proxy.url, table, tmp_path)
    assert (swept.finished.code, [error["code"] for error in swept.report["errors"]]) == (4, ["clock"])
    assert keys_in(client, table) == before
