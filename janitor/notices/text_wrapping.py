"""Wraps text for mailboxes at 78 columns, the width that every mail program can show (RFC 5322)."""

import unicodedata
from collections.abc import Iterator

WIDTH = 78


def display_width(text: str) -> int:
    """How many columns a text takes: two for each wide character, for example in Chinese."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def wrap_text(text: str, *, first: str = "", rest: str = "") -> list[str]:
    """Wrap a text at spaces; within a word only where the word is longer than a line.

    Args:
        text: printable, on one line (`janitor.tokens.printable`).
        first: what the first line begins with.
        rest: what the other lines begin with.
    """
    if display_width(first + text) <= WIDTH:
        return [first + text]
    longest_word = WIDTH - max(display_width(first), display_width(rest))
    lines, line, has_word = [], first, False
    for piece, is_new_word in _split_words(text, longest_word):
        joined = f"{line} {piece}" if has_word and is_new_word else line + piece
        if has_word and display_width(joined) > WIDTH:
            lines.append(line)
            joined = rest + piece
        line, has_word = joined, True
    return [*lines, line]


def _split_words(text: str, max_width: int) -> Iterator[tuple[str, bool]]:
    """Split a text into words, and words that are too long into pieces; yield whether each piece begins a word."""
    for word in text.split(" "):
        if not word:
            continue
        piece, width, is_new_word = "", 0, True
        for character in word:
            width_of_character = display_width(character)
            if width + width_of_character > max_width:
                yield piece, is_new_word
                piece, width, is_new_word = "", 0, False
            piece, width = piece + character, width + width_of_character
        yield piece, is_new_word
