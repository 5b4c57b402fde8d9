"""The tutorial as a reader follows it: each command, in order, on a terminal, and what the page says that it prints."""

import http.client
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import fake_aws, janitor, on_screen, started

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
# A command with what it prints, a file to write, or a change of one.
STEPS = re.compile(
    r"^```console\n(?P<console>.*?)^```"
    r'|^```toml title="(?P<path>[^"]+)"\n(?P<content>.*?)^```'
    r"|change `(?P<old>[^`]+)` to `(?P<new>[^`]+)` in\s+`(?P<changed>[^`]+)`",
    re.MULTILINE | re.DOTALL,
)
LEFT_OUT = "…"
COLUMNS = 100


@dataclass(frozen=True)
class Command:
    """A command of the page, and the lines that the page shows of its output."""

    line: str
    quoted: list[str]


def commands_of(console: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        line, *quoted = part.splitlines()
        yield Command(line, [each for each in quoted if each != LEFT_OUT])


def squeeze(text: str) -> str:
    """The text with one space for each run of spaces: how wide a column is depends on the terminal."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def assert_quoted(command: Command, output: str) -> None:
    """Each quoted line is printed, in the page's order; `…` in it stands for anything."""
    rest = squeeze(output)
    for line in command.quoted:
        pattern = ".*".join(map(re.escape, squeeze(line).split(LEFT_OUT)))
        found = re.search(pattern, rest)
        assert found, f"`{command.line}` does not print {line!r} there, but:\n{output}"
        rest = rest[found.end() :]


@dataclass(frozen=True)
class Demo:
    """A demo that keeps running: what it printed, and the variables that point to it."""

    output: str
    environment: dict[str, str]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    (tmp_path / "demo").mkdir()
    environment = {**fake_aws(tmp_path), "PATH": os.environ["PATH"], "TMPDIR": str(tmp_path / "demo")}
    command = [sys.executable, "-m", "janitor", "demo", "--keep"]
    output = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    ended = re.search(r"^To end it: kill (\d+); rm -r \S+; unset ", output, re.MULTILINE)
    assert ended
    try:
        [export] = re.findall(r"^  export (.*)$", output, re.MULTILINE)
        yield Demo(output, dict(word.split("=", 1) for word in shlex.split(export)))
    finally:
        os.kill(int(ended[1]), signal.SIGTERM)


def serve(words: list[str], environment: dict[str, str]) -> None:
    """Start the daemon on a free port, open its page as the tutorial says, and end it."""
    with started(*words, "--listen", "127.0.0.1:0", env=environment) as daemon:
        found = (re.search(r'"pages": "http://([^/]+)/"', line) for line in daemon.stderr)
        connection = http.client.HTTPConnection(next(each[1] for each in found if each), timeout=20)
        connection.request("GET", "/")
        assert "nightly" in connection.getresponse().read().decode()
        connection.close()
        daemon.send_signal(signal.SIGINT)
        daemon.communicate(60)
        assert daemon.returncode in (0, 130)


def test_every_command_of_the_tutorial_works_and_prints_what_the_page_says(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tutorial"
    folder.mkdir()
    monkeypatch.chdir(folder)
    ran = []
    for step in STEPS.finditer(PAGE):
        if step["path"]:
            Path(step["path"]).parent.mkdir(exist_ok=True)
            Path(step["path"]).write_text(step["content"], encoding="utf-8")
        elif step["changed"]:
            before = Path(step["changed"]).read_text(encoding="utf-8")
            assert before.count(step["old"]) == 1
            Path(step["changed"]).write_text(before.replace(step["old"], step["new"]), encoding="utf-8")
        for command in commands_of(step["console"] or ""):
            program, *words = shlex.split(command.line)
            ran.append(words[0])
            assert program == "janitor"
            if words == ["demo", "--keep"]:
                assert_quoted(command, demo.output)
            elif words[0] == "serve":
                serve(words, demo.environment)
            else:
                finished = janitor(*words, env=demo.environment, input="y\n", tty=True, columns=COLUMNS)
                output = on_screen(finished.out) + on_screen(finished.err)
                assert finished.code == 0, (command.line, output)
                assert_quoted(command, output)
    assert set(ran) == {
        "demo",
        "scan",
        "doctor",
        "sweep",
        "plan",
        "apply",
        "archive",
        "restore",
        "token",
        "run",
        "serve",
    }
