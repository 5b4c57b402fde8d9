"""What a digest says, as values: a run's report and its due notices."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import msgspec
from msgspec import structs

from janitor.notices.notice import Notice
from janitor.report.changes import Change, Changes
from janitor.report.combine import split_by_table
from janitor.report.guard_rows import describe_guards, list_refusing_guards
from janitor.report.lockout_text import list_lockout_states, list_ways_out
from janitor.report.model import Deletion, LockedOutOwner, Outcome, Report, TableReport, count_reportable
from janitor.report.summary import describe_cost
from janitor.report.target_options import format_target_of
from janitor.tokens.printable import printable
from janitor.tokens.reasons import REASONS
from janitor.tokens.times import format_iso

_DAY = 24 * 3_600


@dataclass(frozen=True, slots=True)
class DigestContent:
    """All that a digest says.

    Attributes:
        outcome: how the run ended.
        started_at: ISO 8601 in UTC.
        counts: rows by state, in the order in which they are to be read.
        notices: most urgent first (`notice_urgency`). They are read several times and never copied, so that a
            collection on disk keeps memory flat.
        changes: since the last run, by the report's keys; None if no earlier run is known.
        locked_out: owners, untrusted.
        lockout_states: the states of the rows of each of them, in words; of several tables, with the table.
        ways_out: what would remove those rows: rest of a sentence, without a full stop.
        unusual_days: each with how many tokens expire on it.
        refusing_guards: those that refuse to delete, or would.
        notice_age_seconds: how old a notice has to be before its row is deleted; None without --require-notice.
        errors, warnings: sentences without a full stop.
        reason_steps: those of the warnings that say what is wrong with rows besides their dates, and what to do about
            it: next steps, which stand among the warnings no more. A few at most.
        report_json: the report without its findings, or None.
        full_report_location: where the full report is, or None.
        tables: in a run of several tables, the content of each, named by its label; without notices, errors, warnings
            and report, which the whole digest has.
        long_expired: how many tokens had been dead for longer than the grace at this topic's first digest about the
            table; there are no notices about them.
        recovered_from: why the last run was refused or failed, if this run is well; else None.
        is_known_problem: whether the same failure or refusal was published less than a day ago.
        has_chat_text: whether a chat app is to show it too (`--digest-format chatbot`).
        urgent_within: tokens that expire within so many seconds are for today: a day, or the smallest threshold if that
            is longer.
        guards: what the guards found, in sentences: those that refuse, and how many passed.
        restore_commands: undo the deletes, one for each archive.
        cost: what the run cost, or a real one would, in words.
    """

    table: str
    region: str | None
    account: str | None
    command: str
    dry_run: bool
    outcome: Outcome
    started_at: str
    counts: Mapping[str, int]
    deletion: Deletion
    notices: Collection[Notice]
    changes: Mapping[str, Change] | None = None
    locked_out: tuple[str, ...] = ()
    lockout_states: tuple[str, ...] = ()
    ways_out: tuple[str, ...] = ()
    unusual_days: tuple[tuple[str, int], ...] = ()
    notice_age_seconds: int | None = None
    refusing_guards: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason_steps: tuple[str, ...] = ()
    report_json: str | None = None
    full_report_location: str | None = None
    tables: tuple["DigestContent", ...] = ()
    long_expired: int = 0
    recovered_from: str | None = None
    is_known_problem: bool = False
    has_chat_text: bool = False
    urgent_within: int = _DAY
    guards: tuple[str, ...] = ()
    restore_commands: tuple[str, ...] = ()
    cost: str | None = None


def is_news(content: DigestContent) -> bool:
    """Whether there is news: a notice is due, rows were touched, tokens changed, or something went wrong.

    What is as it was before is no news: locked-out owners, crowded days, protected rows, the plan of a dry run,
    warnings, the same failure again.
    """
    deletion = content.deletion
    rows_touched = deletion.deleted or deletion.changed or deletion.already_gone
    contents = (content, *content.tables)
    has_changes = any(change.count for each in contents if each.changes for change in each.changes.values())
    has_failed = content.outcome is not Outcome.COMPLETE or content.errors or deletion.failed
    has_problem_news = (has_failed and not content.is_known_problem) or content.recovered_from is not None
    return bool(len(content.notices) or content.long_expired or rows_touched or has_changes or has_problem_news)


# Of `reason_steps`: a table may have four.
_MAX_STEPS = 8
_MAX_REPORT_BYTES = 80_000


def build_digest_content(
    report: Report, notices: Collection[Notice], full_report_location: str | None
) -> DigestContent:
    """Build what a digest says from the run's report, the due notices, and where the full report is."""
    table = report.only_table
    return DigestContent(
        table=report.title,
        region=table.region if table else None,
        account=table.account_id if table else None,
        command=report.run.command,
        dry_run=report.run.dry_run,
        outcome=report.run.outcome,
        started_at=format_iso(report.run.started_at),
        counts=structs.asdict(report.counts),
        deletion=report.deletion,
        notices=notices,
        changes=_changes_of(report.changes),
        locked_out=tuple(owner.username for owner in report.lockouts),
        lockout_states=tuple(map(_describe_lockout, report.lockouts)),
        ways_out=tuple(list_ways_out(report.lockouts, format_target_of(report))),
        notice_age_seconds=report.policy.notice_age_seconds,
        refusing_guards=list_refusing_guards(report),
        unusual_days=tuple((day.day.isoformat(), day.expiring) for day in report.forecast if day.unusual),
        errors=tuple(error.message for error in report.errors),
        warnings=tuple(warning.message for warning in report.warnings),
        reason_steps=tuple(warning.message for warning in report.warnings if warning.code in REASONS)[:_MAX_STEPS],
        report_json=_report_json(report),
        full_report_location=full_report_location,
        tables=tuple(map(_of_table, report.tables, split_by_table(report))) if report.is_of_several else (),
        urgent_within=max(_DAY, min(report.policy.thresholds_seconds, default=0)),
        guards=tuple(describe_guards(report)),
        restore_commands=tuple(
            table.deletion.restore_command for table in report.tables if table.deletion.restore_command
        ),
        cost=None if report.run.only_reads else describe_cost(report),
    )


def _of_table(table: TableReport, report: Report) -> DigestContent:
    content = build_digest_content(structs.replace(report, findings=[]), (), None)
    return replace(content, table=table.label, errors=(), warnings=(), report_json=None)


def _describe_lockout(owner: LockedOutOwner) -> str:
    states = list_lockout_states(owner)
    return states if owner.table is None else f"{states}, in {printable(owner.table)}"


def _changes_of(changes: Changes | None) -> Mapping[str, Change] | None:
    if changes is None:
        return None
    return {name: getattr(changes, name) for name in Changes.__struct_fields__ if name != "since"}


def _report_json(report: Report) -> str:
    """The report as JSON, without its findings if it would fill more than a third of an SNS message."""
    content = msgspec.to_builtins(report)
    whole = json.dumps(content)
    if len(whole) <= _MAX_REPORT_BYTES:
        return whole
    omitted = count_reportable(report.counts, report.active_findings, report.listing)
    return json.dumps({**content, "findings": [], "findings_omitted": omitted})
