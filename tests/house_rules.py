"""The rules of this house that no linter knows: `python tests/house_rules.py` prints a line for each violation.

`--write-reference` writes the pages of docs/reference that are made from the code.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.reference.pages import build_pages, find_stale_pages, write_pages  # noqa: E402  # after the path to it

VAGUE_NAMES = {"utils", "helpers", "common", "manager", "constants"}
# Written so that the pattern does not find itself.
UNFINISHED = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X)\b")


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


def violations(root: Path, reference: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each violation in the project below this folder, whose generated pages should be these."""
    for path in _files(root, "janitor", ending=".py"):
        if not path.is_relative_to(root / "janitor" / "cli"):
            yield from prints(path.read_text(encoding="utf-8"), str(path.relative_to(root)))
    for path in _files(root, "janitor", "tests", "schedules", "deploy"):
        yield from unfinished(path.read_text(encoding="utf-8", errors="replace"), str(path.relative_to(root)))
    for folder in ("janitor", "tests"):
        yield from vague_names(root / folder)
    yield from find_stale_pages(root / "docs" / "reference", reference)


def main(arguments: list[str]) -> int:
    """Check the project, or write its generated pages anew, and return the exit code."""
    if arguments == ["--write-reference"]:
        write_pages(ROOT / "docs" / "reference", build_pages())
        return 0
    found = list(violations(ROOT, build_pages()))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


def _files(root: Path, *folders: str, ending: str = "") -> list[Path]:
    every = [path for folder in folders for path in sorted((root / folder).rglob(f"*{ending}"))]
    return [path for path in every if path.is_file() and "__pycache__" not in path.parts]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
