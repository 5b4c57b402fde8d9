"""Redact texts before people see them, so that none reveals a token."""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from janitor.tokens.row import Row, Text, Value, read_groups, text_of

MAX_TEXT_LENGTH = 256
MAX_GROUPS_SHOWN = 100

# A key as DynamoDB JSON or a Python dictionary writes it, and any run of hex digits as long as a hash.
_KEY_IN_TEXT = re.compile(r"""(["']token["']\s*:\s*(?:\{\s*["']S["']\s*:\s*)?)(["'])(?:\\.|(?!\2).)*\2""", re.DOTALL)
_LONG_HEX = re.compile(r"[0-9a-fA-F]{40,}")
_MIN_HEX_LENGTH = 40
REDACTED = "[removed: it holds a token]"

# A piece of text shorter than this is not hashed to see whether it is the token of a hashed row.
_MIN_TOKEN_LENGTH = 8
_FIND_RUNS = re.compile(r"[A-Za-z0-9_-]{8,}").findall
_FIND_PUNCTUATION = re.compile(r"[^A-Za-z0-9_ -]").search
_FIND_SEPARATOR = re.compile(r"[=:/,;]").search
_FIND_SEPARATORS = re.compile(r"[=:/,;]").finditer
_PUNCTUATION = "\"'`´“”‘’()<>[]{}.,;:!?*"  # noqa: RUF001  # the typographic quotes are meant
_MAX_PUNCTUATION = 4
_SHA256_LENGTH = 64
# People see the first 256 characters, and no key of a table is longer than 2,048, so neither is a token.
_MAX_SPLIT_LENGTH = MAX_TEXT_LENGTH + 2_048
# Nothing but punctuation has five pieces a character: 500 such texts take some 20 MB.
_MAX_RECALLED_LENGTH = 64


class RedactedTexts(NamedTuple):
    """The texts of a row that may be shown; None if one is missing or not a text."""

    name: str | None
    username: str | None
    created_by: str | None
    token_uuid: str | None


def redacted_texts(row: Row) -> RedactedTexts:
    """Return the row's texts, each cut to 256 characters; one that reveals a token is replaced whole.

    People paste a token into its own name, and LISA's list even shows a legacy row's key as the name.
    """
    key = row.key.S or ""
    return RedactedTexts(
        _redact(row.name, key), _redact(row.username, key), _redact(row.created_by, key), _redact(row.token_uuid, key)
    )


def redacted_groups(row: Row) -> tuple[str, ...] | None:
    """Return the first 100 of the row's groups, each like a text of `redacted_texts`; None if they are no texts."""
    groups = read_groups(row.groups)
    if not groups:
        return groups
    key = row.key.S or ""
    return tuple(
        [
            REDACTED if reveals_token(group, key, is_common=True) else shorten_text(group)
            for group in groups[:MAX_GROUPS_SHOWN]
        ]
    )


def shorten_text(text: str) -> str:
    """Cut the text to 256 characters, the last one an ellipsis if there were more."""
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[: MAX_TEXT_LENGTH - 1]}…"


def _redact(value: Text | Value | None, key: str) -> str | None:
    text = text_of(value)
    if text is None:
        return None
    return REDACTED if reveals_token(text, key) else shorten_text(text)


def reveals_token(text: str, key: str, *, is_common: bool = False) -> bool:
    """Whether a text holds a token: the row's key, the token whose sha256 is that key, or what looks like either.

    LISA's own tokens are 128 hex digits and their keys 64, so a run of 40 or more counts as one, of any row. To find
    the row's own token, these pieces of the text are hashed: the whole text, its words with and without the punctuation
    around them, its runs of letters, digits, `_` and `-`, and what follows a `=`, `:`, `/`, `,` or `;` in a word.

    Args:
        text: the text.
        key: the row's key.
        is_common: whether many rows have the same text, so that its hashes are worth remembering.
    """
    if key and key in text:
        return True
    return reveals_any_token(text, (key,) if len(key) == _SHA256_LENGTH else (), is_common=is_common)


def reveals_any_token(text: str, digests: Collection[str], *, is_common: bool = False) -> bool:
    """Whether a text holds a token whose sha256 is one of these, or what looks like a token or a key.

    Args:
        text: the text, taken to pieces as `reveals_token` says.
        digests: sha256 digests of tokens, in lower-case hex.
        is_common: whether the hashes of this text are worth remembering.
    """
    length = len(text)
    if length < _MIN_TOKEN_LENGTH:
        return False
    if length >= _MIN_HEX_LENGTH and _LONG_HEX.search(text):
        return True
    if not digests:
        return False
    hashes = _recall_hashes(text) if is_common and length <= _MAX_RECALLED_LENGTH else _hash_pieces(text)
    # A loop, because any() over a generator takes twice as long, and this runs for every finding.
    for each in hashes:  # noqa: SIM110
        if each in digests:
            return True
    return False


def _hash_pieces(text: str) -> list[str]:
    """Hash every piece of the text that may be a token, in hex. Most texts have no punctuation.

    A text has more pieces the longer it is, each up to as long as the text, and whoever may name a token could fill
    the memory. So of a long text only the part is taken to pieces in which a token can begin that people would see.
    """
    text = text[:_MAX_SPLIT_LENGTH]
    pieces = _split(text) if _FIND_PUNCTUATION(text) else [text, *text.split()] if " " in text else [text]
    return [sha256(piece.encode("utf-8", "replace")).hexdigest() for piece in pieces if len(piece) >= _MIN_TOKEN_LENGTH]


_recall_hashes = lru_cache(maxsize=500)(_hash_pieces)


def _split(text: str) -> set[str]:
    words = text.split()
    pieces = {text, *words, *_FIND_RUNS(text)}
    for word in words:
        if word[0] in _PUNCTUATION or word[-1] in _PUNCTUATION or _FIND_SEPARATOR(word):
            pieces.update(_split_word(word))
    return pieces


def _split_word(word: str) -> Iterator[str]:
    """Yield the word, its parts after each separator, and all of these without some of the punctuation around them."""
    for part in (word, *(word[mark.end() :] for mark in _FIND_SEPARATORS(word))):
        before, after = len(part) - len(part.lstrip(_PUNCTUATION)), len(part) - len(part.rstrip(_PUNCTUATION))
        for first in range(min(before, _MAX_PUNCTUATION) + 1):
            for last in range(min(after, _MAX_PUNCTUATION) + 1):
                yield part[first : len(part) - last]


def remove_login(url: str) -> str:
    """Return the URL without user name, password and query, any of which may be a secret; what is no URL goes whole."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "[removed]"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def redact_pattern(pattern: str) -> str:
    """Return a shell pattern to show: whole, or if it looks like a row's key not at all, as words that match nobody.

    With a part removed, and brackets in its place, it would match other people.
    """
    return pattern if remove_keys(pattern) == pattern else "(removed: it looks like a token)"


def remove_keys(text: str) -> str:
    """Replace whatever looks like a row's key in a foreign text, for example a server's message."""
    return _LONG_HEX.sub("[removed]", _KEY_IN_TEXT.sub(r"\1\2[removed]\2", text))
