"""`csv`: a row a finding, all of them, safe to open in a spreadsheet (RFC 4180).

A text stays that text in LibreOffice, pandas and DuckDB, without an option: one that they would read as something else
(a formula, a number, a date, a truth value, a missing value) gets a `_` before it. Some 7 in 1,000 fingerprints are
such texts, `748922512345` or `12345678e901`, and commands take them with the `_` too. What is a number, a
date or a truth value in the report is one in the table.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence

from janitor.report.model import Finding, Outcome, Report, TableReport
from janitor.tokens.printable import printable
from janitor.tokens.times import iso

COLUMNS = Finding.__struct_fields__

# What makes a spreadsheet take a cell for a formula, in ASCII and in full width; OWASP, "CSV Injection", whose
# apostrophe DuckDB takes for a quote. And `_`, so that the first one of a cell is always this module's; and `#`, with
# which pandas' missing values begin.
_STARTS = tuple("=+-@|%#_＝＋－＠")  # noqa: RUF001  # the full-width ones are meant

# Truth values, missing values and numbers in words: of pandas 3.1 (`na_values`), DuckDB 2.0 and LibreOffice 7.4, tried.
_TRUTH = ("true", "false", "t", "f", "yes", "no", "y", "n", "on", "off")
_MISSING = ("na", "n/a", "<na>", "nan", "nat", "null", "nul", "nil", "none", "1.#ind", "1.#qnan")
_WORDS = frozenset([*_TRUTH, *_MISSING, "inf", "infinity", "epoch", "today", "now"])
# What a number or a date consists of: no letters but an exponent, those of ISO 8601, a time of day's, a month's name.
_NUMBER = re.compile(
    r"(?=\D*\d)(?:[\W\d_]|(?:e|tz?|z|utc|gmt|[ap]m|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![^\W\d_]))*",
    re.IGNORECASE,
).fullmatch
_IN_ANOTHER_BASE = re.compile(r"[+-]?0[xob][0-9a-f_]+", re.IGNORECASE).fullmatch
_HAS_TO_BE_QUOTED = re.compile(r"[\",\r\n]|^ | $").search
# By an apostrophe outside a word, or a backslash before a quote or the end, DuckDB would guess that it quotes or
# escapes here. They are written out, as what is unprintable is.
_LIKE_A_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)|\\(?=\"|$)")

_NOT_TOLD = (Outcome.FAILED, Outcome.INTERRUPTED, Outcome.SKIPPED)


class Csv:
    """Streams. A text that would be read as something else gets a `_` before it."""

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
        tables = [table for table in report.tables if table.outcome in _NOT_TOLD]
        return b"".join(_row(_cell(cells.get(column)) for column in COLUMNS) for cells in map(_not_told, tables))


def _not_told(table: TableReport) -> dict[str, object]:
    """The cells of a row that is no finding, and has no fingerprint."""
    remarks = [*table.errors, *reversed(table.warnings)]
    why = remarks[0].message if remarks and table.outcome is not Outcome.INTERRUPTED else f"{table.outcome}"
    return {"meaning": f"not told to its end: {why}", "table": table.label}


def _row(cells: Iterable[str]) -> bytes:
    return f"{','.join(cells)}\r\n".encode()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case dt.datetime():
            return iso(value)
        case tuple():
            return _text(" ".join(str(part) for part in value))
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    cell = _LIKE_A_QUOTE.sub(lambda match: f"\\x{ord(match[0]):02x}", printable(text))
    if _reads_as_another(cell.strip()):
        cell = f"_{cell}"
    return '"{}"'.format(cell.replace('"', '""')) if _HAS_TO_BE_QUOTED(cell) else cell


def _reads_as_another(text: str) -> bool:
    """Whether a reader would take a cell for a formula, a number, a date, a truth value or a missing value.

    Rather too often: one `_` too many does no harm, and what dates look like is the readers' invention.
    """
    if text.startswith(_STARTS) or text.casefold() in _WORDS:
        return True
    return bool(_NUMBER(text) or _IN_ANOTHER_BASE(text))
