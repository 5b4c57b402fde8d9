"""What a person sees on a terminal, and what a pipe gets."""

import json
import unicodedata
from pathlib import Path

import pytest

from tests.command import janitor, on_screen
from tests.fixtures import NewTable
from tests.integration.scanning import scan
from tests.servers import Server
from tests.sweeping import DAY, fingerprint_of
from tests.tables import SAMPLE_NOW, legacy, modern, sample_rows, token


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_coloured_table_within_its_width(server: Server, new_table: NewTable, columns: int) -> None:
    seen = scan(server, new_table(sample_rows().values(), hashed=False), tty=True, anew=True, columns=columns)
    shown = on_screen(seen.out)
    assert seen.code == 0
    assert "\x1b[" in seen.out
    assert [title for title in ("Due soonest", "Just expired", "Needs a look") if title in shown] == [
        "Due soonest", "Just expired", "Needs a look",
    ]  # fmt: skip
    assert all(len(line) <= columns or line.startswith("    janitor ") for line in shown.splitlines())
    assert all(unicodedata.category(character) not in ("Cc", "Cf") for character in shown.replace("\n", ""))


@pytest.mark.parametrize("columns", [80, 100, 130, 170])
def test_dates_fingerprints_and_meanings_are_whole_at_any_width(
    server: Server, new_table: NewTable, columns: int
) -> None:
    due = modern(
        "due", SAMPLE_NOW + 12 * DAY, username="somebody.with.a.long.name@department.example.com", name="n" * 60
    )
    odd = legacy("odd")
    table = new_table([due, odd])
    shown = on_screen(scan(server, table, tty=True, columns=columns).out)
    assert all(len(line) <= columns or line.startswith("    janitor ") for line in shown.splitlines())
    assert "in 12 days" in shown
    assert fingerprint_of(due["token"]["S"]) in shown
    assert "no tokenUUID; only MCP Workbench still accepts it, for ever" in " ".join(shown.split())
    warning = "MCP Workbench still accepts 1 token that LISA's API rejects; end it with `janitor token revoke`"
    assert f"- {warning}." in " ".join(shown.split())


def test_a_section_without_room_says_how_many_there_are(server: Server, new_table: NewTable) -> None:
    table = new_table([token("a", SAMPLE_NOW + 60), token("b"), token("c")], hashed=False)
    shown = on_screen(scan(server, table, "--max-findings", "1", tty=True).out)
    assert shown.count("more; --report ndjson=PATH lists them all") == 1
    assert "Needs a look\n… and 2 more" in shown


def test_no_color_is_honoured(server: Server, new_table: NewTable) -> None:
    table = new_table([token("a", SAMPLE_NOW + 60)], hashed=False)
    seen = scan(server, table, "--log-level", "error", tty=True, env={"NO_COLOR": "1"})
    assert "\x1b[3" not in seen.out
    assert "in 60 seconds" in seen.out


def test_a_terminal_sees_progress_and_a_pipe_does_not(server: Server, new_table: NewTable) -> None:
    table = new_table([token("a", SAMPLE_NOW + 60)], hashed=False)
    assert "rows" in scan(server, table, "--log-level", "error", tty=True).err
    assert scan(server, table, "--log-level", "error").err == ""


def test_a_terminal_is_told_where_reports_went_and_a_pipe_reads_it_in_the_log(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table, places = new_table([token("a", SAMPLE_NOW)], hashed=False), [tmp_path / "a.html", tmp_path / "{table}.json"]
    reports = [part for place in places for part in ("--report", f"{place.suffix[1:]}={place}")]
    seen = scan(server, table, *reports, tty=True)
    written = f"{places[0]}, {tmp_path / table}.json"
    assert on_screen(seen.err).splitlines()[-1] == f"janitor: wrote the reports {written}"
    piped = scan(server, table, *reports)
    assert f'"reports": ["{places[0]}"' in piped.err
    assert "wrote the reports" not in piped.err


def test_a_pipe_gets_json_and_log_lines_with_the_runs_id(server: Server, new_table: NewTable) -> None:
    piped = scan(server, new_table([token("a", SAMPLE_NOW + 60)], hashed=False), "--log-level", "debug")
    report = json.loads(piped.out)
    lines = [json.loads(line) for line in piped.err.splitlines()]
    assert {line["run_id"] for line in lines} == {report["run"]["id"]}
    events = [line["event"] for line in lines if line["logger"].startswith("janitor.")]
    assert events == ["run.started", "page.read", "report.written", "run.finished"]
    finished = next(line for line in lines if line["event"] == "run.finished")
    assert (finished["scanned"], finished["expiring"], finished["pages"], finished["outcome"]) == (1, 1, 1, "complete")
    assert all(line["timestamp"].endswith("Z") for line in lines)


@pytest.mark.parametrize(("options", "table"), [([], "BaseTokenTable"), (["--classic"], "ApiTokenTable")])
def test_the_demo_needs_no_aws_and_says_what_to_try_next(options: list[str], table: str) -> None:
    seen = janitor("demo", *options, env={"AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "http://localhost:1"})
    assert seen.code == 0, seen.err
    for word in (table, "expiring", "expired", "stale", "permanent", "malformed", "Try next:"):
        assert word in seen.out


def test_the_schema_is_json() -> None:
    schema = json.loads(janitor("schema", "report").out)
    assert "findings" in schema["properties"]
