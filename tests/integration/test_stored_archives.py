"""`plan show` and `archive list`: what is in a plan or an archive, and which archives there are; never a token."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest

from janitor.archive.plan import RowOutcome
from janitor.archive.plan_reader import PlanReader
from janitor.archive.s3_archive import S3Archive
from janitor.report.archive_list import ArchiveList
from janitor.report.plan_details import PlanDetails
from janitor.tokens.deletion_outcome import DeletionOutcome
from tests.command import Finished, janitor, on_screen
from tests.fixtures import NewTable
from tests.integration.test_apply import apply, planned
from tests.integration.test_narrowing import stale
from tests.servers import Server
from tests.sweeping import LONG_AGO, living_rows, run
from tests.tables import legacy, modern, token

SECRET = "sk-" + "k" * 45
KEPT = "archives-kept"
SHAPES = {"janitor.plan-details/v1": PlanDetails, "janitor.archive-list/v1": ArchiveList}


@pytest.fixture
def s3(table_server: Server) -> Iterator[Any]:
    with closing(boto3.client("s3", endpoint_url=table_server.url)) as client:
        client.create_bucket(Bucket=KEPT)
        yield client


def json_of(*arguments: str, **options: Any) -> Any:
    finished = janitor(*arguments, **options)
    assert finished.code == 0, finished.err
    document = json.loads(finished.out)
    # Every key is there, and no other.
    whole = SHAPES[document["schema"]]
    assert set(document) == {"schema", *msgspec.json.decode(finished.out, type=whole).__struct_fields__}
    return document


def assert_refused(finished: Finished, *words: str) -> None:
    assert (finished.code, finished.out, len(finished.err.splitlines())) == (2, "", 1)
    assert all(word in finished.err for word in words), finished.err


def test_a_plan_shows_its_rules_and_each_row_with_the_reason_and_never_the_token(
    table_server: Server, make_table: NewTable, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("a secret for fingerprints")
    rows = [token(SECRET, LONG_AGO, username="ana", name=SECRET), token("sk-other", LONG_AGO, username="=cmd()")]
    table = make_table([*rows, *living_rows(24)], hashed=False)
    protected = ("--protect-user", "svc-*", "--protect-user", "f" * 64)
    plan = planned(table_server, table, tmp_path / "plan", *protected, "--fingerprint-key-file", str(key))
    lines = [json.loads(line) for line in plan.read_text().splitlines()]
    shown = json_of("plan", "show", str(plan))
    assert (shown["kind"], shown["complete"], shown["rows"], shown["scanned"]) == ("plan", True, 2, 26)
    assert (shown["table"]["name"], shown["run_id"]) == (table, lines[0]["run_id"])
    assert (shown["policy"]["grace_seconds"], shown["policy"]["include"]) == (7 * 86_400, [])
    assert (shown["rules"]["protect_users"][0], "f" * 64 in json.dumps(shown)) == ("svc-*", False)
    assert shown["outcomes"] == dict.fromkeys(shown["outcomes"], 0)
    # The names are those that the run gave, although nobody gives its key of fingerprints here.
    assert [row["row_name"] for row in shown["findings"]] == [line["row_name"] for line in lines[1:-1]]
    assert {row["username"]: (row["state"], row["outcome"]) for row in shown["findings"]} == {
        "ana": ("stale", None), "=cmd()": ("stale", None),
    }  # fmt: skip
    assert all(re.fullmatch(r"expired .+ ago, grace 7 days", row["why"]) for row in shown["findings"])
    assert shown["next_command"] == f"janitor apply {plan} --dry-run"

    one = json_of("plan", "show", str(plan), "--max-findings", "1")
    assert (len(one["findings"]), one["findings_omitted"]) == (1, 1)
    streamed = [json.loads(line) for line in janitor("plan", "show", str(plan), "--format", "ndjson").out.splitlines()]
    assert (streamed[:-1], streamed[-1]["schema"]) == (shown["findings"], "janitor.plan-details/v1")
    listed = janitor("plan", "show", str(plan), "--format", "csv").out
    assert (len(listed.splitlines()), "_=cmd()" in listed) == (3, True)
    for columns in (80, 160):
        screen = on_screen(janitor("plan", "show", str(plan), tty=True, columns=columns).out)
        for words in (
            f"Plan of {table}",
            "2 rows of 26 scanned",
            "grace 7 days",
            "protects svc-*",
            "ago, grace 7 days",
        ):
            assert words in " ".join(screen.split())
        assert f"janitor apply {plan} --dry-run" in screen
        assert not any(secret in screen for secret in (SECRET, "f" * 64))
    assert SECRET not in json.dumps([shown, streamed]) + listed


def test_a_plan_that_was_cut_off_or_edited_says_so(table_server: Server, make_table: NewTable, tmp_path: Path) -> None:
    table = make_table([stale("ana"), stale("bob"), *living_rows(24)])
    plan = planned(table_server, table, tmp_path / "plan")
    lines = plan.read_text().splitlines(keepends=True)
    plan.write_text("".join(lines[:2]))
    shown = json_of("plan", "show", str(plan))
    assert (shown["complete"], shown["rows"], shown["scanned"]) == (False, 1, None)
    assert shown["next_command"] == f"janitor apply {plan} --partial --dry-run"
    assert "was cut off" in janitor("plan", "show", str(plan), "--format", "table").out
    plan.write_text("".join([lines[0], *lines[2:]]))
    assert_refused(janitor("plan", "show", str(plan)), "was edited", "--user or --fingerprint")
    assert_refused(janitor("plan", "show", str(tmp_path / "none")), "cannot be read")
    assert_refused(janitor("plan", "show", "ftp://x"), "neither a path nor s3://")


def test_archives_of_a_folder_are_listed_newest_first_and_a_damaged_one_ends_nothing(
    table_server: Server, make_table: NewTable, tmp_path: Path
) -> None:
    table = make_table([stale("ana"), stale("bob"), stale("bob", 1), legacy("x", LONG_AGO), *living_rows(24)])
    plan = planned(table_server, table, tmp_path / "plan", "--include", "legacy")
    folder = tmp_path / "it's kept"
    assert json_of("archive", "list", env={"XDG_STATE_HOME": str(tmp_path)})["archives"] == []
    for user in ("ana", "bob"):
        assert apply(table_server, plan, "--user", user, "--archive", f"{folder}/").code == 0
    assert apply(table_server, plan, "--archive", f"{folder}/").code == 0
    written = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for age, path in enumerate(reversed(written)):
        path.rename(folder / f"{table}-2027010{9 - age}T000000Z-{age}.ndjson")
    content = (folder / f"{table}-20270108T000000Z-1.ndjson").read_text().splitlines(keepends=True)
    (folder / f"{table}-20270103T000000Z-cut.ndjson").write_text("".join(content[:-2]))
    (folder / f"{table}-20270102T000000Z-edited.ndjson").write_text("".join([*content[:1], *content[2:]]))
    (folder / "notes.ndjson").write_text("hello\n")
    (folder / "notes.txt").write_text("no archive by its name")
    (folder / "link.ndjson").symlink_to(tmp_path / "gone")

    listed = json_of("archive", "list", str(folder))
    archives = {Path(each["location"]).name.rpartition("-")[2]: each for each in listed["archives"]}
    # By the times in their names; by the file's own where somebody else named it.
    newest_first = [Path(each["location"]).name.rpartition("-")[2] for each in listed["archives"]]
    assert [name for name in newest_first if name not in {"notes.ndjson", "link.ndjson"}] == [
        "0.ndjson", "1.ndjson", "2.ndjson", "cut.ndjson", "edited.ndjson",
    ]  # fmt: skip
    assert {name: (each["complete"], each["rows"]) for name, each in archives.items()} == {
        "0.ndjson": (True, 4), "1.ndjson": (True, 2), "2.ndjson": (True, 1), "cut.ndjson": (False, 2),
        "edited.ndjson": (False, 0), "notes.ndjson": (False, 0), "link.ndjson": (False, 0),
    }  # fmt: skip
    assert (archives["0.ndjson"]["outcomes"]["deleted"], archives["0.ndjson"]["outcomes"]["already_gone"]) == (1, 3)
    cut = archives["cut.ndjson"]["outcomes"]
    assert (cut["deleted"], cut["unknown"]) == (1, 1)
    assert "was edited" in archives["edited.ndjson"]["error"]
    assert "is not a plan" in archives["notes.ndjson"]["error"]
    assert "link.ndjson cannot be read: " in archives["link.ndjson"]["error"]
    assert archives["notes.ndjson"]["table"] is archives["notes.ndjson"]["restore"] is None

    newest = json_of("archive", "list", str(folder), "--max-archives", "1", "--endpoint-url", table_server.url)
    assert (len(newest["archives"]), newest["omitted"]) == (1, 6)
    command = newest["archives"][0]["restore"]
    assert command == (
        f"""janitor restore '{tmp_path}/it'"'"'s kept/{table}-20270109T000000Z-0.ndjson' --all --dry-run """
        f"--endpoint-url {table_server.url}"
    )
    screen = janitor("archive", "list", str(folder), "--format", "table").out.splitlines()
    assert any("4 rows: 1 deleted, 3 already gone" in line for line in screen)
    assert any("CUT OFF, 2 rows: 1 deleted, 1 of unknown outcome" in line for line in screen)
    assert sum(line.startswith("not readable: ") for line in screen) == 3
    assert sum(line.startswith("    janitor restore ") for line in screen) == 4
    assert "--beside puts those back too" in screen[-1]
    assert_refused(janitor("archive", "list", str(tmp_path / "none" / "such")), "cannot be read")

    # The default place, and the plan itself, which is no archive.
    state = tmp_path / "state"
    (state / "janitor").mkdir(parents=True)
    folder.rename(state / "janitor" / "archive")
    assert len(json_of("archive", "list", env={"XDG_STATE_HOME": str(state)})["archives"]) == 7
    assert "a plan, nothing was deleted by it" in janitor("archive", "list", str(plan), "--format", "table").out


def test_a_row_is_shown_with_the_rule_that_deletes_it_and_without_one_if_no_sweep_would(
    table_server: Server, make_table: NewTable, tmp_path: Path
) -> None:
    table = make_table(
        [stale("ana"), legacy("x", LONG_AGO), modern("alive", 4_000_000_000, username="bob"), *living_rows(24)]
    )
    plan = planned(table_server, table, tmp_path / "plan", "--include", "legacy")
    shown = json_of("plan", "show", str(plan))
    assert (shown["policy"]["include"], set(shown["rules"])) == (["legacy"], {"protect_users", "protect_system"})
    assert {row["state"]: row["why"].partition(" ")[0] for row in shown["findings"]} == {
        "stale": "expired", "legacy": "legacy,",
    }  # fmt: skip
    # The outcomes of an archive that was cut off are not known, and its rows are as stale.
    archive = tmp_path / "archive.ndjson"
    assert apply(table_server, plan, "--archive", str(archive)).code == 0
    archive.write_text("".join(archive.read_text().splitlines(keepends=True)[:3]))
    kept = json_of("plan", "show", str(archive))
    assert [(row["outcome"], row["why"]) for row in kept["findings"]] == [
        (None, row["why"]) for row in shown["findings"]
    ]
    removed = tmp_path / "removed.ndjson"
    done = janitor(
        *("token", "remove", "--user", "bob", "--yes", "--archive", str(removed)),
        *("--table", table, "--endpoint-url", table_server.url),
    )
    assert done.code == 0, done.err
    [row] = json_of("plan", "show", str(removed))["findings"]
    assert (row["outcome"], row["why"]) == ("deleted", None)


def test_an_archive_in_s3_is_one_whatever_the_number_of_its_objects(
    table_server: Server, make_table: NewTable, s3: Any, tmp_path: Path
) -> None:
    table = make_table([stale("ana"), stale("bob"), stale("later"), *living_rows(24)])
    where = f"s3://{KEPT}/janitor/"
    finished = run(table_server, table, "--user", "later", "--delete", "--yes", "--archive", where)
    assert finished.code == 0, finished.err
    plan = PlanReader(str(planned(table_server, table, tmp_path / "plan")), lambda: (tmp_path / "plan").open("rb"))
    location, [ana, bob] = f"{where}{table}-20270131T020000Z-5f/", [read.planned for read in plan.rows()]
    archive = S3Archive(
        location,
        lambda name, content: s3.put_object(Bucket=KEPT, Key=f"{location.partition(KEPT)[2][1:]}{name}", Body=content),
        lambda: False,
    )
    archive.open(plan.header)
    archive.store([ana])
    archive.store([bob])
    archive.record_outcomes([RowOutcome(0, ana.fingerprint, DeletionOutcome.DELETED)])
    archive.record_outcomes([RowOutcome(1, bob.fingerprint, DeletionOutcome.CHANGED)])
    s3.put_object(Bucket=KEPT, Key="janitor/notes.ndjson", Body=b"hello\n")

    endpoint = ("--endpoint-url", table_server.url)
    by_rows = {each["rows"]: each for each in json_of("archive", "list", where, *endpoint)["archives"]}
    assert by_rows.keys() == {2, 1, 0}
    assert "is not a plan" in by_rows[0]["error"]
    assert (by_rows[2]["location"], by_rows[2]["complete"]) == (location, True)
    assert (by_rows[2]["outcomes"]["deleted"], by_rows[2]["outcomes"]["changed"]) == (1, 1)

    shown = json_of("plan", "show", location, *endpoint)
    assert (shown["kind"], shown["rows"], shown["run_id"]) == ("archive", 2, plan.header.run_id)
    assert [(row["row_name"], row["outcome"]) for row in shown["findings"]] == [
        (ana.row_name, "deleted"),
        (bob.row_name, "changed"),
    ]
    assert shown["next_command"] == by_rows[2]["restore"] == (
        f"janitor restore {location} --all --dry-run --endpoint-url {table_server.url}"
    )  # fmt: skip
    s3.delete_object(Bucket=KEPT, Key="janitor/notes.ndjson")
    assert_refused(janitor("plan", "show", where, *endpoint), "archives of several runs", "janitor archive list")
    assert_refused(janitor("plan", "show", f"{where}nothing/", *endpoint), "holds no plan and no archive")
    nothing = janitor("archive", "list", f"{where}nothing/", "--format", "table", *endpoint)
    assert (nothing.code, nothing.out) == (0, f"No archive is in {where}nothing/.\n")
