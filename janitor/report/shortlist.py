"""A shortlist of findings, as `janitor merge` reads them out of reports: each is kept as its line of JSON."""

import msgspec

from janitor.report.model import Finding
from janitor.report.urgent import Shortlist

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Finding).decode


def shortlist_of_findings(limit: int) -> Shortlist[Finding]:
    """A shortlist of at most `limit` findings."""
    return Shortlist(limit, _ENCODE, _DECODE)
