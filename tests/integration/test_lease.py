"""One suite over every store of leases: a table is one run's at a time, whoever dies and whatever is lost."""

import datetime as dt
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.errors import StoreError
from janitor.store.dynamodb import DynamoDbBackend
from janitor.store.lease import LeaseRecord, Leases, OwnLease
from janitor.store.records import Store
from janitor.store.run_memory import RunMemory
from janitor.store.sqlite import SqliteBackend
from tests.faults.proxy import Forward, Request
from tests.integration.stores import (
    NOW,
    PROFILE,
    SCOPE,
    at_once,
    dynamodb_leases,
    meddled_with,
    never,
    sqlite_leases,
    state_table,
)
from tests.servers import Microburst, Server, microburst
from tests.state_file import overwrite

LONG = 3_600  # seconds: no test lasts so long
PAST = -60
THREADS = 8


# Writes over what the lease of `SCOPE` holds.
Spoil = Callable[[bytes], None]


class Place(NamedTuple):
    """Where leases are kept: how to make a store of it, and how to spoil the lease of `SCOPE` in it."""

    records: Callable[[], Store]
    spoil: Spoil

    def new_store(self) -> Leases:
        return Leases(self.records())

    def memory(self) -> RunMemory:
        return RunMemory(self.records(), SCOPE, NOW)


@pytest.fixture(params=["sqlite", "dynamodb-local", "ministack"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        path = tmp_path / "state" / "store.db"

        def spoil_row(content: bytes) -> None:
            assert overwrite(path, "lease", content) == 1

        yield Place(lambda: Store(SqliteBackend(path), wait=at_once), spoil_row)
        return
    url = request.getfixturevalue(f"{request.param.replace('-', '_')}_url")
    with state_table(url) as (client, table):

        def spoil_item(content: bytes) -> None:
            item: dict[str, Any] = {"scope": {"S": SCOPE}, "item": {"S": "lease"}, "content": {"B": content}}
            client.put_item(TableName=table, Item=item)

        yield Place(lambda: Store(DynamoDbBackend(client, table), wait=at_once), spoil_item)


def lease_of(holder: object, until: object) -> bytes:
    return json.dumps({"holder": holder, "until": until}).encode()


@pytest.fixture
def new_store(place: Place) -> Callable[[], Leases]:
    """Makes stores in one place."""
    return place.new_store


@pytest.fixture
def store(new_store: Callable[[], Leases]) -> Leases:
    return new_store()


def until_of(taken: OwnLease | LeaseRecord) -> int:
    assert isinstance(taken, OwnLease)
    return taken.until


def test_who_looks_at_a_lease_sees_whose_it_is_and_leaves_nothing(
    new_store: Callable[[], Leases], tmp_path: Path
) -> None:
    assert new_store().find_holder(SCOPE) is None
    assert not (tmp_path / "state").exists()
    store = new_store()
    until = until_of(store.take(SCOPE, "a", LONG))
    assert new_store().find_holder(SCOPE) == LeaseRecord("a", until)
    assert new_store().find_holder(f"{SCOPE}-2") is None
    store.release(SCOPE, "a")
    assert new_store().find_holder(SCOPE) is None
    store.take(SCOPE, "b", PAST)
    assert new_store().find_holder(SCOPE) is None


def test_a_lease_is_one_runs_until_it_is_given_back(store: Leases) -> None:
    until = until_of(store.take(SCOPE, "a", LONG))
    assert store.take(SCOPE, "b", LONG) == LeaseRecord("a", until)
    # Another table is another lease, and whoever does not have one changes nothing.
    assert isinstance(store.take(f"{SCOPE}-2", "b", LONG), OwnLease)
    store.release(SCOPE, "b")
    assert not store.renew(SCOPE, "b", LONG)
    assert store.take(SCOPE, "b", LONG) == LeaseRecord("a", until)
    store.release(SCOPE, "a")
    assert not store.renew(SCOPE, "a", LONG)
    assert isinstance(store.take(SCOPE, "b", LONG), OwnLease)
    assert isinstance(store.take(SCOPE, "a", LONG), LeaseRecord)


def test_a_renewed_lease_lasts_from_then_on(store: Leases) -> None:
    until = until_of(store.take(SCOPE, "a", LONG))
    assert store.renew(SCOPE, "a", 2 * LONG)
    renewed = store.take(SCOPE, "b", LONG)
    assert isinstance(renewed, LeaseRecord)
    assert renewed.until is not None
    assert until + LONG <= renewed.until <= until + LONG + 60
    # To take what one has already begins anew.
    assert until <= until_of(store.take(SCOPE, "a", LONG)) < renewed.until


def test_a_lease_that_a_wrong_clock_made_too_long_is_renewed_to_what_it_should_be(place: Place, store: Leases) -> None:
    until = until_of(store.take(SCOPE, "a", LONG))
    place.spoil(lease_of("a", until + 10 * LONG))
    assert store.renew(SCOPE, "a", LONG)
    renewed = store.take(SCOPE, "b", LONG)
    assert isinstance(renewed, LeaseRecord)
    assert renewed.until is not None
    assert until <= renewed.until <= until + 60


def test_a_lease_is_taken_over_from_whom_the_caller_knows_to_be_gone(store: Leases) -> None:
    store.take(SCOPE, "job/1", LONG)
    asked: list[LeaseRecord] = []

    def is_of_another(held: LeaseRecord) -> bool:
        asked.append(held)
        return False

    held = store.take(SCOPE, "job/2", LONG, is_of_another)
    assert asked == [held]
    assert isinstance(store.take(SCOPE, "job/2", LONG, lambda held: held == asked[0]), OwnLease)
    assert not store.renew(SCOPE, "job/1", LONG)
    assert store.renew(SCOPE, "job/2", LONG)


@pytest.mark.parametrize(
    ("holder", "until"),
    [
        ("b", "soon"),
        ("b", "2026-11-30"),
        ("b", "1000"),
        ("b", None),
        ("b", 1e30),
        ("b", 1.5),
        ("b", 10**17),
        ("b", 10**30),
        ("b", 32_503_680_000),  # the year 3000
        ("b", 2_000_000_000),
        (None, 1_000),
        (7, "\U0001f600"),
    ],
    ids=str,
)
def test_a_lease_that_can_be_none_is_taken_at_once_and_said(
    place: Place, store: Leases, holder: object, until: object
) -> None:
    store.take(SCOPE, "a", PAST)
    place.spoil(lease_of(holder, until))
    assert not store.renew(SCOPE, "a", LONG)
    taken = store.take(SCOPE, "a", LONG)
    assert isinstance(taken, OwnLease)
    legible = isinstance(until, int) and until < 10**15
    assert taken.broken == LeaseRecord(holder if isinstance(holder, str) else "", until if legible else None)  # type: ignore[arg-type]
    # And whoever has it knows nothing of that any more.
    again = store.take(SCOPE, "b", LONG)
    assert again == LeaseRecord("a", taken.until)


NO_LEASES = [b"", b"\xff\x00", b"[]", b'{"holder":"\xff"}', b"[" * 100_000]


@pytest.mark.parametrize("content", NO_LEASES, ids=range(len(NO_LEASES)))
def test_what_stands_for_a_lease_and_is_none_at_all_is_taken_at_once_and_said(
    place: Place, store: Leases, content: bytes
) -> None:
    store.take(SCOPE, "a", LONG)
    place.spoil(content)
    assert not store.renew(SCOPE, "a", LONG)
    taken = store.take(SCOPE, "b", LONG)
    assert isinstance(taken, OwnLease)
    assert taken.broken == LeaseRecord("", None)
    assert store.take(SCOPE, "a", LONG) == LeaseRecord("b", taken.until)


def test_a_holder_whose_lease_was_spoiled_keeps_it_when_it_renews(place: Place, store: Leases) -> None:
    until = until_of(store.take(SCOPE, "a", LONG))
    for spoiled in ("soon", 1e30, None, until + 10 * 365 * 86_400):
        place.spoil(lease_of("a", spoiled))
        assert store.renew(SCOPE, "a", LONG)
        held = store.take(SCOPE, "b", LONG)
        assert isinstance(held, LeaseRecord)
        assert held.until is not None
        assert until <= held.until <= until + 60


def test_a_lease_whose_holder_died_is_taken_over_and_stays_with_whoever_took_it(store: Leases) -> None:
    store.take(SCOPE, "dead", PAST)
    until = until_of(store.take(SCOPE, "b", LONG))
    assert not store.renew(SCOPE, "dead", LONG)
    store.release(SCOPE, "dead")
    assert store.take(SCOPE, "dead", LONG) == LeaseRecord("b", until)


def test_a_lease_that_ran_out_is_renewed_while_nobody_has_taken_it_over(store: Leases) -> None:
    store.take(SCOPE, "a", PAST)
    assert store.renew(SCOPE, "a", LONG)
    assert isinstance(store.take(SCOPE, "b", LONG), LeaseRecord)


def test_a_lease_is_not_over_early_for_clocks_that_count_whole_seconds(store: Leases) -> None:
    # For no time at all: not over at once, but in the next second, which may have begun.
    until = until_of(store.take(SCOPE, "a", 0))
    taken = store.take(SCOPE, "b", LONG)
    assert taken == LeaseRecord("a", until) or until_of(taken) > until + LONG


def test_of_many_that_take_at_once_one_gets_it(new_store: Callable[[], Leases]) -> None:
    stores = [new_store() for _ in range(THREADS)]
    start = threading.Barrier(THREADS)

    def take(number: int, scope: str) -> OwnLease | LeaseRecord:
        start.wait()
        return stores[number].take(scope, f"run-{number}", LONG)

    with ThreadPoolExecutor(THREADS) as pool:
        # The first of all, what a dead one left, and what was given back.
        for left in ("nothing", "dead", "dead", "given-back", "given-back"):
            scope = f"{SCOPE}/{left}"
            if left == "dead":
                stores[0].take(scope, "dead", PAST)
            taken = list(pool.map(take, range(THREADS), [scope] * THREADS))
            [winner] = [each for each in taken if isinstance(each, OwnLease)]
            assert [each for each in taken if isinstance(each, LeaseRecord)] == [
                LeaseRecord(winner.holder, winner.until)
            ] * 7
            stores[0].take(scope, winner.holder, PAST)
            if left == "given-back":
                stores[0].release(scope, winner.holder)


def test_what_runs_remember_and_their_leases_do_not_mind_each_other(place: Place, store: Leases) -> None:
    memory = place.memory()
    memory.open()
    store.take(SCOPE, "a", LONG)
    memory.mark({"name": 0}, NOW)
    # Of a run as of a time that is centuries ahead, too: what is past its time is told by the store's own clock.
    RunMemory(place.records(), SCOPE, NOW * 5).forget()
    assert store.renew(SCOPE, "a", LONG)
    assert memory.find_marks(["name"])
    assert memory.last_run(PROFILE) is None
    store.release(SCOPE, "a")
    assert memory.find_marks(["name"])


def test_another_programs_file_holds_no_leases(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="database of another program"):
        sqlite_leases(path).take(SCOPE, "a", LONG)
    assert path.read_bytes() == before


@pytest.fixture
def burst(server: Server) -> Iterator[tuple[DynamoDBClient, str, Microburst]]:
    """A state table behind a proxy that injects faults, and the client that runs use."""
    with microburst(server.url) as proxy, state_table(proxy.url) as (client, table):
        yield client, table, proxy
        proxy.rules([])


def test_the_table_is_asked_by_its_own_clock_and_once_more_where_an_answer_is_lost(
    burst: tuple[DynamoDBClient, str, Microburst],
) -> None:
    client, table, proxy = burst
    store = dynamodb_leases(client, table, wait=at_once)
    lost = {"service": "dynamodb", "operation": "UpdateItem", "times": 1, "response": {"abort_bytes": 0}}

    proxy.rules([lost])
    until = until_of(store.take(SCOPE, "a", LONG))
    assert store.take(SCOPE, "b", LONG) == LeaseRecord("a", until)
    proxy.rules([lost])
    assert store.renew(SCOPE, "a", LONG)
    assert len(proxy.fired()) == 1
    proxy.rules([lost])
    store.release(SCOPE, "a")
    assert isinstance(store.take(SCOPE, "b", LONG), OwnLease)

    # To a server whose clock is hours ahead of this machine's the lease is over; its own lasts by that clock too.
    ahead = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=5)
    proxy.rules([dated(format_datetime(ahead, usegmt=True))])
    assert until_of(store.take(SCOPE, "c", LONG)) == int(ahead.timestamp()) + LONG + 1
    # To one that is behind it is not, although this machine's clock says so.
    with closing(boto3.client("dynamodb", endpoint_url=client.meta.endpoint_url)) as plain:
        item = plain.get_item(TableName=table, Key={"scope": {"S": SCOPE}, "item": {"S": "lease"}})["Item"]
    assert int(item["expiresAt"]["N"]) >= json.loads(item["content"]["B"])["until"] + 86_400
    behind = ahead - dt.timedelta(hours=10)
    proxy.rules([dated(format_datetime(behind, usegmt=True))])
    store.take(f"{SCOPE}-2", "a", LONG)
    assert isinstance(store.take(f"{SCOPE}-2", "b", LONG), LeaseRecord)

    for stamp in ("no date", "Thu, 01 Jan 2026 00:00:00"):
        proxy.rules([dated(stamp)])
        with pytest.raises(StoreError, match=f"{table} answers without a date"):
            store.take(SCOPE, "d", LONG)
        with pytest.raises(StoreError, match="answers without a date"):
            store.renew(SCOPE, "c", LONG)


def dated(stamp: str) -> dict[str, object]:
    return {"service": "dynamodb", "operation": "BatchGetItem", "response": {"set_headers": {"Date": stamp}}}


def test_a_lease_that_changes_while_it_is_taken_over_is_looked_at_again(server: Server) -> None:
    with meddled_with(server.url) as (client, table, meddling):
        store = dynamodb_leases(client, table, wait=at_once)
        key = {"scope": {"S": SCOPE}, "item": {"S": "lease"}}
        changes = {
            # Its holder was late, and not dead.
            "renewed": (lambda: store.renew(SCOPE, "a", LONG), LeaseRecord),
            # By the table's TTL.
            "removed": (lambda: client.delete_item(TableName=table, Key=key), OwnLease),
        }
        for change, result in changes.values():

            def in_between(
                request: Request, forward: Forward, change: Callable[[], object] = change
            ) -> tuple[int, Any]:
                meddling.by_operation.clear()
                change()
                return forward(request)

            store.take(SCOPE, "a", PAST)
            meddling.by_operation["UpdateItem"] = in_between
            assert isinstance(store.take(SCOPE, "b", LONG), result)
            assert not meddling.by_operation


def test_a_missing_table_names_the_command_that_makes_it(client: DynamoDBClient) -> None:
    store = dynamodb_leases(client, "no-such-table", wait=never)
    with pytest.raises(StoreError, match="make it with `janitor doctor --create-state`"):
        store.take(SCOPE, "a", LONG)
