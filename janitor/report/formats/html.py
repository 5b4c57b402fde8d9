"""`html`: the report as one page for people, without scripts or requests, in light and dark, for screen and print."""

from janitor.report.formats.interface import WholeFormat
from janitor.report.html.page import render_report
from janitor.report.model import Report


class HtmlFormat(WholeFormat):
    """The page, under 3 MB however many findings there are; it says how many it leaves out."""

    def tail(self, report: Report) -> bytes:
        """The page, in UTF-8."""
        return render_report(report)
