"""Pages judged apart and added up, and what goes from one process to another."""

import json
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor import __version__
from janitor.dynamodb.decode import Page
from janitor.errors import JanitorError
from janitor.readers.interface import Batch, Rules
from janitor.readers.judging import judge_page
from janitor.readers.segment import (
    DistributedReader,
    SegmentTask,
    TableLocation,
    decode_answer,
    decode_batch,
    encode_batch,
    encode_task,
    read_segment,
)
from janitor.readers.tally import Tally
from janitor.report.build import build_finding
from janitor.settings.parsers import parse_owner
from janitor.stopping import NeverStopped
from janitor.tokens.dialect import Dialect
from janitor.tokens.policy import Policy
from tests.unit.rows import NOW, dialects, items

_tables = st.lists(items, max_size=8, unique_by=lambda item: item["token"]["S"])
_rules = st.builds(
    Rules,
    policy=st.builds(
        Policy,
        dialect=dialects,
        protect_users=st.lists(st.text(max_size=3), max_size=2).map(tuple),
        protect_system=st.booleans(),
        include_legacy=st.booleans(),
        include_undated=st.booleans(),
        has_workbench=st.booleans(),
        unlock_after=st.none() | st.integers(0, 8 * 86_400),
    ),
    now=st.just(NOW),
    fingerprint_key=st.none() | st.binary(min_size=1),
    plans=st.booleans(),
)
LOCATION = TableLocation(table="tokens", table_id=None, account_id=None, region="us-east-1")
RULES = Rules(policy=Policy(dialect=Dialect.HASHED), now=NOW, fingerprint_key=b"the key of fingerprints")


def page_of(rows: Sequence[dict[str, Any]]) -> Page:
    return Page(json.dumps({"Items": rows, "Count": len(rows), "ScannedCount": len(rows)}).encode())


def sent(batch: Batch) -> Batch:
    """What arrives of it in the main process."""
    return decode_batch(msgspec.Raw(bytes(encode_batch(batch))))


@given(rows=_tables, rules=_rules, cut=st.integers(0, 8))
def test_pages_judged_apart_add_up_to_what_they_are_together(
    rows: list[dict[str, Any]], rules: Rules, cut: int
) -> None:
    patterns = rules.policy.protect_users
    whole = judge_page(page_of(rows), rules, patterns)
    parts = [sent(judge_page(page_of(part), rules, patterns)) for part in (rows[:cut], rows[cut:])]
    tally = Tally()
    for part in parts:
        tally.add_all(part.tally)
    tally.pages = whole.tally.pages
    assert structs.asdict(tally) == structs.asdict(whole.tally)
    assert [row for part in parts for row in part.found] == list(whole.found)
    assert [row for part in parts for row in part.deletable] == list(whole.deletable)
    assert {pattern for part in parts for pattern in part.matching_patterns} == set(whole.matching_patterns)


@given(rows=_tables, rules=_rules)
def test_lines_of_a_report_arrive_as_they_were_made_or_not_at_all(rows: list[dict[str, Any]], rules: Rules) -> None:
    batch = judge_page(page_of(rows), rules)
    lines = [
        build_finding(row, verdict, now=rules.now, policy=rules.policy, fingerprint_key=rules.fingerprint_key)
        for row, verdict, _ in batch.found
    ]
    arrived = sent(batch._replace(lines=lines))
    has_huge_number = any(
        abs(found.verdict.expiry or 0) > 2**62 for found in (*batch.found, *(row.found for row in batch.deletable))
    )
    assert list(arrived.lines) == ([] if has_huge_number else lines)


@given(rules=_rules, patterns=st.lists(st.text(), max_size=3), numbers=st.tuples(st.integers(0, 9), st.integers(1, 9)))
def test_a_task_arrives_as_it_was_sent(rules: Rules, patterns: list[str], numbers: tuple[int, int]) -> None:
    segment, segments = numbers
    task = SegmentTask(
        version=__version__, location=LOCATION, segment=segment, segments=segments, rules=rules, patterns=patterns
    )
    assert msgspec.msgpack.decode(encode_task(task), type=SegmentTask) == task


def test_no_log_shows_a_task() -> None:
    task = SegmentTask(version=__version__, location=LOCATION, segment=0, segments=1, rules=RULES)
    assert "fingerprints" not in f"{encode_task(task)!r} {(encode_task(task),)}"


class Told:
    """Readers that answer as they are told, whatever they are asked."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers

    def count(self) -> int:
        return 1

    def answers(self, tasks: Iterator[bytes]) -> Generator[bytes, None, None]:
        list(tasks)
        yield from self._answers


def answer_to(segment: int, pages: Sequence[object] = (), failure: object = None) -> bytes:
    return msgspec.msgpack.encode([segment, 1, 0, pages, failure])


FAILED = answer_to(1, failure={"sentence": "it failed", "way_out": None, "code": "x"})


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([answer_to(0)], "1 segments were not read"),
        ([answer_to(0), answer_to(0)], "segment 0 was read twice"),
        ([answer_to(0), FAILED], "segment 1: it failed"),
        ([answer_to(0), b"\xc1token"], "damaged (DecodeError)"),
        ([answer_to(0, [["token"]])], "damaged (ValidationError)"),
    ],
    ids=["a segment is missing", "a segment comes twice", "a segment failed", "damaged", "a damaged page"],
)
def test_a_table_of_which_a_segment_was_not_read_once_is_not_read(answers: list[bytes], sentence: str) -> None:
    segments = DistributedReader(LOCATION, 2, Told(*answers), stop=NeverStopped(), note_requests=lambda _, __: None)
    with pytest.raises(JanitorError) as raised:
        list(segments.batches(RULES, tuple))
    assert sentence in str(raised.value)


def test_a_table_of_which_every_segment_was_read_is_read() -> None:
    told = Told(answer_to(1), answer_to(0))
    assert not list(
        DistributedReader(LOCATION, 2, told, stop=NeverStopped(), note_requests=lambda _, __: None).batches(
            RULES, tuple
        )
    )


def test_units_a_second_are_divided_among_the_readers() -> None:
    class Three(Told):
        def count(self) -> int:
            return 3

        def answers(self, tasks: Iterator[bytes]) -> Generator[bytes, None, None]:
            rates.extend(msgspec.msgpack.decode(task, type=SegmentTask).location.rate for task in tasks)
            yield from map(answer_to, range(2))

    rates: list[float | None] = []
    place = structs.replace(LOCATION, rate=12.0)
    list(
        DistributedReader(place, 2, Three(), stop=NeverStopped(), note_requests=lambda _, __: None).batches(
            RULES, tuple
        )
    )
    assert rates == [4.0, 4.0]


def test_a_reader_of_another_version_refuses_whatever_it_is_asked() -> None:
    with pytest.raises(JanitorError, match=f"this worker has janitor {__version__}, the main process has 0.0.1"):
        decode_answer(read_segment(msgspec.msgpack.encode({"version": "0.0.1", "something": "new"})))


def test_what_a_bug_of_a_reader_says_is_its_kind() -> None:
    with pytest.raises(JanitorError) as raised:
        decode_answer(read_segment(msgspec.msgpack.encode({"version": __version__, "rules": "secret"})))
    assert str(raised.value) == "a reader of segment 0: reading failed (ValidationError)"


def test_a_pattern_that_no_task_could_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="is not UTF-8"):
        parse_owner("\udcff*")
    assert parse_owner("ânâ*") == "ânâ*"
