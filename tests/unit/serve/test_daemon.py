"""What keeps a daemon from starting."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from janitor.cli.serve import command
from janitor.errors import ConfigurationError, ExitCode
from janitor.serve.daemon import DaemonSettings, LoopWatchdog, serve
from janitor.serve.signals import ignore_hangups, queue_signals
from janitor.settings.serve import Address, parse_address


def test_an_address_is_a_host_and_a_port() -> None:
    assert parse_address("127.0.0.1:8080") == Address("127.0.0.1", 8080)
    assert parse_address("localhost:0") == Address("localhost", 0)
    assert str(parse_address("[::1]:80")) == "[::1]:80"
    for text in ("", "8080", ":8080", "::1:80", "[::1]", "host:", "host:x", "host:65536", "host:-1", "host:\u0663"):
        with pytest.raises(ValueError, match="is not HOST:PORT"):
            parse_address(text)


def test_a_taken_port_a_missing_folder_and_a_state_in_use_are_one_line_each(tmp_path: Path) -> None:
    def refused(folder: Path, listen: Address, state: Path) -> str:
        with pytest.raises(ConfigurationError) as raised:
            serve(DaemonSettings(folder=folder, listen=listen, state=state, environment={}), print_address=pytest.fail)
        assert raised.value.exit_code == ExitCode.USAGE
        return str(raised.value)

    free, state = Address("127.0.0.1", 0), tmp_path / "state"
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = Address("127.0.0.1", other.getsockname()[1])
        assert refused(tmp_path, taken, state) == (
            f"--listen {taken}: Address already in use; give another address or port"
        )
    assert refused(tmp_path / "none", free, state) == (
        f"{tmp_path}/none is not a folder; give the folder that holds the schedule files"
    )
    (tmp_path / "file").write_text("")
    assert refused(tmp_path, free, tmp_path / "file" / "state").startswith(f"{tmp_path}/file/state cannot be written: ")


def test_a_hangup_while_it_starts_is_ignored_and_one_after_it_queued() -> None:
    before = signal.getsignal(signal.SIGHUP)
    with ignore_hangups():
        os.kill(os.getpid(), signal.SIGHUP)
        with queue_signals() as signals:
            assert signals.wait(0) == []
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.wait(10) == [signal.SIGHUP]
    assert signal.getsignal(signal.SIGHUP) == before


def test_without_its_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("daemon", "page_server"):
        monkeypatch.delitem(sys.modules, f"janitor.serve.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigurationError) as raised:
        command.main([str(tmp_path)], standalone_mode=False)
    assert str(raised.value) == (
        "`janitor serve` needs uvicorn, which is not installed; pip install 'token-janitor[serve]'"
    )


def test_a_loop_that_does_not_pass_for_half_a_minute_does_not_beat() -> None:
    now = 100.0
    watchdog = LoopWatchdog(lambda: now)
    now += 30
    assert watchdog.is_beating
    now += 1
    assert not watchdog.is_beating
    watchdog.beat()
    assert watchdog.is_beating
