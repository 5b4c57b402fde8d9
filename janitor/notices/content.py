"""What a digest is made of: a run's report and its due notices, as values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from janitor.notices.notice import Notice
from janitor.report.changed import Change
from janitor.report.model import Deletion, Outcome


@dataclass(frozen=True, slots=True)
class DigestContent:
    """All that a digest says.

    Attributes:
        outcome: how the run ended.
        started_at: ISO 8601 in UTC.
        counts: rows by state, in the order in which they are to be read.
        notices: most urgent first (`urgency`). They are gone through twice and never copied, so that a collection that
            reads them from a disk keeps memory flat.
        changes: since the last run, by the report's keys; None where no earlier run is known.
        locked_out: owners, untrusted.
        unusual_days: each with how many tokens expire on it.
        errors, warnings: sentences without a full stop.
        report_json: the report without its findings, or None.
        pointer: where the full report is, or None.
        tables: of a digest of several, what is to be said of each, its name as notices have it, without notices,
            errors, warnings and report: those are in the whole, which is a sum.
        long_expired: how many tokens were dead for longer than the grace when the topic first hears of the table; they
            are among no notices.
        recovered_from: why the last run was refused or failed, where this one is well again; None otherwise.
        is_known_trouble: whether the last digest told of the same failure or refusal, less than a day ago.
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
    unusual_days: tuple[tuple[str, int], ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    report_json: str | None = None
    pointer: str | None = None
    tables: tuple["DigestContent", ...] = ()
    long_expired: int = 0
    recovered_from: str | None = None
    is_known_trouble: bool = False


def is_news(content: DigestContent) -> bool:
    """Whether there is something to hear: a notice is due, rows were touched, tokens changed, or something went wrong.

    What only goes on (locked-out owners, crowded days, protected rows, a dry run's plan, warnings, the same failure as
    before) is no news.
    """
    deletion = content.deletion
    touched = deletion.deleted or deletion.changed or deletion.already_gone
    every = (content, *content.tables)
    changed = any(change.count for each in every if each.changes for change in each.changes.values())
    is_off = content.outcome is not Outcome.COMPLETE or content.errors or deletion.failed
    is_other = (is_off and not content.is_known_trouble) or content.recovered_from is not None
    return bool(len(content.notices) or content.long_expired or touched or changed or is_other)
