"""`json`: the report as one indented object."""

from janitor.report.encode import json_page
from janitor.report.formats.interface import WholeFormat
from janitor.report.model import Report


class Json(WholeFormat):
    """The whole report; it lists at most --max-findings findings and says how many more there were."""

    def tail(self, report: Report) -> bytes:
        """The report and a line end."""
        return json_page(report) + b"\n"
