"""Texts that may be shown to people: never one that gives a token away."""

import re
from hashlib import sha256
from typing import NamedTuple

from janitor.tokens.row import Row, text_of

LONGEST = 256

# A key as DynamoDB's JSON or a Python dictionary writes it, and any run of hex digits as long as a hash.
_KEY_IN_TEXT = re.compile(r"""(["']token["']\s*:\s*(?:\{\s*["']S["']\s*:\s*)?)(["'])(?:\\.|(?!\2).)*\2""", re.DOTALL)
_LONG_HEX = re.compile(r"[0-9a-fA-F]{40,}")
REMOVED = "[removed: it holds the token]"

# A word shorter than this is not hashed to see whether it is the token of a hashed row.
_SHORTEST_TOKEN = 8
_SHA256_LENGTH = 64


class Shown(NamedTuple):
    """The texts of a row as they may be shown, None where one is missing or no text."""

    name: str | None
    username: str | None
    created_by: str | None
    token_uuid: str | None


def shown(row: Row) -> Shown:
    """The row's texts, each cut to 256 characters.

    People paste a token into its own name; LISA's list even shows a legacy row's key as the name. Such a text is
    replaced whole: one that holds the row's key, or that is, or has as a word, what the key is the sha256 of.
    """
    texts = Shown(text_of(row.name), text_of(row.username), text_of(row.created_by), text_of(row.token_uuid))
    key = row.key.S or ""
    return Shown(*[_shown(text, key) for text in texts])


def _shown(text: str | None, key: str) -> str | None:
    if text is None:
        return None
    if gives_away(text, key):
        return REMOVED
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def gives_away(text: str, key: str) -> bool:
    """Whether the text holds the row's key, or is, or has as a word, what the key is the sha256 of."""
    if key and key in text:
        return True
    if len(key) != _SHA256_LENGTH:
        return False
    words = text.split()
    if len(words) > 1:
        words.append(text)
    # A loop, because any() over a generator takes twice as long, and this runs for every finding.
    for word in words:
        if len(word) >= _SHORTEST_TOKEN and sha256(word.encode("utf-8", "replace")).hexdigest() == key:
            return True
    return False


def without_keys(text: str) -> str:
    """A foreign text, for example a server's message, without whatever looks like a row's key in it."""
    return _LONG_HEX.sub("[removed]", _KEY_IN_TEXT.sub(r"\1\2[removed]\2", text))
