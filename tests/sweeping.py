"""Sweeps of a table whose every row is known, and what has to be true after each."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mypy_boto3_dynamodb import DynamoDBClient

from janitor.tokens.dialect import Dialect
from janitor.tokens.fingerprint import compute_fingerprint
from janitor.tokens.row import decode_row
from tests.command import Finished, janitor
from tests.servers import Server
from tests.tables import Item, modern

DAY = 86_400
LONG_AGO = 400 * DAY


def stale_rows(count: int) -> list[Item]:
    """Rows that expired long ago, of a few owners: each of those is looked up once after the deletes."""
    now = int(time.time())
    return [
        modern(f"stale-{number:06}", now - LONG_AGO - number, username=f"user-{number % 8}@example.com")
        for number in range(count)
    ]


def living_rows(count: int) -> list[Item]:
    """Rows of every kind that must stay: active, about to expire, just expired, without a date, with a broken one."""
    now = int(time.time())
    dates: list[object] = [now + 300 * DAY, now + DAY, now - DAY, None, {"S": str(now - LONG_AGO)}, now * 1000]
    return [modern(f"living-{number:06}", dates[number % len(dates)]) for number in range(count)]


def keys_in(client: DynamoDBClient, table: str) -> set[str]:
    """The keys of every row that the table holds now."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return {item["token"]["S"] for page in pages for item in page["Items"]}


def key_of(row: Item) -> str:
    key: str = row["token"]["S"]
    return key


def run(server: Server, table: str, *options: str, **arguments: Any) -> Finished:
    """A sweep as somebody types it."""
    return janitor("sweep", "--table", table, "--endpoint-url", server.url, *options, **arguments)


@dataclass(frozen=True)
class Swept:
    """A finished sweep: the process, its report, and the archive if there is one."""

    finished: Finished
    report: dict[str, Any]
    archive: Path

    @property
    def outcomes(self) -> dict[str, str | None]:
        """Each finding's outcome by its fingerprint."""
        return {finding["fingerprint"]: finding["outcome"] for finding in self.report["findings"]}


def arguments_of(url: str, table: str, archive: Path | str, *options: str) -> list[str]:
    """A sweep that deletes, without the rules about shares and numbers; its report is JSON on standard output."""
    where = ["--table", table, "--endpoint-url", url, "--archive", str(archive)]
    limits = ["--max-deletes", "1000000", "--max-delete-percent", "100", "--max-findings", "1000000"]
    return ["sweep", "--delete", "--yes", *where, *limits, *options]


def sweep(url: str, table: str, folder: Path, *options: str, attempts: int = 5, **arguments: Any) -> Swept:
    """Run such a sweep, with an archive in the folder."""
    archive = new_archive(folder)
    finished = janitor(
        *arguments_of(url, table, archive, *options),
        **{"env": {"AWS_MAX_ATTEMPTS": str(attempts)}, "timeout": 120, **arguments},
    )
    return Swept(finished, json.loads(finished.out) if finished.out else {}, archive)


def new_archive(folder: Path) -> Path:
    """A path for an archive that `archived_keys` finds."""
    return folder / f"archive-{time.monotonic_ns()}.ndjson"


def assert_exact(swept: Swept, before: set[str], after: set[str]) -> None:
    """What the report says of the planned rows is what the table shows, row for row, and adds up."""
    deletion = swept.report["deletion"]
    gone = {fingerprint_of(key) for key in before - after}
    by_outcome = Counter(outcome for outcome in swept.outcomes.values() if outcome)
    assert by_outcome == Counter(
        {name: deletion[name] for name in ("deleted", "changed", "already_gone", "failed") if deletion[name]}
        | ({"planned": untouched} if (untouched := _untouched(deletion)) else {})
    )
    said_gone = {name for name, outcome in swept.outcomes.items() if outcome in {"deleted", "already_gone"}}
    assert said_gone == gone


def fingerprint_of(key: str) -> str:
    """How the report names the hashed row with this key."""
    item = json.dumps({"token": {"S": key}, "tokenUUID": {"S": "x"}}).encode()
    return compute_fingerprint(decode_row(item), Dialect.HASHED)


def archived_keys(folder: Path) -> set[str]:
    """The keys of every row in any archive of the folder; a last line that was cut off counts for nothing."""
    lines = (line for path in folder.glob("archive-*") for line in path.read_text().splitlines(keepends=True))
    parsed = (json.loads(line) for line in lines if line.endswith("\n"))
    return {key_of(line["item"]) for line in parsed if "item" in line}


def _untouched(deletion: dict[str, int]) -> int:
    return deletion["planned"] - sum(deletion[name] for name in ("deleted", "changed", "already_gone", "failed"))
