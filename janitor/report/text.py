"""Texts from a table, made harmless for whoever reads them, and a finding's cells."""

import datetime as dt

from janitor.report.model import Finding
from janitor.tokens.duration import relative

# What stands where a row has nothing to say.
NOTHING = "-"


def plain(text: str) -> str:
    """The text as one visible line: whatever Python calls unprintable is written out as an escape.

    Those are control characters, format characters such as bidirectional overrides, line ends, and odd spaces.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def owner(finding: Finding) -> str:
    """Whose token it is, or a dash."""
    who = plain(finding.username) if finding.username else NOTHING
    return f"{who} (system)" if finding.system else who


def label(finding: Finding) -> str:
    """The token's name, or a dash."""
    return plain(finding.name) if finding.name else NOTHING


def due(finding: Finding) -> str:
    """When the token expires or did, relative to the run; a dash where it has no date."""
    return NOTHING if finding.seconds_to_expiry is None else relative(finding.seconds_to_expiry)


def utc(moment: dt.datetime | None) -> str:
    """A time to the minute in UTC, or a dash."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else NOTHING
