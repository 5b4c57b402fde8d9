"""What a terminal understands besides text."""

import os
from typing import TextIO

# What a terminal calls itself that knows no escape sequences, as Emacs' shell and some CI systems do.
_DUMB = frozenset({"", "dumb", "unknown"})


def is_terminal(stream: object) -> bool:
    """Whether somebody may be watching this stream; one that was closed before the start is None."""
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and bool(isatty())


def moves_its_cursor(stream: TextIO) -> bool:
    """Whether this is a terminal that understands escape sequences, so that a bar can be drawn over itself."""
    return stream.isatty() and os.environ.get("TERM", "").strip().lower() not in _DUMB


def shows_colours(stream: TextIO) -> bool:
    """Whether this is such a terminal, and nobody asked for no colours (NO_COLOR)."""
    return moves_its_cursor(stream) and "NO_COLOR" not in os.environ
