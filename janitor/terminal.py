"""What a stream's terminal can show: a moving cursor, colors."""

import os
from typing import TextIO

# The TERM of terminals without escape sequences, as of Emacs' shell and some CI systems.
_DUMB = frozenset({"", "dumb", "unknown"})


def is_terminal(stream: object) -> bool:
    """Whether this stream is a terminal; a stream that was closed before the start is None."""
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and bool(isatty())


def moves_its_cursor(stream: TextIO) -> bool:
    """Whether this is a terminal with escape sequences, so that a bar can be redrawn in place."""
    return stream.isatty() and os.environ.get("TERM", "").strip().lower() not in _DUMB


def shows_colours(stream: TextIO) -> bool:
    """Whether this is such a terminal, and NO_COLOR is not set."""
    return moves_its_cursor(stream) and "NO_COLOR" not in os.environ
