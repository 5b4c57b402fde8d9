"""The values of the HTML report, which the templates of this package show."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from janitor.report.html.charts import chart_ahead, chart_behind, now_of
from janitor.report.html.findings import Listed, Marks, PageRow, list_findings, page_row_of
from janitor.report.html.next_steps import steps
from janitor.report.html.templating import environment_of, styles_of
from janitor.report.model import Outcome, Remark, Report
from janitor.report.summary import (
    counts_rows,
    deletion_lines,
    headline,
    in_order,
    listing_line,
    omitted_line,
    shortfalls,
)
from janitor.report.tables import COLUMNS, FIRST_NUMBER, table_rows
from janitor.report.text import due, owner, row_names, utc
from janitor.tokens.classify import State
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import spoken_duration
from janitor.tokens.outcome import DeletionOutcome
from janitor.tokens.printable import printable

# The page stays under 3 MB, whatever it reports: mail servers and issue trackers take no more.
_MOST_BYTES = 2_980_000
# What the findings may take besides their rows: filters and their rules.
_BESIDES_ROWS = 50_000
_MOST_REMARKS = 20
_LONGEST_REMARK = 1_000
_MOST_UNEXPECTED = 40
_MOST_OWNERS = 200
_LONGEST_OWNER = 120
_MOST_THRESHOLDS = 5

_ENDED = {
    Outcome.COMPLETE: "✓ complete",
    Outcome.INTERRUPTED: "✕ interrupted",
    Outcome.FAILED: "✕ failed",
    Outcome.REFUSED: "✕ deletion refused by a guard",
    Outcome.SKIPPED: "✕ skipped",
}
_AS_PLANNED = (Outcome.COMPLETE, Outcome.SKIPPED)
_UNEXPECTED = (DeletionOutcome.FAILED, DeletionOutcome.CHANGED, DeletionOutcome.ALREADY_GONE)

# The states, most urgent first, as in report.build: what can still be saved, what just broke, what is odd, what is only
# old. Each has a sign of its own, so that colour is never the only one. All signs are in every system's fonts.
_SIGNS = {
    State.EXPIRING: "▲",
    State.EXPIRED: "■",
    State.MALFORMED: "✕",
    State.LEGACY: "◆",
    State.PERMANENT: "∞",
    State.STALE: "●",
    State.ACTIVE: "✓",
}


class _Alert(NamedTuple):
    """The errors, or the warnings: so many sentences, and how many more there are."""

    name: str
    title: str
    sign: str
    sentences: list[str]
    more: int


class _TableRow(NamedTuple):
    """A table of a run of several: its label, words about it, and its counts."""

    label: str
    words: Sequence[str]
    figures: Sequence[str]
    is_good: bool


class _Tile(NamedTuple):
    """A state: what it means, how many rows are in it, and whether the page lists any of them."""

    state: State
    meaning: str
    rows: int
    size: str
    is_listed: bool


class _NextToExpire(NamedTuple):
    """The token that expires next: when, and whose it is."""

    due: str
    username: str | None
    owner: str


@dataclass(frozen=True, slots=True)
class _StateSection:
    """The rows of a state that the page lists, as HTML, and how many there are in all."""

    state: State
    meaning: str
    total: int
    rows: list[Markup]


def render_report(report: Report) -> bytes:
    """The whole page in UTF-8, under 3 MB however many findings there are; it says how many it leaves out."""
    environment = _environment()
    template = environment.get_template("report.html")
    render_row = environment.get_template("rows.html").module.finding_row  # type: ignore[attr-defined]
    marks = Marks(report)
    values = _values(report, marks, render_row)
    around = sum(len(piece.encode()) for piece in template.generate(values, listed=None, omitted_line=""))
    room = _MOST_BYTES - around - _BESIDES_ROWS
    found = list_findings(report.findings, marks, render_row, most_bytes=room)
    omitted = report.findings_omitted + found.left_out
    pieces = template.generate(
        values,
        listed=list(_sections(report, found)),
        omitted_line=omitted_line(report, omitted) if omitted else "",
    )
    return b"".join(piece.encode() for piece in pieces)


@functools.cache
def _environment() -> Environment:
    environment = environment_of("janitor.report")
    environment.filters["utc"] = utc
    environment.globals["signs"] = _SIGNS
    environment.globals["styles"] = styles_of("janitor.report", "report.css")
    return environment


def _values(report: Report, marks: Marks, render_row: Callable[[PageRow], Markup]) -> dict[str, Any]:
    """What the templates show, but for the findings."""
    unexpected = [finding for finding in report.findings if finding.outcome in _UNEXPECTED]
    call = row_names(report.findings)
    return {
        "report": report,
        "headline": headline(report),
        "now": now_of(report),
        "horizon": spoken_duration(max(report.policy.thresholds_seconds)),
        "places": list(_places(report)),
        "ended": _ENDED[report.run.outcome],
        "listing_line": listing_line(report),
        "next": _next_to_expire(report),
        "alerts": [alert for alert in _alerts(report) if alert.sentences],
        "columns": COLUMNS,
        "tables": list(_tables(report)),
        "tiles": list(_tiles(report)),
        "charts": [chart_ahead(report), chart_behind(report)],
        "steps": list(steps(report)),
        "deletion_lines": list(deletion_lines(report)),
        "outcomes": list(_outcomes(report)),
        "unexpected": [render_row(page_row_of(each, call(each), marks)) for each in unexpected[:_MOST_UNEXPECTED]],
        "more_unexpected": max(0, len(unexpected) - _MOST_UNEXPECTED),
        "owners": [_cut(printable(owner), _LONGEST_OWNER) for owner in report.locked_out[:_MOST_OWNERS]],
        "more_owners": max(0, len(report.locked_out) - _MOST_OWNERS),
        "in_order": in_order(report),
        "filters": marks.filters(),
        "facts": list(_facts(report)),
    }


def _places(report: Report) -> Iterator[str]:
    """Where the table is, and which LISA writes it."""
    table, dialect = report.only_table, report.policy.dialect
    if table is not None:
        if table.region:
            yield table.region
        if table.source:
            yield f"from {table.spoken_source}"
        if table.account_id:
            yield f"account {table.account_id}"
        if table.endpoint:
            yield f"at {table.endpoint}"
    if dialect is not None:
        yield "LISA 6.1 and later (hashed)" if dialect is Dialect.HASHED else "LISA before 6.1 (classic)"


def _next_to_expire(report: Report) -> _NextToExpire | None:
    first = next((finding for finding in report.findings if finding.state is State.EXPIRING), None)
    return None if first is None else _NextToExpire(due(first), first.username, owner(first))


def _alerts(report: Report) -> Iterator[_Alert]:
    """Errors, the worst of them why the report is not of the whole table, then warnings."""
    errors, warnings = _sentences(report.errors), _sentences(report.warnings)
    errors = [*list(shortfalls(report))[:1], *errors]
    yield _Alert("errors", "Errors", "✕", errors, len(report.errors) - _MOST_REMARKS)
    yield _Alert("warnings", "Warnings", "!", warnings, len(report.warnings) - _MOST_REMARKS)


def _sentences(remarks: Sequence[Remark]) -> list[str]:
    return [f"{_cut(remark.message, _LONGEST_REMARK)}." for remark in remarks[:_MOST_REMARKS]]


def _tables(report: Report) -> Iterator[_TableRow]:
    for part, (label, *cells) in zip(report.tables, table_rows(report), strict=True):
        words, figures = cells[: FIRST_NUMBER - 1], cells[FIRST_NUMBER - 1 :]
        yield _TableRow(label, words, figures, part.outcome in _AS_PLANNED)


def _tiles(report: Report) -> Iterator[_Tile]:
    listed = {finding.state for finding in report.findings}
    for state, meaning in _meanings(report):
        count = getattr(report.counts, state.value)
        yield _Tile(state, meaning, count, _size(f"{count:,}"), state in listed)


def _size(number: str) -> str:
    """A tile is narrow, and a number does not wrap."""
    if len(number) <= len("99,999"):
        return "short"
    return "long" if len(number) <= len("9,999,999") else "longest"


def _meanings(report: Report) -> Iterator[tuple[State, str]]:
    """Each state that the report's dialect has, most urgent first, and what it means."""
    meanings = {State(state): meaning for state, _, meaning in counts_rows(report)}
    yield from ((state, meanings[state]) for state in _SIGNS if state in meanings)


def _outcomes(report: Report) -> Iterator[tuple[str, int]]:
    """What became of the rows of the plan, in words, and of how many."""
    deletion = report.deletion
    yield "planned", deletion.planned
    yield "deleted", deletion.deleted
    yield "changed", deletion.changed
    yield "gone already", deletion.already_gone
    yield "failed", deletion.failed
    yield "protected", deletion.protected
    if deletion.waiting:
        yield "wait for their notice", deletion.waiting


def _sections(report: Report, found: Listed) -> Iterator[_StateSection]:
    for state, meaning in _meanings(report):
        rows = found.rows.get(state)
        if rows:
            yield _StateSection(state, meaning, max(getattr(report.counts, state.value), len(rows)), rows)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    """What stands at the foot of the page of the run, in words, and each fact."""
    run, policy, capacity, skew = report.run, report.policy, report.capacity, report.clock.skew_seconds
    yield "Command", f"janitor {run.command}"
    yield "Run", run.id
    yield "Started", f"{utc(run.started_at)} UTC"
    yield "Took", f"{run.duration_seconds:,.1f} s"
    thresholds = sorted(policy.thresholds_seconds, reverse=True)
    yield "About to expire", ", ".join(spoken_duration(seconds) for seconds in thresholds[:_MOST_THRESHOLDS])
    yield "Grace", spoken_duration(policy.grace_seconds)
    yield "Units", f"{capacity.read_units:,.1f} read, {capacity.write_units:,.1f} written"
    yield "Requests", f"{capacity.requests:,}, {capacity.throttled:,} throttled"
    yield "Cost", f"${capacity.cost_usd:,.6f}".rstrip("0").rstrip(".") + " on demand"
    yield "Clock", "unknown" if skew is None else f"{skew:+,} s off the server's"
    yield "Version", run.version


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
