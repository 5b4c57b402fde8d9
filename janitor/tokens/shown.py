"""Texts of a row that may be shown to people: never one that gives the token away."""

import hashlib

from janitor.tokens.row import Row, Value, text_of

LONGEST = 256
REMOVED = "[removed: it holds the token]"

# A word shorter than this is not hashed to see whether it is the token of a hashed row.
_SHORTEST_TOKEN = 8


def shown(value: Value | None, row: Row) -> str | None:
    """The attribute's text, cut to 256 characters, or None when it is missing or no text.

    People paste a token into its own name; LISA's list even shows a legacy row's key as the name. Such a text is
    replaced whole: one that holds the row's key, or a word whose sha256 is the key.
    """
    text = text_of(value)
    if text is None:
        return None
    if _gives_away(text, row.key.S or ""):
        return REMOVED
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _gives_away(text: str, key: str) -> bool:
    if key and key in text:
        return True
    words = (word for word in {text, *text.split()} if len(word) >= _SHORTEST_TOKEN)
    return any(hashlib.sha256(word.encode(errors="replace")).hexdigest() == key for word in words)
