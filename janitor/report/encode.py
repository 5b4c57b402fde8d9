"""What every part of a report is, and how a whole one is written: nothing in it is obeyed or hidden by a terminal."""

import msgspec

from janitor.tokens.printable import escape_invisible


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the report: no other keys, and no change once it is made."""


def json_line(whole: Part) -> bytes:
    """A report as JSON without a line break."""
    return escape_invisible(msgspec.json.encode(whole))


def json_page(whole: Part) -> bytes:
    """A report as indented JSON."""
    return escape_invisible(msgspec.json.format(msgspec.json.encode(whole), indent=2))
