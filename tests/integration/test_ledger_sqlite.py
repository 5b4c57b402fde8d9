"""The ledger in a file: whose it is, who else may use it, and what a crash leaves."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from janitor.errors import StoreError
from janitor.ledger.sqlite import SqliteLedger
from tests.integration.stores import CHUNKS, FIRST, NOW, PROFILE, SCOPE


def test_a_new_state_file_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "ledger.db"
    ledger = SqliteLedger(path)
    assert ledger.location == f"sqlite:///{path}"
    ledger.open(SCOPE, NOW)
    ledger.close()
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]
    assert list(path.parent.iterdir()) == [path]


def test_a_state_file_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x?mode=memory", "a b%20#"):
        for _ in range(2):
            ledger = SqliteLedger(Path(name))
            ledger.open(SCOPE, NOW)
            ledger.close()
        assert (tmp_path / name).is_file()


def assert_not_opened(path: Path, sentence: str) -> None:
    before = path.read_bytes() if path.is_file() else None
    ledger = SqliteLedger(path)
    with pytest.raises(StoreError, match=sentence) as caught:
        ledger.open(SCOPE, NOW)
    assert str(path) in str(caught.value)
    assert caught.value.way_out
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_not_opened(tmp_path / "file" / "ledger.db", "cannot be made: (Not a directory|File exists)")
    assert_not_opened(tmp_path, "unable to open")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is write-protected for root")
def test_a_write_protected_file_or_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.open(SCOPE, NOW)
    ledger.close()
    path.chmod(0o400)
    assert_not_opened(path, "readonly")
    path.chmod(0o600)
    tmp_path.chmod(0o500)
    assert_not_opened(path, "unable to open|readonly")
    tmp_path.chmod(0o700)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("{}" * 600)
    assert_not_opened(path, "file is not a database")


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        (("CREATE TABLE theirs (x)",), "database of another program"),
        (("CREATE TABLE theirs (x)", "PRAGMA journal_mode = WAL"), "database of another program"),
        (("PRAGMA application_id = 1",), "database of another program"),
        (("PRAGMA application_id = 0x6A616E69", "PRAGMA user_version = 1"), "has version 1, and this janitor knows 2"),
    ],
)
def test_another_programs_or_versions_file_is_left_alone(
    tmp_path: Path, statements: Iterable[str], sentence: str
) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    assert_not_opened(path, sentence)


def test_a_file_that_another_process_holds_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.store.sqlite_file.BUSY_SECONDS", 0.0)
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert_not_opened(path, "another process has held it")


WRITER = """
import sys
from pathlib import Path
from janitor.ledger.sqlite import SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
ledger.open("scope", 1)
for number in range(60):
    ledger.mark({f"{number:012x}": 0}, 1)
    ledger.mark({f"{sys.argv[2]}/{number}": 0}, 1)
ledger.close()
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    names = ["a", "b", "c"]
    processes = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in names]
    assert [process.wait() for process in processes] == [0, 0, 0]
    ledger = SqliteLedger(path)
    ledger.open("scope", 1)
    marks = [f"{number:012x}" for number in range(60)]
    marks += [f"{name}/{number}" for name in names for number in range(60)]
    assert len(ledger.marked(marks)) == 240
    ledger.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from janitor.ledger.interface import LastRun
from janitor.ledger.sqlite import SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
ledger.open("scope", int(sys.argv[2]))
ledger.mark({"a": 0}, int(sys.argv[2]))
def chunks():
    for _ in range(20):
        yield os.urandom(350_000)
    os.kill(os.getpid(), signal.SIGKILL)
ledger.replace_snapshot("hashed/2592000/-", chunks(), LastRun("new", 1, 2, "complete"))
"""


def test_a_run_that_is_killed_while_it_leaves_its_findings_leaves_those_of_before(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.open("scope", NOW)
    ledger.replace_snapshot(PROFILE, CHUNKS, FIRST)
    ledger.close()
    assert subprocess.run([sys.executable, "-c", KILLED, str(path), str(NOW)], check=False).returncode == -9
    ledger.open("scope", NOW)
    assert list(ledger.snapshot(PROFILE)) == CHUNKS
    assert ledger.last_run(PROFILE) == FIRST
    assert ledger.marked(["a"])
    ledger.close()


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE mark SET at = 'soon'",
        "UPDATE mark SET expires_at = 'x'",
        "UPDATE record SET content = 'a text'",
        "UPDATE record SET content = 1000000000",
        "UPDATE chunk SET data = 'abc'",
        "UPDATE run SET chunks = 1e300",
        "UPDATE run SET started_at = 'soon'",
    ],
)
def test_what_no_run_can_have_left_is_an_error_with_a_way_out_or_nothing(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "state.sqlite"
    ledger = SqliteLedger(path)
    ledger.open(SCOPE, NOW)
    ledger.mark({"name": NOW}, NOW)
    ledger.keep("trouble", b"{}", NOW)
    ledger.replace_snapshot(PROFILE, [b"chunk"], FIRST)
    with closing(sqlite3.connect(path)) as other, other:
        assert other.execute(spoil).rowcount == 1
    read: list[Callable[[], object]] = [
        lambda: ledger.marked(["name"]),
        lambda: ledger.record("trouble"),
        lambda: list(ledger.snapshot(PROFILE)),
        lambda: ledger.last_run(PROFILE),
    ]
    for each in read:
        with suppress(StoreError):
            each()
    ledger.replace_snapshot(PROFILE, [b"new"], FIRST)
    assert (list(ledger.snapshot(PROFILE)), ledger.last_run(PROFILE)) == ([b"new"], FIRST)
    ledger.close()
