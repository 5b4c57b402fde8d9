"""`markdown`: the report as a page for an issue, a wiki or a chat, at most as long as GitHub allows.

GitHub looks for mentions and references in the rendered text, where backslashes are gone; so an invisible space breaks
them up. An e-mail address is left whole, so that it can be copied; GitHub does not take it for a mention.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from janitor.report.deletion_plan import MAX_LISTED, describe_protection, list_planned, list_protected
from janitor.report.finding_cells import (
    NOTHING,
    choose_row_names,
    format_due,
    format_groups,
    format_name,
    format_owner,
    format_utc,
)
from janitor.report.formats.interface import WholeFormat
from janitor.report.guard_rows import GUARD_COLUMNS, make_guard_rows
from janitor.report.model import Finding, Report
from janitor.report.next_steps import choose_first_steps, list_all_command
from janitor.report.summary import (
    closing_sections,
    deletion_lines,
    headline,
    listing_line,
    omitted_line,
    run_facts,
    state_rows,
)
from janitor.report.tables import COLUMNS, table_rows
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count

# The limit of an issue's body or a comment. Counted in UTF-16 units, at least one for each character.
MAX_PAGE_UNITS = 65_536
# How much of it the list of tables, and the remarks, may take; findings get the rest.
_TABLES_ROOM = _REMARKS_ROOM = MAX_PAGE_UNITS // 4
# How much the planned rows may take, and each of the protected ones, the guards, the facts and the steps.
_PLANNED_ROOM = MAX_PAGE_UNITS // 8
_SECTION_ROOM = MAX_PAGE_UNITS // 16
_MAX_TEXT_LENGTH = 3_000
_NOTE_ROOM = 200

# What is special within a table in GitHub's Markdown, or HTML inside it: emphasis, code, links, formulas, and addresses
# that would become links by themselves.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~@#&!$]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
# What is special in the rendered text: `@name`, `#12`, `GH-12`, `:name:`. First an e-mail address, which is left alone:
# one with a gap behind it, because whatever followed it directly would be read as a text of its own.
_REFERENCE = re.compile(
    r"(?P<address>(?<!\S)[a-z0-9._+-]*[a-z0-9_]@[a-z0-9-]+(?:\.[a-z0-9-]+)+(?=[\s,;)]|$))"
    r"|@(?=\w)|#(?=\w)|(?<=gh)-(?=\d)|:(?=[\w+-]+:)",
    re.IGNORECASE | re.ASCII,
)
_GAP = "&#8203;"  # a space without width
_COLUMNS = ("Expires", "UTC", "State", "Owner", "Name", "Groups", "Fingerprint", "Accepted by", "What it means")


class MarkdownFormat(WholeFormat):
    """Counts and findings in tables, what a sweep deletes and why, what else the reader should know, the next steps."""

    def tail(self, report: Report) -> bytes:
        """The whole page."""
        return _page(report).encode()


def _page(report: Report) -> str:
    before = [*_lines_before_findings(report), *_lines_about_deletion(report)]
    after = [*_remark_lines(report), *_step_lines(report)]
    head, rows = _finding_lines(report)
    room = MAX_PAGE_UNITS - 2 * _NOTE_ROOM - sum(map(_utf16_size, (*before, *head, *after)))
    listed = _take_fitting(rows, room)
    notes = ["", _omitted_note(len(rows) - len(listed), "row")] if len(listed) < len(rows) else []
    if report.findings_omitted:
        notes += ["", omitted_line(report, report.findings_omitted)]
    return "\n".join([*before, *head, *listed, *notes, *after]) + "\n"


def _lines_about_deletion(report: Report) -> Iterator[str]:
    """What goes and why, what is protected, which guards stand, and the facts of the run."""
    if not report.run.only_reads:
        yield from ("", "## Deletion", "")
        yield from map(_escape_markdown, deletion_lines(report))
        planned, protected = list_planned(report.findings), list_protected(report.findings)
        yield from _listed_rows(report, "Planned for deletion", planned, report.deletion.planned, room=_PLANNED_ROOM)
        yield from _listed_rows(report, "Would go, but are protected", protected, report.deletion.protected)
        guards = list(make_guard_rows(report))
        if guards:
            columns = GUARD_COLUMNS if report.is_of_several else GUARD_COLUMNS[1:]
            yield from ("", "### Guards", "")
            yield from _take_fitting(_table(columns, [row[-len(columns) :] for row in guards]), _SECTION_ROOM)
    facts = list(_fact_lines(report))
    if facts:
        level = "##" if report.run.only_reads else "###"
        yield from _take_fitting(["", f"{level} The run", "", *facts], _SECTION_ROOM)


def _listed_rows(
    report: Report, title: str, listed: Sequence[Finding], total: int, *, room: int = _SECTION_ROOM
) -> Iterator[str]:
    """The first of these rows, each with its reason, how many more there are, and the command that lists all."""
    if not total:
        return
    row_name_of = choose_row_names(report.findings)
    cells = [
        (
            format_owner(each),
            format_name(each),
            row_name_of(each),
            each.why or NOTHING,
            "protected: " + describe_protection(each) if each.outcome is None else each.outcome.replace("_", " "),
        )
        for each in listed[:MAX_LISTED]
    ]
    head, line, *rows = _table(("Owner", "Name", "Fingerprint", "Why", "Outcome"), cells)
    fitting = _take_fitting(rows, room)
    yield from ("", f"### {title} ({total:,})")
    if fitting:
        yield from ("", head, line, *fitting)
    if more := total - len(fitting):
        command = list_all_command(report)
        how = ":" if command else "; a dry run with `--report ndjson=PATH` lists them all."
        yield from ("", f"And {more:,} more{how}")
        if command:
            yield from _code_lines([command])


def _fact_lines(report: Report) -> Iterator[str]:
    for title, text in run_facts(report):
        if text.startswith("janitor "):
            yield from (f"- {_escape_markdown(title)}:", *_code_lines([text], indent="  "))
        else:
            yield f"- {_escape_markdown(f'{title}: {text}')}"


def _remark_lines(report: Report) -> list[str]:
    sections = list(closing_sections(report))
    lines = [
        line
        for section in sections
        for line in ("", f"## {section.title}", "", *(f"- {_escape_markdown(text)}" for text in section.lines))
    ]
    fitting = _take_fitting(lines, _REMARKS_ROOM - _NOTE_ROOM)
    left_out = sum(len(section.lines) for section in sections) - sum(line.startswith("- ") for line in fitting)
    return [*fitting, "", _omitted_note(left_out, "remark")] if left_out else fitting


def _step_lines(report: Report) -> Iterator[str]:
    """What to do next: the first steps that fit, each whole."""
    yield from ("", "## What to do next")
    room = _SECTION_ROOM
    for number, step in enumerate(choose_first_steps(report), 1):
        lines = ["", f"{number}. {_escape_markdown(step.advice)}", *_code_lines(step.commands, indent="   ")]
        room -= sum(map(_utf16_size, lines))
        if room < 0:
            break
        yield from lines


def _code_lines(commands: Sequence[str], indent: str = "") -> Iterator[str]:
    """Commands as they are to be typed, in a block of code."""
    if commands:
        yield from ("", f"{indent}```sh", *(f"{indent}{printable(command)}" for command in commands), f"{indent}```")


def _lines_before_findings(report: Report) -> Iterator[str]:
    yield f"# janitor: {_escape_markdown(report.title)}"
    yield ""
    yield _escape_markdown(headline(report))
    yield ""
    if report.listing is not None:
        yield _escape_markdown(listing_line(report))
        yield ""
    if report.is_of_several:
        head, *rows = _table(COLUMNS, table_rows(report))
        listed = _take_fitting(rows, _TABLES_ROOM)
        yield from (head, *listed)
        if left_out := len(rows) - len(listed):
            yield ""
            yield _omitted_note(left_out, "table")
        yield ""
    yield from _table(("State", "Rows", "What it means"), state_rows(report))


def _finding_lines(report: Report) -> tuple[list[str], list[str]]:
    """The lines above the findings, and a line for each finding."""
    if not report.findings:
        return [], []
    row_name_of = choose_row_names(report.findings)
    cells: list[tuple[str, ...]] = [_finding_cells(finding, row_name_of(finding)) for finding in report.findings]
    columns: tuple[str, ...] = _COLUMNS
    if report.is_of_several:
        columns = (*_COLUMNS, "Table")
        cells = [(*row, finding.table or NOTHING) for row, finding in zip(cells, report.findings, strict=True)]
    head, line, *rows = _table(columns, cells)
    return ["", "## Findings" if report.listing is None else "## Rows", "", head, line], rows


def _take_fitting(lines: Iterable[str], room: int) -> list[str]:
    """Take the first lines, as many as fit into `room` units; each counts with two line ends."""
    taken = []
    for line in lines:
        room -= _utf16_size(line) + 1
        if room < 0:
            break
        taken.append(line)
    return taken


def _utf16_size(line: str) -> int:
    """How many UTF-16 units a line takes, with its line end."""
    return len(line.encode("utf-16-le", "surrogatepass")) // 2 + 1


def _omitted_note(count: int, what: str) -> str:
    more = format_count(count, f"more {what}")
    return f"{more} did not fit on this page, which is as long as GitHub allows; `--report json=PATH` has more."


def _finding_cells(finding: Finding, row_name_of: str) -> tuple[str, ...]:
    return (
        format_due(finding),
        format_utc(finding.expires_at),
        finding.state,
        format_owner(finding),
        format_name(finding),
        format_groups(finding),
        row_name_of,
        ", ".join(finding.accepted_by) or "nothing",
        finding.meaning,
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(_escape_markdown(cell) for cell in row)} |"


def _escape_markdown(text: str) -> str:
    shortened = text if len(text) <= _MAX_TEXT_LENGTH else f"{text[: _MAX_TEXT_LENGTH - 1]}…"
    pieces, end = [], 0
    for match in _REFERENCE.finditer(shortened):
        if match["address"] is None:
            pieces.append(shortened[end : match.end()])
            end = match.end()
    return _GAP.join(_SPECIAL.sub(r"\\\1", piece) for piece in (*pieces, shortened[end:]))
