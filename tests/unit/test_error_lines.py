import hashlib
import os
from pathlib import Path

import pytest

from janitor.error_lines import FILE_VARIABLE, print_error
from janitor.serve.error_file import read_error_lines

TOKEN = hashlib.sha512(b"chosen").hexdigest()


def test_lines_go_to_standard_error_and_to_the_file_of_a_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "errors.txt"
    print_error("before any daemon")
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    print_error("one\x1b\ntwo")
    print_error(f"the key {TOKEN} is in it")
    assert capsys.readouterr().err.startswith("janitor: before any daemon\njanitor: one")
    one, two, key = read_error_lines(path)
    assert (one.startswith("one"), "\x1b" in one, two) == (True, False, "two")
    assert (key.startswith("the key "), TOKEN in key) == (True, False)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_read_is_bounded_and_a_file_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "errors.txt"
    assert read_error_lines(path) == ()
    path.write_text("".join(f"janitor: {number} {'long ' * 400}\n" for number in range(1_000)))
    lines = read_error_lines(path)
    assert [line.partition(" ")[0] for line in lines] == ["995", "996", "997", "998", "999"]
    assert {len(line) for line in lines} == {500}
    monkeypatch.setenv(FILE_VARIABLE, os.fspath(tmp_path))
    print_error("on")
    assert capsys.readouterr().err == "janitor: on\n"
