"""What a scan says of rows of every kind, on real servers."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.command import janitor
from tests.faults.proxy import Forward, Meddle, Request, meddling_proxy, nothing_at_first, row_by_row
from tests.fixtures import NewTable
from tests.integration.scanning import DAY, counted, report_of, scan
from tests.servers import Server
from tests.tables import SAMPLE_NOW, Item, legacy, modern, sample_rows, token

# What scripts outside read.
REPORT_KEYS = {
    "": "schema run tables policy counts deletion capacity clock findings active_findings findings_omitted locked_out "
    "changes forecast errors",
    "run": "id command dry_run outcome started_at finished_at duration_seconds version",
    "policy": "dialect thresholds_seconds grace_seconds as_of",
    "counts": "scanned active expiring expired stale permanent malformed legacy",
    "deletion": "enabled planned protected deleted changed already_gone failed archive",
    "capacity": "read_units write_units requests pages throttled cost_usd",
    "clock": "skew_seconds",
}
TABLE_KEYS = (
    "label name region account_id endpoint source policy outcome started_at finished_at duration_seconds counts "
    "deletion capacity clock changes notices forecast active_findings findings_omitted locked_out errors warnings"
)
FINDING_KEYS = (
    "fingerprint state accepted_by expires_at expiration seconds_to_expiry name username created_by created_at system "
    "token_uuid protected_by reasons outcome"
)


@contextmanager
def meddled(server: Server, operation: str, meddle: Meddle) -> Iterator[Server]:
    """The server, behind a proxy that meddles with one operation."""
    with meddling_proxy(server.url) as (url, meddling):
        meddling.by_operation[operation] = meddle
        yield dataclasses.replace(server, url=url)


def hashed_samples() -> list[Item]:
    """The samples that fit a hashed table: its index takes a username that is a text only."""
    return [item for item in sample_rows().values() if "S" in item.get("username", {"S": ""})]


def by_label(report: dict[str, Any], rows: dict[str, Item]) -> dict[str, dict[str, Any]]:
    """Findings of a classic table by the samples' labels, told by the owner's own recipe for a fingerprint."""
    from hashlib import sha256  # noqa: PLC0415  # only here

    labels = {sha256(item["token"]["S"].encode()).hexdigest()[:12]: label for label, item in rows.items()}
    return {labels[finding["fingerprint"]]: finding for finding in report["findings"]}


def test_every_sample_row_of_a_classic_table_has_its_state(server: Server, new_table: NewTable) -> None:
    rows = sample_rows()
    report = report_of(scan(server, new_table(rows.values(), hashed=False)))
    assert counted(report) == {
        "scanned": 42, "active": 2, "expiring": 7, "expired": 4, "stale": 14, "permanent": 1, "malformed": 14,
    }  # fmt: skip
    findings = by_label(report, rows)
    assert report["policy"]["dialect"] == "classic"
    assert {label: findings[label]["state"] for label in ("fraction", "exponent", "expires-this-second")} == {
        "fraction": "expiring", "exponent": "expired", "expires-this-second": "expired",
    }  # fmt: skip
    assert findings["string-future"]["accepted_by"] == ["api", "workbench"]
    assert findings["string-future"]["reasons"] == ["not-a-number"]
    assert findings["milliseconds"]["probably_meant"] == "2026-09-22T14:13:20Z"
    assert findings["milliseconds"]["expiration"] == 1_790_086_400_000
    assert findings["permanent"]["meaning"] == "no expiration; LISA accepts it, for ever"
    assert findings["modern-held"]["protected_by"] == "hold"


def test_a_hashed_table_tells_legacy_rows_that_still_open_workbench(server: Server, new_table: NewTable) -> None:
    report = report_of(scan(server, new_table(hashed_samples())))
    assert report["policy"]["dialect"] == "hashed"
    assert counted(report) == {"scanned": 41, "active": 1, "stale": 2, "malformed": 14, "legacy": 24}
    opening = [finding for finding in report["findings"] if finding["state"] == "legacy" and finding["accepted_by"]]
    assert all(finding["accepted_by"] == ["workbench"] for finding in opening)
    assert any(
        finding["meaning"].startswith("no tokenUUID; only MCP Workbench still accepts it, for ever; its key is")
        for finding in opening
    )


def test_every_key_of_the_contract_is_there(server: Server, new_table: NewTable) -> None:
    report = report_of(scan(server, new_table([modern("a", SAMPLE_NOW - DAY)])))
    for part, keys in REPORT_KEYS.items():
        assert set(keys.split()) <= set(report[part] if part else report), part
    assert set(FINDING_KEYS.split()) <= set(report["findings"][0])
    [of_table] = report["tables"]
    assert set(TABLE_KEYS.split()) <= set(of_table)
    assert all(of_table[key] == report[key] for key in REPORT_KEYS if key in of_table)
    assert report["schema"] == "janitor.report/v1"
    assert report["changes"] is None
    assert report["run"]["outcome"] == "complete"
    assert not any(value for key, value in report["deletion"].items() if key != "archive")
    assert abs(report["clock"]["skew_seconds"]) <= 2
    assert report["capacity"]["requests"] >= report["capacity"]["pages"] == 1


def test_options_move_the_borders(server: Server, new_table: NewTable) -> None:
    table = new_table([token("a", SAMPLE_NOW + 40 * DAY), token("b", SAMPLE_NOW - 3 * DAY)], hashed=False)
    assert counted(report_of(scan(server, table))) == {"scanned": 2, "active": 1, "expired": 1}
    wider = report_of(scan(server, table, "--expiring-within", "P45D", "--expiring-within", "1d", "--grace", "2d"))
    assert counted(wider) == {"scanned": 2, "expiring": 1, "stale": 1}
    assert wider["policy"]["thresholds_seconds"] == [45 * DAY, DAY]


def test_a_flag_beats_the_variable_and_the_variable_the_default(server: Server, new_table: NewTable) -> None:
    table = new_table([token("b", SAMPLE_NOW - 3 * DAY)], hashed=False)
    variable = {"JANITOR_GRACE": "2d"}
    assert counted(report_of(scan(server, table, env=variable)))["stale"] == 1
    assert counted(report_of(scan(server, table, "--grace", "4d", env=variable)))["expired"] == 1


def test_without_a_report_the_log_sums_the_run_up_in_a_line(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    table, kept = new_table([token("b", SAMPLE_NOW - 3 * DAY)], hashed=False), tmp_path / "report.json"
    for places in ([], [str(kept)]):
        reports = [word for place in places for word in ("--report", f"json={place}")]
        finished = scan(server, table, "--format", "none", *reports)
        assert (finished.code, finished.out) == (0, "")
        last = json.loads(finished.err.splitlines()[-1])
        assert (last["event"], last["outcome"], last["scanned"]) == ("run.finished", "complete", 1)
        assert last["reports"] == places
    assert json.loads(kept.read_text())["counts"]["scanned"] == 1


def test_owners_with_nothing_but_expired_rows_are_locked_out(server: Server, new_table: NewTable) -> None:
    rows = [
        modern("gone", SAMPLE_NOW - DAY, username="locked"),
        modern("old", SAMPLE_NOW - 20 * DAY, username="fine"),
        modern("new", SAMPLE_NOW + 80 * DAY, username="fine"),
        legacy("plain", SAMPLE_NOW - DAY, username="legacy-only"),
    ]
    report = report_of(scan(server, new_table(rows)))
    assert (report["locked_out"], report["locked_out_unchecked"]) == (["legacy-only", "locked"], 0)
    assert report_of(scan(server, new_table(rows, hashed=False)))["locked_out"] == []


def test_an_empty_page_of_an_owners_rows_is_not_the_last(server: Server, new_table: NewTable) -> None:
    rows = [
        modern("gone", SAMPLE_NOW - DAY, username="locked"),
        modern("old", SAMPLE_NOW - 20 * DAY, username="fine"),
        modern("new", SAMPLE_NOW + 80 * DAY, username="fine"),
    ]
    table = new_table(rows)
    with meddled(server, "Query", nothing_at_first) as behind:
        assert report_of(scan(behind, table))["locked_out"] == ["locked"]


def test_no_more_than_five_hundred_owners_are_looked_up(server: Server, new_table: NewTable) -> None:
    rows = [modern(f"t{number}", SAMPLE_NOW - DAY, username=f"owner-{number:03}") for number in range(503)]
    report = report_of(scan(server, new_table(rows)))
    assert (len(report["locked_out"]), report["locked_out_unchecked"]) == (500, 3)
    assert "3 more owners" in report["warnings"][0]["message"]


def test_the_forecast_names_a_crowded_day(server: Server, new_table: NewTable) -> None:
    rows = [token(f"w{number}", SAMPLE_NOW + 10 * DAY + number) for number in range(8)]
    report = report_of(scan(server, new_table([*rows, token("x", SAMPLE_NOW + DAY)], hashed=False)))
    assert report["forecast"] == [
        {"day": "2026-09-22", "expiring": 1, "unusual": False},
        {"day": "2026-10-01", "expiring": 8, "unusual": True},
    ]


@pytest.mark.parametrize(("states", "code"), [(["expired"], 3), (["malformed", "expired"], 3), (["stale"], 0)])
def test_fail_on_decides_the_exit_code(server: Server, new_table: NewTable, states: list[str], code: int) -> None:
    table = new_table([token("a", SAMPLE_NOW - DAY)], hashed=False)
    options = [part for state in states for part in ("--fail-on", state)]
    assert scan(server, table, *options).code == code


def test_pages_and_segments_lose_no_row_and_send_no_active_one(
    server: Server, new_table: NewTable, tmp_path: Path
) -> None:
    padding = "x" * 1_500
    rows = [
        token(f"key-{number:05}", SAMPLE_NOW + (60 if number % 10 else -1) * DAY, note=padding)
        for number in range(2_500)
    ]
    table = new_table(rows, hashed=False)
    fingerprints = []
    for segments in ("1", "5"):
        path = tmp_path / f"{segments}.ndjson"
        report = report_of(scan(server, table, "--segments", segments, "--report", f"ndjson={path}"))
        assert counted(report) == {"scanned": 2_500, "active": 2_250, "expired": 250}
        assert report["capacity"]["pages"] >= 4
        *findings, closing = map(json.loads, path.read_text().splitlines())
        assert (closing["schema"], closing["findings"]) == ("janitor.report/v1", [])
        fingerprints.append(sorted(finding["fingerprint"] for finding in findings))
    assert fingerprints[0] == fingerprints[1]
    assert len(set(fingerprints[0])) == 250


@pytest.mark.parametrize("segments", ["1", "3"])
def test_a_page_of_which_the_filter_leaves_nothing_is_not_the_last(
    server: Server, new_table: NewTable, segments: str
) -> None:
    rows = [token(f"key-{number}", SAMPLE_NOW + (60 if number % 10 else -1) * DAY) for number in range(40)]
    table = new_table(rows, hashed=False)
    with meddled(server, "Scan", row_by_row) as behind:
        report = report_of(scan(behind, table, "--segments", segments))
    assert counted(report) == {"scanned": 40, "active": 36, "expired": 4}


def test_the_deployment_is_tried_by_its_names_in_order_and_older_tables_with_rows_are_named(
    server: Server, new_table: NewTable
) -> None:
    new_table([modern("a", SAMPLE_NOW + DAY)], name="acme-LISAApiBaseTokenTable")
    old = new_table([token("b")], hashed=False, name="acme-LISAApiTokenTable")
    new_table([], hashed=False, name="LISAApiTokenTable")
    found = janitor("scan", "--deployment", "acme", "--endpoint-url", server.url)
    report = json.loads(found.out)
    assert (found.code, report["tables"][0]["name"]) == (0, "acme-LISAApiBaseTokenTable")
    assert [(warning["code"], old in warning["message"]) for warning in report["warnings"]] == [("left-behind", True)]
    [said] = [json.loads(line) for line in found.err.splitlines() if '"run.warning"' in line]
    assert (said["code"], old in said["message"]) == ("left-behind", True)
    # And of the old one, named by itself: with its rows nobody gets in any more.
    of_old = json.loads(janitor("scan", "--table", old, "--endpoint-url", server.url).out)
    [warning] = of_old["warnings"]
    assert (warning["code"], "acme-LISAApiBaseTokenTable" in warning["message"]) == ("no-longer-read", True)


def test_an_older_table_whose_first_page_is_empty_is_named_for_its_rows(server: Server, new_table: NewTable) -> None:
    table = new_table([], name="gamma-LISAApiBaseTokenTable")
    older = new_table([token("b")], hashed=False, name="gamma-LISAApiTokenTable")

    def meddle(request: Request, forward: Forward) -> tuple[int, Any]:
        return nothing_at_first(request, forward) if request["TableName"] == older else forward(request)

    with meddled(server, "Scan", meddle) as behind:
        warnings = report_of(scan(behind, table))["warnings"]
    assert [(warning["code"], older in warning["message"]) for warning in warnings] == [("left-behind", True)]


def test_the_flag_for_a_deployment_beats_the_variable_for_a_table(server: Server, new_table: NewTable) -> None:
    new_table([], name="beta-LISAApiBaseTokenTable")
    env = {"JANITOR_TABLE": "nowhere"}
    assert janitor("scan", "--deployment", "beta", "--endpoint-url", server.url, env=env).code == 0
    assert janitor("scan", "--endpoint-url", server.url, env=env).code == 2
