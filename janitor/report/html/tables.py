"""A line a table, where the run was of several."""

from janitor.report.html.markup import Markup, joined, lines, tag
from janitor.report.model import Outcome, Report
from janitor.report.tables import COLUMNS, FIRST_NUMBER, table_rows

_GOOD = (Outcome.COMPLETE, Outcome.SKIPPED)


def tables(report: Report) -> Markup:
    """The section; nothing for a run of one table."""
    if not report.is_of_several:
        return Markup()
    head = tag("thead", tag("tr", *(tag("th", title, scope="col") for title in COLUMNS)))
    rows = (
        tag("tr", *(_cell(at, text) for at, text in enumerate(row)), class_="" if part.outcome in _GOOD else "bad")
        for part, row in zip(report.tables, table_rows(report), strict=True)
    )
    grid = tag("table", head, tag("tbody", joined(rows, Markup("\n"))), class_="numbers tables")
    heading = tag("h2", "Tables ", tag("small", f"{len(report.tables):,}"), id="tables")
    return tag(
        "section",
        lines(heading, tag("div", grid, class_="wide", tabindex="0")),
        class_="panel",
        aria_labelledby="tables",
    )


def _cell(at: int, text: str) -> Markup:
    if at == 0:
        return tag("th", tag("bdi", text), scope="row")
    return tag("td", text, class_="figure") if at >= FIRST_NUMBER else tag("td", text)
