"""The base class of a report's parts, and reports as JSON, without characters that a terminal would obey or hide."""

import msgspec

from janitor.tokens.printable import escape_invisible


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a report: immutable, and without other keys."""


def encode_json_line(whole: Part) -> bytes:
    """Encode a report as JSON on one line."""
    return escape_invisible(msgspec.json.encode(whole))


def encode_json_page(whole: Part) -> bytes:
    """Encode a report as indented JSON."""
    return escape_invisible(msgspec.json.format(msgspec.json.encode(whole), indent=2))
