"""The page as a program reads it: well formed, harmless, bounded, and its charts say in words what they draw."""

import datetime as dt
import itertools
import re
import shlex
from html.parser import HTMLParser
from importlib import import_module
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.report.formats.html import HtmlFormat
from janitor.report.html.charts import Bars, days_ahead, months_behind
from janitor.report.model import (
    CommandOptions,
    ForecastDay,
    ListingPart,
    LockedOutOwner,
    LockingRow,
    Outcome,
    Remark,
    Report,
    TablePart,
)
from janitor.report.next_steps import list_all_command, list_steps
from janitor.tokens.classify import State
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Gate
from janitor.tokens.duration import DAY
from janitor.tokens.lockout import Remedy
from janitor.tokens.printable import printable
from tests.examples import examples
from tests.html_reports import HOSTILE, NOW, after_a_sweep, believable, found, lockouts_of, many, report_of
from tests.reports import at, named, of_several
from tests.tables import legacy, modern

VOID = {"meta", "input"}
MOST_BYTES = 3_000_000
texts = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=30))
SHOWN = [believable(), after_a_sweep(), report_of([]), of_several(believable(), named(after_a_sweep(), "b"))]


class Parsed(HTMLParser):
    """What a browser would make of the page: elements with their attributes, texts, and whether every tag closes."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.texts.append(data)

    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    def all_of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(report: Report) -> Parsed:
    return Parsed(HtmlFormat().tail(report))


def hostile_everywhere(text: str) -> Report:
    """A report with this text in every place that takes one."""
    one = found(modern("a", NOW + DAY, name=text, username=text))
    one.protected_by = one.meaning = text
    remark = Remark(where=text, code=text, message=text)
    whole = report_of([one], locked_out=[text], errors=[remark], warnings=[remark])
    whole = structs.replace(
        whole,
        run=structs.replace(whole.run, command=text, id=text, version=text, dry_run=False),
        deletion=structs.replace(whole.deletion, planned=2, deleted=1, archive=text, plan=text),
    )
    return at(whole, TablePart(name=text, region=text, account_id=text, endpoint=text))


@given(texts)
@examples(40, nightly=400)
def test_no_text_of_a_table_changes_the_page_around_it(text: str) -> None:
    # Backticks are the one mark that sentences of the program have a meaning for: they become <code>.
    page = page_of(hostile_everywhere(text.replace("`", "'")))
    assert page.skeleton() == page_of(hostile_everywhere("harmless")).skeleton()
    assert printable(text.replace("`", "'")) in page.texts


@pytest.mark.parametrize("report", [*SHOWN, hostile_everywhere(HOSTILE[0])])
def test_the_page_is_well_formed_and_runs_and_loads_nothing(report: Report) -> None:
    page = page_of(report)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "image", "use", "video", "audio"}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "action", "style")], tag
        assert attributes.get("href", "#").startswith("#")
    styles = "".join(re.findall(r"<style>(.*?)</style>", HtmlFormat().tail(report).decode(), re.DOTALL))
    assert not re.search(r"url\(|@import|http|<", styles)
    policy = next(meta for meta in page.all_of("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'; style-src 'unsafe-inline'")


@pytest.mark.parametrize("report", SHOWN)
def test_headings_are_in_order_and_every_reference_has_its_target(report: Report) -> None:
    page = page_of(report)
    assert page.all_of("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [attributes[name] for _, attributes in page.elements
             for name in ("aria-labelledby", "aria-describedby") if name in attributes]  # fmt: skip
    assert {*named, *(link["href"][1:] for link in page.all_of("a"))} <= set(ids)
    assert all("scope" in attributes for attributes in page.all_of("th"))


def test_rows_come_most_urgent_first_and_say_all_that_is_known() -> None:
    report = believable()
    page = HtmlFormat().tail(report).decode()
    shown = re.findall(r"<td>([0-9a-f]{12})</td>", page)
    assert shown == [finding.fingerprint for finding in report.findings]
    first = report.findings[0]
    row = page[page.index("<tbody>", page.index("<table class=rows>")) :].partition("</tr>")[0]
    assert first.expires_at
    for text in ("in 3 hours", f"<time datetime={first.expires_at:%Y-%m-%dT%H:%M:%SZ}>2026-09-21 17:13</time>",
                 "<td>expiring</td>", "ada.castillo@example.com", "CI pipeline", first.fingerprint, "api, workbench",
                 "valid for another 3 hours"):  # fmt: skip
        assert text in row


def test_two_hundred_thousand_findings_stay_under_three_megabytes_and_the_rest_is_told() -> None:
    report = many(200_000)
    page = HtmlFormat().tail(report)
    assert len(page) < MOST_BYTES
    text = page.decode()
    rows = len(re.findall(r"<td>[0-9a-f]{12}</td>", text))
    assert rows > 8_000
    assert f"{200_000 - rows:,} more findings are not listed here; <code>--report ndjson=PATH</code> lists all." in text
    listed = {state: len(re.findall(f"<td>{state}</td>", text)) for state in State}
    assert listed[State.PERMANENT] == 1
    assert listed[State.STALE] == 20
    assert listed[State.EXPIRING] == rows - 21
    assert f"{listed[State.EXPIRING]:,} of 20,000 listed" in text


@pytest.mark.parametrize("character", ['"', "\U0010ffff", "ひ"])
def test_a_page_of_the_longest_texts_is_not_larger(character: str) -> None:
    long = character * 256
    remarks = [Remark(where="scan", code="c", message=character * 5_000)] * 1_000
    report = many(2_000, name=long)
    for finding in report.findings:
        finding.username = long + finding.fingerprint
    page = HtmlFormat().tail(
        structs.replace(report, errors=remarks, warnings=remarks, lockouts=lockouts_of([character * 2_000] * 1_000))
    )
    assert len(page) < MOST_BYTES
    assert "more findings are not listed here" in page.decode()
    assert "And 980 more, in the JSON report." in page.decode()


def test_nine_thousand_ordinary_findings_are_all_listed() -> None:
    page = HtmlFormat().tail(many(9_000)).decode()
    assert len(re.findall(r"<td>[0-9a-f]{12}</td>", page)) == 9_000
    assert "not listed" not in page


def test_the_chart_says_in_words_what_it_draws() -> None:
    report = believable()
    page = HtmlFormat().tail(report).decode()
    total = sum(day.expiring for day in report.forecast)
    assert total == report.counts.expiring
    (crowded,) = [day for day in report.forecast if day.unusual]
    words = f"{total} in all, from 2026-09-21 to 2026-10-21. Most: {crowded.day} ({crowded.expiring} tokens). "
    assert f"{words}Unusual: {crowded.day} ({crowded.expiring} tokens)." in page
    assert f"◆ {crowded.expiring} tokens expire on one day, {crowded.day}." in page
    drawn, numbers = charts_of(page)
    assert drawn[0] == [day.expiring for day in report.forecast] == numbers[0]
    assert sum(drawn[1]) == sum(numbers[1]) == report.counts.expired + report.counts.stale
    assert page.count("role=img aria-labelledby=t-") == 2


def charts_of(page: str) -> tuple[list[list[int]], list[list[int]]]:
    """The numbers that each chart draws, by the title of each bar, and those of its table."""
    drawn = [[int(number.replace(",", "")) for number in re.findall(r"<title>[^<]*\(([\d,]+) tokens?\)", chart)]
             for chart in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]  # fmt: skip
    tables = [[int(number.replace(",", "")) for number in re.findall(r"<td>([\d,]+)</td>", table)]
              for table in re.findall(r"<table class=numbers>.*?</table>", page, re.DOTALL)]  # fmt: skip
    return drawn, tables


def test_months_behind_that_rest_on_a_part_of_the_rows_say_so() -> None:
    report = believable()
    part = structs.replace(report, counts=structs.replace(report.counts, stale=5_060))
    assert (
        "rests on the 72 expired rows that were kept for this page, of 5,072 in all" in HtmlFormat().tail(part).decode()
    )
    assert "rests on" not in HtmlFormat().tail(report).decode()


horizons = st.one_of(st.integers(0, 100 * DAY), st.integers(0, 366_000 * DAY))
moments = st.datetimes(timezones=st.just(dt.UTC))


@given(moments, horizons, st.lists(st.tuples(st.integers(0, 400), st.integers(1, 10**9)), max_size=20))
def test_bars_add_up_and_are_few_whatever_the_horizon(
    now: dt.datetime, horizon: int, days: list[tuple[int, int]]
) -> None:
    first, last = now.toordinal(), dt.date.max.toordinal()
    forecast = [
        ForecastDay(day=dt.date.fromordinal(min(first + ahead, last)), expiring=count, unusual=False)
        for ahead, count in days
    ]
    report = report_of([], forecast=forecast)
    policy = structs.replace(report.policy, thresholds_seconds=[horizon], as_of=now)
    report = structs.replace(report, policy=policy)
    bars = days_ahead(report)
    assert bars.total == sum(day.expiring for day in forecast)
    assert 1 <= len(bars.bars) <= 62
    assert isinstance(months_behind(report), Bars)
    assert HtmlFormat().tail(report)


def test_a_month_is_counted_where_it_lies_and_older_ones_together() -> None:
    ages = [1, 3, 40, 400, 4_000]
    bars = months_behind(report_of(found(modern(f"{age}", NOW - age * DAY)) for age in ages)).bars
    assert {bar.name: bar.tokens for bar in bars if bar.tokens} == {"before Oct 2025": 2, "Aug 2026": 1, "Sep 2026": 2}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_how_the_run_ended_stands_on_top(outcome: Outcome) -> None:
    report = believable()
    page = page_of(structs.replace(report, run=structs.replace(report.run, outcome=outcome)))
    (badge,) = [text for text in page.texts if text.startswith(("✓ ", "✕ ")) and len(text) > 2]
    assert outcome.value in badge
    assert ("Errors" in page.texts) == (outcome in (Outcome.INTERRUPTED, Outcome.SKIPPED))


def test_errors_stand_before_warnings_and_both_before_the_counts() -> None:
    texts_ = page_of(after_a_sweep()).texts
    assert texts_.index("Errors") < texts_.index("Warnings") < texts_.index("Counts ")
    assert "5 rows could not be deleted: DynamoDB throttled them to the end <b>&." in texts_


def every_report() -> list[Report]:
    scan, sweep = believable(), after_a_sweep()
    dry = structs.replace(sweep.run, dry_run=True, outcome=Outcome.COMPLETE)
    planned = structs.replace(scan.deletion, planned=60)
    far = TablePart(name="it's; rm -rf /", region="us-east-1", account_id=None, endpoint="http://127.0.0.1:8000")
    return [
        scan,
        sweep,
        structs.replace(scan, run=dry, deletion=planned),
        structs.replace(scan, run=dry, deletion=structs.replace(planned, plan="a plan.ndjson")),
        at(structs.replace(scan, findings_omitted=3), far),
        structs.replace(scan, run=structs.replace(scan.run, outcome=Outcome.INTERRUPTED)),
        structs.replace(sweep, policy=structs.replace(sweep.policy, gates=(Gate.API,), unlock_after_seconds=90)),
    ]


@pytest.mark.parametrize("report", every_report())
def test_every_command_of_what_to_do_next_is_one_that_janitor_takes(report: Report) -> None:
    commands = [command for step in list_steps(report) for command in step.commands]
    assert commands
    for command in commands:
        program, name, *arguments = shlex.split(command)
        assert program == "janitor"
        # It shows the rows, and asks.
        assert "--delete" not in arguments or (report.run.dry_run and name == "sweep")
        assert "--yes" not in arguments
        if name == "token":
            name = f"token {arguments.pop(0)}"
        if name in ("scan", "sweep"):
            assert arguments[arguments.index("--table") + 1] == report.title
        taken_by(name).make_context(name, arguments)


def taken_by(name: str) -> click.Command:
    command: click.Command = import_module(f"janitor.cli.{name.replace(' ', '.')}").command
    return command


def test_a_filtered_scan_is_run_again_as_the_scan_it_was() -> None:
    listing = ListingPart(only_findings=True, states=[], users=["a*"], names=[], groups=[], sort=None, chosen=4)
    report = report_of([found(modern("soon", NOW + DAY))], findings_omitted=3)
    report = with_options(structs.replace(report, listing=listing), narrowing=" --user 'a*'")
    spreadsheet, last = list_steps(report)
    for command, kept in ((spreadsheet.commands[0], "csv"), (last.commands[0], "ndjson")):
        assert command.startswith("janitor scan ")
        assert f" --user 'a*' --report {kept}=" in command


def test_a_filtered_listing_plans_nothing_because_a_sweep_would_take_other_rows_too() -> None:
    row = LockingRow(row_name="0123456789ab-7b21c0", state=State.EXPIRED, remedy=Remedy.UNLOCK_AFTER)
    report = report_of([found(legacy("dead", NOW - 30 * DAY))])
    counts = structs.replace(report.counts, stale=5)
    report = structs.replace(report, counts=counts, lockouts=[LockedOutOwner(username="ana", rows=[row])])
    whole = ListingPart(only_findings=False, states=[], users=[], names=[], groups=[], sort=None, chosen=4)
    for listing in (None, whole):
        words = str(list(list_steps(structs.replace(report, listing=listing))))
        assert all(f"--plan {report.title}-{plan}.ndjson" in words for plan in ("plan", "locked-out", "legacy"))
    filters: list[dict[str, Any]] = [{"states": [State.STALE]}, {"users": ["a"]}, {"names": ["a"]}, {"groups": ["a"]}]
    for chosen in filters:
        words = str(list(list_steps(structs.replace(report, listing=structs.replace(whole, **chosen)))))
        assert "janitor sweep" not in words
        assert "janitor apply" not in words


def with_options(report: Report, **options: Any) -> Report:
    return structs.replace(report, tables=[structs.replace(report.tables[0], options=CommandOptions(**options))])


@pytest.mark.parametrize("report", every_report())
def test_no_command_is_shown_where_an_option_that_decides_about_rows_cannot_be(report: Report) -> None:
    steps = list(list_steps(with_options(report, withheld=("--protect-user",))))
    assert not any(command.split()[1] in ("scan", "sweep", "apply") for step in steps for command in step.commands)
    # What is said to do stays, with the reason why there is no command.
    whole = list(list_steps(report))
    assert all(each.advice.startswith(step.advice) for each, step in zip(steps, whole, strict=True))
    assert any("--protect-user cannot be shown" in step.advice for step in steps)
    assert list_all_command(with_options(report, withheld=("--protect-user",))) == ""
    # Another role may reach another table.
    away = list_steps(with_options(report, withheld=("--role-arn",)))
    assert not any("token remove" in command for step in away for command in step.commands)


def test_a_step_that_ends_a_working_key_says_so() -> None:
    def steps_of(*gates: Gate) -> str:
        row = LockingRow(row_name="0123456789ab-7b21c0", state=State.LEGACY, remedy=Remedy.REMOVE, accepted_by=gates)
        report = structs.replace(report_of([]), lockouts=[LockedOutOwner(username="ana", rows=[row])])
        return " ".join(step.advice for step in list_steps(report))

    assert "accepts the key of 0123456789ab-7b21c0, and removing the row ends that" in steps_of(Gate.WORKBENCH)
    assert "MCP Workbench" not in steps_of()


def test_rows_to_remove_by_hand_that_have_no_command_are_counted() -> None:
    rows = [LockingRow(row_name=f"row-{number}", state=State.MALFORMED, remedy=Remedy.REMOVE) for number in range(6)]
    [step] = list_steps(structs.replace(report_of([]), lockouts=[LockedOutOwner(username="ana", rows=rows)]))
    assert (len(step.commands), "first 3; 3 more in the same way" in step.advice) == (3, True)
    [step] = list_steps(structs.replace(report_of([]), lockouts=[LockedOutOwner(username="ana", rows=rows[:3])]))
    assert (len(step.commands), "more" in step.advice) == (3, False)
    # A row is removed from the table, not from the copy that was read.
    copied = structs.replace(report_of([]), lockouts=[LockedOutOwner(username="ana", rows=rows)])
    copied = structs.replace(copied, tables=[structs.replace(copied.tables[0], source="dump.json")])
    [step] = list_steps(copied)
    assert f" --table {copied.title} --region " in step.commands[0]
    assert "--source" not in step.commands[0]


def test_keys_in_plain_text_and_rows_that_break_lisa_have_steps_of_their_own() -> None:
    plain, breaking = found(legacy("hunter2-hunter2", NOW - 30 * DAY)), found(modern("soon", NOW + DAY, createdBy=7))
    first, removing, second, *_ = list_steps(report_of([plain, breaking]))
    assert "management key" in first.advice
    assert first.commands == ()
    assert "--include legacy" in removing.commands[0]
    assert "its list of tokens breaks" in second.advice
    assert f"token show {breaking.fingerprint} " in second.commands[0]
    rotate = shlex.split(second.commands[1])
    assert rotate[:4] == ["janitor", "token", "rotate", breaking.fingerprint]
    assert "--dry-run" in rotate
    taken_by("token rotate").make_context("rotate", rotate[3:])
    # LISA gives the owner no new token while the row stands, and a dead row has no successor.
    assert "while they stand" in first.advice
    dead = report_of([found(modern("gone", NOW - DAY, createdBy=7))])
    (shown,) = [step for step in list_steps(dead) if "its list of tokens breaks" in step.advice]
    assert len(shown.commands) == 1
    assert "hunter2" not in f"{first} {removing} {second}"
    assert [step.advice[:5] for step in list_steps(report_of([found(modern("fine", NOW + DAY))]))] == ["Tell "]


def test_keys_in_plain_text_that_no_sweep_takes_are_removed_one_by_one() -> None:
    staying = [found(legacy(f"staying-{number}", date)) for number, date in enumerate((None, NOW + DAY, NOW - DAY))]
    staying.append(found(legacy("broken", {"S": "soon"})))
    dead = found(legacy("dead", NOW - 30 * DAY))
    others = [found(legacy("held", NOW - 30 * DAY, janitorHold=True)),
              found(legacy("gone", NOW - 30 * DAY), DeletionOutcome.DELETED)]  # fmt: skip
    leaked, sweep, by_hand, *rest = list_steps(report_of([*staying, dead, *others]))
    assert "the keys of 7 rows of this report" in leaked.advice
    assert sweep.advice.startswith("1 row of these is past date and grace")
    assert by_hand.advice.startswith("A sweep leaves 4 rows of these: ")
    assert by_hand.advice.endswith("Here for the first 3; 1 more in the same way.")
    removed = [shlex.split(command)[:4] for command in by_hand.commands]
    assert all(command[:3] == ["janitor", "token", "remove"] for command in removed)
    assert {command[3] for command in removed} < {each.fingerprint for each in staying}
    # They are not among those to which an end may be given instead.
    assert not any("token extend" in step.advice for step in rest)
    living = list_steps(report_of([found(legacy("alive", NOW + DAY))]))
    assert not any("sweep" in command for step in living for command in step.commands)


def test_an_empty_table_has_nothing_to_do() -> None:
    (step,) = list_steps(report_of([]))
    assert step.advice.startswith("Nothing calls for action.")
    assert step.commands == ()
    assert "No token expires within 30 days." in page_of(report_of([])).texts


def test_only_what_did_not_go_as_planned_is_listed_with_the_deletions() -> None:
    page = HtmlFormat().tail(after_a_sweep()).decode()
    deletions = page[page.index("id=deletions") : page.index("id=locked-out")]
    assert "Deleted 50 of 60 rows that were planned; 5 had changed and stay, 5 failed." in deletions
    assert "/var/lib/janitor/it&#39;s an archive.ndjson" in deletions
    assert deletions.count("<i class=failed>failed</i>") == 5
    assert deletions.count("<i class=changed>changed</i>") == 5
    assert "<i class=deleted>" not in deletions
    assert "id=deletions" not in HtmlFormat().tail(believable()).decode()


def test_rows_that_wait_for_their_notice_are_counted_with_the_deletions() -> None:
    report = after_a_sweep()
    assert "wait for their notice" not in page_of(report).texts
    waiting = structs.replace(report, deletion=structs.replace(report.deletion, waiting=1_234))
    assert "wait for their notice 1,234" in " ".join(page_of(waiting).texts)
