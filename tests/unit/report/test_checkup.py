import json

from msgspec import structs

from janitor.report.checkup import Checkup, Estimate, build_checkup, failed_check, passed_check, skipped_check
from janitor.report.checkup_table import render_checkup
from janitor.report.encode import encode_json_line
from janitor.report.schema import build_schema

ESTIMATE = Estimate(
    rows=1,
    size_bytes=80,
    segments=1,
    pages=1,
    read_units=0.5,
    cost_usd=0.0,
    seconds=0.02,
    seconds_by="measured",
    owner_lookups=0,
)
LARGE = Estimate(
    rows=40_000_000,
    size_bytes=10**10,
    segments=8,
    pages=9_537,
    read_units=1_220_736.0,
    cost_usd=0.152592,
    seconds=244.1,
    seconds_by="throughput",
    write_units_per_delete=2.0,
    cost_usd_per_1000_deletes=0.00125,
)


def shown(found: Checkup, width: int = 200) -> list[str]:
    return render_checkup(found, width=width, colour=False).splitlines()


def test_only_what_the_command_needs_makes_it_fail() -> None:
    warned = [
        passed_check("a", "fine"),
        failed_check("b", "odd", "mend it", needed=False),
        skipped_check("c", "not asked for"),
    ]
    assert build_checkup("scan", warned, None).ok
    assert not build_checkup("scan", [*warned, failed_check("d", "gone", None, needed=True)], None).ok
    assert build_checkup("scan", [], None).ok


def test_every_key_is_there_and_the_schema_says_so() -> None:
    dumped = json.loads(encode_json_line(build_checkup("scan", [passed_check("table", "there")], None)))
    assert dumped == {
        "schema": "janitor.doctor/v1",
        "command": "scan",
        "ok": True,
        "checks": [{"name": "table", "status": "ok", "found": "there", "way_out": None, "needed": True}],
        "estimate": None,
    }
    schema = build_schema(Checkup, "a title")
    assert set(schema["required"]) == set(dumped)
    assert set(schema["$defs"]["Estimate"]["required"]) == set(Estimate.__struct_fields__)


def test_a_line_says_mark_name_what_was_found_and_the_way_out() -> None:
    checks = [
        passed_check("table", "tokens"),
        failed_check("ttl", "on", None, needed=False),
        skipped_check("topic", "not asked for"),
        failed_check("dynamodb:Scan", "denied", "allow it\x1b[31m", needed=True),
    ]
    assert shown(build_checkup("sweep", checks, None)) == [
        "✓  table          tokens",
        "!  ttl            on",
        "–  topic          not asked for",  # noqa: RUF001  # a dash
        "✗  dynamodb:Scan  denied; allow it\\x1b[31m",
        "",
        "1 thing is missing that `janitor sweep` needs; 1 warning.",
    ]


def test_what_a_run_costs_and_takes_is_said_and_from_what_that_was_reckoned() -> None:
    table = passed_check("table", "tokens")
    said = shown(build_checkup("scan", [table], ESTIMATE))
    assert said[-2] == (
        "A scan reads about 1 row: 0.5 read units, less than a cent, less than a second with 1 segment "
        "(by a page of this table that was read just now)."
    )
    assert said[-1] == "All that `janitor scan` needs is there."
    large = " ".join(shown(build_checkup("sweep", [table], LARGE)))
    assert "40,000,000 rows: 1,220,736.0 read units, $0.15, about 4 minutes with 8 segments" in large
    assert "by the read units a second that the table takes" in large
    assert "Looking up owners of expired rows costs half a read unit or more each, for 500 owners at most." in large
    assert "Each row that it deletes costs 2 write units; a thousand cost less than a cent." in large
    counted = structs.replace(ESTIMATE, owner_lookups=500, read_units=566.0)
    assert "566.0 read units, 500 look-ups of owners among them" in " ".join(
        shown(build_checkup("scan", [table], counted))
    )


def test_without_a_table_nobody_is_told_that_all_is_there() -> None:
    assert shown(build_checkup("scan", [skipped_check("table", "not asked for")], None))[-1] == (
        "All checks passed, but no table was named to be checked."
    )


def test_a_narrow_terminal_folds_and_cuts_nothing() -> None:
    found = build_checkup(
        "scan", [failed_check("dynamodb:Scan", "denied", "allow dynamodb:Scan on the table", needed=True)], None
    )
    lines = shown(found, width=40)
    assert all(len(line) <= 40 for line in lines)
    assert "allowdynamodb:Scanonthetable" in "".join("".join(lines).split())
