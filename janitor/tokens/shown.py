"""Texts of a row that may be shown to people: never one that gives the token away."""

from hashlib import sha256
from typing import NamedTuple

from janitor.tokens.row import Row, text_of

LONGEST = 256
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
    replaced whole: one that holds the row's key, or a word whose sha256 is the key.
    """
    texts = Shown(text_of(row.name), text_of(row.username), text_of(row.created_by), text_of(row.token_uuid))
    key = row.key.S or ""
    # Nearly every row is harmless, so all of its texts are looked at together first.
    together = f"{texts[0]} {texts[1]} {texts[2]} {texts[3]}"
    if len(together) <= LONGEST and not gives_away(together, key):
        return texts
    return Shown(*(_shown(text, key) for text in texts))


def _shown(text: str | None, key: str) -> str | None:
    if text is None:
        return None
    if gives_away(text, key):
        return REMOVED
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def gives_away(text: str, key: str) -> bool:
    """Whether the text holds the row's key, or a word whose sha256 is the key."""
    if key and key in text:
        return True
    if len(key) != _SHA256_LENGTH:
        return False
    for word in text.split():  # any() over a generator takes twice as long, and this runs for every row
        if len(word) >= _SHORTEST_TOKEN and sha256(word.encode("utf-8", "replace")).hexdigest() == key:
            return True
    return False
