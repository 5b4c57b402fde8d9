"""Changes of single tokens through the command line, with LISA's own acceptance rules as the judge."""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from click import Command
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.cli.token.extend import command as extend
from janitor.cli.token.remove import command as remove
from janitor.cli.token.revoke import command as revoke
from tests.command import Finished, janitor
from tests.tables import Item, legacy, modern, token

DAY = 86_400
OWNER = "alice@example.com"
COMMANDS: dict[str, Command] = {"extend": extend, "revoke": revoke, "remove": remove}

# Each dialect on one of the servers: what a server does with a request depends on no dialect.
DIALECTS = pytest.mark.parametrize(
    ("server", "hashed"),
    [("dynamodb-local", True), ("ministack", False)],
    indirect=["server"],
    ids=["hashed", "classic"],
)

ON_DYNAMODB_LOCAL = pytest.mark.parametrize("server", ["dynamodb-local"], indirect=True)
ON_MINISTACK = pytest.mark.parametrize("server", ["ministack"], indirect=True)


@dataclass(frozen=True)
class Token:
    """A row, and the bearer token that it is of."""

    bearer: str
    item: Item

    @property
    def key(self) -> str:
        key: str = self.item["token"]["S"]
        return key

    @property
    def fingerprint(self) -> str:
        return sha256(self.bearer)[:12]

    @property
    def row_name(self) -> str:
        """What names its row alone, without a key of fingerprints."""
        return f"{self.fingerprint}-{sha256(f'row {self.key}')[:6]}"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def kinds(owner: str, *, hashed: bool) -> dict[str, Token]:
    """A token of each kind, all of one owner."""
    now = int(time.time())
    dates: dict[str, object] = {
        "active": now + 5 * DAY,
        "expired": now - DAY,
        "permanent": None,
        "text to come": {"S": str(now + 5 * DAY)},
        "text over": {"S": str(now - DAY)},
        "milliseconds": now * 1000,
        "a list": {"L": []},
    }
    make = modern if hashed else token
    rows = {
        kind: Token(f"{kind} of {owner}", make(f"{kind} of {owner}", date, username=owner))
        for kind, date in dates.items()
    }
    if hashed:
        for kind in ("active", "permanent"):
            bearer = f"legacy {kind} of {owner}"
            rows[f"legacy {kind}"] = Token(bearer, legacy(bearer, dates[kind], username=owner))
    return rows


def change(
    url: str, table: str, *arguments: str, about: Iterable[Token] = (), form: str = "json", **options: Any
) -> Finished:
    """`janitor token ARGUMENTS` at its most talkative; fails when it says a key or a bearer token of these."""
    where = ("--table", table, "--endpoint-url", url, "--log-level", "debug", "--format", form)
    finished = janitor("token", *arguments, *where, **options)
    said = finished.out + finished.err
    assert "Traceback" not in said
    for each in about:
        for secret in (each.bearer, each.key, sha256(each.bearer)):
            assert secret not in said, "a token was written"
    return finished


def change_here(url: str, table: str, command: str, *arguments: str) -> int:
    """The same in this process, where a new one would cost more than it shows: the exit code.

    Raises:
        JanitorError: whatever the command ends with.
    """
    where = ("--table", table, "--endpoint-url", url, "--region", "us-east-1")
    code: int = COMMANDS[command].main([*arguments, *where], standalone_mode=False)
    return code


def outcomes(finished: Finished) -> dict[str, str]:
    """The outcome of each row by its fingerprint."""
    said = json.loads(finished.out)
    assert said["schema"] == "janitor.token-change/v1"
    return {row["token"]["fingerprint"]: row["outcome"] for row in said["rows"]}


def row_of(client: DynamoDBClient, table: str, each: Token) -> Item | None:
    """The row as it is now."""
    return client.get_item(TableName=table, Key={"token": {"S": each.key}}, ConsistentRead=True).get("Item")


def gates(client: DynamoDBClient, table: str, each: Token, *, hashed: bool, now: int | None = None) -> set[str]:
    """The gates of LISA that let somebody in who has this token, or its stored key, at this UNIX second."""
    at = time.time() if now is None else now
    api = (
        _hashed_accepts(client, table, each.bearer, at) if hashed else _classic_accepts(client, table, each.bearer, at)
    )
    by_header = any(_classic_accepts(client, table, header, at) for header in {each.bearer, each.key})
    return ({"api"} if api else set()) | ({"workbench"} if by_header else set())


def _classic_accepts(client: DynamoDBClient, table: str, header: str, now: float) -> bool:
    """lambda/authorizer/lambda_functions.py at v5.4.0, and MCP Workbench's auth.py; an exception refuses the caller."""
    try:
        info = _as_lisa_reads(client, table, header)
        return info is not None and int(info.get("tokenExpiration", dt.datetime.max.timestamp())) > now  # noqa: DTZ901
    except (ArithmeticError, TypeError, ValueError):
        return False


def _hashed_accepts(client: DynamoDBClient, table: str, bearer: str, now: float) -> bool:
    """lambda/authorizer/lambda_functions.py at v6.6.0."""
    try:
        info = _as_lisa_reads(client, table, sha256(bearer))
        if info is None or not info.get("tokenUUID") or not info.get("tokenExpiration"):
            return False
        return not now >= int(info["tokenExpiration"])
    except (ArithmeticError, TypeError, ValueError):
        return False


def _as_lisa_reads(client: DynamoDBClient, table: str, key: str) -> dict[str, Any] | None:
    item = client.get_item(TableName=table, Key={"token": {"S": key}}, ConsistentRead=True).get("Item")
    return None if item is None else {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
