import json

from janitor.report.checkup import Checkup, Estimate, amiss, checkup, passed, skipped
from janitor.report.checkup_table import checkup_table
from janitor.report.encode import json_line
from janitor.report.schema import schema_of

ESTIMATE = Estimate(
    rows=1, size_bytes=80, segments=1, pages=1, read_units=0.5, cost_usd=0.0, seconds=0.02, seconds_by="measured"
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
    return checkup_table(found, width=width, colour=False).splitlines()


def test_only_what_the_command_needs_makes_it_fail() -> None:
    warned = [passed("a", "fine"), amiss("b", "odd", "mend it", needed=False), skipped("c", "not asked for")]
    assert checkup("scan", warned, None).ok
    assert not checkup("scan", [*warned, amiss("d", "gone", None, needed=True)], None).ok
    assert checkup("scan", [], None).ok


def test_every_key_is_there_and_the_schema_says_so() -> None:
    dumped = json.loads(json_line(checkup("scan", [passed("table", "there")], None)))
    assert dumped == {
        "schema": "janitor.doctor/v1",
        "command": "scan",
        "ok": True,
        "checks": [{"name": "table", "status": "ok", "found": "there", "way_out": None, "needed": True}],
        "estimate": None,
    }
    schema = schema_of(Checkup, "a title")
    assert set(schema["required"]) == set(dumped)
    assert set(schema["$defs"]["Estimate"]["required"]) == set(Estimate.__struct_fields__)


def test_a_line_says_mark_name_what_was_found_and_the_way_out() -> None:
    checks = [
        passed("table", "tokens"),
        amiss("ttl", "on", None, needed=False),
        skipped("topic", "not asked for"),
        amiss("dynamodb:Scan", "denied", "allow it\x1b[31m", needed=True),
    ]
    assert shown(checkup("sweep", checks, None)) == [
        "✓  table          tokens",
        "!  ttl            on",
        "–  topic          not asked for",  # noqa: RUF001  # a dash
        "✗  dynamodb:Scan  denied; allow it\\x1b[31m",
        "",
        "1 thing is missing that `janitor sweep` needs; 1 warning.",
    ]


def test_what_a_run_costs_and_takes_is_said_and_from_what_that_was_reckoned() -> None:
    table = passed("table", "tokens")
    said = shown(checkup("scan", [table], ESTIMATE))
    assert said[-2] == (
        "A scan reads about 1 row: 0.5 read units, less than a cent, less than a second with 1 segment "
        "(by a page of this table that was read just now)."
    )
    assert said[-1] == "All that `janitor scan` needs is there."
    large = " ".join(shown(checkup("sweep", [table], LARGE)))
    assert "40,000,000 rows: 1,220,736.0 read units, $0.15, about 4 minutes with 8 segments" in large
    assert "by the read units a second that the table takes" in large
    assert "Each row that it deletes costs 2 write units; a thousand cost less than a cent." in large


def test_without_a_table_nobody_is_told_that_all_is_there() -> None:
    assert shown(checkup("scan", [skipped("table", "not asked for")], None))[-1] == (
        "What was looked at is as it should be; no table was."
    )


def test_a_narrow_terminal_folds_and_cuts_nothing() -> None:
    found = checkup("scan", [amiss("dynamodb:Scan", "denied", "allow dynamodb:Scan on the table", needed=True)], None)
    lines = shown(found, width=40)
    assert all(len(line) <= 40 for line in lines)
    assert "allowdynamodb:Scanonthetable" in "".join("".join(lines).split())
