"""Wraps text for mailboxes at 72 columns: the 78 that every mail program shows (RFC 5322), less room to be quoted."""

import unicodedata
from collections.abc import Iterator

WIDTH = 72


def display_width(text: str) -> int:
    """How many columns a text takes: two for each wide character, for example in Chinese."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def wrap_text(text: str, *, first: str = "", rest: str = "", splits_words: bool = True) -> list[str]:
    """Wrap a text at spaces, and within a word that is longer than a line.

    Args:
        text: printable, on one line (`janitor.tokens.printable`).
        first: what the first line begins with.
        rest: what the other lines begin with.
        splits_words: whether a word longer than a line is split; an address that is to be followed is not.
    """
    if display_width(first + text) <= WIDTH:
        return [first + text]
    longest_word = WIDTH - max(display_width(first), display_width(rest)) if splits_words else len(text) * 2
    lines, line, has_word = [], first, False
    for piece, is_new_word in _split_words(text, longest_word):
        joined = f"{line} {piece}" if has_word and is_new_word else line + piece
        if has_word and display_width(joined) > WIDTH:
            lines.append(line)
            joined = rest + piece
        line, has_word = joined, True
    return [*lines, line]


def cut_to_line(text: str) -> str:
    """Return as much of the text as a line holds, with an ellipsis if that is not all."""
    if display_width(text) <= WIDTH:
        return text
    while display_width(text) > WIDTH - 1:
        text = text[:-1]
    return f"{text}…"


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
