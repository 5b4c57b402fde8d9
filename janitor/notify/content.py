"""What a digest is made of: a run's report and its due notices, as values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from janitor.notify.notice import Notice


class Ending(StrEnum):
    """How the run ended; the values are the report's outcomes."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    REFUSED = "refused"
    SKIPPED = "skipped"


class ChangeKind(StrEnum):
    """How tokens changed since the last run of the same table; the values are the report's keys.

    `gone`: removed, and not by this run. `vanished`: no finding any more, not looked up: gone, or extended far ahead.
    """

    NEWLY_EXPIRING = "newly_expiring"
    NEWLY_EXPIRED = "newly_expired"
    EXTENDED = "extended"
    GONE = "gone"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A token that a change names."""

    fingerprint: str
    username: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """The tokens that changed in one way: how many, and a few of them."""

    count: int
    named: tuple[NamedToken, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletionCounts:
    """What became of the plan, as in the report; `waiting` are stale rows whose notice is not old enough."""

    enabled: bool = False
    planned: int = 0
    protected: int = 0
    deleted: int = 0
    changed: int = 0
    already_gone: int = 0
    failed: int = 0
    waiting: int = 0
    archive: str | None = None


@dataclass(frozen=True, slots=True)
class DigestContent:
    """All that a digest says.

    Attributes:
        outcome: how the run ended.
        started_at: ISO 8601 in UTC.
        counts: rows by state, in the order in which they are to be read.
        notices: most urgent first (`urgency`). They are gone through twice and never copied, so that a collection that
            reads them from a disk keeps memory flat.
        changes: None where no earlier run is known.
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
    outcome: Ending
    started_at: str
    counts: Mapping[str, int]
    deletion: DeletionCounts
    notices: Collection[Notice]
    changes: Mapping[ChangeKind, Change] | None = None
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
    is_off = content.outcome is not Ending.COMPLETE or content.errors or deletion.failed
    is_other = (is_off and not content.is_known_trouble) or content.recovered_from is not None
    return bool(len(content.notices) or content.long_expired or touched or changed or is_other)
