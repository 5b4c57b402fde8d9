"""The page on a billion rows says what its own command prints."""

from pathlib import Path

import pytest

from tests.bench.billion import main


def test_the_page_is_what_its_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    written = Path(__file__).with_name("BILLION.md").read_text()
    (command,) = (line for line in written.splitlines() if line.startswith("    python -m tests.bench.billion "))
    main(command.partition("billion ")[2].partition(" > ")[0].split())
    assert capsys.readouterr().out == written
