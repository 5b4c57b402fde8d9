"""`json`: the report as one indented object."""

from janitor.report.formats.interface import WholeFormat
from janitor.report.model import Report
from janitor.tokens.plain import seen


class Json(WholeFormat):
    """The whole report; it lists at most --max-findings findings and says how many more there were."""

    def tail(self, report: Report) -> bytes:
        """The report and a line end."""
        return seen(report.model_dump_json(by_alias=True, indent=2).encode()) + b"\n"
