"""One suite over every store: what is marked stays marked, and what a run leaves is whole or not there."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from janitor.errors import StoreError
from janitor.ledger.dynamodb import DynamoDbLedger
from janitor.ledger.interface import REMEMBER_SECONDS, Ledger
from janitor.ledger.sqlite import SqliteLedger
from janitor.store.moments import BrokenRecord
from janitor.tokens.expiration import LAST_SECOND
from tests.integration.stores import (
    CHUNKS,
    DAY,
    FIRST,
    NOW,
    PROFILE,
    SCOPE,
    SECOND,
    at_once,
    marks,
    never,
    state_table,
    times,
)

# Columns of the file by their names in the table.
_ATTRIBUTES = {
    "expires_at": "expiresAt", "run_id": "runId", "started_at": "startedAt", "finished_at": "finishedAt",
}  # fmt: skip


def attribute_of(value: object) -> Any:
    if isinstance(value, str | bytes):
        return {"S" if isinstance(value, str) else "B": value}
    return {"N": str(value)}


@dataclass(frozen=True)
class Store:
    """A store, ledgers on it, and a way to write over columns of the only record of a kind."""

    ledger: Callable[[], Ledger]
    spoil: Callable[[str, dict[str, Any]], None]

    def open(self, scope: str = SCOPE, now: int = NOW) -> "closing[Any]":
        ledger = self.ledger()
        ledger.open(scope, now)
        return closing(ledger)


@pytest.fixture(params=["sqlite", "dynamodb-local", "ministack"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        path = tmp_path / "state" / "ledger.db"

        def spoil_row(kind: str, columns: dict[str, Any]) -> None:
            setting = ", ".join(f"{column} = ?" for column in columns)
            with closing(sqlite3.connect(path)) as connection, connection:
                cursor = connection.execute(f"UPDATE {kind} SET {setting}", [*columns.values()])  # noqa: S608  # ours
                assert cursor.rowcount == 1

        yield Store(lambda: SqliteLedger(path), spoil_row)
        return
    url = request.getfixturevalue(f"{request.param.replace('-', '_')}_url")
    with state_table(url) as (client, table):

        def spoil_item(kind: str, columns: dict[str, Any]) -> None:
            with closing(boto3.client("dynamodb", endpoint_url=url)) as plain:
                items = plain.scan(TableName=table)["Items"]
                [item] = [each for each in items if each["item"]["S"].startswith(f"{kind}/")]
                attributes = {_ATTRIBUTES.get(name, name): attribute_of(value) for name, value in columns.items()}
                plain.put_item(TableName=table, Item={**item, **attributes})

        yield Store(lambda: DynamoDbLedger(client, table, wait=never), spoil_item)


def test_what_was_marked_is_found_and_nothing_else(store: Store) -> None:
    marked, other = marks(3), marks(3, "owner")
    with store.open() as ledger:
        ledger.mark(marked, NOW)
        assert times(ledger.marked([*other, *marked])) == dict.fromkeys(marked, NOW)
    with store.open() as ledger:
        assert times(ledger.marked([*marked, *other])) == dict.fromkeys(marked, NOW)


def test_any_number_of_names_is_marked_and_found_some_named_twice(store: Store) -> None:
    many = marks(1_050)
    with store.open() as ledger:
        ledger.mark(many, NOW)
        assert times(ledger.marked([*many, *many])) == dict.fromkeys(many, NOW)
        ledger.mark({}, NOW)
        assert times(ledger.marked([])) == {}


def test_a_name_as_long_as_an_arn_and_a_date_of_126_digits_is_marked_too(store: Store) -> None:
    name = f"digest/arn:aws:sns:us-east-1:000000000000:{'t' * 256}/{'a' * 12}/-{10**125}"
    with store.open() as ledger:
        ledger.mark({name: 0}, NOW)
        assert times(ledger.marked([name])) == {name: NOW}


def test_a_mark_that_is_late_enough_keeps_its_time_and_an_earlier_one_is_made_anew(store: Store) -> None:
    late_enough, too_early, new = marks(3)
    with patient(store).open() as ledger:
        ledger.mark(dict.fromkeys([late_enough, too_early], 0), NOW)
        ledger.mark({late_enough: NOW, too_early: NOW + 1, new: NOW + DAY}, NOW + DAY)
        assert times(ledger.marked([late_enough, too_early, new])) == {
            late_enough: NOW, too_early: NOW + DAY, new: NOW + DAY,
        }  # fmt: skip


def test_two_runs_at_once_see_each_others_marks_and_the_first_time_stays(store: Store) -> None:
    first, both, second = few = [*marks(3)]
    with patient(store).open() as one, patient(store).open() as other:
        one.mark({first: NOW, both: NOW}, NOW)
        other.mark({both: NOW, second: NOW}, NOW + 5)
        assert times(one.marked(few)) == times(other.marked(few)) == {first: NOW, both: NOW, second: NOW + 5}


def test_proving_that_marks_can_be_made_makes_none(store: Store) -> None:
    many = marks(1_050)
    with store.open() as ledger:
        ledger.prove([])
        ledger.prove([*many])
        assert times(ledger.marked([*many, *(f"proof/{name}" for name in many)])) == {}
        ledger.mark(many, NOW)
        ledger.prove([*many])
        assert times(ledger.marked([*many])) == dict.fromkeys(many, NOW)


def test_settings_that_differ_leave_snapshots_of_their_own(store: Store) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot(PROFILE, CHUNKS, FIRST)
        assert (list(ledger.snapshot("classic/1/-")), ledger.last_run("classic/1/-")) == ([], None)
        ledger.replace_snapshot("classic/1/-", [b"other"], SECOND)
        assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == (CHUNKS, FIRST)
        ledger.replace_snapshot(PROFILE, [b"new"], SECOND)
        ledger.forget(NOW)
        assert (list(ledger.snapshot("classic/1/-")), ledger.last_run("classic/1/-")) == ([b"other"], SECOND)


def test_a_record_is_kept_until_another_takes_its_place(store: Store) -> None:
    with store.open() as ledger:
        assert ledger.record("heard") is None
        ledger.keep("heard", b"\x00one", NOW)
        ledger.keep("other", b"", NOW)
        ledger.keep("heard", b"two", NOW + DAY)
    with store.open(now=NOW + REMEMBER_SECONDS) as ledger:
        assert (ledger.record("heard"), ledger.record("other")) == (b"two", None)
        ledger.forget(NOW + REMEMBER_SECONDS)
        assert ledger.record("heard") == b"two"
    with store.open("000000000000/us-east-1/other") as ledger:
        assert ledger.record("heard") is None


def test_tables_that_share_a_store_do_not_see_each_others_marks_and_runs(store: Store) -> None:
    with store.open() as one, store.open("000000000000/us-east-1/other") as other:
        one.mark(marks(1), NOW)
        one.replace_snapshot(PROFILE, CHUNKS, FIRST)
        assert (other.marked([*marks(1)]), list(other.snapshot(PROFILE)), other.last_run(PROFILE)) == ({}, [], None)
        other.replace_snapshot(PROFILE, [b"other"], SECOND)
        assert list(one.snapshot(PROFILE)) == CHUNKS


@pytest.mark.parametrize("is_forgotten", [True, False])
def test_a_mark_is_remembered_for_400_days_and_then_absent_dropped_or_not(store: Store, *, is_forgotten: bool) -> None:
    over = NOW + REMEMBER_SECONDS
    with store.open() as ledger:
        ledger.mark(marks(2), NOW)
        if is_forgotten:
            ledger.forget(over - 1)
    with store.open(now=over - 1) as ledger:
        assert times(ledger.marked([*marks(2)])) == dict.fromkeys(marks(2), NOW)
        if is_forgotten:
            ledger.forget(over)
    with store.open(now=over) as ledger:
        assert times(ledger.marked([*marks(2)])) == {}


def test_a_mark_that_is_renewed_is_remembered_400_days_from_then_on(store: Store) -> None:
    with patient(store).open() as ledger:
        ledger.mark(marks(1), NOW)
        ledger.mark(dict.fromkeys(marks(1), 0), NOW + DAY)
        ledger.forget(NOW + REMEMBER_SECONDS)
    with store.open(now=NOW + REMEMBER_SECONDS) as ledger:
        assert times(ledger.marked([*marks(1)])) == dict.fromkeys(marks(1), NOW)


def test_a_mark_past_its_time_begins_anew_beside_one_that_is_not(store: Store) -> None:
    few, over = [*marks(3)], NOW + REMEMBER_SECONDS
    with store.open() as ledger:
        ledger.mark({few[0]: 0}, NOW)
        ledger.mark({few[1]: 0}, NOW + 1)
    with patient(store).open(now=over) as ledger:
        ledger.mark(dict.fromkeys(few, 0), over)
        assert times(ledger.marked(few)) == {few[0]: over, few[1]: NOW + 1, few[2]: over}


def patient(store: Store) -> Store:
    """Let the store's ledgers go round again, at once."""

    def ledger() -> Ledger:
        made = store.ledger()
        if isinstance(made, DynamoDbLedger):
            made._wait = at_once  # noqa: SLF001  # there is no other reason to let it change
        return made

    return Store(ledger, store.spoil)


def test_there_is_no_run_before_the_first(store: Store) -> None:
    with store.open() as ledger:
        assert list(ledger.snapshot(PROFILE)) == []
        assert ledger.last_run(PROFILE) is None


def test_the_next_run_reads_what_the_last_one_left_byte_for_byte_in_order(store: Store) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot(PROFILE, iter(CHUNKS), FIRST)
    with store.open() as ledger:
        assert list(ledger.snapshot(PROFILE)) == CHUNKS
        assert ledger.last_run(PROFILE) == FIRST


@pytest.mark.parametrize("chunks", [[], [b"one"], [b"1", b"2", b"3", b"4"]])
def test_what_a_run_leaves_stands_in_the_place_of_the_old(store: Store, chunks: list[bytes]) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot(PROFILE, CHUNKS, FIRST)
        ledger.replace_snapshot(PROFILE, chunks, SECOND)
        assert list(ledger.snapshot(PROFILE)) == chunks
        assert ledger.last_run(PROFILE) == SECOND


def breaking_off(chunks: Iterable[bytes], error: BaseException) -> Iterator[bytes]:
    yield from chunks
    raise error


@pytest.mark.parametrize("error", [StoreError("the disk is full"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_replacement_that_breaks_off_leaves_the_old_one(store: Store, error: BaseException) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot(PROFILE, CHUNKS, FIRST)
        with pytest.raises(type(error)):
            ledger.replace_snapshot(PROFILE, breaking_off([b"new"], error), SECOND)
        assert list(ledger.snapshot(PROFILE)) == CHUNKS
        assert ledger.last_run(PROFILE) == FIRST
        ledger.mark(marks(1), NOW)
        ledger.replace_snapshot(PROFILE, [b"new"], SECOND)
        assert list(ledger.snapshot(PROFILE)) == [b"new"]


def test_a_reader_meets_the_old_or_the_new_or_an_error_but_no_mixture(store: Store) -> None:
    with store.open() as reader, store.open() as writer:
        writer.replace_snapshot(PROFILE, [b"old 1", b"old 2"], FIRST)
        half_read = reader.snapshot(PROFILE)
        assert next(half_read) == b"old 1"
        writer.replace_snapshot(PROFILE, [b"new 1", b"new 2"], SECOND)
        with pytest.raises(StoreError, match="another run replaced"):
            next(half_read)
        assert list(reader.snapshot(PROFILE)) == [b"new 1", b"new 2"]


def test_what_a_run_left_400_days_ago_is_absent(store: Store) -> None:
    with store.open() as ledger:
        ledger.replace_snapshot(PROFILE, [b"old"], FIRST)
    with store.open(now=FIRST.finished_at + REMEMBER_SECONDS) as ledger:
        assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == ([], None)
        ledger.forget(FIRST.finished_at + REMEMBER_SECONDS)
        late = SECOND._replace(finished_at=FIRST.finished_at + REMEMBER_SECONDS)
        ledger.replace_snapshot(PROFILE, [b"new"], late)
        assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == ([b"new"], late)


def test_a_ledger_that_is_not_open_says_so_and_closing_never_fails(store: Store) -> None:
    ledger = store.ledger()
    ledger.close()
    with pytest.raises(StoreError, match="is not open"):
        ledger.mark(marks(1), NOW)
    with store.open() as opened:
        opened.close()
        with pytest.raises(StoreError, match="is not open"):
            opened.last_run(PROFILE)


# Records that no run can have left.


IMPOSSIBLE = [LAST_SECOND, NOW + 800 * DAY, 1e100, -1, -1e100, "soon", "", b"\xff\x00", LAST_SECOND * 1_000]


def moment_of(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and abs(value) <= LAST_SECOND else None


@pytest.mark.parametrize("column", ["at", "expires_at"])
@pytest.mark.parametrize("value", IMPOSSIBLE, ids=str)
def test_a_mark_of_a_time_that_no_run_can_have_written_is_absent_and_replaced(
    store: Store, column: str, value: object
) -> None:
    name, moment = "digest/topic/token", NOW - DAY
    with patient(store).open() as ledger:
        ledger.mark({name: moment}, NOW)
        store.spoil("mark", {column: value})
        assert times(ledger.marked([name, name])) == {}
        assert (ledger.broken.first, ledger.broken.are_more) == (BrokenRecord("a mark", moment_of(value)), False)
        ledger.mark({name: moment}, NOW + 5)
        assert times(ledger.marked([name])) == {name: NOW + 5}
    with store.open() as ledger:
        assert times(ledger.marked([name])) == {name: NOW + 5}
        assert ledger.broken.first is None


@pytest.mark.parametrize("at", [0, NOW - 399 * DAY, NOW + DAY])
def test_a_mark_that_a_run_may_have_written_stands(store: Store, at: int) -> None:
    name = "digest/topic/token"
    with patient(store).open() as ledger:
        ledger.mark({name: 0}, NOW)
        store.spoil("mark", {"at": at})
        ledger.mark({name: 0}, NOW)
        assert times(ledger.marked([name])) == {name: at}
        assert ledger.broken.first is None


@pytest.mark.parametrize("value", IMPOSSIBLE, ids=str)
def test_a_record_of_a_time_that_no_run_can_have_written_is_absent_and_replaced(store: Store, value: object) -> None:
    with store.open() as ledger:
        ledger.keep("heard", b"one", NOW)
        store.spoil("record", {"expires_at": value})
        assert ledger.record("heard") is None
        assert ledger.broken.first == BrokenRecord("a record", moment_of(value))
        ledger.keep("heard", b"two", NOW)
        assert ledger.record("heard") == b"two"


@pytest.mark.parametrize("content", ["a text", 1_000_000_000, 1.5])
def test_a_record_that_holds_no_bytes_is_absent_and_replaced(store: Store, content: object) -> None:
    with store.open() as ledger:
        ledger.keep("heard", b"one", NOW)
        store.spoil("record", {"content": content})
        assert ledger.record("heard") is None
        assert ledger.broken.first == BrokenRecord("a record", None)
        ledger.keep("heard", b"two", NOW)
        assert ledger.record("heard") == b"two"


SPOILT: list[dict[str, Any]] = [
    {"started_at": LAST_SECOND}, {"finished_at": NOW + 800 * DAY}, {"finished_at": -1}, {"started_at": 1e100},
    {"started_at": "soon"}, {"expires_at": LAST_SECOND}, {"expires_at": "soon"}, {"chunks": 1e100}, {"chunks": -1},
    {"chunks": "many"}, {"run_id": b"\xff"}, {"outcome": b"\x00"}, {"generation": b"\xff\x00"},
]  # fmt: skip


@pytest.mark.parametrize("columns", SPOILT, ids=str)
def test_a_snapshot_that_no_run_can_have_left_is_absent_and_replaced(store: Store, columns: dict[str, Any]) -> None:
    with patient(store).open() as ledger:
        ledger.replace_snapshot(PROFILE, [b"old"], FIRST)
        store.spoil("run", columns)
        assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == ([], None)
        assert ledger.broken.first is not None
        assert (ledger.broken.first.what, ledger.broken.are_more) == ("what the last run found", False)
        ledger.replace_snapshot(PROFILE, [b"new"], SECOND)
        assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == ([b"new"], SECOND)
