"""The sentences of a report that all formats for people share."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from janitor.report.changes import Changes
from janitor.report.finding_cells import format_utc
from janitor.report.guard_rows import list_refusing_guards
from janitor.report.lockout_text import lockout_lines
from janitor.report.model import (
    MAX_COUNTED_OWNERS,
    NOT_CONFIRMED,
    Deletion,
    DestinationPart,
    IdleOwner,
    NoticesPart,
    Outcome,
    Report,
    TableReport,
)
from janitor.report.target_options import format_target_of
from janitor.tokens.classify import State
from janitor.tokens.dialect import Dialect, Gate
from janitor.tokens.duration import format_duration
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count, list_some

_MAX_NAMED = 10
_MAX_TABLES = 20

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
    Dialect.HASHED: "no expiration: LISA's API rejects it",
    Dialect.CLASSIC: "accepted for ever",
    None: "no expiration: accepted for ever, from LISA 6.1 on by nothing",
}


def headline(report: Report) -> str:
    """Say what was read, how the run ended, and as of when."""
    return ", ".join(headline_parts(report))


def headline_parts(report: Report) -> tuple[str, str]:
    """The headline in two parts, for where it is too long for a line: what was read; how the run ended, as of when."""
    run = report.run
    as_of = report.policy.as_of
    judged_at = f"as of {format_utc(as_of)} UTC" if as_of else f"{format_utc(run.started_at)} UTC"
    rows, seconds = format_count(report.counts.scanned, "row"), _format_seconds(run.duration_seconds)
    ended = "not confirmed, nothing was deleted; scanned" if is_unconfirmed(report) else _OUTCOMES[run.outcome]
    return _place(report), f"{ended} {rows} in {seconds}, {judged_at}"


def is_unconfirmed(report: Report) -> bool:
    """Whether a run deleted nothing only because nobody said yes: no guard refused."""
    codes = {error.code for error in report.errors if error.where == "guard"}
    return report.run.outcome is Outcome.REFUSED and codes == {NOT_CONFIRMED}


def _place(report: Report) -> str:
    table, dialect = report.only_table, report.policy.dialect
    dialect_note = f" ({dialect})" if dialect else ""
    if table is None:
        return f"{report.title}{dialect_note}"
    places = (("in", table.region), ("at", table.endpoint), ("from", table.source_name))
    where = "".join(f" {word} {place}" for word, place in places if place and place != table.name)
    return f"{table.name}{where}{dialect_note}"


def _format_seconds(seconds: float) -> str:
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
        State.EXPIRED: f"rejected by LISA, for less than {grace}",
        State.STALE: f"rejected by LISA, for {grace} or more{early}",
        State.PERMANENT: _PERMANENT[report.policy.dialect]
        if has_workbench
        else _PERMANENT_FOR_API[report.policy.dialect],
        State.MALFORMED: "broken expiry date; may be valid for ever",
        State.LEGACY: "no tokenUUID, or a key that is not a hash: LISA's API rejects it"
        f"{', MCP Workbench may accept it' if has_workbench else ''}",
    }


def deletion_lines(report: Report) -> Iterator[str]:
    """Say what became of the plan, in sentences; empty for a run that only reports."""
    if report.run.only_reads:
        return
    refusing = list_refusing_guards(report)
    yield from describe_deletion(report.deletion, report.run.outcome, refusing, report.policy.notice_age_seconds)
    for table in report.tables:
        if table.deletion.plan:
            label = f"{printable(table.label)}: " if report.is_of_several else ""
            yield f"{label}The plan is {printable(table.deletion.plan)}; `janitor apply` carries it out."


def describe_deletion(
    deletion: Deletion, outcome: Outcome, refusing_guards: Sequence[str], notice_age_seconds: int | None
) -> Iterator[str]:
    """Say what became of the rows of a plan, or would, and which others wait or are protected, in sentences.

    Args:
        deletion: the counts.
        outcome: how the run ended.
        refusing_guards: the guards that refuse, or would.
        notice_age_seconds: how old a row's notice has to be; None without --require-notice.
    """
    planned = format_count(deletion.planned, "row")
    was_planned = f"{planned} that {'was' if deletion.planned == 1 else 'were'} planned"
    if not deletion.enabled and deletion.planned and refusing_guards:
        guards = list_some(refusing_guards, _MAX_NAMED)
        are = "is" if deletion.planned == 1 else "are"
        why = f"because it would be refused ({guards})"
        yield f"Dry run: {planned} {are} planned, but a real run would delete none, {why}."
    elif not deletion.enabled:
        yield (
            f"Dry run, nothing was deleted: {planned} would be."
            if deletion.planned
            else "Dry run: there is nothing to delete."
        )
    elif outcome is Outcome.REFUSED:
        yield f"Nothing was deleted, of {was_planned}."
    elif not deletion.planned:
        yield "There was nothing to delete."
    else:
        yield f"Deleted {deletion.deleted:,} of {was_planned}{_describe_other_outcomes(deletion)}."
    if deletion.waiting:
        age = "long enough" if notice_age_seconds is None else f"for {format_duration(notice_age_seconds)}"
        tokens, wait = format_count(deletion.waiting, "stale token"), "waits" if deletion.waiting == 1 else "wait"
        owners = "its owner has" if deletion.waiting == 1 else "their owners have"
        yield f"{tokens} {wait} until {owners} had notice {age}."
    if deletion.protected:
        yield f"{format_count(deletion.protected, 'more row')} would be deleted if not protected."


def run_facts(report: Report) -> Iterator[tuple[str, str]]:
    """Say where the deleted rows are kept, how to undo, what it costs, who is told, and what changed: titles and texts.

    Of a run that only reads, the last ones. A command stands by itself in its text.
    """
    if not report.run.only_reads and report.deletion.planned:
        for table in [each for each in report.tables if each.deletion.planned][:_MAX_TABLES]:
            label = f" ({printable(table.label)})" if report.is_of_several else ""
            yield f"Archive{label}", _describe_archive(table, is_dry_run=report.run.dry_run)
            if table.deletion.restore_command:
                yield f"To undo{label}", table.deletion.restore_command
    if not report.run.only_reads:
        yield "Cost of a real run" if report.estimate else "Cost", describe_cost(report)
    if report.listing is None:
        yield "Who is told", " ".join(recipient_lines(report))
    if report.notices is not None:
        yield "Notices", _describe_notices(report.notices)
    if report.changes is not None:
        yield "Changed", _describe_changes(report.changes)


def _describe_archive(table: TableReport, *, is_dry_run: bool) -> str:
    deletion = table.deletion
    if deletion.archive is not None:
        return printable(deletion.archive)
    if table.source is not None:
        return "`janitor apply` keeps one before it deletes"
    if deletion.archive_place is None:
        return "none is kept (--no-archive), so the deletes cannot be undone"
    if not is_dry_run:
        return "none, because nothing was deleted"
    place = printable(deletion.archive_place)
    return f"a new file in {place}" if place.endswith("/") else place


def describe_cost(report: Report) -> str:
    """Say what the run cost, or what a real one will that a dry run has estimated."""
    spent = report.estimate or report.capacity
    about, duration = ("about ", report.estimate.seconds) if report.estimate else ("", report.run.duration_seconds)
    reads, writes = _format_units(spent.read_units), _format_units(spent.write_units)
    dollars = f"${spent.cost_usd:,.6f}".rstrip("0").rstrip(".")
    return (
        f"{about}{reads} read units (look-ups of owners included) and {writes} write units, {dollars}, "
        f"{_format_seconds(duration)}"
    )


def _format_units(units: float) -> str:
    """Format read or write units, to a tenth."""
    return f"{units:,.1f}".removesuffix(".0")


def recipient_lines(report: Report) -> Iterator[str]:
    """Say who is told of the run or would be, through what, and who cannot be, in sentences."""
    recipients = report.recipients
    if recipients.nobody_because is not None:
        yield f"nobody: {recipients.nobody_because}."
        return
    for destination in recipients.destinations:
        yield _describe_destination(destination, verb="would get" if recipients.is_forecast else "got")
        if destination.owners_without_address:
            names = list_some(destination.named_without_address, _MAX_NAMED, total=destination.owners_without_address)
            owners = format_owner_count(destination.owners_without_address)
            yield f"Not told, for no mail address is known: {owners} ({names})."
        elif not destination.are_owners_told and destination.digest_notices:
            yield "Owners get no message of their own (--per-token)."
    if not recipients.destinations:
        yield "nobody: nothing could be announced; see below why."


def _describe_destination(destination: DestinationPart, *, verb: str) -> str:
    messages = []
    if destination.digests:
        notices = format_count(destination.digest_notices, "notice")
        messages.append(f"{format_count(destination.digests, 'digest')} with {notices}")
    if destination.owner_messages:
        owners = list_some(destination.named_owners, _MAX_NAMED, total=destination.owners)
        count = format_count(destination.owner_messages, "message")
        messages.append(f"{count} to {format_owner_count(destination.owners)} ({owners})")
    return f"{printable(destination.label)} {verb} {' and '.join(messages) or 'nothing'}."


def format_owner_count(count: int) -> str:
    """Format how many owners there are, where they are counted up to `MAX_COUNTED_OWNERS`."""
    return format_count(count, "owner") + (" or more" if count >= MAX_COUNTED_OWNERS else "")


def _describe_notices(notices: NoticesPart) -> str:
    counts = f"{notices.due:,} due, {notices.sent:,} sent, {notices.failed:,} failed"
    left = f", {notices.left:,} left to the next run" if notices.left else ""
    long_expired = f", {notices.long_expired:,} only counted, long expired" if notices.long_expired else ""
    return f"{counts}{left}{long_expired}"


def _describe_changes(changes: Changes) -> str:
    counts = {
        "newly about to expire": changes.newly_expiring,
        "newly expired": changes.newly_expired,
        "extended": changes.extended,
        "deleted by somebody else": changes.gone,
        "gone, or extended far ahead": changes.vanished,
    }
    named = [f"{change.count:,} {what}" for what, change in counts.items() if change.count]
    return f"{', '.join(named) or 'nothing'}, since the run of {format_utc(changes.since)} UTC"


def describe_forecast(report: Report) -> Iterator[str]:
    """Say on which days unusually many tokens expire, in a sentence for each; the first ten."""
    unusual = [day for day in report.forecast if day.unusual]
    for day in unusual[:_MAX_NAMED]:
        yield f"{describe_crowded_day(day.day, day.expiring)}."
    if len(unusual) > _MAX_NAMED:
        yield f"So it is on {len(unusual) - _MAX_NAMED:,} more days."


def describe_crowded_day(day: object, expiring: int) -> str:
    """Say how many tokens expire on a day; without a full stop."""
    return f"{format_count(expiring, 'token')} expire on one day, {day}"


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


class Section(NamedTuple):
    """A titled list of sentences; `prefix` says what each is where there are no titles."""

    title: str
    lines: list[str]
    prefix: str = ""


def closing_sections(report: Report) -> Iterator[Section]:
    """What else a reader should know, after the rows; only sections with something in them."""
    sections = (
        Section("This report is not complete", list(shortfall_lines(report))),
        Section("Crowded days", list(describe_forecast(report))),
        Section("Locked out", list(lockout_lines(report.lockouts, format_target_of(report)))),
        Section("Idle", list(_idle_lines(report))),
        Section("Warnings", [f"{printable(warning.message)}." for warning in report.warnings], "Warning: "),
        Section("Errors", [f"{printable(error.message)}." for error in report.errors], "Error: "),
    )
    yield from (section for section in sections if section.lines)


def closing_lines(report: Report) -> Iterator[str]:
    """Say what became of the plan, and what else a reader should know, where there are no titles."""
    yield from deletion_lines(report)
    for title, text in run_facts(report):
        yield f"{title}: {text}"
    for section in closing_sections(report):
        yield from (f"{section.prefix}{line}" for line in section.lines)


def _idle_lines(report: Report) -> Iterator[str]:
    if report.idle is not None and report.idle.owners:
        owners = [_describe_idle(owner) for owner in report.idle.owners[:_MAX_NAMED]]
        names = list_some(owners, _MAX_NAMED, names="owners", total=len(report.idle.owners))
        yield f"Their token works, and they were not seen for {format_duration(report.idle.after_seconds)}: {names}."


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
