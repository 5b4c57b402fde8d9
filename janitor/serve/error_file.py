"""The file that the error lines of a job's last run are kept in (`janitor.error_lines`)."""

import os
from pathlib import Path

from janitor.error_lines import PREFIX
from janitor.tokens.printable import printable
from janitor.tokens.redact import remove_keys

_MAX_LINES = 5
_MAX_CHARACTERS = 500
_MAX_BYTES = 16_384


def read_error_lines(path: Path) -> tuple[str, ...]:
    """The last lines of the file, shortened and without what looks like a key; none if there is no file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _MAX_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ()
    # Of a longer file, the first line read is the end of one.
    lines = text.splitlines()[1 if size > _MAX_BYTES else 0 :]
    return tuple(_shorten(printable(remove_keys(line.removeprefix(PREFIX)))) for line in lines[-_MAX_LINES:])


def _shorten(line: str) -> str:
    return line if len(line) <= _MAX_CHARACTERS else f"{line[: _MAX_CHARACTERS - 1]}…"
