import datetime as dt
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Component
from msgspec import structs

from janitor.report.build import build_finding
from janitor.report.formats.ics import IcsFormat
from janitor.report.model import Counts, Finding, Report
from janitor.tokens.classify import classify
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.printable import printable
from tests.reports import at, place_of
from tests.unit.report.test_formats import HOSTILE, report
from tests.unit.rows import NOW, POLICIES, items, row

HOUR = 3_600
texts = st.one_of(
    st.sampled_from([*HOSTILE, "a,b;c:d", r"\N\n\\n\,", '"', "END:VEVENT\r\nBEGIN:VALARM", "é" * 200, "日" * 256]),
    st.text(max_size=40),
    st.text(alphabet="\\nN,;:\"' é", max_size=40),
)


def token(expiry: int, *, key: str = "k" * 40, dialect: Dialect = Dialect.CLASSIC, **attributes: str) -> Finding:
    texts = {name: {"S": text} for name, text in attributes.items()}
    return found({"token": {"S": key}, "tokenExpiration": {"N": str(expiry)}, **texts}, dialect)


def found(item: dict[str, Any], dialect: Dialect = Dialect.CLASSIC) -> Finding:
    policy = POLICIES[dialect]
    return build_finding(row(item), classify(row(item), NOW, policy), now=NOW, policy=policy, fingerprint_key=None)


def with_thresholds(one: Report, *thresholds: int) -> Report:
    return structs.replace(one, policy=structs.replace(one.policy, thresholds_seconds=list(thresholds)))


def in_table(one: Report, **changes: str) -> Report:
    return at(one, structs.replace(place_of(one), **changes))


def calendar(one: Report) -> Component:
    return Calendar.from_ical(IcsFormat().tail(one))


def events(one: Report) -> list[Component]:
    return calendar(one).walk("VEVENT")


def unfolded(one: Report) -> list[str]:
    return IcsFormat().tail(one).replace(b"\r\n ", b"").decode().split("\r\n")


def unescaped(text: str) -> str:
    r"""Read a TEXT by the letter of RFC 5545, 3.3.11; a lone `\`, `,` or `;` is a fault."""
    assert re.fullmatch(r"(?:\\[\\;,nN]|[^\\;,\x00-\x08\x0a-\x1f\x7f])*", text)
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], text)


def test_a_token_that_expires_is_an_event_at_that_second() -> None:
    (event,) = events(report(token(NOW + DAY, name="ci", username="ada")))
    assert event.decoded("dtstart") == dt.datetime.fromtimestamp(NOW + DAY, dt.UTC)
    assert "dtend" not in event
    assert "duration" not in event
    assert str(event["transp"]) == "TRANSPARENT"
    assert str(event["summary"]) == "LISA token ci of ada expires"


def test_the_description_says_whose_it_is_and_what_to_do() -> None:
    one = token(NOW + DAY, name="ci", username="ada")
    (event,) = events(report(one))
    text = str(event["description"])
    for words in (
        "Owner: ada",
        "Name: ci",
        f"Fingerprint: {one.fingerprint}",
        "Table: t in r",
        "Before that, extend it",
    ):
        assert words in text


def test_a_token_without_name_and_owner_is_called_by_its_fingerprint() -> None:
    one = token(NOW + DAY)
    (event,) = events(report(one))
    assert str(event["summary"]) == f"LISA token {one.fingerprint} expires"


def test_a_legacy_row_that_only_the_workbench_accepts_is_an_event_that_says_so() -> None:
    (event,) = events(report(token(NOW + DAY, dialect=Dialect.HASHED)))
    assert "MCP Workbench does too" in str(event["description"])


@pytest.mark.parametrize(
    "one",
    [
        token(NOW),
        token(NOW - 30 * DAY),
        token(NOW - DAY, dialect=Dialect.HASHED),
        token((NOW + DAY) * 1_000),
        found({"token": {"S": "k"}}),
        found({"token": {"S": "k"}, "tokenUUID": {"S": "u"}}, Dialect.HASHED),
    ],
    ids=["expired", "stale", "dead legacy", "milliseconds", "permanent", "permanent hashed"],
)
def test_what_does_not_expire_or_is_not_accepted_is_no_event(one: Finding) -> None:
    assert events(report(one)) == []


def test_an_alarm_rings_at_each_threshold_that_lies_ahead() -> None:
    one = with_thresholds(report(token(NOW + 7 * DAY)), 30 * DAY, 7 * DAY, DAY, 2 * HOUR, DAY)
    alarms = events(one)[0].walk("VALARM")
    assert [alarm.decoded("trigger") for alarm in alarms] == [dt.timedelta(days=-1), dt.timedelta(hours=-2)]
    assert {str(alarm["action"]) for alarm in alarms} == {"DISPLAY"}
    assert str(alarms[1]["description"]).endswith("expires in 2 hours")


def test_a_token_closer_than_every_threshold_has_no_alarm() -> None:
    assert events(with_thresholds(report(token(NOW + HOUR)), 30 * DAY, HOUR))[0].walk("VALARM") == []


def test_an_extended_token_keeps_its_uid() -> None:
    first, second = (events(report(token(NOW + days * DAY)))[0] for days in (1, 20))
    assert first["uid"] == second["uid"]
    assert first.decoded("dtstart") != second.decoded("dtstart")


def test_the_same_token_elsewhere_has_another_uid() -> None:
    one = report(token(NOW + DAY))
    places = [one, in_table(one, name="u"), in_table(one, region="s"), in_table(one, account_id="1" * 12)]
    assert len({str(events(place)[0]["uid"]) for place in places}) == len(places)


def test_a_uid_never_changes_between_releases() -> None:
    (event,) = events(in_table(report(token(NOW + DAY)), account_id="123456789012"))
    assert str(event["uid"]) == "2faf1b3b-6fde-5800-911e-3aab5ed019b6"


@given(st.lists(st.tuples(st.text(min_size=1, max_size=3), st.integers(1, 40 * DAY)), max_size=8))
def test_uids_are_unique_and_the_same_in_every_run(tokens: list[tuple[str, int]]) -> None:
    findings = [token(NOW + seconds, key=key) for key, seconds in tokens]
    uids = [str(event["uid"]) for event in events(report(*findings))]
    assert len(uids) == len(set(uids)) == len({one.fingerprint for one in findings if one.state == "expiring"})
    assert IcsFormat().tail(report(*findings)) == IcsFormat().tail(report(*findings))


def test_a_token_whose_legacy_row_is_still_there_is_one_event() -> None:
    key = "k" * 40
    legacy = token(NOW + 9 * DAY, key=key, dialect=Dialect.HASHED)
    present = token(NOW + DAY, key=key, dialect=Dialect.HASHED, tokenUUID="u")
    (event,) = events(report(present, legacy))
    assert legacy.fingerprint == present.fingerprint
    assert event.decoded("dtstart") == dt.datetime.fromtimestamp(NOW + DAY, dt.UTC)


def test_times_and_sequence_come_from_the_run_and_grow_with_it() -> None:
    sequences = []
    for day in (1, 2):
        started = dt.datetime(2026, 9, day, tzinfo=dt.UTC)
        one = report(token(NOW + DAY))
        one = structs.replace(one, run=structs.replace(one.run, started_at=started))
        (event,) = events(one)
        assert event.decoded("dtstamp") == event.decoded("last-modified") == started
        sequences.append(event.decoded("sequence"))
    assert sequences[0] < sequences[1] < 2**31


@given(texts, texts)
def test_any_name_and_owner_read_back_as_they_are_shown(name: str, username: str) -> None:
    one = report(token(NOW + DAY, name=name, username=username))
    (summary,) = [line for line in unfolded(one) if line.startswith("SUMMARY")]
    (event,) = events(one)
    if name and username:
        expected = f"LISA token {printable(name)} of {printable(username)} expires"
        assert unescaped(summary.removeprefix("SUMMARY:")) == expected
        assert str(event["summary"]) == expected
    assert (event["uid"], event.decoded("dtstart")) == (
        events(report(token(NOW + DAY)))[0]["uid"],
        dt.datetime.fromtimestamp(NOW + DAY, dt.UTC),
    )


@given(st.lists(st.tuples(items, st.sampled_from(list(Dialect))), max_size=4))
def test_any_rows_make_a_calendar_that_reads_back_without_a_fault(rows: list[tuple[dict[str, Any], Dialect]]) -> None:
    read = calendar(report(*(found(item, dialect) for item, dialect in rows)))
    assert [component.errors for component in read.walk()] == [[] for _ in read.walk()]
    assert all(len(event.walk()) <= 2 for event in read.walk("VEVENT"))


@given(texts, texts)
def test_no_line_is_longer_than_75_octets_nor_cut_within_a_character(name: str, username: str) -> None:
    content = IcsFormat().tail(report(token(NOW + DAY, name=name, username=username)))
    assert content.endswith(b"END:VCALENDAR\r\n")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        assert b"\r" not in line
        assert b"\n" not in line
        line.decode()


def test_a_calendar_names_itself_its_maker_and_when_to_ask_again() -> None:
    lines = unfolded(in_table(report(), name="a-table"))
    for line in (
        "VERSION:2.0",
        "METHOD:PUBLISH",
        "PRODID:-//token-janitor//janitor 1//EN",
        "NAME:Expiring LISA tokens\\, a-table",
        "X-WR-CALNAME:Expiring LISA tokens\\, a-table",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
    ):
        assert line in lines


def test_a_calendar_that_leaves_tokens_out_says_how_many() -> None:
    one = report(token(NOW + DAY))
    full = structs.replace(one, counts=Counts(scanned=1, expiring=1))
    cut = structs.replace(one, counts=Counts(scanned=1_004, expiring=1_003, legacy=1), findings_omitted=1_003)
    assert "did not fit" not in str(calendar(full)["description"])
    description = str(calendar(cut)["description"])
    assert "1,002 more expiring rows did not fit" in description
    assert "1 more legacy row did not fit" in description
    assert str(calendar(cut)["x-wr-caldesc"]).count("did not fit") == 2


def test_a_scan_that_broke_off_leaves_the_old_calendar_alone() -> None:
    assert not IcsFormat().shows_outcome


def test_an_empty_table_makes_an_empty_calendar() -> None:
    assert events(report()) == []
