import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.notices.digest_content import DigestContent
from janitor.notices.notice import Event, Notice
from janitor.notices.subject_line import DueCounts, digest_subject, to_ascii, token_subject
from janitor.report.model import Deletion, Outcome
from tests.unit.notices.notices import DAY, any_notice, digest, notice, texts

counts = st.integers(0, 10**9)


def subject_of(content: DigestContent, part: int = 1, parts: int = 1) -> str:
    due = DueCounts()
    for one in content.notices:
        due.add(one)
    return digest_subject(content, due, part=part, parts=parts)


def assert_sns_takes(subject: str) -> None:
    assert 0 < len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()
    assert subject[0] != " "


@given(any_notice())
def test_any_tokens_subject_is_one_that_sns_takes(one: Notice) -> None:
    assert_sns_takes(token_subject(one))
    assert token_subject(one)[0].isalnum()


@st.composite
def any_digest(draw: st.DrawFn) -> DigestContent:
    rows = draw(counts)
    return digest(
        table=draw(texts),
        long_expired=draw(counts),
        recovered_from=draw(st.none() | texts),
        errors=tuple(draw(st.lists(texts, max_size=1))),
        outcome=draw(st.sampled_from(Outcome)),
        dry_run=draw(st.booleans()),
        deletion=Deletion(enabled=True, planned=rows, deleted=draw(counts), failed=draw(counts)),
    )


@given(any_digest(), counts, counts, st.integers(1, 10**6))
def test_any_digests_subject_is_one_that_sns_takes(
    content: DigestContent, expiring: int, expired: int, parts: int
) -> None:
    due = DueCounts(expiring=expiring, expired=expired, within=30 * DAY)
    assert_sns_takes(digest_subject(content, due, part=parts, parts=parts))


def test_a_digests_subject_says_that_it_is_well_again_and_how_many_are_only_counted() -> None:
    assert subject_of(digest(table="prod", recovered_from="no")) == "[janitor] RECOVERED: prod: nothing new is due"
    assert subject_of(digest(table="prod", long_expired=1_300)) == "[janitor] prod: 1,300 expired long ago"


def test_a_digests_subject_says_what_is_new() -> None:
    due = [notice(number) for number in range(3)] + [notice(9, seconds_to_expiry=-1), notice(8, seconds_to_expiry=0)]
    swept = digest(*due, table="prod-Tokens", dry_run=False, deletion=Deletion(enabled=True, deleted=14))
    assert subject_of(swept) == "[janitor] prod-Tokens: 3 tokens expire within 7 days, 2 expired, 14 deleted"


ENDINGS: Mapping[Outcome, str] = {
    Outcome.COMPLETE: "[janitor] t: nothing new is due",
    Outcome.FAILED: "[janitor] FAILED: t: the message says what was done",
    Outcome.REFUSED: "[janitor] REFUSED to delete: t: the message says why",
    Outcome.INTERRUPTED: "[janitor] INTERRUPTED: t: nothing new is due so far",
    Outcome.SKIPPED: "[janitor] SKIPPED: t: another run is at work",
}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_digests_subject_says_how_the_run_ended(outcome: Outcome) -> None:
    assert subject_of(digest(table="t", outcome=outcome)) == ENDINGS[outcome]


def test_a_run_that_failed_before_it_found_anything_says_why() -> None:
    failed = digest(table="t", outcome=Outcome.FAILED, errors=("the table does not exist",))
    assert subject_of(failed) == "[janitor] FAILED: t: the table does not exist"
    refused = digest(table="t", outcome=Outcome.REFUSED, errors=("refused to delete: 3 rows are planned",))
    assert subject_of(refused) == "[janitor] REFUSED to delete: t: 3 rows are planned"


def test_a_dry_run_says_what_would_be_deleted() -> None:
    assert subject_of(digest(table="t", deletion=Deletion(planned=5))) == "[janitor] t: 5 would be deleted"
    due = digest(notice(), table="t", deletion=Deletion(planned=5))
    assert subject_of(due) == "[janitor] t: 1 token expires within 7 days, 5 would be deleted"


def test_a_long_table_name_is_shortened_in_the_middle_before_anything_is_left_out() -> None:
    said = subject_of(digest(notice(), table="start-" + "x" * 240 + "-end"), part=2, parts=5)
    assert said.startswith("[janitor] start-x")
    assert said.endswith("x-end: 1 token expires within 7 days (part 2 of 5)")
    assert "x...x" in said
    assert len(said) == 100


def test_a_threshold_of_a_day_is_a_day() -> None:
    one = notice(seconds_to_expiry=3_600)
    urgent = dataclasses.replace(one, crossing=one.crossing._replace(threshold=DAY))
    assert subject_of(digest(urgent, table="t")) == "[janitor] t: 1 token expires within 1 day"


def test_a_tokens_subject_says_what_happens_when() -> None:
    assert token_subject(notice(10)) == "Token 00000000000a of ada@example.com expires in 3 days: ci pipeline"
    deleted = notice(10, seconds_to_expiry=-3 * DAY, event=Event.DELETED, username=None, name=None)
    assert token_subject(deleted) == "Token 00000000000a was deleted; it expired 3 days ago"


def test_accents_are_dropped_letters_spelled_out_and_the_rest_marked() -> None:
    assert to_ascii("Zoë Straße Łódź — 日本\n") == "Zoe Strasse Lodz - ?? "


def test_a_name_without_a_letter_in_ascii_is_left_out_of_a_subject() -> None:
    assert token_subject(notice(1, username=None, name="日本語")) == "Token 000000000001 expires in 3 days"


def test_a_digests_subject_begins_with_what_expires_today() -> None:
    soon, later = notice(1, seconds_to_expiry=3_600), notice(2)
    due = DueCounts(urgent_within=DAY)
    for one in (soon, later, later):
        due.add(one)
    assert digest_subject(digest(table="prod"), due, part=1, parts=1) == (
        "[janitor] prod: 1 token expires within 1 day, 2 within 7 days"
    )
