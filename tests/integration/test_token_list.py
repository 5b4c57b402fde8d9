"""`janitor token list`: every row of a table, or those that were asked for, in every format."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from janitor.run.sorted_collector import SORT_VALUES
from janitor.settings.setting import settings_of
from janitor.settings.token_read import ListingSettings
from janitor.tokens.classify import State
from tests.command import Finished, janitor, on_screen
from tests.fixtures import NewTable
from tests.integration.scanning import DAY, counted, report_of
from tests.servers import Server
from tests.tables import SAMPLE_NOW, Item, legacy, modern, sample_rows, token

FORMATS = ("table", "ndjson", "csv", "markdown", "html", "ics")


def list_tokens(server: Server, table: str, *options: str, **arguments: Any) -> Finished:
    where = ("--table", table, "--endpoint-url", server.url, "--as-of", str(SAMPLE_NOW))
    return janitor("token", "list", *where, *options, **arguments)


def rows_of_people() -> list[Item]:
    """Rows of LISA 6.1: two active, one expiring, one expired, one stale."""
    return [
        modern("a", SAMPLE_NOW + 90 * DAY, username="ana@example.com", name="ci"),
        modern("b", SAMPLE_NOW + 60 * DAY, username="bob@example.com", name="laptop", groups=["rag admins", "ops"]),
        modern("c", SAMPLE_NOW + 5 * DAY, username="ana@example.com", name="notebook"),
        modern("d", SAMPLE_NOW - DAY, username="ana@example.com", name="ci-old"),
        modern("e", SAMPLE_NOW - 30 * DAY, username="cyd@example.com", name="ci"),
    ]


def names(findings: list[dict[str, Any]]) -> list[str]:
    return [f"{row['username'].partition('@')[0]} {row['name']}" for row in findings]


def test_every_format_tells_every_row_active_ones_too(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    rows = sample_rows()
    table = new_table(rows.values(), hashed=False)
    reports = [part for name in FORMATS for part in ("--report", f"{name}={tmp_path / name}")]
    finished = list_tokens(server, table, *reports)
    report = report_of(finished)
    assert counted(report) == {
        "scanned": 42, "active": 2, "expiring": 7, "expired": 4, "stale": 14, "permanent": 1, "malformed": 14,
    }  # fmt: skip
    assert report["listing"] == {
        "only_findings": False,
        "states": [],
        "users": [],
        "names": [],
        "groups": [],
        "sort": None,
        "chosen": 42,
    }
    assert (report["run"]["command"], report["findings_omitted"], len(report["findings"])) == ("token list", 0, 42)
    assert [row["state"] for row in report["findings"]][-2:] == ["active", "active"]
    written = {name: (tmp_path / name).read_text(encoding="utf-8") for name in FORMATS}
    everything = {row["fingerprint"] for row in report["findings"]}
    *lines, closing = map(json.loads, written["ndjson"].splitlines())
    assert {row["fingerprint"] for row in lines} == everything
    assert closing["findings_omitted"] == 0
    listed = [row["fingerprint"] for row in csv.DictReader(io.StringIO(written["csv"]))]
    # One of them is all digits, which would be read as a number.
    assert "_359851260312" in listed
    assert {fingerprint.removeprefix("_") for fingerprint in listed} == everything
    for name in ("table", "markdown", "html"):
        assert [each for each in everything if each not in written[name]] == []
        assert "42 of 42 rows, most urgent first." in written[name]
    assert "more findings" not in written["html"]
    active = {row["expires_at"] for row in report["findings"] if row["state"] == "active"}
    events = Calendar.from_ical(written["ics"]).walk("VEVENT")
    starts = {event.decoded("dtstart").isoformat().replace("+00:00", "Z") for event in events}
    assert active <= starts
    keys = [item["token"]["S"] for item in rows.values() if len(item["token"]["S"]) > 8]
    said = "".join((finished.out, finished.err, *written.values()))
    assert [key for key in keys if key in said] == []


@pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)
def test_rows_are_chosen_by_state_owner_and_name_and_the_counts_stay_the_tables(
    server: Server, new_table: NewTable
) -> None:
    table = new_table(rows_of_people())
    whole = {"scanned": 5, "active": 2, "expiring": 1, "expired": 1, "stale": 1}
    # Without active rows the server keeps them to itself.
    options = ("--state", "expired", "--state", "stale", "--name", "ci*")
    report = report_of(list_tokens(server, table, *options, "--segments", "2"))
    assert (names(report["findings"]), counted(report)) == (["ana ci-old", "cyd ci"], whole)
    report = report_of(list_tokens(server, table, "--user", "[ab]*", "--name", "ci", "--name", "laptop"))
    assert (names(report["findings"]), counted(report)) == (["bob laptop", "ana ci"], whole)
    assert report["listing"]["chosen"] == 2
    in_csv = list_tokens(server, table, "--group", "rag *", "--group", "nobody", "--format", "csv").out
    assert [(row["name"], row["groups"]) for row in csv.DictReader(io.StringIO(in_csv))] == [
        ("laptop", "rag admins;ops")
    ]
    shown = list_tokens(server, table, "--user", "ana*", "--sort", "name", "--format", "table")
    screen = on_screen(shown.out)
    assert "3 of 5 rows of ana*, by name." in screen
    listed = [line.split("  ") for line in screen.splitlines() if "ana@" in line]
    assert [[cell.strip() for cell in cells if cell.strip()][2:5] for cells in listed] == [
        ["active", "ana@example.com", "ci"],
        ["expired", "ana@example.com", "ci-old"],
        ["expiring", "ana@example.com", "notebook"],
    ]
    nobody = report_of(list_tokens(server, table, "--user", "nobody", env={"JANITOR_STATE": "active expired"}))
    assert (nobody["findings"], nobody["listing"]["states"]) == ([], ["active", "expired"])


def test_a_sorted_listing_is_the_same_in_every_format_and_bounded_in_each(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*rows_of_people(), token("legacy", username="bob@example.com")])
    path = tmp_path / "sorted.ndjson"
    options = ("--sort", "-expiry", "--max-findings", "4", "--format", "csv", "--report", f"ndjson={path}")
    finished = list_tokens(server, table, *options)
    assert finished.code == 0, finished.err
    in_csv = names(list(csv.DictReader(io.StringIO(finished.out))))
    *lines, closing = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert names(lines) == in_csv == ["ana ci", "bob laptop", "ana notebook", "ana ci-old"]
    assert (closing["findings_omitted"], closing["listing"]["sort"]) == (2, "-expiry")
    assert "listing.cut" in finished.err


def test_what_may_be_sorted_by_is_what_the_command_line_offers() -> None:
    offered = settings_of(ListingSettings)["sort"].choices
    assert set(offered) == {f"{sign}{order}" for order in SORT_VALUES for sign in ("", "-")}
    assert set(settings_of(ListingSettings)["state"].choices) == set(State)


def test_what_is_said_besides_the_counts_is_about_the_owners_that_were_asked_for(
    server: Server, new_table: NewTable
) -> None:
    old = legacy("bearer-old", SAMPLE_NOW - DAY, username="old@example.com")
    table = new_table([*rows_of_people(), old])
    locked_out = {"ana": [], "bob": [], "cyd": ["cyd@example.com"], "old": ["old@example.com"]}
    for owner, owners in locked_out.items():
        report = report_of(list_tokens(server, table, "--user", f"{owner}@*"))
        warned = any(warning["code"] == "plain-text-key" for warning in report["warnings"])
        assert (report["locked_out"], warned, report["counts"]["scanned"]) == (owners, owner == "old", 6), owner
        assert sum(day["expiring"] for day in report["forecast"]) == (1 if owner == "ana" else 0)
    report = report_of(list_tokens(server, table))
    assert report["locked_out"] == ["cyd@example.com", "old@example.com"]
