"""Texts that may be shown to people: never one that gives a token away."""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from janitor.tokens.row import Row, Text, Value, text_of

LONGEST = 256

# A key as DynamoDB's JSON or a Python dictionary writes it, and any run of hex digits as long as a hash.
_KEY_IN_TEXT = re.compile(r"""(["']token["']\s*:\s*(?:\{\s*["']S["']\s*:\s*)?)(["'])(?:\\.|(?!\2).)*\2""", re.DOTALL)
_LONG_HEX = re.compile(r"[0-9a-fA-F]{40,}")
_SHORTEST_HEX = 40
REMOVED = "[removed: it holds a token]"

# A piece of text shorter than this is not hashed to see whether it is the token of a hashed row.
_SHORTEST_TOKEN = 8
_PIECES = re.compile(r"[A-Za-z0-9_-]{8,}").findall
_IS_PLAIN = re.compile(r"[A-Za-z0-9_ -]*").fullmatch
_MARK = re.compile(r"[=:/,;]").search
_MARKS = re.compile(r"[=:/,;]").finditer
_AROUND = "\"'`´“”‘’()<>[]{}.,;:!?*"  # noqa: RUF001  # the typographic quotes are meant
_MOST_AROUND = 4
_SHA256_LENGTH = 64


class RedactedTexts(NamedTuple):
    """The texts of a row as they may be shown, None where one is missing or no text."""

    name: str | None
    username: str | None
    created_by: str | None
    token_uuid: str | None


def redacted_texts(row: Row) -> RedactedTexts:
    """The row's texts, each cut to 256 characters.

    People paste a token into its own name; LISA's list even shows a legacy row's key as the name. Such a text is
    replaced whole: see `gives_away`.
    """
    key = row.key.S or ""
    return RedactedTexts(
        _shown(row.name, key), _shown(row.username, key), _shown(row.created_by, key), _shown(row.token_uuid, key)
    )


def cut(text: str) -> str:
    """The text's first 256 characters, the last of them an ellipsis where there were more."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _shown(value: Text | Value | None, key: str) -> str | None:
    text = text_of(value)
    if text is None:
        return None
    return REMOVED if gives_away(text, key) else cut(text)


def gives_away(text: str, key: str) -> bool:
    """Whether a text holds a token: the row's key, what that key is the sha256 of, or what any key or token looks like.

    LISA's own tokens are 128 hex digits and their keys 64, so a run of 40 or more is taken for one, of whatever row.
    For the row's own token the whole text is hashed, its words with and without the punctuation around them,
    its runs of letters, digits, `_` and `-`, and what stands behind a `=`, `:`, `/`, `,` or `;` in a word.
    """
    if key and key in text:
        return True
    length = len(text)
    if length < _SHORTEST_TOKEN:
        return False
    if length >= _SHORTEST_HEX and _LONG_HEX.search(text):
        return True
    if len(key) != _SHA256_LENGTH:
        return False
    pieces: Iterable[str] = _plain_pieces(text) if _IS_PLAIN(text) else _pieces(text)
    # A loop, because any() over a generator takes twice as long, and this runs for every finding.
    for piece in pieces:
        if len(piece) >= _SHORTEST_TOKEN and sha256(piece.encode("utf-8", "replace")).hexdigest() == key:
            return True
    return False


def _plain_pieces(text: str) -> list[str]:
    """The words and the whole of a text that has no punctuation, which most have not."""
    return [*text.split(), text] if " " in text else [text]


def _pieces(text: str) -> set[str]:
    words = text.split()
    pieces = {text, *words, *_PIECES(text)}
    for word in words:
        if word[0] in _AROUND or word[-1] in _AROUND or _MARK(word):
            pieces.update(_within(word))
    return pieces


def _within(word: str) -> Iterator[str]:
    """A word behind each of its marks, and each of those without some of the punctuation around it."""
    for part in (word, *(word[mark.end() :] for mark in _MARKS(word))):
        before, behind = len(part) - len(part.lstrip(_AROUND)), len(part) - len(part.rstrip(_AROUND))
        for first in range(min(before, _MOST_AROUND) + 1):
            for last in range(min(behind, _MOST_AROUND) + 1):
                yield part[first : len(part) - last]


def without_keys(text: str) -> str:
    """A foreign text, for example a server's message, without whatever looks like a row's key in it."""
    return _LONG_HEX.sub("[removed]", _KEY_IN_TEXT.sub(r"\1\2[removed]\2", text))
