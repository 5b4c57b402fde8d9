"""An operator's own words in messages to owners: whom to ask (`--contact`), and how to renew (`--notice-text`)."""

import difflib
import re
import string
from collections.abc import Mapping
from typing import NamedTuple

from janitor.tokens.redact import reveals_any_token

# The fields of a text, and what stands in their place.
FIELDS: Mapping[str, str] = {
    "username": "the owner",
    "name": "the token's name",
    "fingerprint": "the token's fingerprint",
    "created": "when it was made, in UTC",
    "expires": "when it expires or has expired, in UTC",
    "when": "the same relative to the run: in 3 days, 2 hours ago",
    "table": "the table's name",
    "region": "the table's region",
    "account": "the table's account",
    "contact": "whom to ask",
}
# In characters, and in fields, each of which stands for up to 256 characters of a table, in up to 24 bytes each: SNS
# takes 256 KiB, whatever the values are.
MAX_TEXT_LENGTH = 4_000
MAX_FIELDS = 16
MAX_CONTACT_LENGTH = 200

# Of `name.upper` and `name[0]`, which are no fields, the part before the dot or bracket.
_FIND_BASE = re.compile(r"[^.\[]*").findall


class NoticeText(NamedTuple):
    """A text with fields: what stands before each field and the field, None behind the last."""

    pieces: tuple[tuple[str, str | None], ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with these values in the place of its fields."""
        return "".join(before + (values[field] if field is not None else "") for before, field in self.pieces)


def parse_notice_text(text: str) -> NoticeText:
    """A text of one or several lines with `{name}` and the other fields; `{{` and `}}` are braces.

    A field is only replaced: nothing is formatted or looked up by it.

    Raises:
        ValueError: it has an unknown field, too many fields or a single brace, looks like it holds a token, is too
            long, empty or not printable.
    """
    stripped = text.strip("\r\n").rstrip()
    _check_text(stripped, MAX_TEXT_LENGTH, are_lines_allowed=True)
    try:
        pieces = list(string.Formatter().parse(stripped))
    except ValueError:
        raise ValueError("a brace stands alone: write {{ or }} for a brace that is no field") from None
    text_pieces = tuple(
        (before, None if field is None else _check_field(field, spec, conversion))
        for before, field, spec, conversion in pieces
    )
    field_count = sum(field is not None for _, field in text_pieces)
    if field_count > MAX_FIELDS:
        raise ValueError(f"it has {field_count} fields; write at most {MAX_FIELDS}")
    return NoticeText(text_pieces)


def parse_contact(text: str) -> str:
    """Whom owners ask: a line of printable text.

    Raises:
        ValueError: it is no such line, is too long, or looks like it holds a token.
    """
    contact = text.strip()
    _check_text(contact, MAX_CONTACT_LENGTH, are_lines_allowed=False)
    return contact


def _check_field(field: str, spec: str | None, conversion: str | None) -> str:
    if field in FIELDS and not spec and conversion is None:
        return field
    written = f"{field}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}"
    nearest = difflib.get_close_matches(_FIND_BASE(field)[0], FIELDS, n=1, cutoff=0.5)
    hint = f"did you mean {{{nearest[0]}}}?" if nearest else f"there are {', '.join(FIELDS)}"
    raise ValueError(f"{f'{{{written}}}'!a} is no field; {hint}")


def _check_text(text: str, longest: int, *, are_lines_allowed: bool) -> None:
    if not text:
        raise ValueError("it is empty; write some text, or leave it out")
    if len(text) > longest:
        raise ValueError(f"it has {len(text):,} characters; write at most {longest:,}")
    lines = text.splitlines() if are_lines_allowed else [text]
    if not all(line.replace("\t", "").isprintable() for line in lines):
        raise ValueError(f"it is not printable; write {'lines' if are_lines_allowed else 'one line'} of plain text")
    if reveals_any_token(text, ()):
        raise ValueError("it holds 40 or more hex digits in a row, as a token does; write it without them")
