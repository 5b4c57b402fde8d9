"""Stores on real servers, and what runs leave in them."""

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.dynamodb.client import AwsAccess, AwsSession
from janitor.store.create_table import create_table
from janitor.store.dynamodb import DynamoDbBackend
from janitor.store.lease import Leases
from janitor.store.records import Store
from janitor.store.run_memory import MAX_CHUNK_BYTES, LastRun, RunMemory, StoredMark
from janitor.store.sqlite import SqliteBackend
from tests.faults.proxy import Meddle, Meddling, meddling_proxy

NOW = 1_800_000_000
DAY = 86_400
SCOPE = "000000000000/us-east-1/tokens"
PROFILE = "hashed/2592000/-"
FIRST = LastRun("run-1", NOW - DAY, NOW - DAY + 60, "complete")
SECOND = LastRun("run-2", NOW, NOW + 60, "complete")
CHUNKS = [os.urandom(MAX_CHUNK_BYTES), b"", b"\x00second"]

Meddled = tuple[DynamoDBClient, str, Meddling]

_numbers = itertools.count(1)


def never(seconds: float) -> None:
    pytest.fail(f"it waited {seconds} s")


def at_once(_: float) -> None:
    """Do not wait."""


def marks(count: int, audience: str = "digest") -> dict[str, int]:
    """Names to mark, each with the second from which on a mark is late enough."""
    return {f"{audience}/topic/{number:012x}": NOW - DAY for number in range(count)}


def times(marked: dict[str, StoredMark]) -> dict[str, int]:
    """When each name was marked."""
    return {name: mark.at for name, mark in marked.items()}


@contextmanager
def renewed(store: Leases, scope: str, holder: str) -> Iterator[None]:
    """Another run has the lease, and renews it until the block ends."""
    is_over, seconds = threading.Event(), 600
    store.take(scope, holder, seconds)

    def renew() -> None:
        for number in itertools.count(seconds + 1):
            if is_over.wait(0.1):
                return
            store.renew(scope, holder, number)

    renewing = threading.Thread(target=renew)
    renewing.start()
    try:
        yield
    finally:
        is_over.set()
        renewing.join()
        store.release(scope, holder)


@contextmanager
def state_table(url: str) -> Iterator[tuple[DynamoDBClient, str]]:
    """A state table on the server at this URL, and the client that runs use."""
    with closing(AwsSession(AwsAccess(endpoint_url=url)).dynamodb) as client:
        table = f"state-{next(_numbers):04}"
        create_table(client, table, wait=at_once)
        yield client, table
        client.delete_table(TableName=table)


@contextmanager
def meddled_with(upstream: str) -> Iterator[Meddled]:
    """A state table behind a proxy that can meddle with calls."""
    with meddling_proxy(upstream) as (url, meddling), state_table(url) as (client, table):
        yield client, table, meddling
        meddling.by_operation.clear()


def sqlite_store(path: Path) -> Store:
    """A store in a file, which never waits to try anything again."""
    return Store(SqliteBackend(path), wait=never)


def sqlite_leases(state: str | Path) -> Leases:
    """The leases in a state file, by its path or URL."""
    return Leases(Store(SqliteBackend(Path(str(state).removeprefix("sqlite:///")))))


def dynamodb_leases(client: DynamoDBClient, table: str, wait: Callable[[float], object] = at_once) -> Leases:
    """The leases in a state table."""
    return Leases(Store(DynamoDbBackend(client, table), wait=wait))


def opened(meddled: Meddled, wait: Callable[[float], object] = at_once) -> RunMemory:
    """What runs of `SCOPE` remember in a state table, once it is proved that they can."""
    client, table, _ = meddled
    store = Store(DynamoDbBackend(client, table), wait=wait)
    assert store.location == f"dynamodb://{table}"
    memory = RunMemory(store, SCOPE, NOW)
    memory.open()
    return memory


def items_of(client: DynamoDBClient, table: str) -> list[str]:
    """The names of the records in a state table, whatever their scopes; not of those that its TTL will take."""
    plain: DynamoDBClient = boto3.client("dynamodb", endpoint_url=client.meta.endpoint_url)
    with closing(plain):
        items = plain.scan(TableName=table)["Items"]
    return sorted(str(item["item"]["S"]) for item in items if item.keys() - {"scope", "item", "expiresAt"})


def refused(code: str) -> Meddle:
    answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "not here"}
    return lambda _request, _forward: (400, answer)
