"""Lines on standard error that say what went wrong; of a run of `janitor serve` its page shows the last ones too."""

import contextlib
import os

import click

from janitor.tokens.printable import printable

# The file that the lines of a run are added to as well. `janitor serve` sets it for its runs.
FILE_VARIABLE = "JANITOR_ERROR_FILE"
PREFIX = "janitor: "


def print_error(sentence: str) -> None:
    """Print what went wrong on standard error.

    Args:
        sentence: one or more lines. They may repeat names from a table, a file or the command line.

    Raises:
        OSError: standard error takes nothing.
    """
    lines = "\n".join(printable(line) for line in f"{PREFIX}{sentence}".split("\n"))
    if path := os.environ.get(FILE_VARIABLE):
        # The page can do without; the run must not fail for it.
        with contextlib.suppress(OSError):
            _append(path, f"{lines}\n")
    click.echo(lines, err=True)


def _append(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
