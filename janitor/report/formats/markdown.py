"""`markdown`: the report as a page for an issue, a wiki or a chat."""

import re
from collections.abc import Iterable, Iterator, Sequence

from janitor.report.formats.interface import WholeFormat
from janitor.report.model import Finding, Report
from janitor.report.summary import closing_lines, counts_rows, headline, listing_line, omitted_line
from janitor.report.tables import COLUMNS, table_rows
from janitor.report.text import NOTHING, due, label, owner, row_names, utc

# What GitHub's Markdown, or HTML inside it, takes for more than text within a table: emphasis, code, links, mentions,
# issue numbers, formulas, and addresses that would become links by themselves.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~@#&!$]|:(?=//)|(?<=www)\.)")
_COLUMNS = ("Expires", "UTC", "State", "Owner", "Name", "Fingerprint", "Accepted by", "What it means")


class Markdown(WholeFormat):
    """Counts, findings, and what the reader should know, in tables."""

    def tail(self, report: Report) -> bytes:
        """The whole page."""
        return ("\n".join(_lines(report)) + "\n").encode()


def _lines(report: Report) -> Iterator[str]:
    yield f"# janitor: {_escaped(report.title)}"
    yield ""
    yield _escaped(headline(report))
    yield ""
    if report.listing is not None:
        yield _escaped(listing_line(report))
        yield ""
    if report.parts:
        yield from _table(COLUMNS, table_rows(report))
        yield ""
    yield from _table(("State", "Rows", "What it means"), counts_rows(report))
    if report.findings:
        yield ""
        yield "## Findings" if report.listing is None else "## Rows"
        yield ""
        called = row_names(report.findings)
        if report.parts:
            cells = ((*_cells(finding, called(finding)), finding.table or NOTHING) for finding in report.findings)
            yield from _table((*_COLUMNS, "Table"), cells)
        else:
            yield from _table(_COLUMNS, (_cells(finding, called(finding)) for finding in report.findings))
    if report.findings_omitted:
        yield ""
        yield omitted_line(report, report.findings_omitted)
    for line in closing_lines(report):
        yield ""
        yield _escaped(line)


def _cells(finding: Finding, called: str) -> tuple[str, ...]:
    return (
        due(finding),
        utc(finding.expires_at),
        finding.state,
        owner(finding),
        label(finding),
        called,
        ", ".join(finding.accepted_by) or "nothing",
        finding.meaning,
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(_escaped(cell) for cell in row)} |"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
