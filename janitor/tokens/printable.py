"""Make texts from a table safe to print on a terminal."""

import re


def printable(text: str) -> str:
    """Return the text as one visible line: every character that Python calls unprintable becomes an escape.

    Those are control characters, format characters such as bidirectional overrides, line ends, unusual spaces, and lone
    surrogates, which no encoding accepts.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


# Control and format characters that JSON does not escape: those above ASCII's first 32, bidirectional overrides,
# invisible characters, line and paragraph separators.
_INVISIBLE = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001-\U000e007f]"
)


def escape_invisible(json: bytes) -> bytes:
    """Return the same JSON, with an escape for every character that a terminal would obey or not show."""
    if json.isascii() and b"\x7f" not in json:
        return json
    return _INVISIBLE.sub(_escape_for_json, json.decode()).encode()


def _escape_for_json(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
