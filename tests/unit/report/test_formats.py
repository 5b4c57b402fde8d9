import csv
import datetime as dt
import html
import io
import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.report.build import build_finding, build_forecast
from janitor.report.formats.csv import COLUMNS, CsvFormat
from janitor.report.formats.json import JsonFormat
from janitor.report.formats.markdown import MarkdownFormat
from janitor.report.formats.ndjson import NdjsonFormat
from janitor.report.formats.table import TableFormat
from janitor.report.model import (
    Capacity,
    Clock,
    Counts,
    Deletion,
    Finding,
    Outcome,
    PolicyPart,
    Remark,
    Report,
    Run,
    TablePart,
)
from janitor.report.schema import build_schema
from janitor.settings.parsers import parse_fingerprint
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from tests.reports import of_one
from tests.unit.rows import NOW, POLICIES, dated, items, row

HOSTILE = [
    "\x1b[2Jcleared\x07",
    "a\nb\r\nc",
    '=HYPERLINK("x")',
    "+1",
    "-1",
    "@cmd",
    "\t=1",
    "<script>",
    "a|b",
    "\u202egnp",
]
# Every control and format character that Unicode knows, as far as a name goes.
INVISIBLE = "".join(
    character
    for character in map(chr, range(0x80, 0x110000))
    if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))


def found(item: dict[str, Any], dialect: Dialect = Dialect.CLASSIC) -> Finding:
    policy = POLICIES[dialect]
    return build_finding(row(item), classify(row(item), NOW, policy), now=NOW, policy=policy, fingerprint_key=None)


def named(name: str, username: str) -> Finding:
    return found(
        {
            "token": {"S": "k" * 40},
            "tokenExpiration": {"N": str(NOW - DAY)},
            "name": {"S": name},
            "username": {"S": username},
        }
    )


def report(*findings: Finding) -> Report:
    moment = dt.datetime(2026, 9, 21, tzinfo=dt.UTC)
    return of_one(
        TablePart(name="t", region="r", account_id=None, endpoint=None),
        run=Run(id="r", command="scan", dry_run=True, outcome=Outcome.COMPLETE, started_at=moment, finished_at=moment,
                duration_seconds=1.0, version="1"),
        policy=PolicyPart(dialect=Dialect.CLASSIC, thresholds_seconds=[DAY], grace_seconds=DAY, as_of=None),
        counts=Counts(scanned=len(findings), expired=len(findings)),
        deletion=Deletion(),
        capacity=Capacity(read_units=1, write_units=0, requests=1, pages=1, throttled=0, cost_usd=0),
        clock=Clock(skew_seconds=0),
        findings=list(findings), findings_omitted=0, locked_out=[], locked_out_unchecked=0, forecast=[], errors=[],
        warnings=[],
    )  # fmt: skip


@given(texts, texts)
def test_no_cell_of_a_csv_starts_a_formula(name: str, username: str) -> None:
    line = CsvFormat().lines([named(name, username)]).decode()
    (cells,) = csv.reader(io.StringIO(line, newline=""))
    assert len(cells) == len(COLUMNS)
    for column, cell in zip(COLUMNS, cells, strict=True):
        if column not in ("expiration", "seconds_to_expiry"):
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))  # noqa: RUF001
        assert cell.isprintable()


# What pandas 3.1, DuckDB 2.0 and LibreOffice 7.4 read as something else than the text, each tried.
READ_AS_ANOTHER = [
    "748922512345", "001234567890", "12345678e901", "1e9999999999", "0b1010101010", "0x1F", "1,000", "12:30",
    "2024-01-02", "01/02/2024", "1-2-3", "1.2.2024", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05", "true", "False",
    "t", "f", "yes", "no", "NA", "N/A", "n/a", "nan", "-NaN", "null", "NULL", "None", "<NA>", "#N/A", "#NA", "-1.#IND",
    "1.#QNAN", "inf", "-inf", "Infinity", " 123", "123 ", "-5", "+5", ".5", "5.", "1e5", "1E+400", "0", "007", "epoch",
    "00:00:01", "5 Jan", "January 5, 2024", "12 PM", "=1", "@x", "_x", "_",
]  # fmt: skip
numbers = st.from_regex(r"[0-9]{1,11}(e[0-9]{1,10})?|[0-9]{12}|0[bx][01]{10}", fullmatch=True)


def cells_of(one: Finding) -> dict[str, str]:
    (cells,) = csv.reader(io.StringIO(CsvFormat().lines([one]).decode(), newline=""))
    return dict(zip(COLUMNS, cells, strict=True))


@given(st.sampled_from(READ_AS_ANOTHER) | numbers)
def test_a_text_that_would_be_read_as_something_else_is_marked_and_commands_take_the_mark_away(text: str) -> None:
    cells = cells_of(named(text, text))
    assert (cells["name"], cells["username"]) == (f"_{text}", f"_{text}")
    one = structs.replace(named("a", "b"), fingerprint=text, row_name=f"{text}-123456")
    marked = cells_of(one)
    assert marked["fingerprint"] == f"_{text}"
    if len(text) == 12 and set(text) <= set("0123456789abcdef"):
        assert [parse_fingerprint(marked[column]) for column in ("fingerprint", "row_name")] == [text, f"{text}-123456"]


@given(st.from_regex(r"[0-9a-f]{12}", fullmatch=True))
def test_a_fingerprint_in_a_csv_is_no_number_and_is_taken_as_it_stands(fingerprint: str) -> None:
    one = structs.replace(named("a", "b"), fingerprint=fingerprint, row_name=f"{fingerprint}-0a1b2c")
    cell = cells_of(one)["fingerprint"]
    with pytest.raises(ValueError, match="could not convert"):
        float(cell.replace("_", "x"))
    assert cell in (fingerprint, f"_{fingerprint}")
    assert parse_fingerprint(cell) == fingerprint


@pytest.mark.parametrize("text", ["ci", "it's", "token 5", "748922e5abcd", "2024 pipeline", "ana@example.com", "a\\b"])
def test_any_other_text_stands_as_it_is(text: str) -> None:
    assert cells_of(named(text, "x"))["name"] == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [("a, 'b', c", r"a, \x27b\x27, c"), ("'", r"\x27"), ("C:\\, x\\", r"C:\, x\x5c"), ('\\"', r"\x5c" + '"')],
)
def test_what_would_be_guessed_to_quote_is_written_out(text: str, cell: str) -> None:
    assert cells_of(named(text, "x"))["name"] == cell


@given(texts, texts)
def test_no_control_character_of_a_row_reaches_a_terminal(name: str, username: str) -> None:
    printed = TableFormat(width=100, colour=False).tail(report(named(name, username))).decode()
    assert all(unicodedata.category(character) not in ("Cc", "Cf") for character in printed.replace("\n", ""))


# What GitHub's filters look for in the rendered page: html-pipeline's MentionFilter (github/html-pipeline), issue and
# pull request numbers, and emoji.
MENTION = re.compile(r"(?:^|\W)@[a-z0-9][a-z0-9-]*(?!/)(?=\.+[ \t\W]|\.+$|[^0-9a-zA-Z_.]|$)", re.IGNORECASE | re.ASCII)
REFERENCES = [MENTION, re.compile(r"(?:^|\W)@[a-z0-9-]+/\w", re.IGNORECASE | re.ASCII), re.compile(r"#\d"),
              re.compile(r"\bgh-\d", re.IGNORECASE), re.compile(r":[\w+-]+:", re.ASCII)]  # fmt: skip
ADDRESS = re.compile(r"[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE | re.ASCII)
snippets = st.sampled_from(
    [
        "@octocat",
        "@",
        "@org/team",
        "#12",
        "#",
        "GH-12",
        "gh-1",
        "octo/hello#3",
        ":+1:",
        "x@y.de",
        "(",
        ".",
        " ",
        ",",
        "a",
    ]
)
pasted = st.lists(snippets, max_size=5).map("".join)


def rendered(source: str) -> str:
    """The text that GitHub's filters see of a line: escapes taken away, character references read."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", source))


@given(pasted, pasted)
def test_a_page_of_markdown_mentions_nobody_and_refers_to_nothing(name: str, username: str) -> None:
    page = MarkdownFormat().tail(report(named(name, username))).decode()
    cells = re.split(r"(?<!\\)\|", next(line for line in page.splitlines() if " ago |" in line))
    assert [rendered(cell).replace("\u200b", "").strip() for cell in cells[4:6]] == [
        (text or "-").strip() for text in (username, name)
    ]
    for cell in cells:
        text = rendered(cell).strip()
        # What becomes a link to an address is no text for the filters; what follows it is one by itself.
        for piece in ADDRESS.split(text):
            assert [pattern.pattern for pattern in REFERENCES if pattern.search(piece)] == []


def test_an_address_can_be_copied_from_markdown() -> None:
    assert "alice\\@example.com" in MarkdownFormat().tail(report(named("n", "alice@example.com"))).decode()


@pytest.mark.parametrize("count", [0, 1, 200, 2_000])
def test_a_page_of_markdown_is_no_longer_than_github_takes_and_says_what_is_left_out(count: int) -> None:
    findings = [named("\U0001f600@a#1*" * 25, f"owner-{number}") for number in range(count)]
    whole = report(*findings)
    remarks = [Remark(where="w", code="c", message="@x*" * 1_000) for _ in range(count // 10)]
    whole = structs.replace(whole, warnings=remarks, findings_omitted=count)
    page = MarkdownFormat().tail(whole).decode()
    assert len(page.encode("utf-16-le")) // 2 <= 65_536
    listed = page.count(" ago |")
    told = sum(line.startswith("- ") for line in page.partition("## Warnings")[2].splitlines())
    assert (f"{count - listed:,} more rows did not fit" in page) == (listed < count)
    assert (f"{len(remarks) - told:,} more remarks did not fit" in page) == (told < len(remarks))
    assert (f"{count:,} more findings are not listed" in page) == (count > 0)
    assert listed == count or len(page) > 40_000


@given(texts, texts)
def test_a_row_is_one_line_of_markdown_and_no_markup(name: str, username: str) -> None:
    page = MarkdownFormat().tail(report(named(name, username))).decode()
    line = next(line for line in page.splitlines() if " ago |" in line)
    bare = line.replace("\\\\", "").replace("\\|", "").replace("\\<", "")
    assert bare.count("|") == 10
    assert "<" not in bare


@given(items, st.sampled_from(list(Dialect)))
def test_json_and_ndjson_say_the_same_of_any_row(item: dict[str, Any], dialect: Dialect) -> None:
    one = found(item, dialect)
    whole = json.loads(JsonFormat().tail(report(one)))
    assert json.loads(NdjsonFormat().lines([one])) == whole["findings"][0]


@given(texts, texts)
def test_json_and_ndjson_hold_no_character_that_is_obeyed_or_not_shown(name: str, username: str) -> None:
    hostile = f"{name}{INVISIBLE}"
    one = named(hostile, username)
    whole = structs.replace(report(one), warnings=[Remark(where="w", code="c", message=hostile)])
    for said in (JsonFormat().tail(whole), NdjsonFormat().lines([one]), NdjsonFormat().tail(whole)):
        categories = {unicodedata.category(character) for character in said.decode().replace("\n", "")}
        assert categories.isdisjoint({"Cc", "Cf", "Zl", "Zp"})
    assert json.loads(NdjsonFormat().lines([one]))["name"] == hostile
    assert [json.loads(form.tail(whole))["warnings"][0]["message"] for form in (JsonFormat(), NdjsonFormat())] == [
        hostile
    ] * 2


def test_the_last_line_of_ndjson_is_the_report_without_its_findings() -> None:
    closing = json.loads(NdjsonFormat().tail(report(named("a", "b"))))
    assert (closing["schema"], closing["findings"]) == ("janitor.report/v1", [])


def test_the_report_has_the_keys_of_its_schema() -> None:
    schema = build_schema(Report, "a title")
    written = json.loads(JsonFormat().tail(report(named("a", "b"))))
    assert set(schema["required"]) == set(written)
    assert set(schema["$defs"]["Finding"]["properties"]) == set(written["findings"][0])


@pytest.mark.parametrize(("counts", "unusual"), [({1: 1, 2: 9}, [False, True]), ({1: 4}, [False]), ({1: 5}, [True])])
def test_a_day_is_unusual_far_above_the_mean_of_the_others(counts: dict[int, int], unusual: list[bool]) -> None:
    days = {NOW // DAY + day: count for day, count in counts.items()}
    assert [day.unusual for day in build_forecast(days, NOW, 30 * DAY)] == unusual


def test_a_colour_table_says_the_same_as_a_plain_one() -> None:
    plain = TableFormat(width=100, colour=False).tail(report(named("a", "b"))).decode()
    assert "\x1b" not in plain
    assert "\x1b[" in TableFormat(width=100, colour=True).tail(report(named("a", "b"))).decode()


def test_a_headline_that_is_too_long_for_a_line_ends_it_after_the_table() -> None:
    place, ending = "t in r (classic)", "scanned 1 row in 1.0 s, 2026-09-21 00:00 UTC"
    one = report(named("a", "b"))
    for width, headline in ((62, f"{place}, {ending}\n\n"), (61, f"{place},\n{ending}\n\n")):
        assert TableFormat(width=width, colour=False).tail(one).decode().startswith(headline)


def test_a_date_far_outside_every_calendar_is_a_line_all_the_same() -> None:
    for number in ("-" + "9" * 126, "9" * 126, "-62135596801", "253402300800"):
        policy = POLICIES[Dialect.HASHED]
        one = build_finding(
            dated(number), classify(dated(number), NOW, policy), now=NOW, policy=policy, fingerprint_key=None
        )
        assert one.expires_at is None
        assert json.loads(NdjsonFormat().lines([one]))["fingerprint"] == one.fingerprint
