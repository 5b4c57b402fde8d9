"""`janitor demo` as a newcomer meets it: read in part, and what it says to try next."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import fake_aws

COMMAND = Path(sys.executable).with_name("janitor")


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


@pytest.mark.parametrize(
    ("command", "program"),
    [([COMMAND], "janitor"), ([sys.executable, "-m", "janitor"], f"{sys.executable} -m janitor")],
    ids=["the command", "the module, as make run starts it"],
)
def test_what_it_says_to_try_next_is_typed_as_it_was_itself(
    command: list[str | Path], program: str, tmp_path: Path
) -> None:
    environment = {**fake_aws(tmp_path), "PATH": os.environ["PATH"]}
    said = subprocess.run([*command, "demo"], capture_output=True, env=environment, text=True, check=True).stdout
    _, tries = said.split("Try next:\n")
    first, second = tries.splitlines()
    assert first.startswith(f"  {program} demo --keep ")
    assert second.startswith(f"  {program} scan --deployment NAME ")
