"""What the tests themselves are built on: children that end with the tests, and runs that are like new interpreters."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.command import is_running, janitor
from tests.forked import ForkedProcess

SECONDS = 60
ENVIRONMENT = {"PATH": os.environ["PATH"]}
# Starts a child that writes where the test reads, says which one it is, and is killed.
KILLED_TESTS = """
import os, signal, sys
from tests.forked import ForkedProcess, temporary_folder

folder = temporary_folder("left-")
child = ForkedProcess(["sh", "-c", sys.argv[1]], dict(os.environ), output=1)
print(child.pid, folder.name, flush=True)
os.read(0, 1)
os.kill(os.getpid(), signal.SIGKILL)
"""


def finished(
    *command: str, environment: Mapping[str, str] = ENVIRONMENT, folder: Path | None = None
) -> tuple[int, str]:
    with contextlib.closing(ForkedProcess(command, environment, folder=folder)) as process:
        out, err = process.communicate(SECONDS)
        return process.wait(), out + err


@pytest.mark.parametrize(
    "script",
    ["echo ready; exec sleep 600", "sleep 600 & trap 'echo ended; kill $! 2>/dev/null; exit' TERM; echo ready; wait"],
)
def test_a_child_ends_when_the_tests_are_killed(script: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_TESTS, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        first, ready = sorted(tests.stdout.readline() for _ in range(2))
        number, left = first.split()
        assert Path(left).is_dir()
        out, _ = tests.communicate(" ", timeout=SECONDS)  # the pipe ends when the last one that can write to it has
    assert tests.returncode == -signal.SIGKILL
    assert not is_running(int(number))
    assert not Path(left).parent.exists()
    assert ready == "ready\n"
    assert out == ("ended\n" if "trap" in script else "")


def test_a_child_has_its_own_environment_folder_and_session(tmp_path: Path) -> None:
    script = 'echo "$A $HOME"; pwd; ps -o sid= -p $$ | tr -d " "; echo $$'
    code, out = finished("sh", "-c", script, environment={**ENVIRONMENT, "A": "b"}, folder=tmp_path)
    variables, folder, session, pid = out.splitlines()
    assert (code, variables, folder, session) == (0, "b ", str(tmp_path), pid)


def test_a_child_ends_with_its_code_or_its_signal() -> None:
    assert finished("sh", "-c", "exit 7")[0] == 7
    assert finished("sh", "-c", "kill -9 $$")[0] == -signal.SIGKILL


def test_what_a_child_wrote_before_a_time_out_is_not_lost() -> None:
    script = "sleep 600 & trap 'echo last; kill $! 2>/dev/null; exit' TERM; echo ready; echo first; wait"
    with contextlib.closing(ForkedProcess(["sh", "-c", script], ENVIRONMENT)) as process:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.1)
        process.terminate()
        assert process.communicate(SECONDS) == ("first\nlast\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["scan", "--help"],
        ["scan", "--grace", "soon"],
        ["schema", "report"],
        ["token", "fingerprint"],
        [],
    ],
)
def test_a_forked_run_is_like_one_of_a_new_interpreter(arguments: list[str]) -> None:
    text = "a token\n"
    assert janitor(*arguments, input=text) == janitor(*arguments, input=text, anew=True)
