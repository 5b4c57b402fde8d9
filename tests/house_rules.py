"""The rules of this house that no linter knows: `python tests/house_rules.py` prints a line for each violation.

`--write-readme` puts the commands' help texts into the README anew.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

VAGUE_NAMES = {"utils", "helpers", "common", "manager", "constants"}
# Written so that the pattern does not find itself.
UNFINISHED = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X)\b")
HELP_COLUMNS = 110
HELP_SECONDS = 60
HELP_BLOCK = re.compile(r"<!-- help:(?P<command>[a-z -]*)-->\n(?P<text>.*?)<!-- /help -->", re.DOTALL)
HELP_START = "<!-- help:"

HelpOf = Callable[[str], str]
"""Gives a command's help text: of `janitor scan --help` for `scan`, of `janitor --help` for an empty string."""


class HelpError(Exception):
    """A command did not say its help text."""


def prints(source: str, where: str) -> list[str]:
    """Return a line for each call of the built-in `print` in this module."""
    return [
        f"{where}:{node.lineno}: print( outside cli"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def unfinished(text: str, where: str) -> list[str]:
    """Return a line for each mark of unfinished work in this text."""
    return [
        f"{where}:{number}: {mark[0]} left in"
        for number, line in enumerate(text.splitlines(), start=1)
        for mark in UNFINISHED.finditer(line)
    ]


def vague_names(folder: Path) -> list[str]:
    """Return a line for each module or package below this folder whose name says nothing of what is in it."""
    return [
        f"{path.relative_to(folder.parent)}: a name that says nothing of what is in it"
        for path in sorted(folder.rglob("*"))
        if path.stem in VAGUE_NAMES and (path.suffix == ".py" or path.is_dir())
    ]


def stale_help(readme: str, help_of: HelpOf) -> list[str]:
    """Return a line for each help block of this README that is not what the command says, or has no end."""
    blocks = list(HELP_BLOCK.finditer(readme))
    found = [f"README.md:{_line_of(block)}: {fault}" for block in blocks if (fault := _fault(block, help_of))]
    if unended := readme.count(HELP_START) - len(blocks):
        found.append(f"README.md: {unended} help blocks are not `<!-- help: COMMAND -->` … `<!-- /help -->`")
    return found


def with_fresh_help(readme: str, help_of: HelpOf) -> str:
    """Return this README with every help block as the command says it now."""

    def fresh(block: re.Match[str]) -> str:
        start = block[0][: block.start("text") - block.start()]
        return f"{start}{_fenced(help_of(block['command'].strip()))}<!-- /help -->"

    return HELP_BLOCK.sub(fresh, readme)


def help_of_command(command: str) -> str:
    """Return what `janitor COMMAND --help` prints, at a set width and with no setting of this machine.

    Raises:
        HelpError: It did not print it.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JANITOR_")}
    run = subprocess.run(
        [sys.executable, "-m", "janitor", *command.split(), "--help"],
        cwd=ROOT,
        env={**kept, "COLUMNS": str(HELP_COLUMNS)},
        capture_output=True,
        text=True,
        timeout=HELP_SECONDS,
        check=False,
    )
    if run.returncode != 0:
        first_line = run.stderr.strip().partition("\n")[0]
        raise HelpError(f"`{_called(command)}` ended with code {run.returncode}: {first_line}")
    return run.stdout


def violations(root: Path, help_of: HelpOf) -> Iterator[str]:
    """Yield a line for each violation in the project below this folder."""
    for path in _files(root, "janitor", ending=".py"):
        if not path.is_relative_to(root / "janitor" / "cli"):
            yield from prints(path.read_text(encoding="utf-8"), str(path.relative_to(root)))
    for path in _files(root, "janitor", "tests", "schedules", "deploy"):
        yield from unfinished(path.read_text(encoding="utf-8", errors="replace"), str(path.relative_to(root)))
    for folder in ("janitor", "tests"):
        yield from vague_names(root / folder)
    yield from stale_help((root / "README.md").read_text(encoding="utf-8"), help_of)


def main(arguments: list[str]) -> int:
    """Check the project, or write its README anew, and return the exit code."""
    if arguments == ["--write-readme"]:
        return _write_readme(ROOT / "README.md")
    found = list(violations(ROOT, help_of_command))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


def _write_readme(readme: Path) -> int:
    try:
        fresh = with_fresh_help(readme.read_text(encoding="utf-8"), help_of_command)
    except HelpError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    readme.write_text(fresh, encoding="utf-8")
    return 0


def _files(root: Path, *folders: str, ending: str = "") -> list[Path]:
    every = [path for folder in folders for path in sorted((root / folder).rglob(f"*{ending}"))]
    return [path for path in every if path.is_file() and "__pycache__" not in path.parts]


def _fault(block: re.Match[str], help_of: HelpOf) -> str:
    """Return what is wrong with this help block, an empty string when nothing is."""
    try:
        is_fresh = block["text"] == _fenced(help_of(block["command"].strip()))
    except HelpError as error:
        return str(error)
    return "" if is_fresh else f"not the help of `{_called(block['command'])}`: run `make format`"


def _line_of(block: re.Match[str]) -> int:
    return block.string.count("\n", 0, block.start()) + 1


def _called(command: str) -> str:
    return " ".join(["janitor", *command.split(), "--help"])


def _fenced(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
