"""Which findings the page lists, and a finding as a row of its table."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from janitor.report.html.markup import Markup, escaped, joined, tag
from janitor.report.model import Finding
from janitor.report.text import due, label, owner, row_names, utc
from janitor.tokens.classify import State
from janitor.tokens.dialect import Gate

COLUMNS = ("Expires (UTC)", "State", "Owner", "Name", "Fingerprint", "Accepted by", "What it means")

# So many of each state are listed before the more urgent ones fill the page.
LEAST_OF_A_STATE = 20
MOST_OWNERS = 30
MOST_TABLES = 100


@dataclass(frozen=True, slots=True)
class Marks:
    """What rows are marked with, for the filters.

    Attributes:
        owners: class names of the owners that one can filter by, by the names of those with the most rows.
        tables: class names of the tables that one can filter by, by their labels; none in a run of one.
        within: thresholds in seconds, ascending, that one can filter by.
    """

    owners: dict[str, str]
    within: list[int]
    tables: dict[str, str] = field(default_factory=dict)

    def of(self, finding: Finding) -> Iterator[str]:
        """The class names of the finding's row."""
        yield accepted_mark(finding)
        if finding.username in self.owners:
            yield self.owners[finding.username]
        if finding.table in self.tables:
            yield self.tables[finding.table]
        left = finding.seconds_to_expiry
        if left is not None and left > 0:
            yield from (f"t{position}" for position, limit in enumerate(self.within) if left <= limit)
        if finding.outcome is not None:
            yield "p"


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of the page by state, in the order of the report.

    Attributes:
        left_out: how many of the report's findings there was no room for.
    """

    rows: dict[State, list[Markup]] = field(default_factory=lambda: defaultdict(list))
    left_out: int = 0


def marks_for(findings: Iterable[Finding], thresholds: Sequence[int], tables: Sequence[str] = ()) -> Marks:
    """The marks that are worth a filter: owners of two rows or more, thresholds below the horizon, and tables."""
    counted = Counter(finding.username for finding in findings if finding.username)
    named = sorted(name for name, count in counted.most_common(MOST_OWNERS) if count > 1)
    within = sorted({86_400, 7 * 86_400, *thresholds})
    below = [limit for limit in within if limit < max(thresholds)]
    return Marks(
        {name: f"o{position}" for position, name in enumerate(named)},
        below,
        {label: f"b{position}" for position, label in enumerate(tables[:MOST_TABLES])},
    )


def accepted_mark(finding: Finding) -> str:
    """`a` for a row that LISA's API accepts, `w` for one that only MCP Workbench does, `n` for neither."""
    if Gate.API in finding.accepted_by:
        return "a"
    return "w" if finding.accepted_by else "n"


def listed(findings: Sequence[Finding], marks: Marks, *, room: int) -> Listed:
    """As many findings as fit: a few of each state, then the most urgent.

    Args:
        findings: most urgent first.
        marks: for the filters.
        room: bytes.
    """
    chosen: dict[int, Markup] = {}
    called = row_names(findings)
    for position in _most_wanted_first(findings):
        row = finding_row(findings[position], marks, called(findings[position]))
        room -= len(row.encode()) + 1
        if room < 0:
            break
        chosen[position] = row
    page = Listed(left_out=len(findings) - len(chosen))
    for position in sorted(chosen):
        page.rows[findings[position].state].append(chosen[position])
    return page


def _most_wanted_first(findings: Sequence[Finding]) -> Iterator[int]:
    seen: Counter[State] = Counter()
    others = []
    for position, finding in enumerate(findings):
        seen[finding.state] += 1
        if seen[finding.state] <= LEAST_OF_A_STATE:
            yield position
        else:
            others.append(position)
    yield from others


def finding_row(finding: Finding, marks: Marks, called: str) -> Markup:
    """The finding's row; the cells are those of COLUMNS. `called` is what stands for its fingerprint."""
    return tag(
        "tr",
        tag("td", tag("b", due(finding)), when(finding.expires_at)),
        tag("td", finding.state.value),
        tag("td", owner(finding)),
        tag("td", label(finding)),
        tag("td", called),
        tag("td", ", ".join(finding.accepted_by) or "nothing"),
        tag("td", finding.meaning, *_remarks(finding)),
        *([] if finding.table is None else [tag("td", finding.table)]),
        class_=" ".join(marks.of(finding)),
    )


def when(moment: dt.datetime | None) -> Markup:
    """A time to the minute, with the second for programs; nothing for none."""
    if moment is None:
        return Markup()
    return tag("time", utc(moment), datetime=moment.isoformat().replace("+00:00", "Z"))


def table(rows: Iterable[Markup], caption: str, *, of_several: bool = False) -> Markup:
    """A table of findings; those of several tables have a column more."""
    columns = (*COLUMNS, "Table") if of_several else COLUMNS
    head = tag("thead", tag("tr", *(tag("th", title, scope="col") for title in columns)))
    body = tag("tbody", joined(rows, Markup("\n")))
    return tag("table", tag("caption", caption, class_="hidden"), head, Markup("\n"), body, class_="rows")


def _remarks(finding: Finding) -> Iterator[Markup]:
    if finding.outcome is not None:
        yield escaped(" ")
        yield tag("i", finding.outcome.replace("_", " "), class_=finding.outcome.value)
    if finding.protected_by is not None:
        yield escaped(" ")
        yield tag("i", f"protected: {finding.protected_by}")
