"""`csv`: a row for each finding, all of them, safe to open in a spreadsheet (RFC 4180).

A text stays a text in LibreOffice, pandas and DuckDB, without an option: one that they would read as something else
(a formula, a number, a date, a truth value, a missing value) gets a `_` before it. About 7 in 1,000 fingerprints are
such texts, for example `748922512345` or `12345678e901`; commands take them with the `_` too. Numbers, dates and truth
values of the report are written as such.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from janitor.report.model import Finding, Outcome, Report, TableReport
from janitor.tokens.printable import printable
from janitor.tokens.times import format_iso

COLUMNS = Finding.__struct_fields__

# What makes a spreadsheet take a cell for a formula, in ASCII and in full width (OWASP, "CSV Injection"). OWASP's
# remedy, an apostrophe, would be a quote to DuckDB. Also `_`, so that a first `_` is always added by this module, and
# `#`, with which pandas' missing values begin.
_STARTS = tuple("=+-@|%#_＝＋－＠")  # noqa: RUF001  # the full-width ones are meant

# Truth values, missing values and numbers in words: of pandas 3.1 (`na_values`), DuckDB 2.0 and LibreOffice 7.4.
_TRUTH = ("true", "false", "t", "f", "yes", "no", "y", "n", "on", "off")
_MISSING = ("na", "n/a", "<na>", "nan", "nat", "null", "nul", "nil", "none", "1.#ind", "1.#qnan")
_WORDS = frozenset([*_TRUTH, *_MISSING, "inf", "infinity", "epoch", "today", "now"])
# What a number or a date consists of: no letters except an exponent, those of ISO 8601, of a time of day, of a month.
_NUMBER = re.compile(
    r"(?=\D*\d)(?:[\W\d_]++|(?:e|tz?|z|utc|gmt|[ap]m|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![^\W\d_]))*+",
    re.IGNORECASE,
).fullmatch
_IN_ANOTHER_BASE = re.compile(r"[+-]?0[xob][0-9a-f_]+", re.IGNORECASE).fullmatch
_HAS_TO_BE_QUOTED = re.compile(r"[\",\r\n]|^ | $").search
# From an apostrophe outside a word, or a backslash before a quote or the end, DuckDB would guess that it quotes or
# escapes with them. So they are escaped like unprintable characters.
_LIKE_A_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)|\\(?=\"|$)")

_INCOMPLETE_OUTCOMES = (Outcome.FAILED, Outcome.INTERRUPTED, Outcome.SKIPPED)


class CsvFormat:
    """Streams. A text that would be read as something else gets a `_` before it."""

    streams = True
    shows_outcome = False
    shows_each_outcome = True

    def head(self) -> bytes:
        """The names of the columns: the keys of a finding."""
        return _format_row(COLUMNS)

    def lines(self, findings: Sequence[Finding]) -> bytes:
        """A row for each finding."""
        return b"".join(
            _format_row(
                [format_cell(value) for format_cell, value in zip(_FORMATTERS, _values_of(finding), strict=True)]
            )
            for finding in findings
        )

    def tail(self, report: Report) -> bytes:
        """A row for each table that was not read to its end, with the reason. There is no place for sums."""
        tables = [table for table in report.tables if table.outcome in _INCOMPLETE_OUTCOMES]
        return b"".join(
            _format_row(_format_text(cells[column]) if column in cells else "" for column in COLUMNS)
            for cells in map(_incomplete_table_cells, tables)
        )


def _incomplete_table_cells(table: TableReport) -> dict[str, str]:
    """The cells of a row that says why a table is incomplete; it has no fingerprint."""
    remarks = [*table.errors, *reversed(table.warnings)]
    why = remarks[0].message if remarks and table.outcome is not Outcome.INTERRUPTED else f"{table.outcome}"
    return {"meaning": f"incomplete: {why}", "table": table.label}


def _format_row(cells: Iterable[str]) -> bytes:
    return f"{','.join(cells)}\r\n".encode()


def _format_truth(value: bool) -> str:  # noqa: FBT001  # a value of the report
    return "true" if value else "false"


def _format_number(value: int | None) -> str:
    return "" if value is None else str(value)


def _format_time(value: dt.datetime | None) -> str:
    return "" if value is None else format_iso(value)


def _format_texts(values: tuple[str, ...]) -> str:
    return _format_text(" ".join(values)) if values else ""


def _format_groups(values: tuple[str, ...] | None) -> str:
    """Groups may contain spaces, so they are joined as `janitor token import` reads them."""
    return _format_text(";".join(values)) if values else ""


def _format_text(text: str | None) -> str:
    if text is None:
        return ""
    if _is_plain(text):
        return f"_{text}" if _reads_as_another(text) else text
    cell = _LIKE_A_QUOTE.sub(lambda match: f"\\x{ord(match[0]):02x}", printable(text))
    if _reads_as_another(cell.strip()):
        cell = f"_{cell}"
    return '"{}"'.format(cell.replace('"', '""')) if _HAS_TO_BE_QUOTED(cell) else cell


def _is_plain(text: str) -> bool:
    """Whether a text is printable ASCII that needs neither quotes nor escapes, as most are. Faster than a regex."""
    return (
        text.isascii()
        and text.isprintable()
        and '"' not in text
        and "," not in text
        and "'" not in text
        and "\\" not in text
        and text == text.strip(" ")
    )


def _remember(format_cell: Callable[[Any], str]) -> Callable[[Any], str]:
    """Remember the last cells of a column whose values come again and again."""
    return functools.lru_cache(maxsize=1_000)(format_cell)


# How the cells of a column are written; those that are not named are texts that differ from row to row.
_FORMATTER_OF: Mapping[str, Callable[[Any], str]] = {
    "state": _remember(_format_text),
    "accepted_by": _remember(_format_texts),
    "expires_at": _format_time,
    "expiration": _format_number,
    "seconds_to_expiry": _format_number,
    "created_by": _remember(_format_text),
    "created_at": _format_time,
    "system": _format_truth,
    "protected_by": _remember(_format_text),
    "reasons": _remember(_format_texts),
    "outcome": _remember(_format_text),
    "probably_meant": _format_time,
    "meaning": _remember(_format_text),
    "table": _remember(_format_text),
    "groups": _remember(_format_groups),
    "last_seen": _format_time,
}
_FORMATTERS = [_FORMATTER_OF.get(column, _format_text) for column in COLUMNS]
_values_of = attrgetter(*COLUMNS)


def read_text(cell: str) -> str:
    """Return the text of a cell, without spaces around it and without the `_` that this module puts before a text.

    A `_` before a text that would have got none is somebody's own: it stays.
    """
    text = cell.strip()
    marked = text.removeprefix("_").strip()
    return marked if text.startswith("_") and _reads_as_another(marked) else text


def _reads_as_another(text: str) -> bool:
    """Whether a program would take a text for a formula, a number, a date, a truth value or a missing value.

    True too often rather than too rarely: an unneeded `_` does no harm, and each program has its own idea of dates.
    """
    if text.startswith(_STARTS) or text.casefold() in _WORDS:
        return True
    return bool(_NUMBER(text) or _IN_ANOTHER_BASE(text))
