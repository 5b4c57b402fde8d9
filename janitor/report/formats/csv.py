"""`csv`: a row a finding, all of them, safe to open in a spreadsheet (RFC 4180)."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence

from janitor.report.model import Finding, Outcome, Report, TableReport
from janitor.tokens.plain import plain

COLUMNS = Finding.__struct_fields__

# What makes a spreadsheet take a cell for a formula, in ASCII and in full width; OWASP, "CSV Injection".
_FORMULA_STARTS = tuple("=+-@|%＝＋－＠")  # noqa: RUF001  # the full-width ones are meant

_NOT_TOLD = (Outcome.FAILED, Outcome.INTERRUPTED, Outcome.SKIPPED)


class Csv:
    """Streams. A text that could start a formula gets an apostrophe before it."""

    streams = True
    tells_the_outcome = False
    tells_of_each_table = True

    def head(self) -> bytes:
        """The names of the columns, which are the keys of a finding."""
        return _row(COLUMNS)

    def lines(self, findings: Sequence[Finding]) -> bytes:
        """Each finding's cells in the order of the columns."""
        return b"".join(_row(_cell(getattr(finding, column)) for column in COLUMNS) for finding in findings)

    def tail(self, report: Report) -> bytes:
        """Nothing: a table has no place for sums. Of several tables a row for each that is not told to its end, why."""
        parts = [part for part in report.parts if part.outcome in _NOT_TOLD]
        return b"".join(_row(_cell(cells.get(column)) for column in COLUMNS) for cells in map(_not_told, parts))


def _not_told(part: TableReport) -> dict[str, object]:
    """The cells of a row that is no finding, and has no fingerprint."""
    remarks = [*part.errors, *reversed(part.warnings)]
    why = remarks[0].message if remarks and part.outcome is not Outcome.INTERRUPTED else f"{part.outcome}"
    return {"meaning": f"not told to its end: {why}", "table": part.label}


def _row(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case dt.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case tuple():
            return _text(" ".join(str(part) for part in value))
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    harmless = plain(text)
    return f"'{harmless}" if harmless.lstrip().startswith(_FORMULA_STARTS) else harmless
