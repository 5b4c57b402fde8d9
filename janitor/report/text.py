"""Texts from a table, made harmless for whoever reads them, and a finding's cells."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable

from janitor.report.model import Finding
from janitor.tokens.duration import relative
from janitor.tokens.printable import printable
from janitor.tokens.times import minute_of

# What stands where a row has nothing to say.
NOTHING = "-"


def owner(finding: Finding) -> str:
    """Whose token it is, or a dash."""
    who = printable(finding.username) if finding.username else NOTHING
    return f"{who} (system)" if finding.system else who


def label(finding: Finding) -> str:
    """The token's name, or a dash."""
    return printable(finding.name) if finding.name else NOTHING


def row_names(findings: Iterable[Finding]) -> Callable[[Finding], str]:
    """How a page that lists these calls each of them: by its fingerprint, or where two share that, by its row name."""
    rows = Counter((finding.table, finding.fingerprint) for finding in findings)

    def called(finding: Finding) -> str:
        return finding.row_name if rows[finding.table, finding.fingerprint] > 1 else finding.fingerprint

    return called


def due(finding: Finding) -> str:
    """When the token expires or did, relative to the run; a dash where it has no date."""
    return NOTHING if finding.seconds_to_expiry is None else relative(finding.seconds_to_expiry)


def utc(moment: dt.datetime | None) -> str:
    """A time to the minute in UTC, or a dash."""
    return minute_of(moment) if moment else NOTHING
