"""The servers of the integration and fault tests, each started once a session, and token tables on them."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_dynamodb import DynamoDBClient

from tests.dynamodb_local import find
from tests.servers import Server, dynamodb_local, ministack
from tests.tables import Item, create_table

IN_CI = os.environ.get("CI") == "true"


class NewTable(Protocol):
    """Makes a table on a server, with these rows, and returns its name: its own unless one is asked for."""

    def __call__(self, rows: Iterable[Item] = (), *, hashed: bool = True, name: str | None = None) -> str: ...


@pytest.fixture(scope="session")
def dynamodb_local_url(dynamodb_local_cache: Path) -> Iterator[str]:
    installation = find(dynamodb_local_cache)
    if isinstance(installation, str):
        (pytest.fail if IN_CI else pytest.skip)(installation)
    with dynamodb_local(installation) as url:
        yield url


@pytest.fixture(scope="session")
def ministack_url() -> Iterator[str]:
    with ministack() as url:
        yield url


@pytest.fixture(scope="session", params=["dynamodb-local", "ministack"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the servers in turn."""
    name: str = request.param
    return Server(name, request.getfixturevalue(f"{name.replace('-', '_')}_url"))


@pytest.fixture(scope="session")
def table_server(ministack_url: str) -> Server:
    """One server, for tests in which it does not matter which."""
    return Server("ministack", ministack_url)


@pytest.fixture(scope="session")
def tokens(table_server: Server) -> Iterator[DynamoDBClient]:
    """A client of `table_server`."""
    with closing(boto3.client("dynamodb", endpoint_url=table_server.url)) as client:
        yield client


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[DynamoDBClient]:
    """A client of `server`, as boto3 makes it."""
    attempts = Config(retries={"mode": "standard", "total_max_attempts": 3})
    made: DynamoDBClient = boto3.client("dynamodb", endpoint_url=server.url, config=attempts)
    yield made
    made.close()


@pytest.fixture(scope="session")
def table_number() -> Callable[[], int]:
    return itertools.count(1).__next__


@pytest.fixture
def new_table(client: DynamoDBClient, table_number: Callable[[], int]) -> Iterator[NewTable]:
    """Make tables on `server` that are gone after the test."""
    with _tables(client, table_number) as make:
        yield make


@pytest.fixture
def make_table(tokens: DynamoDBClient, table_number: Callable[[], int]) -> Iterator[NewTable]:
    """Make tables on `table_server` that are gone after the test."""
    with _tables(tokens, table_number) as make:
        yield make


@contextmanager
def _tables(client: DynamoDBClient, table_number: Callable[[], int]) -> Iterator[NewTable]:
    made = []

    def make(rows: Iterable[Item] = (), *, hashed: bool = True, name: str | None = None) -> str:
        table = name or f"tokens-{table_number():04}"
        create_table(client, table, hashed=hashed, rows=rows)
        made.append(table)
        return table

    yield make
    for table in made:
        client.delete_table(TableName=table)
