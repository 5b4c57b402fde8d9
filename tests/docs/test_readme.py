"""The first page: short, and its commands are ones that the program knows."""

import re
import shlex
from pathlib import Path

import click
import pytest

from janitor.cli.app import cli

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 200
COMMANDS = re.findall(r"^    (janitor .*?)(?: +#.*)?$", README, re.MULTILINE)
TARGETS = re.findall(r"\bmake ([a-z-]+)", README)


def links_of(page: str) -> list[str]:
    return sorted({link for link in re.findall(r"\]\(([^)]+)\)", page) if "://" not in link})


def parse(line: str) -> click.Context:
    """Parse a command line as the program would, down to the options of the last command, and run nothing."""
    _, *words = shlex.split(line)
    command: click.Command = cli
    context = click.Context(cli, info_name="janitor")
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r} in `{line}`"
        command, context = found, click.Context(found, info_name=name, parent=context)
    return command.make_context(str(command.name), words, parent=context.parent)


def test_the_first_page_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_first_page_has_options_that_the_program_knows(line: str) -> None:
    assert parse(line).command.name == next(word for word in shlex.split(line)[1:] if not word.startswith("-"))


def test_an_option_that_there_is_not_is_noticed() -> None:
    with pytest.raises(click.NoSuchOption):
        parse("janitor scan --deployment prod --delete")


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_a_target_of_the_first_page_is_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_there_are_commands_and_pictures_on_the_first_page() -> None:
    assert {shlex.split(line)[1] for line in COMMANDS} == {"doctor", "scan", "sweep", "restore", "run", "serve"}
    assert {"run", "test"} <= set(TARGETS)
    assert {"docs/pictures/report.svg", "docs/pictures/report-page.png"} <= set(links_of(README))
