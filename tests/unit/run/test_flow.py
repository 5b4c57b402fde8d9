"""A whole run over pages in memory: no AWS, every stage."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from janitor.dynamodb.client import Traffic
from janitor.dynamodb.decode import Page
from janitor.dynamodb.locate import Table
from janitor.errors import AwsError, SinkError, StopRequestedError
from janitor.notices.announcer import Announcer, RunContext
from janitor.notices.channel import Channel
from janitor.notices.notice_memory import NoticeMemory, NoticeRules
from janitor.readers.in_process import PageReader
from janitor.readers.interface import JudgedRow, Rules
from janitor.readers.owners import MAX_OWNERS, Owners
from janitor.report.build import verdict_urgency
from janitor.report.formats.csv import CsvFormat
from janitor.report.formats.json import JsonFormat
from janitor.report.formats.ndjson import NdjsonFormat
from janitor.report.model import Outcome, PolicyPart, Report
from janitor.run.finding_collector import make_shortlist
from janitor.run.flow import run
from janitor.run.outlets import Outlet, Outlets
from janitor.run.spec import OwnerLookup, Prices, RunSpec, TableSpec, UnreachedTable
from janitor.sinks.file import File
from janitor.sinks.stdout import Stdout
from janitor.stopping import Stop
from janitor.store.records import Store
from janitor.store.sqlite import SqliteBackend
from janitor.tokens.classify import classify
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import DAY
from janitor.tokens.fingerprint import compute_fingerprint
from janitor.tokens.row import Row
from tests.unit.rows import NOW, POLICIES, dated, items
from tests.unit.rows import row as row_of_item

TABLE = Table(
    name="t", region="r", account_id=None, endpoint=None, dialect=Dialect.HASHED, has_owner_index=True, item_count=0,
    size_bytes=0, skew_seconds=None,
)  # fmt: skip


class Broken(Stdout):
    target = "broken"

    def write(self, content: bytes) -> None:
        raise SinkError(f"no room for {len(content)} bytes")


def page(*rows: dict[str, Any], scanned: int | None = None) -> Page:
    content = {"Items": rows, "Count": len(rows), "ScannedCount": len(rows) if scanned is None else scanned}
    return Page(msgspec.json.encode(content))


def run_spec(
    pages: Callable[[], Iterator[Page]], *outlets: Outlet, dialect: Dialect = Dialect.CLASSIC, **changes: Any
) -> RunSpec:
    of_run = {name: changes.pop(name) for name in ("max_findings", "deletes") if name in changes}
    return run_of([table_spec(pages, dialect=dialect, **changes)], Outlets(outlets), **of_run)


def table_spec(pages: Callable[[], Iterator[Page]], *, dialect: Dialect = Dialect.CLASSIC, **changes: Any) -> TableSpec:
    values: dict[str, Any] = {
        "label": "t", "table": TABLE, "rules": Rules(policy=POLICIES[dialect], now=NOW), "as_of": None,
        "reader": PageReader(pages), "owners": OwnerLookup(), "traffic": Traffic(requests=1),
        "prices": Prices(0.125, 0.625), "clock": lambda: float(NOW),
    }  # fmt: skip
    return TableSpec(**values | changes)


def run_of(tables: Sequence[TableSpec | UnreachedTable], outlets: Outlets, **changes: Any) -> RunSpec:
    stop = next((table.stop for table in tables if isinstance(table, TableSpec)), None) or Stop()
    policy = PolicyPart(dialect=None, thresholds_seconds=[30 * DAY], grace_seconds=0, as_of=None)
    values: dict[str, Any] = {
        "command": "scan", "run_id": "r", "version": "0", "deletes": False, "tables": tables, "policy": policy,
        "outlets": outlets, "max_findings": 3, "announce": None, "clock": lambda: float(NOW), "stop": stop,
    }  # fmt: skip
    return RunSpec(**values | changes)


@given(rows=st.lists(items, max_size=8), hidden=st.integers(0, 5), dialect=st.sampled_from(list(Dialect)))
def test_the_seven_states_add_up_whatever_the_rows(rows: list[dict[str, Any]], hidden: int, dialect: Dialect) -> None:
    out = io.BytesIO()
    pages = [page(*rows), page(*rows, scanned=len(rows) + hidden)]
    report = run(run_spec(lambda: iter(pages), Outlet(NdjsonFormat(), Stdout(out)), dialect=dialect)).report
    counts = structs.asdict(report.counts)
    assert counts.pop("scanned") == sum(counts.values()) == 2 * len(rows) + hidden
    assert len(out.getvalue().splitlines()) == sum(counts.values()) - counts["active"] + 1


def test_a_failure_in_the_middle_keeps_what_was_counted() -> None:
    def pages() -> Iterator[Page]:
        yield page({"token": {"S": "a"}}, scanned=7)
        raise AwsError("dynamodb:Scan was throttled", code="Throttling")

    out = io.BytesIO()
    report = run(run_spec(pages, Outlet(JsonFormat(), Stdout(out)))).report
    assert (report.run.outcome, report.errors[0].code, report.counts.scanned) == (Outcome.FAILED, "Throttling", 7)
    assert json.loads(out.getvalue())["counts"]["permanent"] == 1


def test_a_request_to_stop_makes_the_outcome_interrupted() -> None:
    stop = Stop()
    stop.request(2)
    assert run(run_spec(lambda: iter([]), stop=stop)).report.run.outcome is Outcome.INTERRUPTED


def test_an_outlet_that_fails_hides_no_other() -> None:
    out = io.BytesIO()
    outlets = [Outlet(NdjsonFormat(), Broken(io.BytesIO())), Outlet(NdjsonFormat(), Stdout(out))]
    result = run(run_spec(lambda: iter([page({"token": {"S": "a"}})]), *outlets))
    assert str(result.failures[0]).startswith("no room")
    assert len(out.getvalue().splitlines()) == 2


def test_no_more_findings_are_listed_than_asked_for_and_the_rest_are_counted() -> None:
    rows = [{"token": {"S": f"k{number}"}, "tokenExpiration": {"N": str(NOW + number)}} for number in range(1, 9)]
    report = run(
        run_spec(lambda: iter([page(*rows[4:]), page(*rows[:4])]), Outlet(JsonFormat(), Stdout(io.BytesIO())))
    ).report
    assert [finding.seconds_to_expiry for finding in report.findings] == [1, 2, 3]
    assert report.findings_omitted == 5


@given(item=items, outcome=st.sampled_from([None, *DeletionOutcome]))
def test_a_row_that_is_kept_comes_back_as_it_was(item: dict[str, Any], outcome: DeletionOutcome | None) -> None:
    row = row_of_item(item)
    told = JudgedRow(row, classify(row, NOW, POLICIES[Dialect.HASHED]), outcome)
    listed = make_shortlist(9)
    listed.offer(told.verdict.state, verdict_urgency(told.verdict, NOW), row.key.S or "", told)
    assert listed.sorted() == [told]


def owners_of(*rows: Row) -> Owners:
    owners = Owners()
    for row in rows:
        owners.add(row, classify(row, NOW, POLICIES[Dialect.HASHED]))
    return owners


def test_owners_are_remembered_up_to_a_bound_and_counted_beyond() -> None:
    owners = owners_of(*(dated(str(NOW - DAY), username={"S": f"owner-{number}"}) for number in range(MAX_OWNERS + 7)))
    assert (len(owners.candidates), owners.unnamed_rows) == (MAX_OWNERS, 7)


@given(st.permutations(["hunter2!", "another-key", "hunter2!"]))
def test_an_owner_named_like_a_token_is_only_counted_in_whatever_order(keys: list[str]) -> None:
    hashes = [hashlib.sha256(key.encode()).hexdigest() for key in keys]
    rows = [dated(str(NOW - DAY), token={"S": key}, username={"S": "hunter2!"}) for key in hashes]
    owners = owners_of(*rows)
    assert owners.candidates == set()
    assert owners.unnamed_rows >= 2


def test_an_owner_with_an_accepted_row_is_no_candidate() -> None:
    expired = [dated(str(NOW - DAY), username={"S": name}) for name in ("ana", "ben")]
    assert owners_of(*expired, dated(str(NOW + DAY), username={"S": "ana"})).candidates == {"ben"}


def test_a_few_of_every_state_are_listed_however_many_are_more_urgent() -> None:
    due = [{"token": {"S": f"k{number}"}, "tokenExpiration": {"N": str(NOW + number)}} for number in range(1, 60)]
    odd = {"token": {"S": "odd"}, "tokenExpiration": {"S": "soon"}}
    out = Outlet(JsonFormat(), Stdout(io.BytesIO()))
    report = run(run_spec(lambda: iter([page(*due, odd)]), out, max_findings=10)).report
    assert [finding.state for finding in report.findings] == ["expiring"] * 9 + ["malformed"]
    assert (report.counts.expiring, report.findings_omitted) == (59, 50)


def test_a_report_that_cannot_say_so_is_not_kept_of_a_scan_that_broke_off(tmp_path: Path) -> None:
    def pages() -> Iterator[Page]:
        yield page({"token": {"S": "a"}})
        raise AwsError("dynamodb:Scan was throttled", code="Throttling")

    outlets = [Outlet(CsvFormat(), File(tmp_path / "a.csv")), Outlet(NdjsonFormat(), File(tmp_path / "a.ndjson"))]
    (tmp_path / "a.csv").write_text("the last whole one")
    result = run(run_spec(pages, *outlets))
    assert [failure.code for failure in result.failures] == ["incomplete"]
    assert (tmp_path / "a.csv").read_text() == "the last whole one"
    assert json.loads((tmp_path / "a.ndjson").read_text().splitlines()[-1])["run"]["outcome"] == "failed"


def test_a_scan_that_nobody_reads_is_not_called_complete() -> None:
    rows = page({"token": {"S": "a"}})
    result = run(run_spec(lambda: iter([rows, rows, rows]), Outlet(NdjsonFormat(), Broken(io.BytesIO()))))
    assert (result.report.run.outcome, result.report.errors[0].code) == (Outcome.FAILED, "nobody-left")


def test_rows_that_only_workbench_accepts_are_counted_in_a_warning() -> None:
    legacy, dead = {"token": {"S": "a"}}, {"token": {"S": "b"}, "tokenExpiration": {"N": "5"}}
    report = run(run_spec(lambda: iter([page(legacy, dead)]), dialect=Dialect.HASHED)).report
    assert [warning.code for warning in report.warnings] == ["workbench-only", "plain-text-key"]
    assert report.warnings[0].message.startswith("MCP Workbench still accepts 1 token ")


def test_a_wait_is_cut_short_by_a_request_and_nothing_else_is() -> None:
    from janitor.errors import StopRequestedError  # noqa: PLC0415  # only here

    stop = Stop()
    stop.request(15)
    assert stop.is_requested()
    with pytest.raises(StopRequestedError), stop.interruptible_wait():
        pytest.fail("the wait began")


SECRET = "sk-never-to-be-shown"


def announcer_with(folder: Path, **bugs: Callable[..., Any]) -> Announcer:
    """An announcer whose memory has these in the place of its own methods."""
    compute_row_fingerprint = partial(compute_fingerprint, dialect=Dialect.CLASSIC, fingerprint_key=None)
    rules = NoticeRules(
        scope="-/r/t", now=NOW, thresholds=(DAY,), grace=DAY, fingerprint_scheme="-", findings_scheme="-"
    )
    watch = NoticeMemory(
        Store(SqliteBackend(folder / "state.sqlite")),
        rules,
        compute_row_fingerprint=compute_row_fingerprint,
        folder=folder,
        clock=lambda: float(NOW),
    )
    for name, bug in bugs.items():
        setattr(watch, name, bug)
    return Announcer(
        watch,
        Channel(topic=None, per_token=False, digest="news", full_report_location=None),
        RunContext(run_id="r", clock=lambda: float(NOW), stop=Stop(), remembers=True),
        pages_of_owner=None,
    )


def raiser(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("where", ["add_findings", "last_run", "remember"])
def test_a_bug_in_who_announces_loses_no_report(where: str, tmp_path: Path) -> None:
    out, remembered = io.BytesIO(), list[object]()
    bugs = {"remember": remembered.append} | {where: raiser(KeyError(SECRET))}
    rows = [page({"token": {"S": "a"}}), page({"token": {"S": "b"}})]
    result = run(
        run_spec(lambda: iter(rows), Outlet(JsonFormat(), Stdout(out)), announcer=announcer_with(tmp_path, **bugs))
    )
    said = json.loads(out.getvalue())
    assert (said["counts"]["permanent"], result.report.run.outcome, result.failures) == (2, Outcome.COMPLETE, [])
    [error] = said["errors"]
    assert (error["where"], error["code"]) == ("notices", "bug")
    assert "a bug in janitor" in error["message"]
    assert "KeyError" in error["message"]
    assert SECRET not in out.getvalue().decode()
    # What has not seen everything is not asked to remember it.
    assert remembered == []


def test_a_request_to_stop_or_an_error_with_a_sentence_at_the_announcers_end_loses_no_report_either(
    tmp_path: Path,
) -> None:
    for raised, code in ((StopRequestedError(), "interrupted"), (AwsError("no session", code="sts"), "sts")):
        out, faulty = io.BytesIO(), announcer_with(tmp_path, last_run=raiser(raised))
        rows = page({"token": {"S": "a"}})
        run(run_spec(lambda rows=rows: iter([rows]), Outlet(JsonFormat(), Stdout(out)), announcer=faulty))  # type: ignore[misc]
        assert [error["code"] for error in json.loads(out.getvalue())["errors"]] == [code]


def test_a_bug_in_the_look_up_of_owners_loses_no_report() -> None:
    def pages_of_owner(owner: str) -> Iterator[Page]:
        raise KeyError(owner)

    out = io.BytesIO()
    expired = {
        "token": {"S": "a" * 64}, "tokenUUID": {"S": "u"}, "username": {"S": SECRET},
        "tokenExpiration": {"N": str(NOW - 5)},
    }  # fmt: skip
    made = run_spec(
        lambda: iter([page(expired)]),
        Outlet(JsonFormat(), Stdout(out)),
        dialect=Dialect.HASHED,
        owners=OwnerLookup(pages_of_owner),
    )
    assert run(made).report.run.outcome is Outcome.COMPLETE
    said = json.loads(out.getvalue())
    assert [(error["where"], error["code"]) for error in said["errors"]] == [("locked_out", "bug")]
    assert said["counts"]["expired"] + said["counts"]["stale"] == 1


def test_a_bug_in_one_outlet_hides_no_other() -> None:
    class Faulted(JsonFormat):
        def tail(self, report: Report) -> bytes:
            raise KeyError(report)

    out = io.BytesIO()
    outlets = [Outlet(Faulted(), Stdout(io.BytesIO())), Outlet(JsonFormat(), Stdout(out))]
    result = run(run_spec(lambda: iter([page({"token": {"S": "a"}})]), *outlets))
    assert json.loads(out.getvalue())["counts"]["permanent"] == 1
    assert "a bug in janitor" in str(result.failures[0])
