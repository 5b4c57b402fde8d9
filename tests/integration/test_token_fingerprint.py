"""`janitor token fingerprint`, and what a shell is offered to complete."""

import hashlib
import hmac
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import janitor

TOKEN = "0f1e" * 32
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_piped_token_is_named_without_its_line_end(end: str) -> None:
    said = janitor("token", "fingerprint", input=TOKEN + end, env={"AWS_REGION": None})
    assert (said.code, said.out, said.err) == (0, f"{HASH[:12]}\n", "")


def test_a_key_file_makes_it_what_reports_say(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    said = janitor("token", "fingerprint", "--fingerprint-key-file", str(tmp_path / "secret"), input=TOKEN)
    assert said.out == hmac.new(b"s3cret", HASH.encode(), hashlib.sha256).hexdigest()[:12] + "\n"


def test_nothing_is_no_token_and_a_file_is_none_either() -> None:
    empty = janitor("token", "fingerprint", input="\n")
    assert (empty.code, empty.out) == (2, "")
    assert "there is no token on standard input" in empty.err
    assert janitor("token", "fingerprint", input="x" * 70_000).code == 2


@pytest.mark.parametrize("command", [["fingerprint"], ["add", "--expires-in", "1h", "--table", "t"]])
def test_a_token_on_the_command_line_is_refused_and_not_repeated(command: list[str]) -> None:
    said = janitor("token", *command, TOKEN)
    assert (said.code, said.out) == (2, "")
    assert "never taken from the command line" in said.err
    assert TOKEN[:8] not in said.err


def test_a_terminal_is_asked_without_an_echo() -> None:
    person, program = pty.openpty()
    command = [sys.executable, "-m", "janitor", "token", "fingerprint"]
    with subprocess.Popen(
        command, stdin=program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        os.close(program)
        assert process.stderr is not None
        prompt = b"Token (it is not shown): "
        # What is typed before the prompt stands would be echoed, as in any shell.
        assert process.stderr.read(len(prompt)) == prompt
        os.write(person, f"{TOKEN}\n".encode())
        out, err = process.communicate(timeout=60)
    os.set_blocking(person, False)
    try:
        echoed = os.read(person, 65_536)
    except OSError:
        echoed = b""
    finally:
        os.close(person)
    assert (process.returncode, out.decode(), err.decode()) == (0, f"{HASH[:12]}\n", "\n")
    assert TOKEN[:8].encode() not in echoed


def test_it_needs_neither_aws_nor_its_library() -> None:
    program = (
        "import sys; from janitor.cli.app import main; main(); sys.exit(any('boto' in name for name in sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "token", "fingerprint"], input=TOKEN.encode(), capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout.decode()) == (0, f"{HASH[:12]}\n")


def test_a_shell_completes_commands_and_options() -> None:
    def offered(words: str) -> list[str]:
        count = str(len(words.split(" ")) - 1)
        completing = {"_JANITOR_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
        return [line.partition(",")[2] for line in janitor(env=completing).out.splitlines()]

    commands = ["add", "list", "show", "extend", "rotate", "revoke", "remove", "import", "fingerprint"]
    assert offered("janitor token ") == commands
    assert offered("janitor token add --expires-") == ["--expires-in", "--expires-at"]
