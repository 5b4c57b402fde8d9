"""Files that appear whole or not at all, and locks between processes."""

import errno
import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from janitor.file_lock import file_lock
from janitor.whole_file import WholeFile, explain_unwritable


def test_a_whole_file_is_there_once_it_is_committed_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"old")
    with WholeFile(place) as file:
        file.stream.write(b"new")
        file.stream.flush()
        assert place.read_bytes() == b"old"
    assert place.read_bytes() == b"new"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [place]


class GaveUpError(Exception):
    """Whatever ends a block."""


def test_a_whole_file_that_was_not_finished_leaves_the_place_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "file"

    def give_up() -> None:
        with WholeFile(place, 0o644) as half:
            half.stream.write(b"half")
            raise GaveUpError

    with pytest.raises(GaveUpError):
        give_up()
    assert list(tmp_path.iterdir()) == []
    file = WholeFile(place)
    place.mkdir()
    with pytest.raises(OSError, match=os.strerror(errno.EISDIR)):
        file.commit()
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("name", ["a" * 255, "\N{SNOWMAN}" * 85])
def test_a_name_as_long_as_the_file_system_takes_it_will_do(tmp_path: Path, name: str) -> None:
    with WholeFile(tmp_path / name) as file:
        file.stream.write(b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_place_that_cannot_be_written_says_what_is_in_the_way_and_what_to_do(tmp_path: Path) -> None:
    file, missing = tmp_path / "file", tmp_path / "a" / "b"
    file.write_bytes(b"")
    user = pwd.getpwuid(os.geteuid()).pw_name
    for path, number, why, way_out in (
        (missing / "r.json", errno.ENOENT, f"there is no folder {missing}", "make it, or give another path"),
        (
            missing,
            errno.EACCES,
            f"the user {user} has no permission to write {tmp_path}",
            "grant it, or give another path",
        ),
        (file, errno.EACCES, f"the user {user} has no permission to write {file}", "grant it, or give another path"),
        (
            missing,
            errno.EROFS,
            f"{tmp_path} is on a disk that is mounted read-only",
            "mount it writable, or give another",
        ),
        (file / "r.json", errno.ENOTDIR, f"{file} is not a folder", "give another path"),
        (tmp_path, errno.EISDIR, "it is a folder", "give the path of a file in it"),
        (file, errno.ENOSPC, os.strerror(errno.ENOSPC), "free some space, or give another path"),
        (file, errno.EIO, os.strerror(errno.EIO), "give another path"),
    ):
        sentence, said = explain_unwritable(path, OSError(number, os.strerror(number)))
        assert sentence == f"{path} cannot be written: {why}"
        assert said.startswith(way_out)


HOLD = "import pathlib, sys; from janitor.file_lock import file_lock\nwith file_lock(pathlib.Path(sys.argv[1])): pass"


def errors_of_another_process(path: Path) -> str:
    """What a process says that takes the lock too; nothing where it gets it."""
    command = [sys.executable, "-c", HOLD, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_lock_keeps_other_processes_out_while_it_is_held(tmp_path: Path, *, is_folder: bool) -> None:
    path = tmp_path if is_folder else tmp_path / "lock"
    with file_lock(path):
        assert "BlockingIOError" in errors_of_another_process(path)
    assert errors_of_another_process(path) == ""


def test_a_lock_in_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), file_lock(tmp_path / "none" / "lock"):
        pass
