"""`JANITOR_DRY_RUN` forbids: every command that could change a row hears it, whatever else it is told."""

import time
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import keys_in, living_rows, stale_rows
from tests.tables import modern

pytestmark = pytest.mark.parametrize("server", ["ministack"], indirect=True)

DAY = 86_400


def ran(server: Server, table: str, *arguments: str, **variables: str) -> Finished:
    where = {"AWS_ENDPOINT_URL": server.url, "JANITOR_TABLE": table}
    return janitor(*arguments, env={**where, **variables})


def everything_in(client: DynamoDBClient, table: str) -> list[dict[str, Any]]:
    items = client.scan(TableName=table, ConsistentRead=True)["Items"]
    return sorted(items, key=lambda item: str(item["token"]))


@pytest.mark.parametrize("said", ["1", "true", " Yes ", "on\r", "T"])
def test_a_sweep_told_to_delete_deletes_nothing(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, said: str
) -> None:
    table = new_table([*stale_rows(3), *living_rows(6)])
    before = everything_in(client, table)
    options = ("--delete", "--yes", "--archive", str(tmp_path / "kept.ndjson"))
    finished = ran(server, table, "sweep", *options, JANITOR_DRY_RUN=said)
    assert (finished.code, '"dry_run": true' in finished.out, '"planned": 3' in finished.out) == (0, True, True)
    assert everything_in(client, table) == before
    assert list(tmp_path.iterdir()) == []
    # Its twin: what does not forbid.
    assert ran(server, table, "sweep", *options, JANITOR_DRY_RUN="0").code == 0
    assert len(keys_in(client, table)) == 6


def test_the_flag_forbids_as_the_variable_does(server: Server, client: DynamoDBClient, new_table: NewTable) -> None:
    table = new_table(stale_rows(3))
    finished = ran(server, table, "sweep", "--delete", "--dry-run", "--yes", "--no-archive")
    assert (finished.code, '"dry_run": true' in finished.out) == (0, True)
    assert len(keys_in(client, table)) == 3


def test_no_variable_makes_a_sweep_delete(server: Server, client: DynamoDBClient, new_table: NewTable) -> None:
    table = new_table(stale_rows(2))
    for said in ("1", "0"):
        finished = ran(server, table, "sweep", "--yes", "--no-archive", JANITOR_DELETE=said)
        assert (finished.code, "--delete can only be given as a flag" in finished.err) == (2, True)
    assert len(keys_in(client, table)) == 2


@pytest.mark.parametrize("said", ["1", "banana"])
def test_every_command_that_could_change_a_row_hears_it(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, said: str
) -> None:
    now = int(time.time())
    living = modern("bearer-living", now + 90 * DAY, username="ana")
    expired = modern("bearer-expired", now - 2 * DAY, username="ben")
    table = new_table([*stale_rows(3), living, expired])
    plan = tmp_path / "plan.ndjson"
    made = ran(server, table, "sweep", "--plan", str(plan), "--max-delete-percent", "100")
    assert (made.code, plan.exists()) == (0, True)
    gone = new_table(stale_rows(3))
    archive = tmp_path / "archive.ndjson"
    swept = ran(server, gone, "sweep", "--delete", "--yes", "--archive", str(archive), "--max-delete-percent", "100")
    assert (swept.code, keys_in(client, gone)) == (0, set())
    job = tmp_path / "job.toml"
    job.write_text("[delete]\nenabled = true\nno_archive = true\nmax_delete_percent = 100\n")
    before = everything_in(client, table)
    replacing = ("--user", "ben", "--name", "n", "--expires-in", "1h", "--replace-expired", "--no-archive")
    commands: list[tuple[str, ...]] = [
        ("sweep", "--delete", "--yes", "--no-archive", "--max-delete-percent", "100"),
        ("apply", str(plan), "--yes", "--no-archive"),
        ("run", str(job)),
        ("token", "remove", "--user", "ana", "--yes", "--no-archive"),
        ("token", "revoke", "--user", "ana"),
        ("token", "extend", "--user", "ana", "--by", "1d"),
        ("token", "add", *replacing),
    ]
    for command in commands:
        finished = ran(server, table, *command, JANITOR_DRY_RUN=said)
        assert (command, finished.code) == (command, 0 if said == "1" else 2), finished.err
        assert everything_in(client, table) == before, command
    restored = ran(server, gone, "restore", str(archive), "--all", JANITOR_DRY_RUN=said)
    assert restored.code == (0 if said == "1" else 2)
    assert keys_in(client, gone) == set()


@pytest.mark.parametrize(
    "name", ["JANITOR_DRYRUN", "janitor_dry_run", "JANITOR_PROTECT_USERS", "JANITOR_DELETE_ENABLED"]
)
def test_a_variable_that_was_meant_to_protect_ends_every_such_command(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, name: str
) -> None:
    table = new_table([*stale_rows(3), modern("bearer", int(time.time()) + 90 * DAY, username="ana")])
    plan, job = tmp_path / "plan.ndjson", tmp_path / "job.toml"
    assert ran(server, table, "sweep", "--plan", str(plan)).code == 0
    job.write_text("[delete]\nenabled = true\nno_archive = true\nmax_delete_percent = 100\n")
    before = everything_in(client, table)
    for command in (
        ("sweep", "--delete", "--yes", "--no-archive", "--max-delete-percent", "100"),
        ("apply", str(plan), "--yes", "--no-archive"),
        ("run", str(job)),
        ("token", "remove", "--user", "ana", "--yes", "--no-archive"),
        ("token", "revoke", "--user", "ana"),
    ):
        finished = ran(server, table, *command, **{name: "user-*"})
        assert (finished.code, finished.out) == (2, ""), command
        assert f"janitor: {name} is not a variable of janitor" in finished.err
        assert len(finished.err.splitlines()) == 1
    assert everything_in(client, table) == before
