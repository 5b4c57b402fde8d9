import stat
from pathlib import Path

import pytest

from janitor.serve.job_memory import JobMemory, JobRecord


def test_what_is_remembered_is_there_after_a_restart_and_for_nobody_else_to_read(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    memory = JobMemory(path)
    memory.update("a", line="0 3 * * * UTC", handled_at=10.0, begun_at=10.0, pid=7)
    memory.record_end("a", at=12.5, exit_code=0, outcome="complete", is_success=True)
    memory.update("a", handled_at=20.0, begun_at=20.0, pid=8)
    memory.record_end("a", at=21.0, exit_code=1, outcome="failed", is_success=False)
    memory.record_missed("a", 15.0)
    memory.update("b", begun_at=30.0, pid=9)
    again = JobMemory(path)
    assert again.all() == memory.all()
    assert again.get("a") == JobRecord(
        line="0 3 * * * UTC",
        handled_at=20.0,
        started_at=20.0,
        ended_at=21.0,
        exit_code=1,
        outcome="failed",
        succeeded_at=12.5,
        missed_at=15.0,
        missed=1,
        runs={"complete": 1, "failed": 1},
    )
    assert (again.get("b").pid, again.get("never seen")) == (9, JobRecord())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["daemon.json"]


def test_what_is_forgotten_is_gone_from_the_file_too(tmp_path: Path) -> None:
    memory = JobMemory(tmp_path / "daemon.json")
    memory.update("a", gone_at=1.0)
    memory.update("b", missed=1)
    memory.forget("a")
    memory.forget("never seen")
    assert set(memory.all()) == set(JobMemory(tmp_path / "daemon.json").all()) == {"b"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"schema":"janitor.daemon/v9","jobs":{}}',
        b'{"jobs":{"a":{"pid":"x"}}}',
        b'{"schema":"janitor.daemon/v1","jobs":{"a":{"handled_at":1e300}}}',
        b'{"schema":"janitor.daemon/v1","jobs":{"a":{"missed_at":-1e12}}}',
        b'{"schema":"janitor.daemon/v1","jobs":{"a":{"missed_at":253402300800}}}',
    ],
)
def test_a_damaged_file_is_put_aside_and_nothing_is_remembered(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_bytes(content)
    memory = JobMemory(path)
    assert memory.all() == {}
    assert (tmp_path / "daemon.damaged").read_bytes() == content
    memory.update("a", handled_at=1.0)
    assert JobMemory(path).get("a").handled_at == 1.0


def test_a_key_that_is_nested_very_deeply_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_bytes(b'{"schema":"janitor.daemon/v1","jobs":{"a":{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}}}")
    # Python up to 3.13 refuses to read it; later ones read past it.
    assert all(record.handled_at is None for record in JobMemory(path).all().values())


def test_a_key_of_a_later_version_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{"schema":"janitor.daemon/v1","jobs":{"a":{"missed":2,"of_later":[1]}},"more":1}')
    assert JobMemory(path).get("a").missed == 2


def test_what_cannot_be_written_is_remembered_all_the_same(tmp_path: Path) -> None:
    place = tmp_path / "state"
    place.mkdir()
    memory = JobMemory(place / "daemon.json")
    place.rename(tmp_path / "away")
    memory.update("a", missed=3)
    assert memory.get("a").missed == 3
