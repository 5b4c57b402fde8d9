"""`ndjson`: a line a finding, all of them, and the report itself as the last line.

The last line has the key `schema` where the others have `fingerprint`, and an empty list of findings. A file without
it is not complete.
"""

import msgspec

from janitor.report.model import Finding, Report
from janitor.report.text import seen

_ENCODER = msgspec.json.Encoder()


class Ndjson:
    """Streams: memory does not grow with the findings."""

    streams = True
    tells_the_outcome = True

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def line(self, finding: Finding) -> bytes:
        """The finding with the keys it has in the JSON report."""
        return seen(_ENCODER.encode(finding)) + b"\n"

    def tail(self, report: Report) -> bytes:
        """The report without its findings, which all stand above."""
        closing = report.model_copy(update={"findings": [], "findings_omitted": 0})
        return seen(closing.model_dump_json(by_alias=True).encode()) + b"\n"
