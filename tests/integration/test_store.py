"""One suite over every backend of the store: a write is whole, made on what was read, and never lost."""

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from janitor.errors import StoreError
from janitor.store.dynamodb import DynamoDbBackend
from janitor.store.interface import Backend, Record, RecordChange, RecordReading
from janitor.store.records import ReadOnlyStore, Store
from janitor.store.sqlite import SqliteBackend
from tests.faults.proxy import Forward, Request
from tests.integration.stores import NOW, SCOPE, at_once, items_of, meddled_with, never, state_table
from tests.servers import Server

FAR = NOW + 86_400


@dataclass(frozen=True)
class Place:
    """A place for records, how to write over the only record in it, attribute by attribute, and which are there."""

    new_backend: Callable[[], Backend]
    spoil: Callable[[dict[str, Any]], None]
    names: Callable[[], list[str]]


@pytest.fixture(params=["sqlite", "dynamodb-local", "ministack"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        path = tmp_path / "state" / "store.db"

        def spoil_row(columns: dict[str, Any]) -> None:
            names = {"expiresAt": "expires_at"}
            setting = ", ".join(f"{names.get(name, name)} = ?" for name in columns)
            with closing(sqlite3.connect(path)) as connection, connection:
                cursor = connection.execute(f"UPDATE record SET {setting}", [*columns.values()])  # noqa: S608  # ours
                assert cursor.rowcount == 1

        def names_in_file() -> list[str]:
            with closing(sqlite3.connect(path)) as connection:
                return [name for (name,) in connection.execute("SELECT name FROM record")]

        yield Place(lambda: SqliteBackend(path), spoil_row, names_in_file)
        return
    url = request.getfixturevalue(f"{request.param.replace('-', '_')}_url")
    with state_table(url) as (client, table):

        def spoil_item(columns: dict[str, Any]) -> None:
            with closing(boto3.client("dynamodb", endpoint_url=url)) as plain:
                [item] = plain.scan(TableName=table)["Items"]
                attributes: dict[str, Any] = {name: attribute_of(value) for name, value in columns.items()}
                plain.put_item(TableName=table, Item={**item, **attributes})

        yield Place(lambda: DynamoDbBackend(client, table), spoil_item, lambda: items_of(client, table))


def attribute_of(value: object) -> dict[str, object]:
    if isinstance(value, str | bytes):
        return {"S" if isinstance(value, str) else "B": value}
    return {"N": str(value)}


@pytest.fixture
def store(place: Place) -> Store:
    return Store(place.new_backend(), wait=never)


def contents(store: Store, *names: str, scope: str = SCOPE) -> dict[str, object]:
    return {name: record.content for name, record in store.read(scope, names).records.items()}


def only(store: Store, name: str) -> Record:
    return store.read(SCOPE, [name]).records[name]


def test_what_is_written_is_read_by_whoever_comes_in_its_scope_alone(place: Place, store: Store) -> None:
    store.put(SCOPE, [RecordChange("one", b"\x00 1", FAR), RecordChange("two", b"", FAR)])
    assert contents(Store(place.new_backend()), "one", "two", "three", "one") == {"one": b"\x00 1", "two": b""}
    assert contents(store, "one", "two", scope=f"{SCOPE}-2") == {}
    assert int(str(only(store, "one").expires_at)) == FAR


def test_any_number_of_records_is_written_read_and_removed(store: Store) -> None:
    names = [f"{number}" for number in range(1_050)]
    store.put(SCOPE, (RecordChange(name, name.encode(), FAR) for name in names))
    assert contents(store, *names, *names) == {name: name.encode() for name in names}
    store.remove(SCOPE, names[1:])
    assert contents(store, *names) == {"0": b"0"}
    store.put(SCOPE, [])
    assert store.read(SCOPE, []).records == {}


def test_the_time_is_the_stores(store: Store) -> None:
    store.put(SCOPE, [RecordChange("any", b"", FAR)])
    now = store.read(SCOPE, ["any"]).now
    assert now is not None
    assert abs(now - time.time()) < 60


def test_a_change_is_made_only_where_what_was_read_still_stands(store: Store) -> None:
    assert store.write(SCOPE, [RecordChange("name", b"1", FAR, None)])
    assert not store.write(SCOPE, [RecordChange("name", b"other", FAR, None)])
    first = only(store, "name")
    assert store.write(SCOPE, [RecordChange("name", b"2", FAR, first)])
    assert not store.write(SCOPE, [RecordChange("name", b"other", FAR, first)])
    assert not store.write(SCOPE, [RecordChange("name", None, 0, first)])
    assert contents(store, "name") == {"name": b"2"}
    second = only(store, "name")
    assert store.write(SCOPE, [RecordChange("name", None, 0, second)])
    assert not store.write(SCOPE, [RecordChange("name", b"other", FAR, second)])
    assert contents(store, "name") == {}
    # What was removed is absent to whoever writes, too.
    assert store.write(SCOPE, [RecordChange("name", b"3", FAR, None)])
    assert contents(store, "name") == {"name": b"3"}


def test_the_same_content_written_again_is_not_what_was_read(store: Store) -> None:
    store.put(SCOPE, [RecordChange("name", b"1", FAR)])
    before = only(store, "name")
    store.put(SCOPE, [RecordChange("name", b"1", FAR)])
    assert not store.write(SCOPE, [RecordChange("name", b"2", FAR, before)])


def test_of_several_changes_all_are_made_or_none(store: Store) -> None:
    store.put(SCOPE, [RecordChange("a", b"a", FAR), RecordChange("b", b"b", FAR)])
    read = store.read(SCOPE, ["a", "b"]).records
    store.put(SCOPE, [RecordChange("b", b"of another", FAR)])
    changes = [
        RecordChange("a", None, 0, read["a"]),
        RecordChange("b", b"mine", FAR, read["b"]),
        RecordChange("c", b"c", FAR, None),
    ]
    assert not store.write(SCOPE, changes)
    assert contents(store, "a", "b", "c") == {"a": b"a", "b": b"of another"}
    read = store.read(SCOPE, ["a", "b"]).records
    assert store.write(SCOPE, [change._replace(expected=read.get(change.name)) for change in changes])
    assert contents(store, "a", "b", "c") == {"b": b"mine", "c": b"c"}


def test_of_many_that_write_on_what_they_read_one_does(place: Place) -> None:
    for _ in range(5):
        stores = [Store(place.new_backend(), wait=at_once) for _ in range(8)]
        read = stores[0].read(SCOPE, ["name"]).records.get("name")
        with ThreadPoolExecutor(8) as pool:
            written = pool.map(
                lambda number, read=read, stores=stores: stores[number].write(
                    SCOPE, [RecordChange("name", b"%d" % number, FAR, read)]
                ),
                range(8),
            )
        assert [*written].count(True) == 1


SPOILT: list[dict[str, Any]] = [
    {"version": "a text"}, {"version": 5}, {"version": b"\xff"}, {"content": "a text"}, {"content": 1.5},
    {"content": b"", "version": ""}, {"expiresAt": "soon"}, {"expiresAt": b"\xff"}, {"expiresAt": 1e100},
]  # fmt: skip


@pytest.mark.parametrize("columns", SPOILT, ids=str)
def test_whatever_stands_in_a_record_is_read_and_replaced(place: Place, store: Store, columns: dict[str, Any]) -> None:
    store.put(SCOPE, [RecordChange("name", b"1", FAR)])
    before = only(store, "name")
    place.spoil(columns)
    spoilt = only(store, "name")
    assert isinstance(spoilt.content, bytes) == (not isinstance(columns.get("content", b""), str | float))
    if "version" in columns:
        assert not store.write(SCOPE, [RecordChange("name", b"2", FAR, before)])
    assert store.write(SCOPE, [RecordChange("name", b"2", FAR, spoilt)])
    assert contents(store, "name") == {"name": b"2"}


def test_room_is_proved_and_nothing_is_left_to_read(place: Place, store: Store) -> None:
    names = [f"mark/{number}" for number in range(250)]
    store.prove(SCOPE, [], NOW)
    store.prove(SCOPE, names, NOW)
    assert contents(store, *names) == {}
    store.put(SCOPE, [RecordChange("only", b"1", FAR)])
    store.prove(SCOPE, names, NOW)
    assert place.names() == ["only"]


def test_a_store_that_does_not_give_back_what_was_written_is_found_out(place: Place) -> None:
    backend = place.new_backend()
    setattr(backend, "read", lambda _scope, _names: RecordReading({}, NOW))  # noqa: B010  # as a stale copy would
    with pytest.raises(StoreError, match="does not give back what was just written to it"):
        Store(backend, wait=never).prove(SCOPE, ["name"], NOW)


def test_a_store_that_is_only_read_is_not_written(place: Place, store: Store, tmp_path: Path) -> None:
    reader = ReadOnlyStore(place.new_backend(), wait=never)
    reader.prove(SCOPE, ["a"], NOW)
    reader.put(SCOPE, [RecordChange("a", b"1", FAR)])
    reader.forget()
    assert reader.write(SCOPE, [RecordChange("a", b"1", FAR, None)])
    assert contents(reader, "a") == {}
    assert not (tmp_path / "state").exists()
    store.put(SCOPE, [RecordChange("a", b"2", FAR)])
    assert contents(reader, "a") == {"a": b"2"}


def test_what_is_past_its_time_by_the_stores_clock_goes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store(SqliteBackend(path))
    store.forget()
    assert not path.exists()
    now = int(time.time())
    store.put(SCOPE, [RecordChange("over", b"1", now - 1), RecordChange("stands", b"2", now + 3_600)])
    store.put(f"{SCOPE}-2", [RecordChange("over", b"1", now - 1)])
    store.forget()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM record").fetchall() == [("stands",)]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("is_removed", [True, False])
def test_a_write_whose_answer_was_lost_is_made(server: Server, count: int, *, is_removed: bool) -> None:
    with meddled_with(server.url) as (client, table, meddling):
        store = Store(DynamoDbBackend(client, table), wait=never)
        names = [f"{number}" for number in range(count)]
        store.put(SCOPE, [RecordChange(name, b"before", FAR) for name in names])
        read = store.read(SCOPE, names).records
        sends = itertools.count()

        def lost_once(request: Request, forward: Forward) -> tuple[int, Any]:
            status, answer = forward(request)
            return (500, {"__type": "InternalServerError"}) if next(sends) == 0 else (status, answer)

        meddling.by_operation = {"UpdateItem": lost_once, "TransactWriteItems": lost_once}
        content = None if is_removed else b"after"
        assert store.write(SCOPE, [RecordChange(name, content, FAR, read[name]) for name in names])
        assert next(sends) == 2
        assert contents(store, *names) == ({} if is_removed else dict.fromkeys(names, b"after"))


def test_what_a_store_is_too_busy_for_is_an_error_in_the_end(server: Server) -> None:
    with meddled_with(server.url) as (client, table, meddling):
        waited: list[float] = []
        store = Store(DynamoDbBackend(client, table), wait=waited.append)
        conflict = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException", "message": "busy"}
        meddling.by_operation["UpdateItem"] = lambda _request, _forward: (400, conflict)
        with pytest.raises(StoreError, match=f"{table} was too busy 9 times"):
            store.put(SCOPE, [RecordChange("name", b"", FAR)])
        assert len(waited) == 8
        assert sum(waited) < 10
