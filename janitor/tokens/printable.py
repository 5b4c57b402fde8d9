"""Texts from a table, made harmless for whoever reads them."""

import re


def printable(text: str) -> str:
    """The text as one visible line: whatever Python calls unprintable is written out as an escape.

    Those are control characters, format characters such as bidirectional overrides, line ends, odd spaces, and lone
    surrogates, which no encoding takes.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


# Control and format characters that JSON lets stand: those beyond ASCII's first 32, bidirectional overrides, invisible
# ones, line and paragraph separators.
_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001-\U000e007f]"
)


def escape_invisible(json: bytes) -> bytes:
    """The same JSON, with every character that a terminal would obey or not show written as an escape."""
    if json.isascii() and b"\x7f" not in json:
        return json
    return _UNSEEN.sub(_json_escaped, json.decode()).encode()


def _json_escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
