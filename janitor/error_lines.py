"""Lines on standard error that say what went wrong; of a run of `janitor serve` its page shows the last ones too."""

import contextlib
import os
from pathlib import Path

import click

from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys

# The file that the lines of a run are added to as well. `janitor serve` sets it for its runs.
FILE_VARIABLE = "JANITOR_ERROR_FILE"
_PREFIX = "janitor: "

_MAX_LINES = 5
_MAX_CHARACTERS = 500
_MAX_BYTES = 16_384


def print_error(sentence: str) -> None:
    """Print what went wrong on standard error.

    Args:
        sentence: one or more lines. They may repeat names from a table, a file or the command line.

    Raises:
        OSError: standard error takes nothing.
    """
    lines = [printable(line) for line in f"{_PREFIX}{sentence}".split("\n")]
    if path := os.environ.get(FILE_VARIABLE):
        # The page can do without; the run cannot fail for it.
        with contextlib.suppress(OSError):
            _append(Path(path), lines)
    click.echo("\n".join(lines), err=True)


def read_error_lines(path: Path) -> tuple[str, ...]:
    """The last lines of such a file, shortened and without what looks like a key; none if there is no file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _MAX_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ()
    # Of a file that is longer, the first line read is the end of one.
    lines = text.splitlines()[1 if size > _MAX_BYTES else 0 :]
    return tuple(_shorten(printable(remove_keys(line.removeprefix(_PREFIX)))) for line in lines[-_MAX_LINES:])


def _append(path: Path, lines: list[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.writelines(f"{remove_keys(line)}\n" for line in lines)


def _shorten(line: str) -> str:
    return line if len(line) <= _MAX_CHARACTERS else f"{line[: _MAX_CHARACTERS - 1]}…"
