"""The sentences of a report that all formats for people share."""

from collections.abc import Iterator

from janitor.report.finding_cells import format_utc
from janitor.report.lockout_text import lockout_lines
from janitor.report.model import Deletion, IdleOwner, Outcome, Report
from janitor.report.target_options import format_target_of
from janitor.tokens.classify import State
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.duration import format_duration
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count, list_some

_MAX_NAMED = 10

_OUTCOMES = {
    Outcome.COMPLETE: "scanned",
    Outcome.INTERRUPTED: "INTERRUPTED, scanned",
    Outcome.FAILED: "FAILED, scanned",
    Outcome.REFUSED: "deletion REFUSED by a guard; scanned",
    Outcome.SKIPPED: "SKIPPED, another run is at work:",
}

_PERMANENT = {
    Dialect.HASHED: "no expiration: only MCP Workbench accepts it, for ever",
    Dialect.CLASSIC: "accepted for ever",
    None: "no expiration: accepted for ever, from LISA 6.1 on by MCP Workbench only",
}
_PERMANENT_FOR_API = {
    Dialect.HASHED: "no expiration: LISA's API refuses it",
    Dialect.CLASSIC: "accepted for ever",
    None: "no expiration: accepted for ever, from LISA 6.1 on by nothing",
}


def headline(report: Report) -> str:
    """Say what was read, how the run ended, and as of when."""
    run = report.run
    as_of = report.policy.as_of
    judged_at = f"as of {format_utc(as_of)} UTC" if as_of else f"{format_utc(run.started_at)} UTC"
    rows = format_count(report.counts.scanned, "row")
    return f"{_place(report)}, {_OUTCOMES[run.outcome]} {rows} in {_format_seconds(report)}, {judged_at}"


def _place(report: Report) -> str:
    table, dialect = report.only_table, report.policy.dialect
    dialect_note = f" ({dialect})" if dialect else ""
    if table is None:
        return f"{report.title}{dialect_note}"
    places = (("in", table.region), ("at", table.endpoint), ("from", table.source_name))
    where = "".join(f" {word} {place}" for word, place in places if place and place != table.name)
    return f"{table.name}{where}{dialect_note}"


def _format_seconds(report: Report) -> str:
    seconds = report.run.duration_seconds
    return f"{seconds:.1f} s" if seconds < 2 * 60 else format_duration(round(seconds))


def state_rows(report: Report) -> list[tuple[str, str, str]]:
    """Each state of the dialect, how many rows are in it, and what it means."""
    words = _state_meanings(report)
    return [
        (state.value, f"{getattr(report.counts, state.value):,}", words[state])
        for state in State
        if state is not State.LEGACY or report.policy.dialect is not Dialect.CLASSIC
    ]


def _state_meanings(report: Report) -> dict[State, str]:
    horizon = format_duration(max(report.policy.thresholds_seconds))
    unlock_after = report.policy.unlock_after_seconds
    early = "" if unlock_after is None else f", or {format_duration(unlock_after)} if it keeps its owner out"
    has_workbench = Gate.WORKBENCH in report.policy.gates
    grace = format_duration(report.policy.grace_seconds)
    return {
        State.ACTIVE: f"accepted, and not due within {horizon}",
        State.EXPIRING: f"accepted, and expires within {horizon}",
        State.EXPIRED: f"refused, for less than {grace}",
        State.STALE: f"refused, for {grace} or more{early}",
        State.PERMANENT: _PERMANENT[report.policy.dialect]
        if has_workbench
        else _PERMANENT_FOR_API[report.policy.dialect],
        State.MALFORMED: "date not valid; see below what still accepts it",
        State.LEGACY: "no tokenUUID, or a key that is no hash: LISA's API refuses it"
        f"{', MCP Workbench may accept it' if has_workbench else ''}",
    }


def deletion_lines(report: Report) -> Iterator[str]:
    """Say what became of the plan, in sentences; empty for a run that only reports."""
    deletion = report.deletion
    if report.run.only_reads:
        return
    planned = format_count(deletion.planned, "row")
    protected_note = (
        f" {format_count(deletion.protected, 'more row')} would be deleted if not protected."
        if deletion.protected
        else ""
    )
    if report.run.dry_run:
        yield f"Dry run, nothing was deleted: {planned} would be.{protected_note}"
    elif report.run.outcome is Outcome.REFUSED:
        yield f"Nothing was deleted, of {planned} that were planned.{protected_note}"
    else:
        others = _describe_other_outcomes(deletion)
        yield f"Deleted {deletion.deleted:,} of {planned} that were planned{others}.{protected_note}"
    for table in report.tables:
        label, of_table = f"{printable(table.label)}: " if report.is_of_several else "", table.deletion
        if of_table.archive:
            yield f"{label}The archive is {printable(of_table.archive)}; `janitor restore` puts rows of it back."
        if of_table.plan:
            yield f"{label}The plan is {printable(of_table.plan)}; `janitor apply` carries it out."


def _describe_other_outcomes(deletion: Deletion) -> str:
    untouched = deletion.planned - deletion.deleted - deletion.changed - deletion.already_gone - deletion.failed
    words = {
        "had changed and stay": deletion.changed,
        "were gone already": deletion.already_gone,
        "failed": deletion.failed,
        "were not touched": untouched,
    }
    outcomes = ", ".join(f"{count:,} {what}" for what, count in words.items() if count)
    return f"; {outcomes}" if outcomes else ""


def listing_line(report: Report) -> str:
    """Say how many rows match the listing, which, and in which order; empty for a run without a listing."""
    listing = report.listing
    if listing is None:
        return ""
    criteria = ["that are findings"] if listing.only_findings else []
    criteria += [f"that are {' or '.join(listing.states)}"] if listing.states else []
    criteria += [f"of {' or '.join(map(printable, listing.users))}"] if listing.users else []
    criteria += [f"named {' or '.join(map(printable, listing.names))}"] if listing.names else []
    criteria += [f"in the group {' or '.join(map(printable, listing.groups))}"] if listing.groups else []
    rows = f"{listing.chosen:,} of {format_count(report.counts.scanned, 'row')}"
    return f"{rows}{' ' if criteria else ''}{', '.join(criteria)}, {describe_order(report)}."


def describe_order(report: Report) -> str:
    """Say in which order the report lists its findings."""
    sort = report.listing.sort if report.listing else None
    if sort is None:
        return "most urgent first"
    return f"by {sort}" if not sort.startswith("-") else f"by {sort[1:]}, descending"


def omitted_line(report: Report, omitted: int) -> str:
    """Say that so many findings are not in this report, and how to see them."""
    if report.listing is None:
        return f"{omitted:,} more findings are not listed here; `--report ndjson=PATH` lists all."
    rows = f"{format_count(omitted, 'more row')} {'is' if omitted == 1 else 'are'} not listed here"
    if report.listing.sort is None:
        return f"{rows}; `--report ndjson=PATH` lists all."
    return f"{rows}; `--max-findings` says how many are."


def closing_lines(report: Report) -> Iterator[str]:
    """Say what else a reader should know, in sentences."""
    yield from shortfall_lines(report)
    yield from deletion_lines(report)
    unusual_days = [f"{day.day} ({day.expiring:,} tokens)" for day in report.forecast if day.unusual]
    if unusual_days:
        yield f"An unusual share expires on {list_some(unusual_days, _MAX_NAMED, names='days')}."
    yield from lockout_lines(report.lockouts, format_target_of(report))
    if report.idle is not None and report.idle.owners:
        owners = [_describe_idle(owner) for owner in report.idle.owners[:_MAX_NAMED]]
        names = list_some(owners, _MAX_NAMED, names="owners", total=len(report.idle.owners))
        yield f"Their token works, and they were not seen for {format_duration(report.idle.after_seconds)}: {names}."
    for warning in report.warnings:
        yield f"Warning: {printable(warning.message)}."
    for error in report.errors:
        yield f"Error: {printable(error.message)}."


def _describe_idle(owner: IdleOwner) -> str:
    when = f"last on {owner.last_seen.date()}" if owner.last_seen else "never"
    return f"{printable(owner.username)} ({when})"


def shortfall_lines(report: Report) -> Iterator[str]:
    """Say why counts or outcomes are not those of the whole table, in sentences."""
    if any(error.where == "scan" for error in report.errors):
        yield "The scan did not reach the end of the table; the counts are partial."
    elif report.run.outcome is Outcome.INTERRUPTED:
        yield "The run was stopped; this report covers what was done before that."
    elif report.run.outcome is Outcome.SKIPPED:
        yield "Another run is at work on this table, so this one did nothing."
