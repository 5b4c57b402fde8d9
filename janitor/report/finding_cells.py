"""The texts of a finding for people, printable whatever the table holds."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable

from janitor.report.model import Finding
from janitor.tokens.duration import format_relative
from janitor.tokens.printable import printable
from janitor.tokens.times import format_minute

# What is shown if a row has no value.
NOTHING = "-"


def format_owner(finding: Finding) -> str:
    """Whose token it is, or a dash."""
    who = printable(finding.username) if finding.username else NOTHING
    return f"{who} (system)" if finding.system else who


def format_name(finding: Finding) -> str:
    """The token's name, or a dash."""
    return printable(finding.name) if finding.name else NOTHING


def format_groups(finding: Finding) -> str:
    """Whose rights the token has, or a dash."""
    return printable(", ".join(finding.groups)) if finding.groups else NOTHING


def choose_row_names(findings: Iterable[Finding]) -> Callable[[Finding], str]:
    """Return a function that names each of these findings: by fingerprint, or by row name if two share that."""
    rows = Counter((finding.table, finding.fingerprint) for finding in findings)

    def name_of(finding: Finding) -> str:
        return finding.row_name if rows[finding.table, finding.fingerprint] > 1 else finding.fingerprint

    return name_of


def format_due(finding: Finding) -> str:
    """When the token expires or did, relative to the run; a dash if it has no date."""
    return NOTHING if finding.seconds_to_expiry is None else format_relative(finding.seconds_to_expiry)


def format_utc(moment: dt.datetime | None) -> str:
    """A time to the minute in UTC, or a dash."""
    return format_minute(moment) if moment else NOTHING
