"""The findings of the page: which are listed, one row for each, and how filters select them.

A filter needs no script. It is a control and two rules of CSS: `:has()` knows which option is chosen, and rows without
the option's class name are not displayed. How many are left is a CSS counter, which counts only what is displayed.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from janitor.report.finding_cells import choose_row_names, format_due, format_groups, format_name, format_owner
from janitor.report.model import Finding, Report
from janitor.report.shortlist import MIN_PER_STATE
from janitor.tokens.classify import State
from janitor.tokens.dialect import Gate
from janitor.tokens.duration import format_duration
from janitor.tokens.printable import printable

_MAX_OWNERS = 30
_MAX_TABLES = 100
_MAX_OPTION_LENGTH = 48
_IN_PLAN = "p"
_ACCEPTED_OPTIONS = {"a": "LISA's API", "w": "MCP Workbench only", "n": "nothing"}
_PLAN_OPTIONS = {_IN_PLAN: "in the plan", f"-{_IN_PLAN}": "not in the plan"}


class PageRow(NamedTuple):
    """A finding as a row of the page.

    Attributes:
        classes: the row's class names, by which filters select it.
        due: when the token expires or did, relative to the run.
        expires_at: the same as a time, None if it has none.
        groups: whose rights the token has; None for none.
        row_name: the fingerprint, or the row name if two listed rows share a fingerprint.
        accepted_by: the gates that still accept the token.
        outcome: what became of the row in the run, in words; None for a row that was not planned for deletion.
        table: the label of its table in a run of several, None in a run of one.
    """

    classes: str
    due: str
    expires_at: dt.datetime | None
    state: str
    owner: str
    name: str
    groups: str | None
    row_name: str
    accepted_by: str
    meaning: str
    outcome: str | None
    protected_by: str | None
    table: str | None


class Filter(NamedTuple):
    """A choice by which the reader filters the rows.

    Attributes:
        name: the end of the control's element id.
        title: its title.
        everything: the text of the option that selects all rows.
        options: the texts of the others, by the class name of the rows that they select. `-p` selects rows without `p`.
    """

    name: str
    title: str
    everything: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class ListedFindings:
    """The findings that the page lists.

    Attributes:
        rows: the rows as HTML, by state, in the order of the report.
        left_out: how many of the report's findings there was no room for.
    """

    rows: dict[State, list[Markup]]
    left_out: int


class RowClasses:
    """The class names of the report's rows, by which filters select them.

    There are filters for owners with two rows or more, thresholds below the horizon, and tables of a run of several.
    """

    def __init__(self, report: Report) -> None:
        counts = Counter(finding.username for finding in report.findings if finding.username)
        owners = sorted(name for name, count in counts.most_common(_MAX_OWNERS) if count > 1)
        thresholds = report.policy.thresholds_seconds
        tables = [table.label for table in report.tables[:_MAX_TABLES]]
        self._owners = {name: f"o{position}" for position, name in enumerate(owners)}
        self._tables = {name: f"b{position}" for position, name in enumerate(tables)}
        self._within = sorted(limit for limit in {86_400, 7 * 86_400, *thresholds} if limit < max(thresholds))
        self._is_planned = any(finding.outcome is not None for finding in report.findings)

    def filters(self) -> list[Filter]:
        """The filters of the page; it leaves out those without options."""
        owners = {class_name: _shorten(name) for name, class_name in self._owners.items()}
        tables = {class_name: _shorten(name) for name, class_name in self._tables.items()}
        within = {f"t{position}": format_duration(limit) for position, limit in enumerate(self._within)}
        return [
            Filter("table", "Table", "all", tables),
            Filter("owner", "Owner", "everybody", owners),
            Filter("within", "Expires within", "any time", within),
            Filter("accepted", "Accepted by", "whatever", _ACCEPTED_OPTIONS),
            Filter("plan", "Deletion", "any", _PLAN_OPTIONS if self._is_planned else {}),
        ]

    def classes_of(self, finding: Finding) -> Iterator[str]:
        """The class names of the finding's row."""
        if Gate.API in finding.accepted_by:
            yield "a"
        else:
            yield "w" if finding.accepted_by else "n"
        if finding.username in self._owners:
            yield self._owners[finding.username]
        if finding.table in self._tables:
            yield self._tables[finding.table]
        seconds_left = finding.seconds_to_expiry
        if seconds_left is not None and seconds_left > 0:
            yield from (f"t{position}" for position, limit in enumerate(self._within) if seconds_left <= limit)
        if finding.outcome is not None:
            yield _IN_PLAN


def build_page_row(finding: Finding, row_name: str, classes: RowClasses) -> PageRow:
    """Build the row of a finding; `row_name` is shown as its fingerprint."""
    return PageRow(
        classes=" ".join(classes.classes_of(finding)),
        due=format_due(finding),
        expires_at=finding.expires_at,
        state=finding.state.value,
        owner=format_owner(finding),
        name=format_name(finding),
        groups=format_groups(finding) if finding.groups else None,
        row_name=row_name,
        accepted_by=", ".join(finding.accepted_by) or "nothing",
        meaning=finding.meaning,
        outcome=finding.outcome,
        protected_by=finding.protected_by,
        table=finding.table,
    )


def list_findings(
    findings: Sequence[Finding], classes: RowClasses, render: Callable[[PageRow], Markup], *, max_bytes: int
) -> ListedFindings:
    """Render as many findings as fit: a few of each state, then the most urgent.

    Args:
        findings: a report's, in its order.
        classes: the class names of the rows.
        render: renders a row as HTML.
        max_bytes: how many bytes all rows together may take.
    """
    rendered: dict[int, Markup] = {}
    row_name_of = choose_row_names(findings)
    for position in _positions_by_priority(findings):
        finding = findings[position]
        row = render(build_page_row(finding, row_name_of(finding), classes))
        max_bytes -= len(row.encode()) + 1
        if max_bytes < 0:
            break
        rendered[position] = row
    rows: dict[State, list[Markup]] = defaultdict(list)
    for position in sorted(rendered):
        rows[findings[position].state].append(rendered[position])
    return ListedFindings(rows, left_out=len(findings) - len(rendered))


def _positions_by_priority(findings: Sequence[Finding]) -> Iterator[int]:
    """The positions of these findings: the first few of each state, then all others."""
    counts: Counter[State] = Counter()
    other_positions = []
    for position, finding in enumerate(findings):
        counts[finding.state] += 1
        if counts[finding.state] <= MIN_PER_STATE:
            yield position
        else:
            other_positions.append(position)
    yield from other_positions


def _shorten(name: str) -> str:
    """Shorten the name for an option of a control, which a phone could not show in full."""
    name = printable(name)
    return name if len(name) <= _MAX_OPTION_LENGTH else f"{name[: _MAX_OPTION_LENGTH - 1]}…"
