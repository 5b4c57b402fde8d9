import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.notices.digest_content import DigestContent
from janitor.notices.digest_parts import LIMIT, DigestPart, count_parts, split_digest
from janitor.notices.notice import Notice, notice_fields
from janitor.report.changes import Change
from janitor.tokens.printable import printable
from tests.examples import examples
from tests.unit.notices.notices import CHANGES, HOSTILE, digest, named, notice, sorted_notices, texts

# Room for the longest single notice, and little more.
TIGHT = 20_000


def email_of(part: DigestPart) -> str:
    return str(json.loads(part.message.body)["email"])


def json_of(part: DigestPart) -> str:
    return str(json.loads(part.message.body)["default"])


def fitting(content: DigestContent, limit: int) -> list[DigestPart]:
    """The parts, each checked against what SNS asks."""
    parts = list(split_digest(content, limit))
    assert count_parts(content, limit) == len(parts)
    for number, part in enumerate(parts, start=1):
        machine = json.loads(json_of(part))
        subject = part.message.subject or ""
        assert part.message.size <= limit
        assert part.message.is_structured
        assert json.loads(part.message.body).keys() == {"default", "email"}
        assert (machine["part"], machine["parts"]) == (number, len(parts))
        assert machine["notices"] == [
            {**json.loads(json.dumps(notice_fields(one))), "table": one.table} for one in part.notices
        ]
        assert subject.isascii()
        assert len(subject) <= 100
        if len(parts) > 1:
            assert f"(part {number} of {len(parts)})" in subject
            assert f"This is part {number} of {len(parts)}" in email_of(part)
        for one in part.notices:
            assert one.crossing.fingerprint in email_of(part)
    return parts


def rows_in(part: DigestPart) -> int:
    return sum("  000" in line and (" UTC  " in line or "  -  " in line) for line in email_of(part).splitlines())


@examples(60, nightly=600)
@given(sorted_notices(60), st.integers(TIGHT, 60_000), st.none() | st.integers(0, 30_000), st.lists(texts, max_size=30))
def test_every_part_fits_and_every_notice_is_in_one_of_them_in_order(
    notices: list[Notice], limit: int, report_size: int | None, hostile: list[str]
) -> None:
    report = None if report_size is None else json.dumps({"filler": "é" * report_size})
    content = digest(
        *notices,
        report_json=report,
        errors=tuple(hostile),
        warnings=tuple(hostile),
        locked_out=tuple(hostile),
        changes={kind: Change(99, [named(text) for text in hostile]) for kind in CHANGES},
    )
    parts = fitting(content, limit)
    assert [one for part in parts for one in part.notices] == notices
    assert all(part.notices for part in parts) or len(parts) == 1


def test_a_digest_that_fits_is_one_part_and_says_no_number() -> None:
    (part,) = fitting(digest(*[notice(number) for number in range(100)]), LIMIT)
    assert "part 1" not in email_of(part) + (part.message.subject or "")


def test_parts_are_filled() -> None:
    parts = fitting(digest(*[notice(number, username=f"user{number}") for number in range(5_000)]), LIMIT)
    sizes = [len(part.message.body.encode()) for part in parts]
    assert min(sizes[:-1]) > 0.98 * LIMIT
    assert sum(rows_in(part) for part in parts) == 5_000


def test_the_longest_texts_fit_at_the_limit_of_sns() -> None:
    worst = [notice(number, username=text, name=text) for number, text in enumerate(HOSTILE * 40)]
    parts = fitting(digest(*worst, errors=tuple(HOSTILE * 9), locked_out=tuple(HOSTILE * 9)), LIMIT)
    assert sum(len(part.notices) for part in parts) == len(worst)


def test_the_first_part_carries_the_report_and_the_others_say_so() -> None:
    content = digest(*[notice(number) for number in range(200)], report_json='{"schema": "janitor.report/v1"}')
    first, *others = [json.loads(json_of(part)) for part in fitting(content, 60_000)]
    assert first["report"] == {"schema": "janitor.report/v1"}
    assert others
    for machine in [first, *others]:
        assert (machine["report_omitted"], machine["report_part"]) == (False, 1)
    assert all(machine["report"] is None for machine in others)


@pytest.mark.parametrize("size", [1_000, LIMIT])
def test_a_report_that_leaves_no_room_for_a_notice_is_left_out_and_pointed_to(size: int) -> None:
    is_omitted = size == LIMIT
    report = json.dumps({"filler": "x" * size})
    (part,) = fitting(digest(notice(), report_json=report, full_report_location="s3://bucket/report.json"), LIMIT)
    machine = json.loads(json_of(part))
    assert machine["report_omitted"] is is_omitted
    assert (machine["report"] is None) is is_omitted
    assert machine["pointer"] == "s3://bucket/report.json"
    assert "s3://bucket/report.json" in email_of(part)


def test_lists_that_leave_no_room_are_shortened_and_counted() -> None:
    content = digest(notice(), errors=("\U0001f600" * 500,) * 40, locked_out=("o",) * 40)
    (part,) = fitting(content, 40_000)
    machine: dict[str, Any] = json.loads(json_of(part))
    for key in ("errors", "locked_out"):
        assert len(machine[key]) + machine[f"{key}_omitted"] == 40


def test_a_digest_without_notices_is_one_part() -> None:
    (part,) = fitting(digest(), LIMIT)
    assert part.notices == ()


def test_a_limit_that_no_notice_fits_in_is_refused_before_any_part() -> None:
    with pytest.raises(ValueError, match="limit is too small"):
        next(split_digest(digest(notice()), 2_000))
    with pytest.raises(ValueError, match="limit is too small"):
        next(split_digest(digest(notice(), notice(2, name="\U000e0001" * 256, username="字" * 256)), 6_000))


def test_every_part_has_an_id_of_its_own_and_the_group_of_its_table() -> None:
    content = digest(*[notice(number) for number in range(200)])
    parts = fitting(content, TIGHT)
    assert len({part.message.deduplication_id for part in parts}) == len(parts) > 1
    assert {part.message.group_id for part in parts} == {"prod-LISAApiBaseTokenTable"}
    assert [part.message.deduplication_id for part in fitting(content, TIGHT)] == [
        part.message.deduplication_id for part in parts
    ]


@examples(30, nightly=300)
@given(
    st.lists(st.tuples(texts.map(lambda text: text or "t"), sorted_notices(20)), min_size=2, max_size=12),
    st.integers(TIGHT, 60_000),
)
def test_a_digest_of_several_tables_fits_and_each_notice_stands_below_its_table(
    tables: list[tuple[str, list[Notice]]], limit: int
) -> None:
    labels = [f"{number} {text[:40]}" for number, (text, _) in enumerate(tables)]
    of_table = {
        label: [dataclasses.replace(one, table=label) for one in notices]
        for label, (_, notices) in zip(labels, tables, strict=True)
    }
    every = [one for notices in of_table.values() for one in notices]
    content = digest(*every, tables=tuple(digest(table=label) for label in labels))
    parts = fitting(content, limit)
    assert [one for part in parts for one in part.notices] == every
    first = json.loads(json_of(parts[0]))
    assert (first["table"], len(first["tables"]) + first["tables_omitted"]) == (None, len(labels))
    for part in parts:
        for label in {one.table for one in part.notices if one.table is not None}:
            assert f"{printable(label)}: due, by owner" in "".join(
                email_of(part).splitlines()
            ) or "deleted by" in email_of(part)


def test_of_more_tables_than_a_message_holds_some_are_told_and_the_others_counted() -> None:
    labels = [f"tokens-{number}" for number in range(2_000)]
    (part,) = fitting(digest(notice(table=labels[7]), tables=tuple(digest(table=label) for label in labels)), LIMIT)
    machine = json.loads(json_of(part))
    assert len(machine["tables"]) + machine["tables_omitted"] == 2_000
    assert len(machine["tables"]) == 100
    assert "1,990 more tables: see the full report." in email_of(part)
