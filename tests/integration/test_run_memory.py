"""One suite over every store: what is marked stays marked, and what a run leaves is whole or not there."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from janitor.errors import StoreError
from janitor.store.dynamodb import DynamoDbBackend
from janitor.store.record_times import REMEMBER_SECONDS, BrokenRecord
from janitor.store.records import Store
from janitor.store.run_memory import RunMemory
from janitor.tokens.expiration import LAST_SECOND
from tests.integration.stores import (
    CHUNKS,
    DAY,
    FIRST,
    NOW,
    PROFILE,
    SCOPE,
    SECOND,
    marks,
    never,
    sqlite_store,
    state_table,
    times,
)
from tests.state_file import connected


@dataclass(frozen=True)
class Place:
    """A store, and a way to spoil the only record of a kind in it.

    Attributes:
        store: the records.
        spoil: writes over fields of the record of a kind, and its time (`expires_at`) and content (`content`).
    """

    store: Store
    spoil: Callable[[str, dict[str, Any]], None]

    def memory(self, scope: str = SCOPE, now: int = NOW) -> RunMemory:
        memory = RunMemory(self.store, scope, now)
        memory.open()
        return memory


@pytest.fixture(params=["sqlite", "dynamodb-local", "ministack"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        path = tmp_path / "state" / "store.db"

        def spoil_row(kind: str, fields: dict[str, Any]) -> None:
            with connected(path) as file:
                [(name, content, expires_at)] = file.execute(
                    "SELECT name, content, expires_at FROM record WHERE name LIKE ?", (f"{kind}/%",)
                ).fetchall()
                content, expires_at = spoiled(content, expires_at, fields)
                values = (content, expires_at, name)
                file.execute("UPDATE record SET content = ?, expires_at = ? WHERE name = ?", values)

        yield Place(sqlite_store(path), spoil_row)
        return
    url = request.getfixturevalue(f"{request.param.replace('-', '_')}_url")
    with state_table(url) as (client, table):

        def spoil_item(kind: str, fields: dict[str, Any]) -> None:
            with closing(boto3.client("dynamodb", endpoint_url=url)) as plain:
                items = plain.scan(TableName=table)["Items"]
                [item] = [each for each in items if each["item"]["S"].startswith(f"{kind}/")]
                content, expires_at = spoiled(item["content"]["B"], int(item["expiresAt"]["N"]), fields)
                attributes: dict[str, Any] = {"content": attribute_of(content), "expiresAt": attribute_of(expires_at)}
                plain.put_item(TableName=table, Item={**item, **attributes})

        yield Place(Store(DynamoDbBackend(client, table), wait=never), spoil_item)


def spoiled(content: bytes, expires_at: object, fields: dict[str, Any]) -> tuple[object, object]:
    own = {name: value for name, value in fields.items() if name not in {"content", "expires_at"}}
    written: object = json.dumps({**json.loads(content), **own}).encode() if own else content
    return fields.get("content", written), fields.get("expires_at", expires_at)


def attribute_of(value: object) -> dict[str, object]:
    if isinstance(value, str | bytes):
        return {"S" if isinstance(value, str) else "B": value}
    return {"N": str(value)}


def test_what_was_marked_is_found_and_nothing_else(place: Place) -> None:
    marked, other = marks(3), marks(3, "owner")
    memory = place.memory()
    memory.mark(marked, NOW)
    assert times(memory.find_marks([*other, *marked])) == dict.fromkeys(marked, NOW)
    memory = place.memory()
    assert times(memory.find_marks([*marked, *other])) == dict.fromkeys(marked, NOW)


def test_any_number_of_names_is_marked_and_found_some_named_twice(place: Place) -> None:
    many = marks(1_050)
    memory = place.memory()
    memory.mark(many, NOW)
    assert times(memory.find_marks([*many, *many])) == dict.fromkeys(many, NOW)
    memory.mark({}, NOW)
    assert memory.find_marks([]) == {}


def test_a_name_as_long_as_an_arn_and_a_date_of_126_digits_is_marked_too(place: Place) -> None:
    name = f"digest/arn:aws:sns:us-east-1:000000000000:{'t' * 256}/{'a' * 12}/-{10**125}"
    memory = place.memory()
    memory.mark({name: 0}, NOW)
    assert times(memory.find_marks([name])) == {name: NOW}


def test_a_mark_that_is_late_enough_keeps_its_time_and_an_earlier_one_is_made_anew(place: Place) -> None:
    late_enough, too_early, new = marks(3)
    memory = place.memory()
    memory.mark(dict.fromkeys([late_enough, too_early], 0), NOW)
    memory.mark({late_enough: NOW, too_early: NOW + 1, new: NOW + DAY}, NOW + DAY)
    assert times(memory.find_marks([late_enough, too_early, new])) == {
        late_enough: NOW, too_early: NOW + DAY, new: NOW + DAY,
    }  # fmt: skip


def test_two_runs_at_once_see_each_others_marks_and_the_first_time_stays(place: Place) -> None:
    first, both, second = few = [*marks(3)]
    one, other = place.memory(), place.memory()
    one.mark({first: NOW, both: NOW}, NOW)
    other.mark({both: NOW, second: NOW}, NOW + 5)
    assert times(one.find_marks(few)) == times(other.find_marks(few)) == {first: NOW, both: NOW, second: NOW + 5}


def test_proving_that_marks_can_be_made_makes_none(place: Place) -> None:
    many = marks(1_050)
    memory = place.memory()
    memory.prove([])
    memory.prove([*many])
    assert times(memory.find_marks([*many, *(f"proof/{name}" for name in many)])) == {}
    memory.mark(many, NOW)
    memory.prove([*many])
    assert times(memory.find_marks([*many])) == dict.fromkeys(many, NOW)


def test_settings_that_differ_leave_snapshots_of_their_own(place: Place) -> None:
    memory = place.memory()
    memory.replace_snapshot(PROFILE, CHUNKS, FIRST)
    assert (list(memory.snapshot("classic/1/-")), memory.last_run("classic/1/-")) == ([], None)
    memory.replace_snapshot("classic/1/-", [b"other"], SECOND)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == (CHUNKS, FIRST)
    memory.replace_snapshot(PROFILE, [b"new"], SECOND)
    memory.forget()
    assert (list(memory.snapshot("classic/1/-")), memory.last_run("classic/1/-")) == ([b"other"], SECOND)


def test_a_record_is_kept_until_another_takes_its_place(place: Place) -> None:
    memory = place.memory()
    assert memory.note("heard") is None
    memory.keep_note("heard", b"\x00one", NOW)
    memory.keep_note("other", b"", NOW)
    memory.keep_note("heard", b"two", NOW + DAY)
    memory = place.memory(now=NOW + REMEMBER_SECONDS)
    assert (memory.note("heard"), memory.note("other")) == (b"two", None)
    memory.forget()
    assert memory.note("heard") == b"two"
    memory = place.memory("000000000000/us-east-1/other")
    assert memory.note("heard") is None


def test_tables_that_share_a_store_do_not_see_each_others_marks_and_runs(place: Place) -> None:
    one, other = place.memory(), place.memory("000000000000/us-east-1/other")
    one.mark(marks(1), NOW)
    one.replace_snapshot(PROFILE, CHUNKS, FIRST)
    assert (other.find_marks([*marks(1)]), list(other.snapshot(PROFILE)), other.last_run(PROFILE)) == ({}, [], None)
    other.replace_snapshot(PROFILE, [b"other"], SECOND)
    assert list(one.snapshot(PROFILE)) == CHUNKS


@pytest.mark.parametrize("is_forgotten", [True, False])
def test_a_mark_is_remembered_for_400_days_and_then_absent_dropped_or_not(place: Place, *, is_forgotten: bool) -> None:
    over = NOW + REMEMBER_SECONDS
    memory = place.memory()
    memory.mark(marks(2), NOW)
    if is_forgotten:
        memory.forget()
    memory = place.memory(now=over - 1)
    assert times(memory.find_marks([*marks(2)])) == dict.fromkeys(marks(2), NOW)
    if is_forgotten:
        memory.forget()
    memory = place.memory(now=over)
    assert times(memory.find_marks([*marks(2)])) == {}


def test_a_mark_that_is_renewed_is_remembered_400_days_from_then_on(place: Place) -> None:
    memory = place.memory()
    memory.mark(marks(1), NOW)
    memory.mark(dict.fromkeys(marks(1), 0), NOW + DAY)
    memory.forget()
    memory = place.memory(now=NOW + REMEMBER_SECONDS)
    assert times(memory.find_marks([*marks(1)])) == dict.fromkeys(marks(1), NOW)


def test_a_mark_past_its_time_begins_anew_beside_one_that_is_not(place: Place) -> None:
    few, over = [*marks(3)], NOW + REMEMBER_SECONDS
    memory = place.memory()
    memory.mark({few[0]: 0}, NOW)
    memory.mark({few[1]: 0}, NOW + 1)
    memory = place.memory(now=over)
    memory.mark(dict.fromkeys(few, 0), over)
    assert times(memory.find_marks(few)) == {few[0]: over, few[1]: NOW + 1, few[2]: over}


def test_there_is_no_run_before_the_first(place: Place) -> None:
    memory = place.memory()
    assert list(memory.snapshot(PROFILE)) == []
    assert memory.last_run(PROFILE) is None


def test_the_next_run_reads_what_the_last_one_left_byte_for_byte_in_order(place: Place) -> None:
    memory = place.memory()
    memory.replace_snapshot(PROFILE, iter(CHUNKS), FIRST)
    memory = place.memory()
    assert list(memory.snapshot(PROFILE)) == CHUNKS
    assert memory.last_run(PROFILE) == FIRST


@pytest.mark.parametrize("chunks", [[], [b"one"], [b"1", b"2", b"3", b"4"]])
def test_what_a_run_leaves_stands_in_the_place_of_the_old(place: Place, chunks: list[bytes]) -> None:
    memory = place.memory()
    memory.replace_snapshot(PROFILE, CHUNKS, FIRST)
    memory.replace_snapshot(PROFILE, chunks, SECOND)
    assert list(memory.snapshot(PROFILE)) == chunks
    assert memory.last_run(PROFILE) == SECOND


def breaking_off(chunks: Iterable[bytes], error: BaseException) -> Iterator[bytes]:
    yield from chunks
    raise error


@pytest.mark.parametrize("error", [StoreError("the disk is full"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_replacement_that_breaks_off_leaves_the_old_one(place: Place, error: BaseException) -> None:
    memory = place.memory()
    memory.replace_snapshot(PROFILE, CHUNKS, FIRST)
    with pytest.raises(type(error)):
        memory.replace_snapshot(PROFILE, breaking_off([b"new"], error), SECOND)
    assert list(memory.snapshot(PROFILE)) == CHUNKS
    assert memory.last_run(PROFILE) == FIRST
    memory.mark(marks(1), NOW)
    memory.replace_snapshot(PROFILE, [b"new"], SECOND)
    assert list(memory.snapshot(PROFILE)) == [b"new"]


def test_a_reader_meets_the_old_or_the_new_or_an_error_but_no_mixture(place: Place) -> None:
    reader, writer = place.memory(), place.memory()
    writer.replace_snapshot(PROFILE, [b"old 1", b"old 2"], FIRST)
    half_read = reader.snapshot(PROFILE)
    assert next(half_read) == b"old 1"
    writer.replace_snapshot(PROFILE, [b"new 1", b"new 2"], SECOND)
    with pytest.raises(StoreError, match="another run replaced"):
        next(half_read)
    assert list(reader.snapshot(PROFILE)) == [b"new 1", b"new 2"]


def test_what_a_run_left_400_days_ago_is_absent(place: Place) -> None:
    memory = place.memory()
    memory.replace_snapshot(PROFILE, [b"old"], FIRST)
    memory = place.memory(now=FIRST.finished_at + REMEMBER_SECONDS)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([], None)
    memory.forget()
    late = SECOND._replace(finished_at=FIRST.finished_at + REMEMBER_SECONDS)
    memory.replace_snapshot(PROFILE, [b"new"], late)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([b"new"], late)


# Records that no run can have left.


IMPOSSIBLE = [LAST_SECOND, NOW + 800 * DAY, 1e100, -1, -1e100, "soon", "", b"\xff\x00", LAST_SECOND * 1_000]


def moment_of(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and abs(value) <= LAST_SECOND else None


@pytest.mark.parametrize("column", ["at", "expires_at"])
@pytest.mark.parametrize("value", IMPOSSIBLE, ids=str)
def test_a_mark_of_a_time_that_no_run_can_have_written_is_absent_and_replaced(
    place: Place, column: str, value: object
) -> None:
    name, moment = "digest/topic/token", NOW - DAY
    memory = place.memory()
    memory.mark({name: moment}, NOW)
    place.spoil("mark", {"content" if column == "at" and isinstance(value, bytes) else column: value})
    assert times(memory.find_marks([name, name])) == {}
    assert (memory.broken.first, memory.broken.are_more) == (BrokenRecord("a mark", moment_of(value)), False)
    memory.mark({name: moment}, NOW + 5)
    assert times(memory.find_marks([name])) == {name: NOW + 5}
    memory = place.memory()
    assert times(memory.find_marks([name])) == {name: NOW + 5}
    assert memory.broken.first is None


@pytest.mark.parametrize("at", [0, NOW - 399 * DAY, NOW + DAY])
def test_a_mark_that_a_run_may_have_written_stands(place: Place, at: int) -> None:
    name = "digest/topic/token"
    memory = place.memory()
    memory.mark({name: 0}, NOW)
    place.spoil("mark", {"at": at})
    memory.mark({name: 0}, NOW)
    assert times(memory.find_marks([name])) == {name: at}
    assert memory.broken.first is None


@pytest.mark.parametrize("value", IMPOSSIBLE, ids=str)
def test_a_record_of_a_time_that_no_run_can_have_written_is_absent_and_replaced(place: Place, value: object) -> None:
    memory = place.memory()
    memory.keep_note("heard", b"one", NOW)
    place.spoil("note", {"expires_at": value})
    assert memory.note("heard") is None
    assert memory.broken.first == BrokenRecord("a record", moment_of(value))
    memory.keep_note("heard", b"two", NOW)
    assert memory.note("heard") == b"two"


@pytest.mark.parametrize("content", ["a text", 1_000_000_000, 1.5])
def test_a_record_that_holds_no_bytes_is_absent_and_replaced(place: Place, content: object) -> None:
    memory = place.memory()
    memory.keep_note("heard", b"one", NOW)
    place.spoil("note", {"content": content})
    assert memory.note("heard") is None
    assert memory.broken.first == BrokenRecord("a record", None)
    memory.keep_note("heard", b"two", NOW)
    assert memory.note("heard") == b"two"


SPOILT: list[dict[str, Any]] = [
    {"started_at": LAST_SECOND}, {"finished_at": NOW + 800 * DAY}, {"finished_at": -1}, {"started_at": 1e100},
    {"started_at": "soon"}, {"expires_at": LAST_SECOND}, {"expires_at": "soon"}, {"chunks": 1e100}, {"chunks": -1},
    {"chunks": "many"}, {"run_id": 5}, {"outcome": None}, {"generation": [1]}, {"content": b"\xff\x00"},
    {"content": "a text"}, {"content": b"[]"},
]  # fmt: skip


@pytest.mark.parametrize("columns", SPOILT, ids=str)
def test_a_snapshot_that_no_run_can_have_left_is_absent_and_replaced(place: Place, columns: dict[str, Any]) -> None:
    memory = place.memory()
    memory.replace_snapshot(PROFILE, [b"old"], FIRST)
    place.spoil("run", columns)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([], None)
    assert memory.broken.first is not None
    assert (memory.broken.first.what, memory.broken.are_more) == ("the findings of the last run", False)
    memory.replace_snapshot(PROFILE, [b"new"], SECOND)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([b"new"], SECOND)
