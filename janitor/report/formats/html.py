"""`html`: the report as one page for people: no script, no request, light and dark, screen and paper."""

from janitor.report.formats.interface import WholeFormat
from janitor.report.html.page import render_report
from janitor.report.model import Report


class Html(WholeFormat):
    """The whole page, under 3 MB however many findings there are: it says how many it leaves out."""

    def tail(self, report: Report) -> bytes:
        """The page, in UTF-8."""
        return render_report(report)
