"""Every page of the site: it says what it is for, and its commands, variables and files are ones that there are."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from janitor.cli.app import cli
from janitor.cli.variables import list_known_variables
from tests.forked import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
GENERATED = ROOT / "docs" / "reference"
# A command begins a line or follows what a shell puts before one, an assignment to a variable too.
COMMAND = re.compile(r"(?:^|[|;&(]|\$\()\s*((?:[A-Z_]+=(?:'[^']*'|\S+) )*(?:/\S+/)?janitor(?: [^|;&)\n]*)?)")
# What a Lambda function reads, and what Kubernetes sets for a Service named janitor.
OTHER_VARIABLES = {"JANITOR_SCHEDULE", "JANITOR_SERVICE_HOST", "JANITOR_PORT"}
# Files that the reader of the tutorial writes.
WRITTEN_BY_READERS = {"schedules/nightly.toml"}


def code_of(page: str) -> Iterator[str]:
    """The lines of code of a page, each with the lines that it is continued on, without comments."""
    fenced = re.findall(r"^```(?:bash|console|shell|sh|text)?\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"(?:^(?: {4,}|\t).*\n)+", page, re.MULTILINE)
    for block in (*fenced, *indented):
        for line in block.replace("\\\n", " ").splitlines():
            yield re.sub(r"\s#.*$", "", line.strip().removeprefix("$ "))


def commands_of(page: str) -> Iterator[list[str]]:
    """The words of each call of janitor in a page's code, without variables before it and what is redirected."""
    for line in code_of(page):
        for found in COMMAND.finditer(line):
            text = re.split(r" [12]?[<>]", found[1])[0].rstrip("'\"`") if found[1].count("'") % 2 else found[1]
            words = shlex.split(re.split(r" [12]?[<>]", text)[0])
            while words and "=" in words[0] and not words[0].endswith("janitor"):
                words.pop(0)
            if len(words) > 1:
                yield words[1:]


def find_fault(words: list[str]) -> str:
    """What is wrong with these words behind `janitor`: a command or an option that there is not; empty for nothing."""
    command: click.Command = cli
    context = click.Context(cli, info_name="janitor")
    rest = list(words)
    while isinstance(command, click.Group):
        if not rest or not re.fullmatch(r"[a-z-]+", rest[0]):
            break
        name = rest.pop(0)
        found = command.get_command(context, name)
        if found is None:
            return f"there is no command {name}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.partition("=")[0] for word in rest if word.startswith("--")}
    return ", ".join(sorted(given - known - {"--help", "--version"}))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "docs")))
def test_the_commands_of_a_page_are_ones_that_the_program_takes(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert {" ".join(words): fault for words in commands_of(page) if (fault := find_fault(words))} == {}


def test_a_command_that_there_is_not_is_noticed() -> None:
    lines = ("TOKEN=$(janitor token ad --deployment prod)", "JANITOR_TABLE=x janitor scan --tabel x > f  # and --so")
    page = "".join(f"    {line}\n" for line in lines)
    assert [find_fault(words) for words in commands_of(page)] == ["there is no command ad", "--tabel"]


def test_the_pages_have_commands_to_check() -> None:
    assert sum(len(list(commands_of(path.read_text(encoding="utf-8")))) for path in PAGES) > 100


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "docs")))
def test_the_variables_of_a_page_are_ones_that_the_program_reads(path: Path) -> None:
    named = set(re.findall(r"\bJANITOR_[A-Z][A-Z_]*\b", path.read_text(encoding="utf-8")))
    assert named <= list_known_variables(cli) | OTHER_VARIABLES


@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if path.parent.name in ("how-to", "explanation", "reference")],
    ids=lambda path: str(path.relative_to(ROOT / "docs")),
)
def test_a_page_opens_with_what_its_reader_can_do_after_it(path: Path) -> None:
    content = re.sub(r"\A---\n.*?\n---\n+", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    title, _, opening = content.partition("\n\n")
    assert re.fullmatch(r"# .+", title)
    assert opening.startswith("After this page you ")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "docs")))
def test_the_files_that_a_page_names_are_there(path: Path) -> None:
    named = re.findall(
        r"`((?:deploy|schedules|tests|janitor|requirements)/[\w./-]+)`", path.read_text(encoding="utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists() and name not in WRITTEN_BY_READERS] == []


def test_every_schedule_file_is_in_the_table_of_those_to_copy() -> None:
    page = (ROOT / "docs" / "how-to" / "schedules.md").read_text(encoding="utf-8")
    files = {f"schedules/{path.name}" for path in (ROOT / "schedules").glob("*.toml")}
    assert set(re.findall(r"^\| `(schedules/[\w-]+\.toml)` \|", page, re.MULTILINE)) == files
