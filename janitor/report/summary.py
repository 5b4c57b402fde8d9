"""The sentences of a report that every format for people shares."""

from collections.abc import Iterator

from janitor.report.model import Deletion, Outcome, Report
from janitor.report.text import utc
from janitor.tokens.classify import State
from janitor.tokens.dialect import Dialect
from janitor.tokens.duration import spoken_duration
from janitor.tokens.printable import printable
from janitor.tokens.words import counted, list_some

_MOST_NAMED = 10

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


def headline(report: Report) -> str:
    """What was read, how it ended, and as of when."""
    run = report.run
    as_of = report.policy.as_of
    seen = f"as of {utc(as_of)} UTC" if as_of else f"{utc(run.started_at)} UTC"
    rows = counted(report.counts.scanned, "row")
    return f"{_where(report)}, {_OUTCOMES[run.outcome]} {rows} in {_seconds(report)}, {seen}"


def _where(report: Report) -> str:
    table, dialect = report.only_table, report.policy.dialect
    known = f" ({dialect})" if dialect else ""
    if table is None:
        return f"{report.title}{known}"
    places = (("in", table.region), ("at", table.endpoint), ("from", table.spoken_source))
    where = "".join(f" {word} {place}" for word, place in places if place and place != table.name)
    return f"{table.name}{where}{known}"


def _seconds(report: Report) -> str:
    seconds = report.run.duration_seconds
    return f"{seconds:.1f} s" if seconds < 2 * 60 else spoken_duration(round(seconds))


def counts_rows(report: Report) -> list[tuple[str, str, str]]:
    """State, rows and what the state means, for the states of the dialect."""
    words = _state_words(report)
    return [
        (state.value, f"{getattr(report.counts, state.value):,}", words[state])
        for state in State
        if state is not State.LEGACY or report.policy.dialect is not Dialect.CLASSIC
    ]


def _state_words(report: Report) -> dict[State, str]:
    horizon = spoken_duration(max(report.policy.thresholds_seconds))
    grace = spoken_duration(report.policy.grace_seconds)
    return {
        State.ACTIVE: f"accepted, and not due within {horizon}",
        State.EXPIRING: f"accepted, and expires within {horizon}",
        State.EXPIRED: f"refused, for less than {grace}",
        State.STALE: f"refused, for {grace} or more",
        State.PERMANENT: _PERMANENT[report.policy.dialect],
        State.MALFORMED: "a date that is none; see what accepts it below",
        State.LEGACY: "no tokenUUID: LISA's API refuses it, MCP Workbench may not",
    }


def deletion_lines(report: Report) -> Iterator[str]:
    """What became of the plan, a sentence each; nothing for a run that only reports."""
    deletion = report.deletion
    if report.run.only_reads:
        return
    planned = counted(deletion.planned, "row")
    spared = (
        f" {counted(deletion.protected, 'row')} more would be, but for their protection." if deletion.protected else ""
    )
    if report.run.dry_run:
        yield f"Dry run, nothing was deleted: {planned} would be.{spared}"
    elif report.run.outcome is Outcome.REFUSED:
        yield f"Nothing was deleted, of {planned} that were planned.{spared}"
    else:
        yield f"Deleted {deletion.deleted:,} of {planned} that were planned{_other_outcomes(deletion)}.{spared}"
    for table in report.tables:
        label, of_table = f"{printable(table.label)}: " if report.is_of_several else "", table.deletion
        if of_table.archive:
            yield f"{label}The archive is {printable(of_table.archive)}; `janitor restore` puts rows of it back."
        if of_table.plan:
            yield f"{label}The plan is {printable(of_table.plan)}; `janitor apply` carries it out."


def _other_outcomes(deletion: Deletion) -> str:
    untouched = deletion.planned - deletion.deleted - deletion.changed - deletion.already_gone - deletion.failed
    words = {
        "had changed and stay": deletion.changed,
        "were gone already": deletion.already_gone,
        "failed": deletion.failed,
        "were not touched": untouched,
    }
    said = ", ".join(f"{count:,} {what}" for what, count in words.items() if count)
    return f"; {said}" if said else ""


def listing_line(report: Report) -> str:
    """How many rows of the table were asked for, which, and in which order; empty for a run that lists none."""
    listing = report.listing
    if listing is None:
        return ""
    which = [f"that are {' or '.join(listing.states)}"] if listing.states else []
    which += [f"of {' or '.join(map(printable, listing.users))}"] if listing.users else []
    which += [f"named {' or '.join(map(printable, listing.names))}"] if listing.names else []
    rows = f"{listing.chosen:,} of {counted(report.counts.scanned, 'row')}"
    return f"{rows}{' ' if which else ''}{', '.join(which)}, {in_order(report)}."


def in_order(report: Report) -> str:
    """In which order the report lists its findings."""
    sort = report.listing.sort if report.listing else None
    if sort is None:
        return "most urgent first"
    return f"by {sort}" if not sort.startswith("-") else f"by {sort[1:]}, descending"


def omitted_line(report: Report, omitted: int) -> str:
    """That so many findings are not in this report, and how to see them."""
    if report.listing is None:
        return f"{omitted:,} more findings are not listed here; `--report ndjson=PATH` lists all."
    rows = f"{counted(omitted, 'more row')} {'is' if omitted == 1 else 'are'} not listed here"
    if report.listing.sort is None:
        return f"{rows}; `--report ndjson=PATH` lists all."
    return f"{rows}; `--max-findings` says how many are."


def closing_lines(report: Report) -> Iterator[str]:
    """What a reader should know besides the findings, a sentence each."""
    yield from shortfalls(report)
    yield from deletion_lines(report)
    crowded = [f"{day.day} ({day.expiring:,} tokens)" for day in report.forecast if day.unusual]
    if crowded:
        yield f"An unusual share expires on {list_some(crowded, _MOST_NAMED, names='days')}."
    if report.locked_out:
        owners = [printable(owner) for owner in report.locked_out]
        yield f"Locked out until their expired rows are gone: {list_some(owners, _MOST_NAMED, names='owners')}."
    for warning in report.warnings:
        yield f"Warning: {printable(warning.message)}."
    for error in report.errors:
        yield f"Error: {printable(error.message)}."


def shortfalls(report: Report) -> Iterator[str]:
    """Why counts or outcomes are not of the whole table, a sentence each."""
    if any(error.where == "scan" for error in report.errors):
        yield "The scan did not come to its end: the counts are partial."
    elif report.run.outcome is Outcome.INTERRUPTED:
        yield "The run was stopped: what is said here is as far as it came."
    elif report.run.outcome is Outcome.SKIPPED:
        yield "Another run is at work on this table, so this one did nothing."
