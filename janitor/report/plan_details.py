"""What `plan show` says of a plan or an archive, `janitor.plan-details/v1`. Every key is always present.

Times are UTC, and null beyond the years 1 to 9999.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from janitor.report.console import render_to_text
from janitor.report.encode import Part
from janitor.report.finding_cells import NOTHING, choose_row_names, format_name, format_owner, format_utc
from janitor.report.model import Finding, PolicyPart
from janitor.tokens.duration import format_duration
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count, list_some

SCHEMA = "janitor.plan-details/v1"

_MAX_PATTERNS = 5
_NEXT = {
    "plan": "To carry it out, or a part of it with --user or --fingerprint:",
    "archive": "To put its rows back, or some with --user or --fingerprint for --all:",
}
# From this width on each row has its columns; on a narrower terminal it has two lines.
_WIDE = 130


class OutcomeCounts(Part, frozen=True):
    """What became of the rows of an archive; all zero for a plan.

    `planned` are rows for which no delete was sent, `unknown` those of whose outcome the archive says nothing.
    """

    deleted: int = 0
    changed: int = 0
    already_gone: int = 0
    failed: int = 0
    planned: int = 0
    unknown: int = 0


class PlannedTable(Part, frozen=True):
    """The table that the rows are from; the account is null if the plan was made from a dump."""

    name: str
    region: str
    account_id: str | None


class PlanRules(Part, frozen=True):
    """The rules, besides the policy, that say which rows are planned: patterns are as in a shell."""

    protect_users: list[str]
    protect_system: bool


class PlanDetails(Part, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """A plan or an archive, and its rows as they were judged at `now`.

    `complete` says whether it was written to its end. `scanned` is how many rows the scan behind it read, null if that
    is not known. `findings` are its rows, in its order, at most --max-findings of them. `next_command` carries it out,
    or puts its rows back, as a dry run; null if an option of it cannot be shown.
    """

    location: str
    kind: Literal["plan", "archive"]
    complete: bool
    table: PlannedTable
    run_id: str
    version: str
    created_at: dt.datetime | None
    now: dt.datetime | None
    policy: PolicyPart
    rules: PlanRules
    scanned: int | None
    rows: int
    outcomes: OutcomeCounts
    findings: list[Finding]
    findings_omitted: int
    next_command: str | None


def describe_outcomes(outcomes: OutcomeCounts) -> str:
    """List the outcomes that there are: `34 deleted, 2 changed`; empty for none."""
    words = {
        "deleted": outcomes.deleted,
        "changed": outcomes.changed,
        "already gone": outcomes.already_gone,
        "failed": outcomes.failed,
        "not touched": outcomes.planned,
        "of unknown outcome": outcomes.unknown,
    }
    return ", ".join(f"{count:,} {what}" for what, count in words.items() if count)


def render_plan_details(plan: PlanDetails, *, width: int, colour: bool) -> str:
    """Render the plan for a terminal.

    Args:
        plan: the plan.
        width: of the terminal, in columns.
        colour: whether it shows colors.
    """
    return render_to_text(lambda console: _print(console, plan), width=width, colour=colour)


def _print(console: Console, plan: PlanDetails) -> None:
    table, dialect = plan.table, plan.policy.dialect
    account = f", account {table.account_id}" if table.account_id else ""
    place = f"{plan.kind.capitalize()} of {table.name} in {table.region}{account} ({dialect})"
    console.print(Text(printable(f"{place}, {format_utc(plan.created_at)} UTC"), style="bold"))
    for line in _describe(plan):
        console.print(Text(printable(line)))
    if plan.findings:
        console.print()
        console.print(_make_grid(plan, is_wide=console.width >= _WIDE))
    if plan.findings_omitted:
        more = format_count(plan.findings_omitted, "more row")
        console.print(Text(f"… and {more}; --format ndjson lists all", style="dim"))
    if plan.next_command is not None:
        console.print()
        console.print(Text(_NEXT[plan.kind]))
        console.print(Text(f"  {printable(plan.next_command)}"), soft_wrap=True)


def _describe(plan: PlanDetails) -> Iterator[str]:
    outcomes = describe_outcomes(plan.outcomes)
    of_scanned = f" of {plan.scanned:,} scanned" if plan.scanned is not None else ""
    yield f"{format_count(plan.rows, 'row')}{of_scanned}{f': {outcomes}' if outcomes else ''}; run {plan.run_id}."
    if not plan.complete:
        yield "It was cut off: its closing line is missing, and rows may be missing too."
    yield f"Rules: {', '.join(_list_rules(plan))}."


def _list_rules(plan: PlanDetails) -> Iterator[str]:
    policy, rules = plan.policy, plan.rules
    yield f"grace {format_duration(policy.grace_seconds)}"
    if policy.unlock_after_seconds is not None:
        yield f"{format_duration(policy.unlock_after_seconds)} for rows that keep their owner out"
    if policy.include:
        yield f"{' and '.join(policy.include)} rows too"
    yield f"gates {' and '.join(policy.gates)}"
    for words, patterns in (
        ("protects", rules.protect_users),
        ("only rows of", policy.users),
        ("only rows named", policy.fingerprints),
    ):
        if patterns:
            yield f"{words} {list_some(patterns, _MAX_PATTERNS)}"
    if rules.protect_system:
        yield "protects system tokens"
    if policy.as_of is not None:
        yield f"as of {format_utc(policy.as_of)} UTC"


def _make_grid(plan: PlanDetails, *, is_wide: bool) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    name_of = choose_row_names(plan.findings)
    for title in ("Fingerprint", "State"):
        grid.add_column(title, no_wrap=True)
    if plan.kind == "archive":
        grid.add_column("Outcome", no_wrap=True)
    names = ("Expires (UTC)", "Owner", "Name", "Why") if is_wide else ("Whose it is, and why",)
    for title in names:
        grid.add_column(title, overflow="fold", no_wrap=title == "Expires (UTC)")
    for finding in plan.findings:
        outcome = (finding.outcome or "unknown").replace("_", " ")
        first = [name_of(finding), finding.state, *([outcome] if plan.kind == "archive" else [])]
        owner, name, why = format_owner(finding), format_name(finding), finding.why or NOTHING
        expired = f"{finding.expires_at.date()}: " if finding.expires_at else ""
        narrow = f"{owner}, {name}\n{expired}{why}"
        rest = (format_utc(finding.expires_at), owner, name, why) if is_wide else (narrow,)
        grid.add_row(*map(Text, (*map(printable, first), *rest)))
    return grid
