"""Rows that read as harmless and are not: what a scan says of them, with LISA's own rules as the judge."""

import hashlib
import json
import time
from pathlib import Path

from mypy_boto3_dynamodb import DynamoDBClient

from tests.command import janitor
from tests.fixtures import NewTable
from tests.integration.scanning import counted, report_of, scan
from tests.lisa import api_accepts, list_token, workbench_accepts
from tests.servers import Server
from tests.sweeping import DAY, keys_in, sweep
from tests.tables import SAMPLE_NOW, Item, modern, token

MANAGEMENT_KEY = "the-management-key-of-lisa-5f0c"
FAR = SAMPLE_NOW + 60 * DAY
PLAIN = "a-key-that-somebody-put-in-by-hand"


def fingerprint(bearer: str) -> str:
    return hashlib.sha256(bearer.encode()).hexdigest()[:12]


def with_key(key: str, row: Item) -> Item:
    return {**row, "token": {"S": key}}


CAPITALS = hashlib.sha256(b"capitals").hexdigest().upper()
# Bearer tokens, their rows, and what is to be said of each: its state, its reasons.
ROWS: dict[str, tuple[Item, str, list[str]]] = {
    MANAGEMENT_KEY: (token(MANAGEMENT_KEY, SAMPLE_NOW - 8 * DAY), "legacy", ["plain-text-key"]),
    PLAIN: (with_key(PLAIN, modern("any", FAR)), "legacy", ["key-not-a-sha256", "plain-text-key"]),
    CAPITALS: (with_key(CAPITALS, modern("any", FAR)), "legacy", ["key-not-a-sha256"]),
    "set": (modern("set", FAR, groups={"SS": ["a", "b"]}), "active", ["groups-break-authorizer"]),
    "number": (modern("number", FAR, createdBy=7), "active", ["breaks-lisa-list"]),
    "soon": (modern("soon", SAMPLE_NOW + DAY, groups="a"), "expiring", ["breaks-lisa-list"]),
    "text": (modern("text", {"S": str(FAR)}), "malformed", ["not-a-number", "breaks-lisa-list"]),
    "fine, and due": (modern("fine, and due", SAMPLE_NOW + DAY), "expiring", []),
}


def test_a_scan_says_what_is_wrong_with_a_row_and_lisa_agrees(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    table = new_table([*(row for row, _, _ in ROWS.values()), modern("fine", FAR)])
    places = {form: tmp_path / form for form in ("html", "markdown", "table", "ndjson", "csv")}
    reports = [part for form, place in places.items() for part in ("--report", f"{form}={place}")]
    finished = scan(server, table, *reports)
    report = report_of(finished)
    found = {finding["fingerprint"]: finding for finding in report["findings"]}
    assert {mark: (each["state"], each["reasons"]) for mark, each in found.items()} == {
        fingerprint(bearer): (state, reasons) for bearer, (_, state, reasons) in ROWS.items()
    }
    assert counted(report) == {"scanned": 9, "active": 3, "expiring": 2, "malformed": 1, "legacy": 3}
    assert (report["active_findings"], report["findings_omitted"]) == (2, 0)
    for bearer, (row, _, reasons) in ROWS.items():
        gates = found[fingerprint(bearer)]["accepted_by"]
        assert api_accepts(client, table, bearer, SAMPLE_NOW, hashed=True) == ("api" in gates), bearer
        assert workbench_accepts(client, table, row["token"]["S"], SAMPLE_NOW) == ("workbench" in gates), bearer
        try:
            list_token(row, SAMPLE_NOW)
        except (TypeError, ValueError):
            assert "breaks-lisa-list" in reasons, bearer
        else:
            assert "breaks-lisa-list" not in reasons, bearer
    # A filter that matches all leaves none out, active rows with reasons neither.
    every = report_of(scan(server, table, "--name", "*", "--user", "*"))
    named = [finding for finding in report["findings"] if finding["username"] and finding["name"]]
    assert every["findings"] == named
    assert {"active", "legacy", "malformed", "expiring"} == {finding["state"] for finding in named}
    assert (every["counts"], every["active_findings"]) == (report["counts"], 2)
    warnings = {warning["code"]: warning["message"] for warning in report["warnings"]}
    assert set(warnings) == {
        "workbench-only", "plain-text-key", "key-not-a-sha256", "groups-break-authorizer", "breaks-lisa-list",
    }  # fmt: skip
    assert fingerprint("set") in warnings["groups-break-authorizer"]
    assert "management key" in warnings["plain-text-key"]
    # A digest has only the warnings, whatever reports there are.
    closing = json.loads(scan(server, table, "--format", "ndjson").out.splitlines()[-1])
    assert {warning["code"]: warning["message"] for warning in closing["warnings"]} == warnings
    # The server's filter does not see a fraction in a date far ahead.
    assert all(warnings[code].startswith("at least ") for code in set(warnings) - {"workbench-only"})
    texts = {form: place.read_text(encoding="utf-8") for form, place in places.items()}
    for form in ("html", "markdown", "table"):
        assert "management key" in texts[form], form
        assert fingerprint("number") in texts[form], form
    assert len(texts["ndjson"].splitlines()) == len(ROWS) + 1
    assert json.loads(texts["ndjson"].splitlines()[-1])["findings_omitted"] == 0
    said = finished.out + finished.err + "".join(texts.values())
    assert not any(row["token"]["S"] in said for row, _, _ in ROWS.values())


def test_a_page_of_an_export_is_judged_as_the_table_is(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    rows = [*(row for row, _, _ in ROWS.values()), modern("fine", FAR)]
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps({"Items": rows, "Count": len(rows), "ScannedCount": len(rows)}), encoding="utf-8")
    read = json.loads(janitor("scan", "--source", str(dump), "--dialect", "hashed", "--as-of", str(SAMPLE_NOW)).out)
    assert not any(warning["message"].startswith("at least ") for warning in read["warnings"])
    scanned = report_of(scan(server, new_table(rows)))
    assert read["counts"] == scanned["counts"]
    assert read["findings"] == scanned["findings"]


def test_a_row_whose_key_is_no_hash_goes_only_with_legacy_rows_and_once_nobody_accepts_it(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path
) -> None:
    now = int(time.time())
    dead, alive = with_key(PLAIN, modern("any", now - 8 * DAY)), with_key(CAPITALS, modern("any", now + DAY))
    table = new_table([dead, alive])
    assert sweep(server.url, table, tmp_path).report["deletion"]["planned"] == 0
    sweep(server.url, table, tmp_path, "--include", "legacy")
    assert keys_in(client, table) == {CAPITALS}
    assert workbench_accepts(client, table, CAPITALS, now)
