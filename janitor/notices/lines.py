"""Text set in lines for a mailbox: at most 78 columns, the width that every mail program shows whole (RFC 5322)."""

import unicodedata
from collections.abc import Iterator

WIDTH = 78


def columns(text: str) -> int:
    """How many columns a text takes: two for each wide character, as of Chinese or Japanese."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def set_in_lines(text: str, *, first: str = "", rest: str = "") -> list[str]:
    """The text in lines of at most 78 columns, broken at spaces, and within a word only where it fills a line.

    Args:
        text: printable, in one line (`janitor.tokens.printable`).
        first: what the first line begins with.
        rest: what the others begin with.
    """
    if columns(first + text) <= WIDTH:
        return [first + text]
    longest_word = WIDTH - max(columns(first), columns(rest))
    lines, line, has_word = [], first, False
    for piece, is_new_word in _pieces(text, longest_word):
        joined = f"{line} {piece}" if has_word and is_new_word else line + piece
        if has_word and columns(joined) > WIDTH:
            lines.append(line)
            joined = rest + piece
        line, has_word = joined, True
    return [*lines, line]


def _pieces(text: str, room: int) -> Iterator[tuple[str, bool]]:
    """The words, those too long for a line in pieces as long as it, and whether each piece begins a word."""
    for word in text.split(" "):
        if not word:
            continue
        piece, width, is_new_word = "", 0, True
        for character in word:
            step = columns(character)
            if width + step > room:
                yield piece, is_new_word
                piece, width, is_new_word = "", 0, False
            piece, width = piece + character, width + step
        yield piece, is_new_word
