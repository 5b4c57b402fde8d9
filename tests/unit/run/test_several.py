"""A run of several tables over pages in memory: no AWS, every stage."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.dynamodb.decode import Page
from janitor.errors import AwsError, SinkError
from janitor.notices.announce import announce
from janitor.notices.announcer import Announcer, RunContext
from janitor.notices.channel import Channel, Destination
from janitor.notices.notice_memory import NoticeMemory, NoticeRules
from janitor.report.formats.csv import CsvFormat
from janitor.report.formats.interface import Format
from janitor.report.formats.json import JsonFormat
from janitor.report.formats.ndjson import NdjsonFormat
from janitor.report.model import Outcome, TablePart
from janitor.run.flow import run
from janitor.run.outlets import Outlet, Outlets
from janitor.run.spec import RunSpec, TableSpec, UnreachedTable
from janitor.sinks.sns import Message, PublishResult
from janitor.sinks.stdout import Stdout
from janitor.stopping import Stop
from janitor.store.lease_keeper import LeaseKeeper
from janitor.store.records import Store
from janitor.store.sqlite import SqliteBackend
from janitor.tokens.dialect import Dialect
from janitor.tokens.fingerprint import compute_fingerprint
from tests.unit.rows import NOW, POLICIES, items
from tests.unit.run.test_flow import TABLE, page, run_of, table_spec

POLICY = POLICIES[Dialect.CLASSIC]


def turn(label: str, pages: Callable[[], Iterator[Page]], stop: Stop, announcer: Announcer | None = None) -> TableSpec:
    return table_spec(pages, label=label, stop=stop, table=structs.replace(TABLE, name=label), announcer=announcer)


def unreached(label: str) -> UnreachedTable:
    part = TablePart(name=label, region="r", account_id=None, endpoint=None)
    return UnreachedTable(label=label, table_part=part, error=AwsError("the role is denied", code="AccessDenied"))


def several(*tables: TableSpec | UnreachedTable, out: dict[str, io.BytesIO], stop: Stop, **changes: Any) -> RunSpec:
    formats: dict[str, Callable[[], Format]] = {"json": JsonFormat, "ndjson": NdjsonFormat, "csv": CsvFormat}
    outlets = Outlets(Outlet(formats[name](), Stdout(each)) for name, each in out.items())
    return run_of(tables, outlets, stop=stop, **changes)


def streams() -> dict[str, io.BytesIO]:
    return {name: io.BytesIO() for name in ("json", "ndjson", "csv")}


@given(st.lists(st.lists(items, max_size=5), min_size=2, max_size=4), st.integers(0, 3))
def test_every_finding_streams_with_its_table_and_the_sums_are_those_of_all(
    tables: list[list[dict[str, Any]]], hidden: int
) -> None:
    out, stop = streams(), Stop()

    def pages(rows: list[dict[str, Any]]) -> Iterator[Page]:
        yield page(*rows, scanned=len(rows) + hidden)

    turns = [turn(f"t{number}", partial(pages, rows), stop) for number, rows in enumerate(tables)]
    report = run(several(*turns, out=out, stop=stop)).report
    assert report.run.outcome is Outcome.COMPLETE
    assert report.counts.scanned == sum(len(rows) + hidden for rows in tables)
    *lines, closing = map(json.loads, out["ndjson"].getvalue().splitlines())
    assert len(lines) == report.counts.scanned - report.counts.active
    assert (closing["findings"], closing["findings_omitted"], len(closing["tables"])) == ([], 0, len(tables))
    said = json.loads(out["json"].getvalue())
    assert len(said["findings"]) == min(3, len(lines)) == len(lines) - said["findings_omitted"]
    for part in said["tables"]:
        found = [line for line in lines if line["table"] == part["label"]]
        assert len(found) == part["counts"]["scanned"] - part["counts"]["active"]
        listed = sum(finding["table"] == part["label"] for finding in said["findings"])
        assert part["findings_omitted"] == len(found) - listed
    rows = list(csv.DictReader(io.StringIO(out["csv"].getvalue().decode(), newline="")))
    assert len(rows) == len(lines)


def test_one_that_breaks_off_and_one_that_is_out_of_reach_hide_no_other() -> None:
    def pages() -> Iterator[Page]:
        yield page({"token": {"S": "a"}}, scanned=7)
        raise AwsError("dynamodb:Scan was throttled", code="Throttling")

    out, stop = streams(), Stop()
    turns = (turn("breaks", pages, stop), unreached("gone"), turn("good", lambda: iter([page(scanned=2)]), stop))
    result = run(several(*turns, out=out, stop=stop))
    report = result.report
    assert [part.outcome.value for part in report.tables] == ["failed", "failed", "complete"]
    assert [part.counts.scanned for part in report.tables] == [7, 0, 2]
    assert [error.message for error in report.errors] == [
        "breaks: dynamodb:Scan was throttled",
        "gone: the role is denied",
    ]
    assert (report.run.outcome, result.failures) == (Outcome.FAILED, [])
    rows = list(csv.DictReader(io.StringIO(out["csv"].getvalue().decode(), newline="")))
    assert [(row["table"], bool(row["fingerprint"])) for row in rows] == [
        ("breaks", True),
        ("breaks", False),
        ("gone", False),
    ]


def test_a_request_to_stop_leaves_the_tables_whose_turn_did_not_come() -> None:
    stop, out = Stop(), streams()

    def pages() -> Iterator[Page]:
        yield page(scanned=5)
        stop.request(15)

    turns = [turn(label, pages, stop) for label in ("first", "second")]
    report = run(several(*turns, out=out, stop=stop)).report
    assert [(part.outcome.value, part.counts.scanned) for part in report.tables] == [
        ("interrupted", 5),
        ("interrupted", 0),
    ]
    assert (report.run.outcome, report.errors) == (Outcome.INTERRUPTED, [])


@dataclass
class Recorder:
    """A topic that takes messages, or does not."""

    taken: list[Message] = field(default_factory=list)
    is_out_of_reach: bool = False
    arn: str = "arn:aws:sns:us-east-1:000000000000:topic"

    def publish(self, message: Message) -> None:
        if self.is_out_of_reach:
            raise SinkError("no way there", code="unreachable")
        self.taken.append(message)

    def publish_batches(self, messages: Iterator[Message]) -> Iterator[PublishResult]:
        for message in messages:
            self.publish(message)
            yield message, None


def fail(*_: object) -> None:
    raise KeyError("sk-never-to-be-shown")


class LostTurn(LeaseKeeper):
    """The right to announce, which another run takes over as soon as it was taken."""

    def __init__(self) -> None:
        self.broken = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def is_held(self) -> bool:
        return False


def announced(
    tmp_path: Path, topic: Recorder, *, broken: str | None = None, faulty: str | None = None, lost: str | None = None
) -> tuple[Any, list[Any]]:
    """A run of the tables a and b, each with a token that expires tomorrow; what it says, and what was published."""
    stop, out = Stop(), streams()
    channel = Channel(
        topic=topic,
        per_token=False,
        digest="news",
        full_report_location=None,
        destination=Destination(topic.arn, topic.arn),
    )
    turns = []
    for label in ("a", "b"):
        state = tmp_path / (broken if label == broken else "state.sqlite")
        compute_row_fingerprint = partial(compute_fingerprint, dialect=Dialect.CLASSIC, fingerprint_key=None)
        watch = NoticeMemory(
            Store(SqliteBackend(state)),
            NoticeRules(
                scope=f"-/r/{label}",
                now=NOW,
                thresholds=POLICY.thresholds,
                grace=POLICY.grace,
                fingerprint_scheme="classic/-",
                findings_scheme="-",
                audiences=channel.audiences,
            ),
            compute_row_fingerprint=compute_row_fingerprint,
            folder=tmp_path,
            clock=lambda: float(NOW),
        )
        if faulty is not None and label == "a":
            setattr(watch._memory, faulty, fail)  # noqa: SLF001  # a bug in one of its methods
        announcer = Announcer(
            watch,
            channel,
            RunContext(run_id="r", clock=lambda: float(NOW), stop=stop, remembers=True),
            pages_of_owner=None,
            lease=LostTurn() if label == lost else None,
        )
        row = {"token": {"S": f"token-{label}"}, "tokenExpiration": {"N": str(NOW + 3_600)}}
        turns.append(turn(label, lambda row=row: iter([page(row)]), stop, announcer))  # type: ignore[misc]
    report = run(several(*turns, out=out, stop=stop, announce=partial(announce, channel=channel, stop=stop))).report
    bodies = [json.loads(json.loads(message.body)["default"]) for message in topic.taken]
    topic.taken.clear()
    return report, bodies


def test_a_store_that_fails_silences_its_own_table_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()  # where a file should be
    report, [digest] = announced(tmp_path, Recorder(), broken="a")
    assert [notice["table"] for notice in digest["notices"]] == ["b"]
    [error] = report.errors
    assert error.message.startswith("a: nothing was announced, because it is not known what was announced before")
    assert [(part.notices.sent, part.outcome.value) for part in report.tables] == [(0, "complete"), (1, "complete")]
    assert announced(tmp_path, Recorder())[1][0]["notices_total"] == 1


def test_whoever_lost_the_right_to_announce_a_table_leaves_that_one_out(tmp_path: Path) -> None:
    report, [digest] = announced(tmp_path, Recorder(), lost="a")
    assert [notice["table"] for notice in digest["notices"]] == ["b"]
    assert [(error.code, error.message[:3]) for error in report.errors] == [("turn-lost", "a: ")]
    assert [notice["table"] for notice in announced(tmp_path, Recorder())[1][0]["notices"]] == ["a"]


def test_what_the_topic_did_not_take_is_tried_again_and_then_told_once(tmp_path: Path) -> None:
    report, none = announced(tmp_path, Recorder(is_out_of_reach=True))
    assert (none, report.notices.due, report.notices.sent, report.notices.failed) == ([], 2, 0, 2)
    assert [error.message.partition(":")[0] for error in report.errors] == ["the digest was not published"]
    report, [digest] = announced(tmp_path, Recorder())
    assert [notice["table"] for notice in digest["notices"]] == ["a", "b"]
    assert (report.notices.sent, report.notices.digests) == (2, 1)
    assert all(part.changes is not None for part in report.tables)
    assert announced(tmp_path, Recorder())[1] == []


@pytest.mark.parametrize("faulty", ["find_marks", "prove", "mark", "replace_snapshot", "keep_note"])
def test_a_bug_in_what_one_table_remembers_loses_no_report(tmp_path: Path, faulty: str) -> None:
    report, _ = announced(tmp_path, Recorder(), faulty=faulty)
    assert [part.counts.scanned for part in report.tables] == [1, 1]
    assert {error.code for error in report.errors} <= {"bug", "store"}
    assert any("KeyError" in error.message for error in report.errors)
    assert "never-to-be-shown" not in repr(report)
    # What was not told, or not remembered as told, comes again.
    _, digests = announced(tmp_path, Recorder())
    assert sum(len(digest["notices"]) for digest in digests) >= 1 or faulty in ("replace_snapshot", "keep_note")


def test_a_bug_in_the_run_of_one_table_loses_no_other() -> None:
    def pages() -> Iterator[Page]:
        yield page(scanned=1)
        raise KeyError("sk-never-to-be-shown")

    out, stop = streams(), Stop()
    turns = (turn("faulty", pages, stop), turn("good", lambda: iter([page(scanned=2)]), stop))
    report = run(several(*turns, out=out, stop=stop)).report
    assert [(part.label, part.outcome.value, part.counts.scanned) for part in report.tables] == [
        ("faulty", "failed", 0), ("good", "complete", 2),
    ]  # fmt: skip
    [error] = report.errors
    assert error.message.startswith("faulty: the report of this table is lost: a bug in janitor")
    assert "never-to-be-shown" not in json.dumps([each.getvalue().decode() for each in out.values()])
