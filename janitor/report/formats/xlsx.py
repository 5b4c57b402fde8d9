"""`xlsx`: the report as a workbook for Excel and LibreOffice: a sheet with the summary, then one for each state.

Texts are written as texts and nothing else, so that no name becomes a formula or a link, and no fingerprint a number.
Memory holds what the report lists, at most --max-findings.
"""

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from janitor.report.formats.interface import WholeFormat
from janitor.report.model import Finding, Report
from janitor.report.summary import closing_lines, headline, listing_line, omitted_line, state_rows
from janitor.report.tables import COLUMNS as TABLE_COLUMNS
from janitor.report.tables import FIRST_NUMBER, table_rows
from janitor.tokens.classify import State
from janitor.tokens.printable import printable
from janitor.tokens.times import format_iso

# As in `csv`: the keys of a finding. Times are in UTC.
_COLUMNS = Finding.__struct_fields__
# In characters.
_WIDTHS = {
    "fingerprint": 15, "row_name": 21, "accepted_by": 15, "expires_at": 19, "expiration": 14, "seconds_to_expiry": 18,
    "name": 30, "username": 38, "created_by": 38, "created_at": 19, "token_uuid": 38, "reasons": 30,
    "probably_meant": 19, "meaning": 60, "table": 30,
}  # fmt: skip
_USUAL_WIDTH = 13
_SUMMARY_WIDTHS = (34, 14, 60)
# The most rows that a sheet has, and the last row of it that a filter covers (Excel specifications and limits).
_MAX_ROWS = 1_048_576
# Excel keeps 15 digits of a number, and knows no date before 1900.
_MAX_INTEGER = 10**15
_FIRST_YEAR = 1900


class XlsxFormat(WholeFormat):
    """The whole report. It lists at most --max-findings findings and says how many more there are."""

    def tail(self, report: Report) -> bytes:
        """The workbook. The same report is always the same bytes."""
        content = io.BytesIO()
        workbook = xlsxwriter.Workbook(content, {"in_memory": True})
        # Otherwise the present time.
        workbook.set_properties({"title": printable(report.title), "created": _without_zone(report.run.started_at)})
        _Writer(workbook).write(report)
        workbook.close()
        return content.getvalue()


class _Writer:
    """Fills a workbook."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self._workbook = workbook
        self._header: CellFormat = workbook.add_format({"bold": True, "bottom": 1})
        self._title: CellFormat = workbook.add_format({"bold": True, "font_size": 14})
        self._date: CellFormat = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        self._count: CellFormat = workbook.add_format({"num_format": "#,##0"})
        self._whole: CellFormat = workbook.add_format({"num_format": "0"})
        # A cell that is edited later stays a text, too.
        self._text: CellFormat = workbook.add_format({"num_format": "@"})

    def write(self, report: Report) -> None:
        by_state: dict[State, list[Finding]] = {}
        for finding in report.findings:
            by_state.setdefault(finding.state, []).append(finding)
        unlisted = report.findings_omitted + sum(max(0, len(each) - _MAX_ROWS + 1) for each in by_state.values())
        self._write_summary(report, unlisted)
        for state in State:
            if state in by_state:
                self._write_findings(state, by_state[state][: _MAX_ROWS - 1])

    def _write_summary(self, report: Report, unlisted: int) -> None:
        sheet = self._workbook.add_worksheet("summary")
        for column, width in enumerate(_SUMMARY_WIDTHS):
            sheet.set_column(column, column, width)
        sheet.write_string(0, 0, printable(f"janitor: {report.title}"), self._title)
        sheet.write_string(1, 0, printable(headline(report)))
        row = 2
        if report.listing is not None:
            sheet.write_string(row, 0, printable(listing_line(report)))
            row += 1
        row = self._write_table(sheet, row + 1, ("State", "Rows", "What it means"), state_rows(report), {1})
        if report.is_of_several:
            numbers = set(range(FIRST_NUMBER, len(TABLE_COLUMNS)))
            row = self._write_table(sheet, row + 1, TABLE_COLUMNS, list(table_rows(report)), numbers)
        for line in _last_lines(report, unlisted):
            row += 1
            sheet.write_string(row, 0, line)

    def _write_table(
        self, sheet: Worksheet, row: int, header: Sequence[str], rows: Sequence[Sequence[str]], numbers: set[int]
    ) -> int:
        """Write a header and rows; return the first row below. Counts are numbers."""
        for column, text in enumerate(header):
            sheet.write_string(row, column, text, self._header)
        for cells in rows:
            row += 1
            for column, text in enumerate(cells):
                if column in numbers:
                    sheet.write_number(row, column, int(text.replace(",", "")), self._count)
                else:
                    sheet.write_string(row, column, text)
        return row + 1

    def _write_findings(self, state: State, findings: Sequence[Finding]) -> None:
        sheet = self._workbook.add_worksheet(state.value)
        for column, name in enumerate(_COLUMNS):
            sheet.set_column(column, column, _WIDTHS.get(name, _USUAL_WIDTH))
            sheet.write_string(0, column, name, self._header)
        for row, finding in enumerate(findings, start=1):
            for column, name in enumerate(_COLUMNS):
                self._write_cell(sheet, row, column, getattr(finding, name))
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(findings), len(_COLUMNS) - 1)
        # A fingerprint of digits only is meant to be a text.
        sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(findings) + 1}"})

    def _write_cell(self, sheet: Worksheet, row: int, column: int, value: Any) -> None:
        match value:
            case None:
                pass
            case bool():
                sheet.write_boolean(row, column, value)
            case int() if abs(value) < _MAX_INTEGER:
                sheet.write_number(row, column, value, self._whole)
            case dt.datetime() if value.year >= _FIRST_YEAR:
                sheet.write_datetime(row, column, _without_zone(value), self._date)
            case dt.datetime():
                sheet.write_string(row, column, format_iso(value), self._text)
            case tuple() | list():
                sheet.write_string(row, column, printable(", ".join(map(str, value))), self._text)
            case _:
                sheet.write_string(row, column, printable(str(value)), self._text)


def _last_lines(report: Report, unlisted: int) -> Iterator[str]:
    if unlisted:
        yield omitted_line(report, unlisted)
    yield from map(printable, closing_lines(report))
    if report.findings:
        yield "Times are in UTC."


def _without_zone(moment: dt.datetime) -> dt.datetime:
    """The time in UTC without its zone: a workbook knows no zones."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None)
