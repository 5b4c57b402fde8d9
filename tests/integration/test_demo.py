"""`janitor demo` as a newcomer meets it: read in part, and what it says to try next."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from janitor.cli.demo import _find_program
from tests.command import fake_aws

COMMAND = Path(sys.executable).with_name("janitor")
MODULE = [sys.executable, "-m", "janitor"]


def test_a_reader_that_has_seen_enough_is_no_failure(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        finished = subprocess.run(
            [COMMAND, "demo"],
            stdout=writer,
            stderr=subprocess.PIPE,
            env={**fake_aws(tmp_path), "PATH": os.environ["PATH"]},
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert (finished.returncode, finished.stderr) == (0, "")


def demo(command: list[str], home: Path, *options: str) -> str:
    """What the demo prints."""
    environment = {**fake_aws(home), "PATH": os.environ["PATH"], "TMPDIR": str(home), "JANITOR_GRACE": "900d"}
    return subprocess.run(
        [*command, "demo", *options], capture_output=True, env=environment, text=True, check=True
    ).stdout


def test_it_shows_the_whole_job_and_each_act_fits_on_a_screen(tmp_path: Path) -> None:
    said = demo(MODULE, tmp_path)
    program = f"{sys.executable} -m janitor"
    start, scan, sweep, notice = re.split(r"\n── .* ─+\n", said)
    assert "holds the table demo-LISAApiBaseTokenTable with 317 made-up tokens" in start
    assert scan.startswith(f"$ {program} scan --deployment demo\n")
    assert sweep.startswith(f"$ {program} sweep --deployment demo\n")
    assert all(words in scan for words in ("active ", "stale ", "more lines, not shown here"))
    # A variable of the user's shell changes nothing, and what the scan showed is not shown again.
    assert "Dry run, nothing was deleted: 36 rows would be" in sweep
    assert re.findall(r"janitor sweep", sweep) == re.findall(
        rf"(?<={re.escape(sys.executable)} -m )janitor sweep", sweep
    )
    assert "Due soonest" in scan
    assert "Due soonest" not in sweep
    assert max(len(act.splitlines()) for act in (scan, sweep, notice)) < 60
    # The mail as its owner gets it, and nobody else's.
    mail = notice.partition("To: ")[2].partition("The report as a page: ")[0]
    owner = mail.partition("\n")[0]
    assert re.search(rf"\nSubject: Token [0-9a-f]{{12}} of {re.escape(owner)} expires in ", mail)
    assert "LISA rejects this token" in " ".join(mail.split())
    assert max(map(len, mail.splitlines()[2:])) <= 72
    page = Path(notice.partition("The report as a page: ")[2].partition("\n")[0])
    assert "<html" in page.read_text()
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]
    first, second = said.partition("Try next:\n")[2].splitlines()
    assert first.startswith(f"  {program} demo --keep ")
    assert second.startswith(f"  {program} scan --deployment NAME ")


def test_what_it_says_to_try_next_works_as_it_is_printed(tmp_path: Path) -> None:
    said = demo(MODULE, tmp_path, "--keep", "--classic")
    *_, export = said.partition("Try next:")[0].strip().splitlines()
    tries, end = said.partition("Try next:\n")[2].split("\nTo end it: ")
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    def shell(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-c", script], capture_output=True, env=environment, text=True, check=False)

    try:
        # Each command stands below a line that says what it is for.
        sweep, *others = re.findall(r"^  .+:\n    (.+)$", tries, re.MULTILINE)
        assert len(others) == 3
        swept = shell(f"{export}\n{sweep} --yes --format table")
        assert (swept.returncode, "27" in swept.stdout) == (0, True), swept.stderr
        for line in others:
            finished = shell(f"{export}\n{line}")
            assert finished.returncode == 0, (line, finished.stderr)
        assert '"deleted": 27' in shell(f"{export}\n{others[0]}").stdout
    finally:
        ended = shell(f"{export}\n{end}\nenv")
    assert (ended.returncode, "AWS_" in ended.stdout) == (0, False)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("janitor-demo-")] == []


@pytest.mark.parametrize(
    ("called", "argv", "path", "expected"),
    [
        (["python3", "-m", "janitor", "demo"], "…/__main__.py", "", "python3 -m janitor"),
        ([".venv demo/bin/python", "-m", "janitor"], "…/__main__.py", "", "'.venv demo/bin/python' -m janitor"),
        (["python3", "bin/janitor", "demo"], "bin/janitor", "bin", "janitor"),
        (["python3", "bin/janitor", "demo"], "bin/janitor", "", "bin/janitor"),
        (["python3", "bin/janitor", "demo"], "bin/janitor", "other", "bin/janitor"),
    ],
)
def test_commands_are_typed_as_the_demo_itself_was(
    called: list[str], argv: str, path: str, expected: str, *, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("bin", "other"):
        program = tmp_path / folder / "janitor"
        program.parent.mkdir()
        program.touch(mode=0o700)
    monkeypatch.setattr(sys, "orig_argv", called)
    monkeypatch.setattr(sys, "argv", [argv])
    monkeypatch.setenv("PATH", str(tmp_path / path) if path else str(tmp_path / "empty"))
    assert _find_program() == expected
