"""`json`: the report as one indented object."""

from janitor.report.encode import encode_json_page
from janitor.report.formats.interface import WholeFormat
from janitor.report.model import Report


class JsonFormat(WholeFormat):
    """The whole report. It lists at most --max-findings findings and says how many more there are."""

    def tail(self, report: Report) -> bytes:
        """The report and a line end."""
        return encode_json_page(report) + b"\n"
