"""`ndjson`: a line a finding, all of them, and the report itself as the last line.

The last line has the key `schema` where the others have `fingerprint`, and an empty list of findings. A file without
it is not complete.
"""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from janitor.report.encode import json_line
from janitor.report.model import Finding, Report, worth_a_line
from janitor.tokens.printable import escape_invisible

_ENCODER = msgspec.json.Encoder()


class Ndjson:
    """Streams: memory does not grow with the findings."""

    streams = True
    tells_the_outcome = True
    tells_of_each_table = True

    def __init__(self) -> None:
        self._lines = 0

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def lines(self, findings: Sequence[Finding]) -> bytes:
        """Each finding with the keys it has in the JSON report."""
        self._lines += len(findings)
        return escape_invisible(_ENCODER.encode_lines(findings))

    def tail(self, report: Report) -> bytes:
        """The report without its findings, which stand above: all, unless the run had to end before it told them."""
        omitted = worth_a_line(report.counts, report.listing) - self._lines
        closing = structs.replace(report, findings=[], findings_omitted=omitted)
        return json_line(closing) + b"\n"
