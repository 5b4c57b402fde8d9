"""This machine's clock and LISA's apart, within what the guards allow: what LISA still accepts stays."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor
from tests.faults.proxy import Meddling, meddling_proxy
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import DAY, key_of, keys_in
from tests.tables import Item, legacy, modern

# This machine is so far ahead of LISA, or behind.
AHEAD = 50
OWNER = "ana@example.com"
GRACE = 10

pytestmark = pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)


class Off(NamedTuple):
    """The way to a server whose clock is off this machine's."""

    url: str
    meddling: Meddling


@pytest.fixture
def off(server: Server) -> Iterator[Off]:
    with meddling_proxy(server.url) as (url, meddling):
        meddling.seconds_off = lambda _: -AHEAD
        yield Off(url, meddling)


def rows_at_the_edge() -> dict[str, Item]:
    """Rows that are over by this machine's clock with the grace, and not by LISA's; and two that are over by both."""
    now = int(time.time())
    # Half of the difference is left for the test to run in.
    edge = now - AHEAD // 2 - GRACE
    return {
        "alive": modern("alive", edge, username=OWNER),
        "alive legacy": legacy("alive legacy", edge, username=OWNER),
        "within the grace": modern("within the grace", now - AHEAD - 1),
        "over": modern("over", now - DAY),
        "over legacy": legacy("over legacy", now - DAY),
    }


def where(url: str, *tables: str) -> list[str]:
    named = [part for table in tables for part in ("--table", table)]
    return ["--endpoint-url", url, *named]


def allowing(folder: Path) -> list[str]:
    """What lets a sweep delete all that it may."""
    limits = ("--max-delete-percent", "100", "--archive", f"{folder}/kept/")
    return ["--yes", "--grace", f"{GRACE}s", "--include", "legacy", *limits]


def swept(off: Off, table: str, folder: Path) -> Finished:
    return janitor("sweep", "--delete", *where(off.url, table), *allowing(folder))


def applied(off: Off, table: str, folder: Path) -> Finished:
    """A plan that was made when the clocks agreed, and holds the rows at the edge."""
    off.meddling.seconds_off = lambda _: 0
    plan = folder / "plan.ndjson"
    policy = ("--grace", f"{GRACE}s", "--include", "legacy")
    assert janitor("sweep", *where(off.url, table), *policy, "--plan", str(plan)).code == 0
    assert len(plan.read_text().splitlines()) == 2 + len(rows_at_the_edge())
    off.meddling.seconds_off = lambda _: -AHEAD
    limits = ("--max-delete-percent", "100", "--archive", f"{folder}/kept/")
    return janitor("apply", str(plan), "--yes", "--endpoint-url", off.url, *limits)


def run_of_a_file(off: Off, table: str, folder: Path) -> Finished:
    file = folder / "job.toml"
    file.write_text(
        f'[table]\ntable = "{table}"\nendpoint_url = "{off.url}"\n[policy]\ngrace = "{GRACE}s"\n'
        f'[delete]\nenabled = true\ninclude = "legacy"\nmax_delete_percent = 100\narchive = "{folder}/kept/"\n'
    )
    return janitor("run", str(file))


@pytest.mark.parametrize("way", [swept, applied, run_of_a_file])
def test_what_lisa_still_accepts_stays_where_this_machine_is_ahead(
    off: Off,
    client: DynamoDBClient,
    new_table: NewTable,
    tmp_path: Path,
    way: Callable[[Off, str, Path], Finished],
) -> None:
    rows = rows_at_the_edge()
    table = new_table(rows.values())
    finished = way(off, table, tmp_path)
    report = json.loads(finished.out)
    assert keys_in(client, table) == {key_of(rows[name]) for name in rows if not name.startswith("over")}
    assert (finished.code, report["deletion"]["planned"], report["deletion"]["deleted"]) == (0, 2, 2), finished.err
    [warning] = [each["message"] for each in report["warnings"] if each["code"] == "skewed"]
    assert "seconds ahead of DynamoDB's" in warning


def test_what_this_machine_takes_for_alive_stays_where_it_is_behind(
    off: Off, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    off.meddling.seconds_off = lambda _: AHEAD
    now = int(time.time())
    rows = [modern("alive here", now + AHEAD // 2 - GRACE), modern("over", now - DAY)]
    table = new_table(rows)
    finished = swept(off, table, tmp_path)
    assert keys_in(client, table) == {key_of(rows[0])}
    [warning] = [each["message"] for each in json.loads(finished.out)["warnings"] if each["code"] == "skewed"]
    assert "seconds behind DynamoDB's" in warning


def test_of_several_tables_each_is_judged_by_its_own_server(
    off: Off, server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    rows = rows_at_the_edge()
    near, far = new_table(rows.values()), new_table(rows.values())
    file = tmp_path / "job.toml"
    file.write_text(
        f'[[table]]\ntable = "{near}"\nendpoint_url = "{server.url}"\n'
        f'[[table]]\ntable = "{far}"\nendpoint_url = "{off.url}"\n[policy]\ngrace = "{GRACE}s"\n'
        f'[delete]\nenabled = true\nmax_delete_percent = 100\ninclude = "legacy"\narchive = "{tmp_path}/kept/"\n'
    )
    finished = janitor("run", str(file))
    assert finished.code == 0, finished.err
    assert keys_in(client, near) == set()
    assert keys_in(client, far) == {key_of(rows[name]) for name in rows if not name.startswith("over")}


def test_an_answer_that_tells_of_an_earlier_time_counts_before_each_delete(
    off: Off, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    """The look at the table went to a server whose clock is ahead, the scan to one that LISA agrees with."""
    off.meddling.seconds_off = lambda operation: 0 if operation == "DescribeTable" else -AHEAD
    rows = rows_at_the_edge()
    table = new_table(rows.values())
    finished = swept(off, table, tmp_path)
    assert keys_in(client, table) == {key_of(rows[name]) for name in rows if not name.startswith("over")}
    report = json.loads(finished.out)
    assert (finished.code, report["deletion"]["deleted"], report["deletion"]["failed"]) == (1, 2, 3)
    assert [error["code"] for error in report["errors"]] == ["no-longer-deletable"]


def test_a_scan_and_a_list_say_what_lisa_does(off: Off, new_table: NewTable) -> None:
    table = new_table(rows_at_the_edge().values())
    options = (*where(off.url, table), "--grace", f"{GRACE}s")
    counts = json.loads(janitor("scan", *options).out)["counts"]
    assert (counts["expiring"], counts["expired"], counts["stale"], counts["legacy"]) == (1, 1, 1, 2)
    listed = json.loads(janitor("token", "list", *options).out)
    accepted = [finding["state"] for finding in listed["findings"] if finding["accepted_by"]]
    assert sorted(accepted) == ["expiring", "legacy"]


def test_a_token_that_lisa_still_accepts_makes_no_room(
    off: Off, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    for seconds in (-AHEAD, AHEAD):
        off.meddling.seconds_off = {-AHEAD: lambda _: -AHEAD, AHEAD: lambda _: AHEAD}[seconds]
        standing = modern("alive", int(time.time()) + seconds // 2, username=OWNER)
        table = new_table([standing])
        new = ("--user", OWNER, "--name", "ci", "--created-by", "admin", "--expires-in", "1h", "--replace-expired")
        added = janitor("token", "add", *where(off.url, table), *new, "--yes", "--archive", f"{tmp_path}/kept/")
        assert (added.code, keys_in(client, table)) == (2, {key_of(standing)}), added.err
        assert "seconds" in added.err


def test_the_question_before_a_removal_counts_what_lisa_still_accepts(off: Off, new_table: NewTable) -> None:
    standing = modern("alive", int(time.time()) - AHEAD // 2, username=OWNER)
    table = new_table([standing])
    asked = janitor("token", "remove", "--user", OWNER, *where(off.url, table), tty=True, input="n\n")
    assert asked.code == 4
    assert "1 of them still accepted by LISA" in asked.err
