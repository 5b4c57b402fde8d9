"""`ndjson`: a line for each finding, all of them, and the report itself as the last line.

The last line has the key `schema`, the others `fingerprint`; its list of findings is empty. A file without that line is
incomplete.
"""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from janitor.report.encode import encode_json_line
from janitor.report.model import Finding, Report, count_reportable
from janitor.tokens.printable import escape_invisible

_ENCODER = msgspec.json.Encoder()


class NdjsonFormat:
    """Streams: memory does not grow with the findings."""

    streams = True
    shows_outcome = True
    shows_each_outcome = True

    def __init__(self) -> None:
        self._lines = 0

    def head(self) -> bytes:
        """Empty."""
        return b""

    def lines(self, findings: Sequence[Finding]) -> bytes:
        """A line for each finding, with the keys of the JSON report."""
        self._lines += len(findings)
        return escape_invisible(_ENCODER.encode_lines(findings))

    def tail(self, report: Report) -> bytes:
        """The report without its findings. It says how many were not written, because the run had to end before."""
        omitted = count_reportable(report.counts, report.active_findings, report.listing) - self._lines
        closing = structs.replace(report, findings=[], findings_omitted=omitted)
        return encode_json_line(closing) + b"\n"
