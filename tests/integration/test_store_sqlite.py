"""The store in a file: whose it is, who else may use it, and what a crash leaves."""

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
from janitor.store.run_memory import RunMemory
from tests.integration.stores import CHUNKS, FIRST, NOW, PROFILE, SCOPE, sqlite_store


def test_a_new_state_file_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "store.db"
    store = sqlite_store(path)
    assert store.location == f"sqlite:///{path}"
    store.prove(SCOPE, ["any"], NOW)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]
    assert list(path.parent.iterdir()) == [path]


def test_a_state_file_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x?mode=memory", "a b%20#"):
        for _ in range(2):
            sqlite_store(Path(name)).prove(SCOPE, ["any"], NOW)
        assert (tmp_path / name).is_file()


def assert_not_opened(path: Path, sentence: str) -> None:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=sentence) as caught:
        sqlite_store(path).prove(SCOPE, ["any"], NOW)
    assert str(path) in str(caught.value)
    assert caught.value.way_out
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_not_opened(tmp_path / "file" / "store.db", "cannot be made: (Not a directory|File exists)")
    assert_not_opened(tmp_path, "unable to open")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is write-protected for root")
def test_a_write_protected_file_or_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    sqlite_store(path).prove(SCOPE, ["any"], NOW)
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
        (("PRAGMA application_id = 0x6A616E69", "PRAGMA user_version = 2"), "has version 2, and this janitor knows 3"),
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
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert_not_opened(path, "another process has held it")


WRITER = """
import sys
from pathlib import Path
from janitor.store.run_memory import RunMemory
from janitor.store.records import Store
from janitor.store.sqlite import SqliteBackend
memory = RunMemory(Store(SqliteBackend(Path(sys.argv[1]))), "scope", 1)
for number in range(60):
    memory.mark({f"{number:012x}": 0}, 1)
    memory.mark({f"{sys.argv[2]}/{number}": 0}, 1)
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    names = ["a", "b", "c"]
    processes = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in names]
    assert [process.wait() for process in processes] == [0, 0, 0]
    memory = RunMemory(sqlite_store(path), "scope", 1)
    marks = [f"{number:012x}" for number in range(60)]
    marks += [f"{name}/{number}" for name in names for number in range(60)]
    assert len(memory.find_marks(marks)) == 240


KILLED = """
import os, signal, sys
from pathlib import Path
from janitor.store.run_memory import LastRun, RunMemory
from janitor.store.records import Store
from janitor.store.sqlite import SqliteBackend
memory = RunMemory(Store(SqliteBackend(Path(sys.argv[1]))), "scope", int(sys.argv[2]))
memory.mark({"a": 0}, int(sys.argv[2]))
def chunks():
    for _ in range(20):
        yield os.urandom(350_000)
    os.kill(os.getpid(), signal.SIGKILL)
memory.replace_snapshot("hashed/2592000/-", chunks(), LastRun("new", 1, 2, "complete"))
"""


def test_a_run_that_is_killed_while_it_leaves_its_findings_leaves_those_of_before(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    memory = RunMemory(sqlite_store(path), "scope", NOW)
    memory.replace_snapshot(PROFILE, CHUNKS, FIRST)
    assert subprocess.run([sys.executable, "-c", KILLED, str(path), str(NOW)], check=False).returncode == -9
    assert list(memory.snapshot(PROFILE)) == CHUNKS
    assert memory.last_run(PROFILE) == FIRST
    assert memory.find_marks(["a"])


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE record SET content = 'a text' WHERE name LIKE 'mark/%'",
        "UPDATE record SET expires_at = 'x'",
        "UPDATE record SET content = 'a text' WHERE name LIKE 'note/%'",
        "UPDATE record SET content = 1000000000",
        "UPDATE record SET content = 'abc' WHERE name LIKE 'chunk/%'",
        "UPDATE record SET version = 1e300",
        "UPDATE record SET content = CAST(x'ff' AS TEXT), version = CAST(x'ff' AS TEXT)",
    ],
)
def test_what_no_run_can_have_left_is_an_error_with_a_way_out_or_nothing(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "state.sqlite"
    memory = RunMemory(sqlite_store(path), SCOPE, NOW)
    memory.mark({"name": NOW}, NOW)
    memory.keep_note("trouble", b"{}", NOW)
    memory.replace_snapshot(PROFILE, [b"chunk"], FIRST)
    with closing(sqlite3.connect(path)) as other, other:
        assert other.execute(spoil).rowcount >= 1
    read: list[Callable[[], object]] = [
        lambda: memory.find_marks(["name"]),
        lambda: memory.note("trouble"),
        lambda: list(memory.snapshot(PROFILE)),
        lambda: memory.last_run(PROFILE),
    ]
    for each in read:
        with suppress(StoreError):
            each()
    memory.replace_snapshot(PROFILE, [b"new"], FIRST)
    assert (list(memory.snapshot(PROFILE)), memory.last_run(PROFILE)) == ([b"new"], FIRST)
