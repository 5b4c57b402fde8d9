"""One rule of consent for whatever deletes or ends a token: a terminal, `--yes`, or a schedule file that says so."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, fake_aws, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import DAY, keys_in, living_rows
from tests.tables import modern

pytestmark = pytest.mark.parametrize("server", ["ministack"], indirect=True)

OWNER = "ana@example.com"

Way = Callable[[Server, str, Path], list[str]]


def where(server: Server, table: str, folder: Path) -> list[str]:
    return ["--table", table, "--endpoint-url", server.url, "--archive", f"{folder}/kept/"]


def sweep(server: Server, table: str, folder: Path) -> list[str]:
    return ["sweep", "--delete", *where(server, table, folder)]


def sweep_with_the_lease(server: Server, table: str, folder: Path) -> list[str]:
    return [*sweep(server, table, folder), "--state-url", f"sqlite:///{folder}/state.sqlite"]


def apply(server: Server, table: str, folder: Path) -> list[str]:
    plan = folder / f"plan-{time.monotonic_ns()}"
    assert janitor("sweep", "--table", table, "--endpoint-url", server.url, "--plan", str(plan)).code == 0
    return ["apply", str(plan), *where(server, table, folder)]


def remove(server: Server, table: str, folder: Path) -> list[str]:
    return ["token", "remove", "--user", OWNER, *where(server, table, folder)]


def replace(server: Server, table: str, folder: Path) -> list[str]:
    new = ["--user", OWNER, "--name", "ci", "--created-by", "admin", "--expires-in", "1h", "--replace-expired"]
    return ["token", "add", *new, *where(server, table, folder)]


WAYS: list[Way] = [sweep, sweep_with_the_lease, apply, remove, replace]
# Nothing to read, and an answer that nobody at a terminal has typed.
INPUTS = {"nothing": "", "a yes from a pipe": "y\n" * 9}


@pytest.fixture
def table(new_table: NewTable) -> str:
    return new_table([*living_rows(30), modern("over", int(time.time()) - 30 * DAY, username=OWNER)])


@pytest.mark.parametrize("given", INPUTS.values(), ids=INPUTS.keys())
@pytest.mark.parametrize("way", WAYS)
def test_without_a_terminal_nothing_goes_before_somebody_says_yes(
    server: Server, client: DynamoDBClient, table: str, tmp_path: Path, *, way: Way, given: str
) -> None:
    before = keys_in(client, table)
    refused = janitor(*way(server, table, tmp_path), input=given, env={"TMPDIR": str(tmp_path)})
    assert (refused.code, keys_in(client, table)) == (4, before), refused.err
    assert "there is no terminal to ask on; give --yes" in refused.err
    assert not (tmp_path / "kept").exists()
    done = janitor(*way(server, table, tmp_path), "--yes", input=given)
    assert (done.code, len(before - keys_in(client, table))) == (0, 1), done.err


def test_a_standard_input_that_is_closed_is_no_terminal(
    server: Server, client: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    before = keys_in(client, table)
    for way in WAYS:
        command = [sys.executable, "-m", "janitor", *way(server, table, tmp_path)]
        ran = subprocess.run(
            ["sh", "-c", 'exec "$@" <&-', "sh", *command],
            env={**fake_aws(tmp_path), "PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
            capture_output=True,
            check=False,
        )
        assert (ran.returncode, keys_in(client, table)) == (4, before), ran.stderr
        assert b"there is no terminal to ask on; give --yes" in ran.stderr


@pytest.mark.parametrize("way", WAYS)
def test_on_a_terminal_each_asks_and_yes_is_the_only_answer_that_counts(
    server: Server, client: DynamoDBClient, table: str, tmp_path: Path, way: Way
) -> None:
    before = keys_in(client, table)
    for answer in ("", "yess"):
        no = janitor(*way(server, table, tmp_path), tty=True, input=f"{answer}\n", env={"TMPDIR": str(tmp_path)})
        assert (no.code, keys_in(client, table)) == (4, before), no.err
        assert no.err.count("[y/N]: ") == 1
    yes = janitor(*way(server, table, tmp_path), tty=True, input="y\n")
    assert (yes.code, len(before - keys_in(client, table))) == (0, 1), yes.err


def file_that_deletes(server: Server, table: str, folder: Path, enabled: str) -> str:
    file = folder / "job.toml"
    file.write_text(
        f'[table]\ntable = "{table}"\nendpoint_url = "{server.url}"\n'
        f'[delete]\nenabled = {enabled}\narchive = "{folder}/kept/"\n'
    )
    return str(file)


def test_a_schedule_file_that_deletes_is_consent_where_nobody_can_be_asked(
    server: Server, client: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    before = keys_in(client, table)
    dry = janitor("run", file_that_deletes(server, table, tmp_path, "false"), "--yes")
    assert (dry.code, keys_in(client, table)) == (0, before)
    done = janitor("run", file_that_deletes(server, table, tmp_path, "true"))
    assert (done.code, len(before - keys_in(client, table))) == (0, 1), done.err


def test_a_plan_is_kept_of_a_sweep_that_nobody_said_yes_to_and_other_guards_come_first(
    server: Server, table: str, tmp_path: Path
) -> None:
    refused = janitor(*sweep(server, table, tmp_path), env={"XDG_STATE_HOME": str(tmp_path / "state")})
    report = json.loads(refused.out)
    assert (report["run"]["outcome"], [error["code"] for error in report["errors"]]) == ("refused", ["not-confirmed"])
    assert Path(report["deletion"]["plan"]).exists()
    too_many = janitor(*sweep(server, table, tmp_path), "--max-deletes", "0")
    assert [error["code"] for error in json.loads(too_many.out)["errors"]] == ["max-deletes"]


def test_where_nothing_is_to_go_nobody_is_asked(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table(living_rows(30))
    assert janitor(*sweep(server, table, tmp_path)).code == 0


def test_a_variable_says_yes_to_sweeps_and_not_to_single_tokens(
    server: Server, client: DynamoDBClient, table: str, tmp_path: Path
) -> None:
    yes = {"JANITOR_YES": "1"}
    before = keys_in(client, table)
    for way in (remove, replace):
        refused = janitor(*way(server, table, tmp_path), env=yes)
        assert (refused.code, keys_in(client, table)) == (4, before)
    assert janitor(*sweep(server, table, tmp_path), env=yes).code == 0
    assert len(before - keys_in(client, table)) == 1


def asked_or_not(server: Server, table: str, folder: Path) -> dict[str, list[str]]:
    """Every command that changes anything, in a way that asks nothing."""
    at = ["--table", table, "--endpoint-url", server.url]
    plan, archive = folder / "plan", folder / "archive"
    assert janitor("sweep", *at, "--plan", str(plan)).code == 0
    assert janitor("sweep", *at, "--delete", "--yes", "--archive", str(archive)).code == 0
    of_owner = [*at, "--user", OWNER]
    return {
        "sweep": ["sweep", *at],
        "apply": ["apply", str(plan), "--dry-run", "--endpoint-url", server.url],
        "restore": ["restore", str(archive), "--all", "--endpoint-url", server.url],
        "run": ["run", file_that_deletes(server, table, folder, "false")],
        "extend": ["token", "extend", *of_owner, "--expires-in", "1h", "--revive"],
        "revoke": ["token", "revoke", *of_owner],
        "remove": ["token", "remove", *of_owner, "--dry-run"],
        "add": ["token", "add", *at, "--user", "bob", "--name", "ci", "--created-by", "admin", "--expires-in", "1h"],
        "doctor": ["doctor", *at, "--state-url", f"sqlite:///{folder}/state.sqlite"],
    }


def test_every_command_that_changes_anything_takes_yes(server: Server, table: str, tmp_path: Path) -> None:
    for name, arguments in asked_or_not(server, table, tmp_path).items():
        finished: Finished = janitor(*arguments, "--yes")
        assert finished.code in {0, 1} if name == "doctor" else finished.code == 0, (name, finished.err)


def test_the_daemon_takes_yes_too(server: Server, tmp_path: Path) -> None:  # noqa: ARG001  # for every server alike
    said: Any = janitor("serve", str(tmp_path / "not-there"), "--yes")
    assert "No such option" not in said.err


def ends_of(client: DynamoDBClient, table: str) -> dict[str, str]:
    """Every row's expiry."""
    items = client.scan(TableName=table, ConsistentRead=True)["Items"]
    return {item["token"]["S"]: item["tokenExpiration"]["N"] for item in items}


ENDINGS = {
    "revoke one": ["revoke", "{uuid}"],
    "revoke all": ["revoke", "--user", OWNER],
    "revoke later": ["revoke", "{uuid}", "--at", "{soon}"],
    "shorten": ["extend", "{uuid}", "--expires-in", "1h", "--shorten"],
}


@pytest.mark.parametrize("way", ENDINGS.values(), ids=ENDINGS.keys())
def test_no_token_is_ended_before_somebody_says_yes(
    server: Server, client: DynamoDBClient, new_table: NewTable, *, way: list[str]
) -> None:
    now = int(time.time())
    living = modern("living", now + 90 * DAY, username=OWNER)
    table = new_table([living, modern("over", now - DAY, username=OWNER), modern("other", now + 90 * DAY)])
    known = {"uuid": living["tokenUUID"]["S"], "soon": str(now + 9 * DAY)}
    at = ["--table", table, "--endpoint-url", server.url]
    command = ["token", *(word.format(**known) for word in way), *at]
    before = ends_of(client, table)
    for given in INPUTS.values():
        refused = janitor(*command, input=given, env={"JANITOR_YES": "1"})
        assert (refused.code, refused.out, ends_of(client, table)) == (4, "", before), refused.err
        assert "nothing was changed: there is no terminal to ask on; give --yes" in refused.err
    no = janitor(*command, tty=True, input="yess\n")
    assert (no.code, no.err.count(" 1 token of "), ends_of(client, table)) == (4, 1, before), no.err
    assert janitor(*command, "--dry-run").code == 0
    assert ends_of(client, table) == before
    yes = janitor(*command, tty=True, input="y\n")
    after = ends_of(client, table)
    assert (yes.code, sum(after[key] != before[key] for key in before)) == (0, 1), yes.err


def test_with_yes_a_script_ends_tokens_and_nobody_is_asked_where_none_ends(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    now = int(time.time())
    living = modern("living", now + 90 * DAY, username=OWNER)
    table = new_table([living, modern("over", now - DAY, username=OWNER)])
    at = ["--user", OWNER, "--table", table, "--endpoint-url", server.url]
    extended = janitor("token", "extend", *at, "--expires-in", "99d", "--revive")
    assert extended.code == 0, extended.err
    assert janitor("token", "extend", *at, "--expires-in", "1h", "--shorten", "--yes").code == 0
    assert janitor("token", "revoke", *at, "--yes").code == 0
    assert all(int(end) <= time.time() for end in ends_of(client, table).values())
    # All of them are dead: nothing would end.
    assert janitor("token", "revoke", *at).code == 0
