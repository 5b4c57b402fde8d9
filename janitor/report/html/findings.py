"""The findings of the page: which are listed, a row each, and how the filters know them.

A filter needs no script. It is a control and two rules of CSS: `:has()` knows which option is chosen, and rows without
the option's class name are not displayed. How many are left is a CSS counter, which counts only what is displayed.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from janitor.report.model import Finding, Report
from janitor.report.text import due, label, owner, row_names
from janitor.report.urgent import LEAST_OF_A_STATE
from janitor.tokens.classify import State
from janitor.tokens.dialect import Gate
from janitor.tokens.duration import spoken_duration
from janitor.tokens.printable import printable

_MOST_OWNERS = 30
_MOST_TABLES = 100
_LONGEST_OPTION = 48
_IN_PLAN = "p"
_ACCEPTED = {"a": "LISA's API", "w": "MCP Workbench only", "n": "nothing"}
_PLANNED = {_IN_PLAN: "in the plan", f"-{_IN_PLAN}": "not in the plan"}


class PageRow(NamedTuple):
    """A finding as the row that the page shows of it.

    Attributes:
        marks: the row's class names, by which filters know it.
        due: when the token expires or did, relative to the run.
        expires_at: the same as a time, None where it has none.
        called: the fingerprint, or the row name where two listed rows share a fingerprint.
        accepted_by: what still lets the token in.
        outcome: what became of the row in the run, in words; None for a row that was not planned for deletion.
        table: the label of its table in a run of several, None in a run of one.
    """

    marks: str
    due: str
    expires_at: dt.datetime | None
    state: str
    owner: str
    name: str
    called: str
    accepted_by: str
    meaning: str
    outcome: str | None
    protected_by: str | None
    table: str | None


class Filter(NamedTuple):
    """A choice by which the reader filters the rows.

    Attributes:
        name: what the control's id ends with.
        title: what stands above it.
        everything: the option that filters nothing.
        options: what the others say, by the class name of the rows that they leave. `-p` leaves those without `p`.
    """

    name: str
    title: str
    everything: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """The findings that the page lists.

    Attributes:
        rows: the rows as HTML, by state, in the order of the report.
        left_out: how many of the report's findings there was no room for.
    """

    rows: dict[State, list[Markup]]
    left_out: int


class Marks:
    """The class names of the report's rows: for each filter one by which its rows are known.

    Owners get a filter who have two rows or more, thresholds those below the horizon, and tables all of a run of
    several.
    """

    def __init__(self, report: Report) -> None:
        counted = Counter(finding.username for finding in report.findings if finding.username)
        owners = sorted(name for name, count in counted.most_common(_MOST_OWNERS) if count > 1)
        thresholds = report.policy.thresholds_seconds
        tables = [table.label for table in report.tables[:_MOST_TABLES]]
        self._owners = {name: f"o{position}" for position, name in enumerate(owners)}
        self._tables = {name: f"b{position}" for position, name in enumerate(tables)}
        self._within = sorted(limit for limit in {86_400, 7 * 86_400, *thresholds} if limit < max(thresholds))
        self._is_planned = any(finding.outcome is not None for finding in report.findings)

    def filters(self) -> list[Filter]:
        """The choices that the page offers; one without options it leaves out."""
        owners = {mark: _shorten(name) for name, mark in self._owners.items()}
        tables = {mark: _shorten(name) for name, mark in self._tables.items()}
        within = {f"t{position}": spoken_duration(limit) for position, limit in enumerate(self._within)}
        return [
            Filter("table", "Table", "all", tables),
            Filter("owner", "Owner", "everybody", owners),
            Filter("within", "Expires within", "any time", within),
            Filter("accepted", "Accepted by", "whatever", _ACCEPTED),
            Filter("plan", "Deletion", "any", _PLANNED if self._is_planned else {}),
        ]

    def of(self, finding: Finding) -> Iterator[str]:
        """The class names of the finding's row."""
        if Gate.API in finding.accepted_by:
            yield "a"
        else:
            yield "w" if finding.accepted_by else "n"
        if finding.username in self._owners:
            yield self._owners[finding.username]
        if finding.table in self._tables:
            yield self._tables[finding.table]
        left = finding.seconds_to_expiry
        if left is not None and left > 0:
            yield from (f"t{position}" for position, limit in enumerate(self._within) if left <= limit)
        if finding.outcome is not None:
            yield _IN_PLAN


def page_row_of(finding: Finding, called: str, marks: Marks) -> PageRow:
    """The row of a finding; `called` stands for its fingerprint."""
    return PageRow(
        marks=" ".join(marks.of(finding)),
        due=due(finding),
        expires_at=finding.expires_at,
        state=finding.state.value,
        owner=owner(finding),
        name=label(finding),
        called=called,
        accepted_by=", ".join(finding.accepted_by) or "nothing",
        meaning=finding.meaning,
        outcome=finding.outcome,
        protected_by=finding.protected_by,
        table=finding.table,
    )


def list_findings(
    findings: Sequence[Finding], marks: Marks, render: Callable[[PageRow], Markup], *, most_bytes: int
) -> Listed:
    """As many findings as fit: a few of each state, then the most urgent.

    Args:
        findings: of a report, in its order.
        marks: the class names of the rows.
        render: makes a row HTML.
        most_bytes: how many bytes all rows together may take.
    """
    chosen: dict[int, Markup] = {}
    call = row_names(findings)
    for position in _most_wanted_first(findings):
        finding = findings[position]
        row = render(page_row_of(finding, call(finding), marks))
        most_bytes -= len(row.encode()) + 1
        if most_bytes < 0:
            break
        chosen[position] = row
    rows: dict[State, list[Markup]] = defaultdict(list)
    for position in sorted(chosen):
        rows[findings[position].state].append(chosen[position])
    return Listed(rows, left_out=len(findings) - len(chosen))


def _most_wanted_first(findings: Sequence[Finding]) -> Iterator[int]:
    """The positions of these findings: the first few of each state, then all others."""
    counted: Counter[State] = Counter()
    others = []
    for position, finding in enumerate(findings):
        counted[finding.state] += 1
        if counted[finding.state] <= LEAST_OF_A_STATE:
            yield position
        else:
            others.append(position)
    yield from others


def _shorten(name: str) -> str:
    """The name as an option of a choice, which no phone shows in full when it is long."""
    name = printable(name)
    return name if len(name) <= _LONGEST_OPTION else f"{name[: _LONGEST_OPTION - 1]}…"
