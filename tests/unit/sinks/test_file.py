import os
import stat
from pathlib import Path

import pytest

from janitor.errors import ConfigurationError, SinkError
from janitor.sinks.file import File


def test_a_file_appears_whole_at_the_end_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    sink = File(path)
    sink.open()
    sink.write(b"a" * 100_000)
    assert not path.exists()
    sink.commit()
    assert path.read_bytes() == b"a" * 100_000
    assert os.listdir(tmp_path) == ["report.json"]  # noqa: PTH208  # hidden files too


def test_what_is_discarded_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    sink = File(path)
    sink.open()
    sink.write(b"new")
    sink.discard()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]  # noqa: PTH208  # hidden files too


def test_a_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    modes = []
    for path, mode in ((tmp_path / "new", None), (tmp_path / "old", 0o640)):
        if mode:
            path.touch()
            path.chmod(mode)
        sink = File(path)
        sink.open()
        sink.commit()
        modes.append(stat.S_IMODE(path.stat().st_mode))
    mask = os.umask(0)
    os.umask(mask)
    assert modes == [0o666 & ~mask, 0o640]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("target")
    sink = File(link)
    sink.open()
    sink.write(b"new")
    sink.commit()
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.parametrize("name", ["missing/report", "."])
def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        File(tmp_path / name).open()


def test_a_full_device_is_a_failure_of_the_sink() -> None:
    sink = File(Path("/dev/full"))
    sink.open()
    with pytest.raises(SinkError, match="No space left"):
        sink.write(b"x")
    sink.discard()


def test_a_pipe_is_written_to_as_it_is() -> None:
    reader, writer = os.pipe()
    sink = File(Path(f"/dev/fd/{writer}"))
    sink.open()
    sink.write(b"whole")
    sink.commit()
    os.close(writer)
    assert os.read(reader, 100) == b"whole"
    os.close(reader)


def test_a_pipe_that_nobody_reads_is_a_failure_once_the_run_has_to_end() -> None:
    reader, writer = os.pipe()
    asked: list[int] = []

    def must_end() -> bool:
        asked.append(1)
        return len(asked) > 1

    sink = File(Path(f"/dev/fd/{writer}"), must_end)
    sink.open()
    with pytest.raises(SinkError, match="nobody read it before the run had to end"):
        sink.write(b"x" * 1_000_000)
    sink.discard()
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert set(stream.read()) == set(b"x")
