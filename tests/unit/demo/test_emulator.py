"""How the embedded DynamoDB fails and ends: tried on processes that are none."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from janitor.demo import emulator
from janitor.demo.emulator import Emulator, EmulatorError, make_client_environment
from tests.command import is_running


@pytest.fixture
def no_proxy_settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return monkeypatch


def program(folder: Path, script: str) -> str:
    """Return the path of a program that does what this shell script says, whatever its arguments."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


def process(script: str) -> Emulator:
    """Return a running shell script, once it has said something, as if it were an emulator."""
    shell = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert shell.stdout is not None
    shell.stdout.readline()
    shell.stdout.close()
    shell.returncode = 0  # as the emulator does: from here on only its id counts
    return Emulator("", shell.pid, {})


def test_a_missing_package_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(
        EmulatorError, match=r"^the embedded DynamoDB is not installed: pip install 'token-janitor\[demo"
    ):
        emulator.start_emulator()


def test_what_a_failed_start_said_last_is_quoted_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = r"echo first; printf 'no \033[31mgood %0300d\n\n' 7; exit 1"
    monkeypatch.setattr(sys, "executable", program(tmp_path, script))
    with pytest.raises(EmulatorError, match=r"does not start \(no  \[31mgood 0+\); reinstall it: pip") as raised:
        emulator.start_emulator()
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400


def test_a_failed_start_that_said_nothing_is_an_error_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, "exit 1"))
    with pytest.raises(EmulatorError, match="no output"):
        emulator.start_emulator()


def test_a_python_that_is_not_there_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    with pytest.raises(EmulatorError, match=r"cannot be started: .*No such file"):
        emulator.start_emulator()


def test_a_server_that_never_answers_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own_id = tmp_path / "pid"
    monkeypatch.setattr(emulator, "_START_SECONDS", 1.0)
    monkeypatch.setattr(sys, "executable", program(tmp_path, f"echo $$ > {own_id}; exec sleep 60"))
    with pytest.raises(EmulatorError, match="did not answer within"):
        emulator.start_emulator()
    assert not is_running(int(own_id.read_text()))


def test_ctrl_c_while_it_starts_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    ended: list[int] = []
    monkeypatch.setattr(emulator, "_end", ended.append)
    monkeypatch.setattr(emulator, "_answers", interrupted)
    monkeypatch.setattr(sys, "executable", program(tmp_path, "exec sleep 60"))
    with pytest.raises(KeyboardInterrupt):
        emulator.start_emulator()
    [pid] = ended
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_ctrl_c_while_its_process_is_being_made_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[int] = []
    popen = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        process = popen(*arguments, **options)
        process.returncode = 0  # as the emulator does: from here on only its id counts
        made.append(process.pid)
        signal.raise_signal(signal.SIGINT)
        return process

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    monkeypatch.setattr(sys, "executable", program(tmp_path, "exec sleep 60"))
    # Where the tests run in the background of a shell, the signal is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            emulator.start_emulator()
    finally:
        signal.signal(signal.SIGINT, before)
    [pid] = made
    try:
        assert not is_running(pid)
    finally:
        emulator.stop_emulator(Emulator("", pid, {}))


def test_stop_ends_a_process_that_listens_to_it() -> None:
    polite = process("echo up; exec sleep 60")
    emulator.stop_emulator(polite)
    assert not is_running(polite.pid)


def test_stop_ends_a_process_by_force_that_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "_END_SECONDS", 0.3)
    deaf = process("trap '' TERM; echo up; exec sleep 60")
    started = time.monotonic()
    emulator.stop_emulator(deaf)
    assert not is_running(deaf.pid)
    assert time.monotonic() - started >= 0.3


def test_a_process_that_has_ended_by_itself_is_no_trouble() -> None:
    gone = process("echo bye")
    emulator.stop_emulator(gone)
    emulator.stop_emulator(gone)


def test_stop_leaves_a_process_alone_that_is_not_its_own(tmp_path: Path) -> None:
    own_id = tmp_path / "pid"
    emulator.stop_emulator(process(f"sleep 60 >&- & echo $! > {own_id}; echo up"))
    stranger = int(own_id.read_text())
    emulator.stop_emulator(Emulator("", stranger, {}))
    try:
        assert is_running(stranger)
    finally:
        os.kill(stranger, signal.SIGKILL)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[Emulator]:
    """What was stopped, while `start_emulator` starts nothing."""
    ended: list[Emulator] = []
    monkeypatch.setattr(emulator, "start_emulator", lambda: Emulator("http://127.0.0.1:1", 1, {}))
    monkeypatch.setattr(emulator, "stop_emulator", ended.append)
    return ended


@pytest.mark.parametrize(("keep", "times"), [(False, 1), (True, 0)])
def test_it_ends_with_the_block_unless_it_is_kept(stopped: list[Emulator], *, keep: bool, times: int) -> None:
    with emulator.run_emulator(keep=keep) as started:
        assert stopped == []
    assert stopped == [started] * times


@pytest.mark.parametrize("keep", [False, True])
def test_it_ends_with_a_block_that_fails_even_if_it_was_to_be_kept(stopped: list[Emulator], *, keep: bool) -> None:
    with pytest.raises(KeyboardInterrupt), emulator.run_emulator(keep=keep):
        raise KeyboardInterrupt
    assert len(stopped) == 1


def test_without_a_proxy_the_environment_says_nothing_of_one(no_proxy_settings: pytest.MonkeyPatch) -> None:
    no_proxy_settings.setenv("https_proxy", "http://proxy.invalid:3128")
    assert "no_proxy" not in make_client_environment("http://127.0.0.1:1")


@pytest.mark.parametrize("already", ["127.0.0.1,corp.invalid", "*"])
def test_loopback_that_passes_a_proxy_already_stays_so(no_proxy_settings: pytest.MonkeyPatch, already: str) -> None:
    no_proxy_settings.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    no_proxy_settings.setenv("NO_PROXY", already)
    assert "no_proxy" not in make_client_environment("http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("already", "expected"), [(None, "127.0.0.1"), ("corp.invalid,.local", "corp.invalid,.local,127.0.0.1")]
)
def test_loopback_is_taken_past_a_proxy(
    no_proxy_settings: pytest.MonkeyPatch, already: str | None, expected: str
) -> None:
    no_proxy_settings.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    if already:
        no_proxy_settings.setenv("NO_PROXY", already)
    assert make_client_environment("http://127.0.0.1:1")["no_proxy"] == expected
