"""One suite over every store of what shards tell each other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from janitor.errors import ConfigurationError, LedgerError
from janitor.ledger.dynamodb_shards import DynamoDbShardStore
from janitor.ledger.interface import LARGEST_CHUNK
from janitor.ledger.shard_store import KEEP_SECONDS, ShardStore
from janitor.ledger.sqlite_shards import SqliteShardStore
from janitor.run.shards.records import Counts
from janitor.run.shards.sharded_run import JOIN_SECONDS, LIFE_SECONDS, ShardedRun
from janitor.shard import Shard
from tests.integration.ledgers import DAY, NOW, SCOPE, at_once, state_table

_THREADS = 8
_TERMS = {"--grace": 604_800}


@pytest.fixture(params=["sqlite", "dynamodb-local", "ministack"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., ShardStore]]:
    """Makes stores in one place."""
    if request.param == "sqlite":
        path = tmp_path / "state" / "ledger.db"
        yield lambda scope=SCOPE, now=NOW: SqliteShardStore(path, scope, clock=lambda: now)
        return
    url = request.getfixturevalue(f"{request.param.replace('-', '_')}_url")
    with state_table(url) as (client, table):
        yield lambda scope=SCOPE, now=NOW: DynamoDbShardStore(client, table, scope, clock=lambda: now, wait=at_once)


def test_records_are_created_once_replaced_as_seen_and_read_in_any_number(
    new_store: Callable[..., ShardStore],
) -> None:
    store = new_store()
    assert store.create("a", b"1")
    assert not new_store().create("a", b"2")
    assert store.read(["a", "b"]) == {"a": b"1"}
    assert not store.replace("a", b"2", b"3")
    assert not store.replace("b", b"1", b"3")
    assert store.replace("a", b"1", b"3")
    store.put("a", b"\x00" * LARGEST_CHUNK)
    names = [f"n/{number}" for number in range(101)]
    for name in names:
        store.put(name, name.encode())
    assert store.read([*names, "a"]) == {name: name.encode() for name in names} | {"a": b"\x00" * LARGEST_CHUNK}
    assert new_store("another/table").read(["a"]) == {}
    store.remove([*names, "never there"])
    assert [*store.read([*names, "a"])] == ["a"]


def test_of_many_that_create_a_record_one_does(new_store: Callable[..., ShardStore]) -> None:
    store = new_store()
    with ThreadPoolExecutor(_THREADS) as pool:
        made = list(pool.map(lambda number: store.create("claim", str(number).encode()), range(_THREADS)))
    assert made.count(True) == 1
    assert store.read(["claim"]) == {"claim": str(made.index(True)).encode()}


def _joined(store: ShardStore, index: int, run_id: str, *, now: int = NOW, name: str | None = None) -> ShardedRun:
    run = ShardedRun(store, Shard(index, 3), name=name, run_id=run_id, clock=lambda: now)
    run.join(_TERMS)
    return run


def test_shards_without_a_name_meet_in_the_run_that_is_open(new_store: Callable[..., ShardStore]) -> None:
    store = new_store()
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda index: _joined(store, index, f"run-{index}"), range(3)))
    assert len({run.name for run in runs}) == 1
    assert _joined(store, 0, "again").name == runs[0].name, "one that was killed belongs to its run"
    assert _joined(store, 0, "late", now=NOW + JOIN_SECONDS).name == "late"
    named = _joined(store, 1, "run-4", name="tonight")
    assert named.name == "tonight"


def _counts(attempt: str, planned: int = 3) -> Counts:
    return Counts(attempt=attempt, planned=planned, protected=1, scanned=20, dated=19)


def test_counts_stand_as_long_as_the_process_that_left_them_is_at_work(new_store: Callable[..., ShardStore]) -> None:
    dead = _joined(new_store(), 1, "dead")
    dead.count(_counts("dead"))
    late = _joined(new_store(), 2, "late", now=NOW + LIFE_SECONDS + 1)
    assert dead.standing().counts == {1: _counts("dead")}
    assert (late.standing().counts, late.standing().alive) == ({}, frozenset())
    again = _joined(new_store(), 1, "again", now=NOW + LIFE_SECONDS + 1)
    again.show_life()
    assert late.standing() == ({}, frozenset({1})), "one that was started again has to count anew"
    again.count(_counts("again", planned=9))
    assert late.standing().counts == {1: _counts("again", planned=9)}


def test_of_several_that_decide_one_does(new_store: Callable[..., ShardStore]) -> None:
    runs = [_joined(new_store(), index, f"run-{index}", name="tonight") for index in range(3)]
    with ThreadPoolExecutor(3) as pool:
        verdicts = list(pool.map(lambda run: run.decide({}, f"by {run.attempt}"), runs))
    assert verdicts[0] == verdicts[1] == verdicts[2] == runs[0].verdict()


def test_a_run_of_other_terms_is_refused_and_a_damaged_one_too(new_store: Callable[..., ShardStore]) -> None:
    _joined(new_store(), 0, "run-0", name="tonight")
    other = ShardedRun(new_store(), Shard(1, 3), name="tonight", run_id="run-1", clock=lambda: NOW)
    with pytest.raises(ConfigurationError, match="was opened with --grace 604800, and this shard has 60"):
        other.join({"--grace": 60})
    late = ShardedRun(new_store(), Shard(1, 3), name="tonight", run_id="run-1", clock=lambda: NOW + 2 * DAY)
    with pytest.raises(ConfigurationError, match="opened more than a day ago"):
        late.join(_TERMS)
    early = ShardedRun(new_store(), Shard(1, 3), name="tonight", run_id="run-1", clock=lambda: NOW - 2 * DAY)
    with pytest.raises(ConfigurationError, match="or by a wrong clock"):
        early.join(_TERMS)
    other.join(_TERMS)
    for damaged in (b"{", b"\xff", b'{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}"):
        new_store().put(f"tonight@{NOW}/0/counts", damaged)
        with pytest.raises(LedgerError, match="is damaged"):
            other.standing()


def test_without_a_name_a_shard_of_other_settings_is_refused_and_one_of_another_number_opens_a_run(
    new_store: Callable[..., ShardStore],
) -> None:
    first = _joined(new_store(), 0, "run-0")
    other = ShardedRun(new_store(), Shard(1, 3), name=None, run_id="run-1", clock=lambda: NOW)
    with pytest.raises(ConfigurationError, match="was opened with --grace"):
        other.join({"--grace": 60})
    another = ShardedRun(new_store(), Shard(1, 4), name=None, run_id="run-2", clock=lambda: NOW)
    another.join(_TERMS)
    assert (first.name, another.name) == ("run-0", "run-2")


def test_records_that_are_long_over_are_gone(tmp_path: Path) -> None:
    """Of a file; DynamoDB's own TTL does it in a table."""
    path = tmp_path / "state.db"
    SqliteShardStore(path, SCOPE, clock=lambda: NOW).put("a", b"1")
    later = SqliteShardStore(path, SCOPE, clock=lambda: NOW + KEEP_SECONDS)
    assert later.read(["a"]) == {}
    assert later.create("a", b"2")
