"""`markdown`: the report as a page for an issue, a wiki or a chat, as long as GitHub takes one at most.

GitHub looks for mentions and references in what it has rendered, where no backslash is left: an invisible space breaks
those up. An e-mail address is left in one piece, to be copied: GitHub takes none for a mention.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from janitor.report.formats.interface import WholeFormat
from janitor.report.model import Finding, Report
from janitor.report.summary import closing_lines, counts_rows, headline, listing_line, omitted_line
from janitor.report.tables import COLUMNS, table_rows
from janitor.report.text import NOTHING, due, label, owner, row_names, utc
from janitor.tokens.words import counted

# Of an issue's body or a comment, in UTF-16 units, which are never fewer than its characters.
LONGEST_PAGE = 65_536
# What tables of several, and what remarks may take of it at most; findings take what is left.
_ROOM_OF_TABLES = _ROOM_OF_REMARKS = LONGEST_PAGE // 4
_LONGEST_TEXT = 3_000
_ROOM_OF_A_NOTE = 200

# What GitHub's Markdown, or HTML inside it, takes for more than text within a table: emphasis, code, links, formulas,
# and addresses that would become links by themselves.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~@#&!$]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
# What its filters take for more than text once that is rendered: `@name`, `#12`, `GH-12`, `:name:`. First an address as
# it may stand: one that no other follows without a gap, for the rest of it would be a text by itself.
_REFERENCE = re.compile(
    r"(?P<address>(?<!\S)[a-z0-9._+-]*[a-z0-9_]@[a-z0-9-]+(?:\.[a-z0-9-]+)+(?=[\s,;)]|$))"
    r"|@(?=\w)|#(?=\w)|(?<=gh)-(?=\d)|:(?=[\w+-]+:)",
    re.IGNORECASE | re.ASCII,
)
_GAP = "&#8203;"  # a space without width
_COLUMNS = ("Expires", "UTC", "State", "Owner", "Name", "Fingerprint", "Accepted by", "What it means")


class Markdown(WholeFormat):
    """Counts, findings, and what the reader should know, in tables."""

    def tail(self, report: Report) -> bytes:
        """The whole page."""
        return _page(report).encode()


def _page(report: Report) -> str:
    before = list(_before(report))
    remarks = [_escaped(line) for line in closing_lines(report)]
    after = [line for remark in _fitting(remarks, _ROOM_OF_REMARKS - _ROOM_OF_A_NOTE) for line in ("", remark)]
    if left_out := len(remarks) - len(after) // 2:
        after += ["", _left_out(left_out, "remark")]
    head, rows = _findings(report)
    room = LONGEST_PAGE - 2 * _ROOM_OF_A_NOTE - sum(map(_size, (*before, *head, *after)))
    listed = _fitting(rows, room)
    notes = ["", _left_out(len(rows) - len(listed), "row")] if len(listed) < len(rows) else []
    if report.findings_omitted:
        notes += ["", omitted_line(report, report.findings_omitted)]
    return "\n".join([*before, *head, *listed, *notes, *after]) + "\n"


def _before(report: Report) -> Iterator[str]:
    yield f"# janitor: {_escaped(report.title)}"
    yield ""
    yield _escaped(headline(report))
    yield ""
    if report.listing is not None:
        yield _escaped(listing_line(report))
        yield ""
    if report.is_of_several:
        head, *rows = _table(COLUMNS, table_rows(report))
        listed = _fitting(rows, _ROOM_OF_TABLES)
        yield from (head, *listed)
        if left_out := len(rows) - len(listed):
            yield ""
            yield _left_out(left_out, "table")
        yield ""
    yield from _table(("State", "Rows", "What it means"), counts_rows(report))


def _findings(report: Report) -> tuple[list[str], list[str]]:
    """What stands above the findings, and a line each."""
    if not report.findings:
        return [], []
    called = row_names(report.findings)
    cells: list[tuple[str, ...]] = [_cells(finding, called(finding)) for finding in report.findings]
    columns: tuple[str, ...] = _COLUMNS
    if report.is_of_several:
        columns = (*_COLUMNS, "Table")
        cells = [(*row, finding.table or NOTHING) for row, finding in zip(cells, report.findings, strict=True)]
    head, line, *rows = _table(columns, cells)
    return ["", "## Findings" if report.listing is None else "## Rows", "", head, line], rows


def _fitting(lines: Iterable[str], room: int) -> list[str]:
    """The first lines, as many as fit into so many units with the ends of two lines each."""
    fitting = []
    for line in lines:
        room -= _size(line) + 1
        if room < 0:
            break
        fitting.append(line)
    return fitting


def _size(line: str) -> int:
    """How many UTF-16 units a line takes with its end."""
    return len(line.encode("utf-16-le", "surrogatepass")) // 2 + 1


def _left_out(count: int, what: str) -> str:
    more = counted(count, f"more {what}")
    return (
        f"Of {more} there is no room on this page, which is as long as GitHub takes one; `--report json=PATH` has more."
    )


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
    shown = text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
    pieces, end = [], 0
    for match in _REFERENCE.finditer(shown):
        if match["address"] is None:
            pieces.append(shown[end : match.end()])
            end = match.end()
    return _GAP.join(_SPECIAL.sub(r"\\\1", piece) for piece in (*pieces, shown[end:]))
