"""The values of the HTML report, which the templates of this package show."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from janitor.report.deletion_plan import MAX_LISTED, describe_protection, list_planned, list_protected
from janitor.report.finding_cells import (
    NOTHING,
    choose_row_names,
    format_due,
    format_name,
    format_owner,
    format_utc,
)
from janitor.report.guard_rows import GUARD_COLUMNS, make_guard_rows
from janitor.report.html.charts import build_expired_chart, build_expiry_chart, judged_at
from janitor.report.html.findings import ListedFindings, PageRow, RowClasses, build_page_row, list_findings
from janitor.report.html.templating import load_styles, make_environment
from janitor.report.lockout_text import list_lockout_states, list_ways_out
from janitor.report.model import Finding, Outcome, Remark, Report
from janitor.report.next_steps import list_all_command
from janitor.report.summary import (
    deletion_lines,
    describe_order,
    headline,
    is_unconfirmed,
    listing_line,
    omitted_line,
    run_facts,
    shortfall_lines,
    state_rows,
)
from janitor.report.tables import COLUMNS, FIRST_NUMBER, table_rows
from janitor.report.target_options import format_target_of
from janitor.tokens.classify import State
from janitor.tokens.deletion_outcome import DeletionOutcome
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.duration import format_duration
from janitor.tokens.printable import printable

# The page stays under 3 MB, because mail servers and issue trackers take no more.
_MAX_BYTES = 2_980_000
# How much the filters and their rules may take.
_FILTER_BYTES = 50_000
_MAX_REMARKS = 20
_MAX_REMARK_LENGTH = 1_000
_MAX_UNEXPECTED = 40
_MAX_OWNERS = 200
_MAX_OWNER_LENGTH = 120
_MAX_THRESHOLDS = 5

_OUTCOMES = {
    Outcome.COMPLETE: "✓ complete",
    Outcome.INTERRUPTED: "✕ interrupted",
    Outcome.FAILED: "✕ failed",
    Outcome.REFUSED: "✕ deletion refused by a guard",
    Outcome.SKIPPED: "✕ skipped",
}
_AS_PLANNED = (Outcome.COMPLETE, Outcome.SKIPPED)
_UNEXPECTED = (DeletionOutcome.FAILED, DeletionOutcome.CHANGED, DeletionOutcome.ALREADY_GONE)

# The states, most urgent first, as in report.build: what can still be saved, what just broke, what is odd, what is only
# old. Each has its own sign, so that color is never the only difference. Every system's fonts have all the signs.
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
    """The errors, or the warnings: the sentences that are shown, and how many more there are."""

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


class _SweptRow(NamedTuple):
    """A row that a sweep deletes, or would if nothing protected it: what became of it, or what protects it."""

    owner: str
    name: str
    row_name: str
    why: str
    outcome: str


class _SweptRows(NamedTuple):
    """The first of such rows, and how many more there are."""

    rows: list[_SweptRow]
    more: int


@dataclass(frozen=True, slots=True)
class _StateSection:
    """The listed rows of a state as HTML, and how many there are in all."""

    state: State
    meaning: str
    total: int
    rows: list[Markup]


def render_report(report: Report) -> bytes:
    """Render the page in UTF-8, under 3 MB however many findings there are; it says how many it leaves out."""
    environment = _environment()
    template = environment.get_template("report.html")
    render_row = environment.get_template("rows.html").module.finding_row  # type: ignore[attr-defined]
    classes = RowClasses(report)
    values = _values(report, classes, render_row)
    frame_bytes = sum(len(piece.encode()) for piece in template.generate(values, listed=None, omitted_line=""))
    row_bytes = _MAX_BYTES - frame_bytes - _FILTER_BYTES
    listed_findings = list_findings(report.findings, classes, render_row, max_bytes=row_bytes)
    omitted = report.findings_omitted + listed_findings.left_out
    pieces = template.generate(
        values,
        listed=list(_sections(report, listed_findings)),
        omitted_line=omitted_line(report, omitted) if omitted else "",
    )
    return b"".join(piece.encode() for piece in pieces)


@functools.cache
def _environment() -> Environment:
    environment = make_environment("janitor.report")
    environment.filters["utc"] = format_utc
    environment.globals["signs"] = _SIGNS
    environment.globals["styles"] = load_styles("janitor.report", "report.css")
    return environment


def _values(report: Report, classes: RowClasses, render_row: Callable[[PageRow], Markup]) -> dict[str, Any]:
    """The values that the templates show, without the findings."""
    unexpected = [finding for finding in report.findings if finding.outcome in _UNEXPECTED]
    row_name_of = choose_row_names(report.findings)
    return {
        "report": report,
        "headline": headline(report),
        "now": judged_at(report),
        "horizon": format_duration(max(report.policy.thresholds_seconds)),
        "places": list(_places(report)),
        "ended": "✕ not confirmed" if is_unconfirmed(report) else _OUTCOMES[report.run.outcome],
        "listing_line": listing_line(report),
        "next": _next_to_expire(report),
        "alerts": [alert for alert in _alerts(report) if alert.sentences],
        "columns": COLUMNS,
        "tables": list(_tables(report)),
        "tiles": list(_tiles(report)),
        "charts": [build_expiry_chart(report), build_expired_chart(report)],
        "steps": report.next_steps,
        "deletion_lines": list(deletion_lines(report)),
        "planned": _list_swept(list_planned(report.findings), report.deletion.planned, row_name_of),
        "protected": _list_swept(list_protected(report.findings), report.deletion.protected, row_name_of),
        "list_all": list_all_command(report),
        "guard_columns": GUARD_COLUMNS if report.is_of_several else GUARD_COLUMNS[1:],
        "guards": [row if report.is_of_several else row[1:] for row in make_guard_rows(report)],
        "run_facts": list(run_facts(report)),
        "outcomes": list(_outcomes(report)),
        "unexpected": [
            render_row(build_page_row(finding, row_name_of(finding), classes))
            for finding in unexpected[:_MAX_UNEXPECTED]
        ],
        "more_unexpected": max(0, len(unexpected) - _MAX_UNEXPECTED),
        "owners": [
            (_shorten(printable(owner.username), _MAX_OWNER_LENGTH), list_lockout_states(owner))
            for owner in report.lockouts[:_MAX_OWNERS]
        ],
        "ways_out": list_ways_out(report.lockouts, format_target_of(report)),
        "more_owners": max(0, len(report.lockouts) - _MAX_OWNERS),
        "in_order": describe_order(report),
        "filters": classes.filters(),
        "facts": list(_facts(report)),
    }


def _places(report: Report) -> Iterator[str]:
    """Where the table is, and which version of LISA writes it."""
    table, dialect = report.only_table, report.policy.dialect
    if table is not None:
        if table.region:
            yield table.region
        if table.source:
            yield f"from {table.source_name}"
        if table.account_id:
            yield f"account {table.account_id}"
        if table.endpoint:
            yield f"at {table.endpoint}"
    if dialect is not None:
        yield "LISA 6.1 and later (hashed)" if dialect is Dialect.HASHED else "LISA before 6.1 (classic)"


def _list_swept(listed: Sequence[Finding], total: int, row_name_of: Callable[[Finding], str]) -> _SweptRows:
    rows = [
        _SweptRow(
            format_owner(each),
            format_name(each),
            row_name_of(each),
            each.why or NOTHING,
            describe_protection(each) if each.outcome is None else each.outcome.replace("_", " "),
        )
        for each in listed[:MAX_LISTED]
    ]
    return _SweptRows(rows, total - len(rows))


def _next_to_expire(report: Report) -> _NextToExpire | None:
    first = next((finding for finding in report.findings if finding.state is State.EXPIRING), None)
    return None if first is None else _NextToExpire(format_due(first), first.username, format_owner(first))


def _alerts(report: Report) -> Iterator[_Alert]:
    """Errors, first of them why the report is not of the whole table, then warnings."""
    errors, warnings = _sentences(report.errors), _sentences(report.warnings)
    errors = [*list(shortfall_lines(report))[:1], *errors]
    yield _Alert("errors", "Errors", "✕", errors, len(report.errors) - _MAX_REMARKS)
    yield _Alert("warnings", "Warnings", "!", warnings, len(report.warnings) - _MAX_REMARKS)


def _sentences(remarks: Sequence[Remark]) -> list[str]:
    return [f"{_shorten(remark.message, _MAX_REMARK_LENGTH)}." for remark in remarks[:_MAX_REMARKS]]


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
    """The size class of a number: a tile is narrow, and a number does not wrap."""
    if len(number) <= len("99,999"):
        return "short"
    return "long" if len(number) <= len("9,999,999") else "longest"


def _meanings(report: Report) -> Iterator[tuple[State, str]]:
    """Each state that the report's dialect has, most urgent first, and what it means."""
    meanings = {State(state): meaning for state, _, meaning in state_rows(report)}
    yield from ((state, meanings[state]) for state in _SIGNS if state in meanings)


def _outcomes(report: Report) -> Iterator[tuple[str, int]]:
    """The outcomes of the planned rows, in words, each with how many rows."""
    deletion = report.deletion
    yield "planned", deletion.planned
    yield "deleted", deletion.deleted
    yield "changed", deletion.changed
    yield "gone already", deletion.already_gone
    yield "failed", deletion.failed
    yield "protected", deletion.protected
    if deletion.waiting:
        yield "wait for their notice", deletion.waiting


def _sections(report: Report, listed_findings: ListedFindings) -> Iterator[_StateSection]:
    for state, meaning in _meanings(report):
        rows = listed_findings.rows.get(state)
        if rows:
            yield _StateSection(state, meaning, max(getattr(report.counts, state.value), len(rows)), rows)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    """The facts about the run at the foot of the page: a name and a text for each."""
    run, policy, capacity, skew = report.run, report.policy, report.capacity, report.clock.skew_seconds
    yield "Command", f"janitor {run.command}"
    yield "Run", run.id
    yield "Started", f"{format_utc(run.started_at)} UTC"
    yield "Took", f"{run.duration_seconds:,.1f} s"
    thresholds = sorted(policy.thresholds_seconds, reverse=True)
    yield "About to expire", ", ".join(format_duration(seconds) for seconds in thresholds[:_MAX_THRESHOLDS])
    yield "Grace", format_duration(policy.grace_seconds)
    if policy.unlock_after_seconds is not None:
        yield "Unlock after", format_duration(policy.unlock_after_seconds)
    if Gate.WORKBENCH not in policy.gates:
        yield "MCP Workbench", "none"
    yield "Units", f"{capacity.read_units:,.1f} read, {capacity.write_units:,.1f} written"
    yield "Requests", f"{capacity.requests:,}, {capacity.throttled:,} throttled"
    yield "Cost", f"${capacity.cost_usd:,.6f}".rstrip("0").rstrip(".") + " on demand"
    yield "Clock", "unknown" if skew is None else f"{skew:+,} s off the server's"
    yield "Version", run.version


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
