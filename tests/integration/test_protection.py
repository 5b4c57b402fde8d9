"""Protected users: what a pattern reaches, and that the report tells of each that reaches nobody."""

import json
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import Finished, janitor
from tests.exports import export_files, written
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import LONG_AGO, key_of, keys_in
from tests.tables import Item, modern

DAY = 86_400
COMPOSED = unicodedata.normalize("NFC", "José Núñez")
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


def row(token: str, username: str, *, active: bool = False) -> Item:
    now = int(time.time())
    return modern(token, now + 300 * DAY if active else now - LONG_AGO, username=username)


def ran(server: Server, *arguments: str, **variables: str) -> Finished:
    return janitor(*arguments, env={"AWS_ENDPOINT_URL": server.url, **variables})


def report_of(finished: Finished) -> dict[str, Any]:
    assert finished.code == 0, finished.err
    made: dict[str, Any] = json.loads(finished.out)
    return made


def unused(report: dict[str, Any]) -> list[str]:
    """The patterns that the report says protect nobody."""
    told = [remark["message"] for remark in report["warnings"] if remark["code"] == "protects-nobody"]
    return [message.split("'")[1] for message in told]


def test_owners_with_spaces_and_accents_are_protected_by_a_variable(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    protected = [row("a", "John Doe"), row("b", "svc one two"), row("c", DECOMPOSED), row("d", COMPOSED)]
    others = [row("e", "John"), row("f", "Doe"), row("g", "john doe"), row("h", "jose nunez")]
    table = new_table([*protected, *others])
    variable = json.dumps(["John Doe", "svc *", DECOMPOSED.replace(" ", "?")])
    options = ("--table", table, "--delete", "--yes", "--no-archive", "--max-delete-percent", "100")
    report = report_of(ran(server, "sweep", *options, JANITOR_PROTECT_USER=variable))
    assert keys_in(client, table) == {key_of(each) for each in protected}
    assert (report["deletion"]["deleted"], report["deletion"]["protected"], unused(report)) == (4, 4, [])


@pytest.mark.parametrize("command", ["scan", "sweep"])
@pytest.mark.parametrize("hashed", [True, False])
@pytest.mark.parametrize("segments", ["1", "3"])
def test_each_pattern_that_fits_no_row_is_told_and_no_other(
    server: Server, new_table: NewTable, command: str, *, hashed: bool, segments: str
) -> None:
    rows = [row("a", "Ana"), row("b", "svc-live", active=True), row("c", COMPOSED, active=True), row("d", "x@y.z")]
    rows += [row(f"n{number}", f"nobody-{number}", active=True) for number in range(30)]
    table = new_table(rows, hashed=hashed)
    fitting = ["Ana", "svc-*", DECOMPOSED, "*@y.z", "[n]obody-7", "*"]
    unfitting = ["ana", "SVC-*", "Jose*", "Ana,svc-*", "Ana svc-live", "x@y", "nobody-30", "ana?"]
    options = [word for pattern in [*unfitting, *fitting] for word in ("--protect-user", pattern)]
    report = report_of(ran(server, command, "--table", table, "--segments", segments, *options))
    assert unused(report) == unfitting
    assert (report["counts"]["scanned"], report["counts"]["active"]) == (34, 32)
    assert len(report["findings"]) == 2
    commas = next(each["message"] for each in report["warnings"] if "'Ana,svc-*'" in each["message"])
    assert "one a line" in commas
    without = report_of(ran(server, command, "--table", table, "--segments", segments))
    assert (without["counts"], unused(without)) == (report["counts"], [])


one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)


@one_server
def test_many_patterns_are_asked_for_in_one_filter_and_told_up_to_a_number(server: Server, new_table: NewTable) -> None:
    table = new_table([row("a", "Ana", active=True)])
    patterns = json.dumps([f"user-{number:03}*" for number in range(300)] + ["An?"])
    report = report_of(ran(server, "scan", "--table", table, JANITOR_PROTECT_USER=patterns))
    told = [remark["message"] for remark in report["warnings"] if remark["code"] == "protects-nobody"]
    assert (len(told), told[-1]) == (21, "280 more patterns of --protect-user protect nobody")


@one_server
def test_it_is_told_of_an_export_of_a_plan_and_of_several_tables_together(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    rows = [row("a", "ana"), row("b", "ben", active=True)]
    export = written(export_files(rows), tmp_path / "export") / "manifest-summary.json"
    options = ("--protect-user", "ben", "--protect-user", "Ben")
    seen = ran(server, "scan", "--source", str(export), "--dialect", "hashed", "--format", "json", *options)
    assert unused(report_of(seen)) == ["Ben"]

    first, second = new_table(rows), new_table([row("c", "cleo")])
    plan, job = tmp_path / "plan.ndjson", tmp_path / "job.toml"
    assert ran(server, "sweep", "--table", first, "--plan", str(plan), "--protect-user", "ben").code == 0
    applied = ran(
        server, "apply", str(plan), "--yes", "--no-archive", JANITOR_PROTECT_USER="ben\nAnn", JANITOR_REGION="us-east-1"
    )
    # The plan's own pattern kept its rows out of the plan, and has done what it was there for.
    assert unused(report_of(applied)) == ["Ann"]

    job.write_text(
        f'[[table]]\ntable = "{first}"\n[[table]]\ntable = "{second}"\n'
        '[policy]\nprotect_users = ["ben", "cleo", "nobody"]\n[report]\nformat = "json"\n'
    )
    report = report_of(ran(server, "run", str(job)))
    assert unused(report) == ["nobody"]


@one_server
def test_an_owner_is_found_in_whichever_form_the_name_stands(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    archive = tmp_path / "archive.ndjson"
    for hashed in (True, False):
        table = new_table([row("a", COMPOSED), row("b", DECOMPOSED), row("c", COMPOSED.upper())], hashed=hashed)
        listed = report_of(ran(server, "token", "list", "--table", table, "--user", DECOMPOSED, "--format", "json"))
        assert len(listed["findings"]) == 2
        finished = ran(
            server, "token", "remove", "--table", table, "--user", DECOMPOSED, "--yes", "--archive", str(archive)
        )
        assert finished.code == 0, finished.err
        assert len(keys_in(client, table)) == 1
        for form in (COMPOSED, DECOMPOSED):
            restored = ran(server, "restore", str(archive), "--user", form, "--table", table, "--format", "json")
            assert restored.code == 0, restored.err
            assert len(keys_in(client, table)) == 3
        archive.unlink()


def guard_of(report: dict[str, Any], where: str = "errors") -> str | None:
    """What the guard of protection says."""
    said = [remark["message"] for remark in report[where] if remark["code"] == "protection"]
    assert len(said) <= 1
    return said[0] if said else None


@pytest.mark.parametrize("hashed", [True, False])
def test_a_pattern_that_was_meant_for_a_planned_row_keeps_every_row(
    server: Server, client: DynamoDBClient, new_table: NewTable, *, hashed: bool
) -> None:
    rows = [row("a", "Ana"), row("b", "ben"), row("c", "cleo"), row("d", "svc-live", active=True)]
    table = new_table(rows, hashed=hashed)
    sweep = ("sweep", "--table", table, "--no-archive", "--format", "json")
    deletes = ("--delete", "--yes", "--max-delete-percent", "100")
    for pattern, planned in (("ana", 1), ("Ana,ben", 2), ("'cleo'", 1), ("ANA BEN cleo", 3)):
        refused = ran(server, *sweep, *deletes, "--protect-user", pattern)
        assert refused.code == 4, refused.err
        message = guard_of(json.loads(refused.out))
        assert message is not None
        assert pattern in message
        assert f"{planned} planned {'row' if planned == 1 else 'rows'}" in message
        assert pattern in refused.err
        dry = json.loads(ran(server, *sweep, "--protect-user", pattern).out)
        told = guard_of(dry, "warnings")
        assert told is not None
        assert told.startswith("would refuse to delete")
    assert len(keys_in(client, table)) == 4
    # Nobody is called so, today: nothing hangs on it.
    done = ran(server, *sweep, *deletes, JANITOR_PROTECT_USER="svc-night\nsvc-*\nx y")
    assert (done.code, guard_of(json.loads(done.out))) == (0, None), done.err
    assert unused(json.loads(done.out)) == ["svc-night", "x y"]
    assert keys_in(client, table) == {key_of(rows[3])} if hashed else len(keys_in(client, table)) == 1


@one_server
def test_a_plan_remembers_which_of_its_patterns_were_not_heard(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([row("a", "Ana"), row("b", "ben"), row("c", "BEN"), row("d", "dan", active=True)])
    apply = ("--yes", "--no-archive", "--max-delete-percent", "100", "--region", "us-east-1", "--format", "json")
    plan, good = tmp_path / "plan.ndjson", tmp_path / "good.ndjson"
    assert ran(server, "sweep", "--table", table, "--plan", str(plan), "--protect-user", "ana").code == 0
    refused = ran(server, "apply", str(plan), *apply)
    assert refused.code == 4, refused.err
    assert guard_of(json.loads(refused.out)) is not None
    dry = ran(server, "apply", str(plan), "--dry-run", *apply)
    assert (dry.code, (guard_of(json.loads(dry.out), "warnings") or "")[:12]) == (0, "would refuse")
    # The plan's own pattern has fitted a row, which is why that row is not in the plan; one of the moment fits none.
    assert ran(server, "sweep", "--table", table, "--plan", str(good), "--protect-user", "ben").code == 0
    assert ran(server, "apply", str(good), *apply, JANITOR_PROTECT_USER="ana,dan").code == 4
    assert len(keys_in(client, table)) == 4
    done = ran(server, "apply", str(good), *apply, "--protect-user", "dan")
    assert done.code == 0, done.err
    assert len(keys_in(client, table)) == 2


@one_server
def test_a_pattern_that_another_table_uses_still_keeps_a_row_that_it_was_meant_for(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    job = tmp_path / "job.toml"
    tables = [new_table([row("a", "ana", active=True)]), new_table([row("b", "Ana")])]
    for first, second in (tables, reversed(tables)):
        job.write_text(
            f'[[table]]\ntable = "{first}"\n[[table]]\ntable = "{second}"\n'
            '[policy]\nprotect_users = ["ana"]\n[delete]\nenabled = true\nno_archive = true\nmax_delete_percent = 100\n'
        )
        refused = ran(server, "run", str(job), "--format", "json")
        assert refused.code == 4, refused.err
        assert "like the owners of planned rows" in refused.err
    assert [len(keys_in(client, table)) for table in tables] == [1, 1]


@one_server
def test_a_name_pasted_as_it_stands_keeps_its_rows_though_it_holds_a_mark_of_patterns(
    server: Server, client: DynamoDBClient, new_table: NewTable
) -> None:
    table = new_table([row("a", "svc[prod]"), row("b", "alice")])
    for pattern in ("svc[prod]", "user:alice", "^alice$"):
        refused = ran(
            server, "sweep", "--table", table, "--delete", "--yes", "--no-archive", "--max-delete-percent", "100",
            "--protect-user", pattern,
        )  # fmt: skip
        assert refused.code == 4, refused.err
    assert len(keys_in(client, table)) == 2
