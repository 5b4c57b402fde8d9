"""Plans and archives that somebody wrote to do harm: turned away in a line, or harmless, and never a bug."""

import gzip
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from janitor.archive.plan_reader import PlanReader
from tests.command import Finished, janitor
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import key_of, keys_in, living_rows, stale_rows
from tests.tables import modern

one_server = pytest.mark.parametrize("server", ["ministack"], indirect=True)
LONG_AGO = 1_600_000_000
# A run that reads on for ever is found by this; one that does not needs a second.
PATIENCE = 45
COMMANDS = {
    "apply": ("--no-archive", "--yes", "--max-delete-percent", "100"),
    "restore": ("--all",),
}


def header_of(table: str, /, **changes: Any) -> dict[str, Any]:
    policy = {
        "dialect": "hashed",
        "thresholds_seconds": [86_400],
        "grace_seconds": 86_400,
        "include": [],
        "protect_users": [],
        "protect_system": False,
    }
    header = {
        "schema": "janitor.plan/v1",
        "run_id": "0123456789abcdef",
        "created_at": "2026-01-01T00:00:00Z",
        "now": int(time.time()),
        "as_of": None,
        "version": "0.1.0",
        "table": {"name": table, "region": "us-east-1", "account_id": None},
        "policy": policy | changes.pop("policy", {}),
    }
    return header | changes


def written(path: Path, header: dict[str, Any], items: Sequence[bytes], closing: dict[str, Any] | None = None) -> Path:
    """A plan of these items, under a sum and a count that are right."""
    rows = [
        b'{"row":%d,"fingerprint":"%012x","state":"stale","item":%b}' % (number, number, item)
        for number, item in enumerate(items)
    ]
    lines = b"".join(line + b"\n" for line in [json.dumps(header).encode(), *rows])
    last = {"rows": len(items), "scanned": 1_000, "dated": 1_000, "complete": True}
    last |= {"sha256": hashlib.sha256(lines).hexdigest()} | (closing or {})
    content = lines + json.dumps(last).encode() + b"\n"
    path.write_bytes(gzip.compress(content, 1) if path.name.endswith(".gz") else content)
    return path


def carried_out(command: str, server: Server, plan: Path) -> Finished:
    return janitor(command, str(plan), "--endpoint-url", server.url, *COMMANDS[command], timeout=PATIENCE)


def assert_turned_away(finished: Finished, plan: Path, said: str) -> None:
    assert (finished.code, finished.out, len(finished.err.splitlines())) == (2, "", 1), finished.err[:2_000]
    assert str(plan) in finished.err
    assert said in finished.err


def in_bytes(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode()


def nested(kind: str, levels: int) -> bytes:
    """A row with an attribute that is nested so deep."""
    opening, closing = {"map": (b'{"M":{"a":', b"}}"), "list": (b'{"L":[', b"]}"), "plain": (b"[", b"]")}[kind]
    value = opening * levels + (b"" if kind == "plain" else b'{"S":"x"}') + closing * levels
    return in_bytes(modern("a", LONG_AGO))[:-1] + b',"deep":' + value + b"}"


ITEMS = {
    "maps": nested("map", 3_000),
    "maps of 36 levels": nested("map", 36),
    "lists": nested("list", 3_000),
    "lists of 36 levels": nested("list", 36),
    "plain": nested("plain", 100_000),
    "no key": b'{"tokenExpiration":{"N":"1600000000"}}',
    "empty": b"{}",
    "null": b"null",
    "a list": b"[1,2]",
    "a number": b"1e300",
    "key is a number": b'{"token":{"N":"1"},"tokenExpiration":{"N":"1600000000"}}',
    "key is empty": b'{"token":{"S":""},"tokenExpiration":{"N":"1600000000"}}',
    "half a character": b'{"token":{"S":"\\ud800"},"tokenExpiration":{"N":"1600000000"}}',
    "no UTF-8": b'{"token":{"S":"a"},"note":{"S":"\xff"},"tokenExpiration":{"N":"1600000000"}}',
}


@pytest.mark.parametrize("kind", ["map", "list"])
def test_a_row_that_is_nested_as_deeply_as_a_table_takes_is_read(tmp_path: Path, kind: str) -> None:
    rows = [nested(kind, 32), in_bytes(modern("many", LONG_AGO, groups=["{[" * 50] * 100))]
    plan = written(tmp_path / "plan", header_of("tokens"), rows)
    assert len(list(PlanReader(str(plan), lambda: plan.open("rb")).rows())) == 2


@one_server
@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS.keys())
@pytest.mark.parametrize("command", COMMANDS)
def test_an_item_that_no_table_can_have_is_turned_away_in_one_line(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, *, command: str, item: bytes
) -> None:
    table = new_table(living_rows(6))
    before = keys_in(client, table)
    plan = written(tmp_path / "plan", header_of(table), [in_bytes(modern("first", LONG_AGO)), item])
    assert_turned_away(carried_out(command, server, plan), plan, "is damaged or was edited: row 1 ")
    assert keys_in(client, table) == before


def endless_header(path: Path, _: str) -> None:
    path.write_bytes(b'{"schema":"janitor.plan/v1",' + b" " * 60_000_000)


def endless_row(path: Path, table: str) -> None:
    written(path, header_of(table), [in_bytes(modern("a", LONG_AGO))[:-1] + b" " * 60_000_000 + b"}"])


def endless_zipped_row(path: Path, table: str) -> None:
    # A few kilobytes on disk.
    header = json.dumps(header_of(table)).encode() + b"\n"
    path.write_bytes(gzip.compress(header, 1) + gzip.compress(b"x" * 1_000_000, 9) * 2_000)


def endless_padding(path: Path, table: str) -> None:
    written(path, header_of(table), [])
    with path.open("ab") as file:
        file.write(b"\0" * 60_000_000)


@one_server
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("plan", endless_header),
        ("plan", endless_row),
        ("plan.gz", endless_zipped_row),
        ("plan", endless_padding),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_line_that_does_not_end_is_not_read_to_its_end(
    server: Server, new_table: NewTable, tmp_path: Path, *, command: str, name: str, write: Callable[[Path, str], None]
) -> None:
    plan = tmp_path / name
    write(plan, new_table([]))
    assert_turned_away(carried_out(command, server, plan), plan, "longer than")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_device_without_an_end_is_no_plan(command: str) -> None:
    finished = janitor(command, "/dev/zero", *COMMANDS[command], timeout=PATIENCE)
    assert_turned_away(finished, Path("/dev/zero"), "longer than")


@one_server
@pytest.mark.parametrize("dates", [(b"9999999999", b"1600000000"), (b"1600000000", b"9999999999")])
def test_a_row_with_two_dates_goes_only_if_the_table_has_the_one_that_it_is_judged_by(
    server: Server, client: DynamoDBClient, new_table: NewTable, tmp_path: Path, dates: tuple[bytes, bytes]
) -> None:
    living = modern("living", 9_999_999_999)
    table = new_table([living, *living_rows(6)])
    before = keys_in(client, table)
    item = in_bytes(living).replace(b'"9999999999"}', b'"%b"}, "token\\u0045xpiration": {"N": "%b"}' % dates)
    finished = carried_out("apply", server, written(tmp_path / "plan", header_of(table), [item]))
    assert json.loads(finished.out)["deletion"]["deleted"] == 0
    assert keys_in(client, table) == before


SPELLINGS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "the same line": lambda row, _: row,
    "first letter escaped": lambda row, key: row.replace(key, b"\\u%04x%b" % (key[0], key[1:])),
    "all letters escaped": lambda row, key: row.replace(key, b"".join(b"\\u%04X" % letter for letter in key)),
    "other spaces": lambda row, key: row.replace(b'{"S": "' + key, b'{ "S" :\t"' + key),
    "another date": lambda row, _: row.replace(b'"N": "1', b'"N": "01'),
}


@one_server
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("command", COMMANDS)
def test_a_key_that_is_there_twice_is_turned_away_however_it_is_spelt(
    server: Server,
    client: DynamoDBClient,
    new_table: NewTable,
    tmp_path: Path,
    *,
    command: str,
    spell: Callable[[bytes, bytes], bytes],
) -> None:
    stale = stale_rows(3)
    table = new_table([*stale, *living_rows(6)])
    before = keys_in(client, table)
    plain = [in_bytes(row) for row in stale]
    again = spell(plain[0], key_of(stale[0]).encode())
    assert (again == plain[0]) == (spell is SPELLINGS["the same line"])
    plan = written(tmp_path / "plan", header_of(table), [*plain, again])
    assert_turned_away(carried_out(command, server, plan), plan, "holds one key twice: row 3 ")
    assert keys_in(client, table) == before


HEADERS: dict[str, dict[str, Any]] = {
    "horizon of ages": {"policy": {"thresholds_seconds": [10**17]}},
    "horizon beyond 64 bits": {"policy": {"thresholds_seconds": [10**30]}},
    "horizon before now": {"policy": {"thresholds_seconds": [-(10**17)]}},
    "no horizon": {"policy": {"thresholds_seconds": []}},
    "a million horizons": {"policy": {"thresholds_seconds": [*range(1_000_000)]}},
    "grace of ages": {"policy": {"grace_seconds": 10**17}},
    "grace before now": {"policy": {"grace_seconds": -(10**17)}},
    "unknown dialect": {"policy": {"dialect": "hash\x1b[2Jed"}},
    "patterns": {"policy": {"protect_users": ["[", "*" * 1_000, "[!"]}},
    "pattern of many stars": {"policy": {"protect_users": ["*a" * 40 + "b"]}},
    "table with a name that is none": {"table": {"name": "a\nb", "region": "us-east-1", "account_id": None}},
    "table without a name": {"table": {"name": "", "region": "us-east-1", "account_id": None}},
    "region that is none": {"table": {"name": "tokens", "region": "us east\n1", "account_id": None}},
    "now of ages": {"now": 10**17, "as_of": -(10**17)},
    "no time": {"created_at": "\x1b[2J" * 1_000},
}


@one_server
@pytest.mark.parametrize("changes", HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize("command", COMMANDS)
def test_a_header_that_no_run_writes_is_no_bug(
    server: Server, new_table: NewTable, tmp_path: Path, *, command: str, changes: dict[str, Any]
) -> None:
    table = new_table([*stale_rows(1), *living_rows(6)])
    rows = [in_bytes(modern(f"a{number}", LONG_AGO, username="a" * 200)) for number in range(3)]
    plan = written(tmp_path / "plan", header_of(table, **changes), rows)
    finished = carried_out(command, server, plan)
    assert "a bug" not in finished.err
    assert "Traceback" not in finished.err
    assert "\x1b" not in finished.err
    # Turned away, or the rows are not there, or put back.
    assert (finished.code, finished.out == "") in {(2, True), (0, False)}, finished.err


@one_server
@pytest.mark.parametrize(
    "closing",
    [{"scanned": -5, "dated": -5}, {"scanned": 10**18, "dated": 10**18}, {"rows": -1}, {"sha256": "\x1b" * 64}],
    ids=str,
)
def test_a_closing_line_that_no_run_writes_is_no_bug(
    server: Server, new_table: NewTable, tmp_path: Path, closing: dict[str, Any]
) -> None:
    plan = written(tmp_path / "plan", header_of(new_table([])), [in_bytes(modern("a", LONG_AGO))], closing)
    finished = carried_out("apply", server, plan)
    assert "a bug" not in finished.err
    assert "\x1b" not in finished.err
    assert finished.code in {0, 2, 4}, finished.err
