"""A digest for mailboxes, as plain text: an opening of at most two screens, then every token by owner.

The opening says what has to be done today, then the counts, what changed, and what to do next. It names as much as
two screens hold, and counts the rest. The tokens follow it, because each has to be named, however many they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

from janitor.notices.digest_content import DigestContent
from janitor.notices.notice import Event, Notice
from janitor.notices.text_wrapping import WIDTH, cut_to_line, display_width, wrap_text
from janitor.notices.today import Today, expiring_sentence, other_sentences
from janitor.report.changes import Change, ChangedToken
from janitor.report.model import Outcome
from janitor.report.summary import describe_crowded_day, describe_deletion
from janitor.tokens.printable import printable
from janitor.tokens.redact import shorten_text
from janitor.tokens.words import format_count

# A sentence longer than this, a server's message for example, is cut.
MAX_SENTENCE_LENGTH = 500

# Two screens of 50 lines.
OPENING_LINES = 100
# How many entries of each list the opening names, and how many of several tables it describes: the first numbers that
# leave it that short.
_NAME_LIMITS = (10, 5, 3, 1, 0)
_TABLE_LIMITS = (30, 10, 5, 3, 1, 0)
# Longer than the real numbers ever are.
WIDEST_NUMBER = 999_999_999

_INDENT = "  "

_NO_OWNER = "(no owner)"
_DUE = "Due, by owner, most urgent first"
_DELETED = "Deleted by this run, by owner, with when they had expired"
_OUTCOMES = {
    Outcome.COMPLETE: "is complete.",
    Outcome.INTERRUPTED: "was INTERRUPTED; this report covers what was done before that.",
    Outcome.FAILED: "FAILED; this report covers what was done before that.",
    Outcome.REFUSED: "is complete, but a guard REFUSED to delete.",
    Outcome.SKIPPED: "was SKIPPED: another run is at work on the table.",
}
_CHANGE_NAMES = {
    "newly_expiring": "newly expiring",
    "newly_expired": "newly expired",
    "extended": "extended",
    "gone": "deleted by somebody else",
    "vanished": "gone, or extended far ahead",
}


class Numbering(NamedTuple):
    """Which part of how many this is, how many notices are in it, and how many in the whole digest."""

    part: int
    parts: int
    notice_count: int
    total: int


class OpeningLimits(NamedTuple):
    """How many entries of each list the opening names, and how many tables it describes where there are several."""

    named: int
    tables: int


def limit_opening(content: DigestContent, today: Today, max_named: int, tables: int) -> OpeningLimits:
    """Choose how much the opening names, so that it fills two screens at most; no more than these numbers."""
    numbering = Numbering(1, WIDEST_NUMBER, WIDEST_NUMBER, WIDEST_NUMBER)
    candidates = [
        OpeningLimits(named, described)
        for described in (tables, *(limit for limit in _TABLE_LIMITS if limit < tables))
        for named in _NAME_LIMITS
        if named <= max_named
    ]
    return next(
        (each for each in candidates if _is_short(opening_lines(content, today, numbering, each))), candidates[-1]
    )


def _is_short(lines: Iterator[str]) -> bool:
    return len(list(islice(lines, OPENING_LINES + 1))) <= OPENING_LINES


def opening_lines(content: DigestContent, today: Today, numbering: Numbering, limits: OpeningLimits) -> Iterator[str]:
    """Render the lines before the tokens. Parts after the first only say which part they are.

    Args:
        content: the digest.
        today: what has to be done today.
        numbering: which part this is.
        limits: how much is named, as of `limit_opening`.
    """
    max_named, tables = limits
    yield from wrap_text(run_sentence(content))
    if numbering.parts > 1:
        yield ""
        yield from wrap_text(_part_sentence(numbering))
    if numbering.part > 1:
        return
    if content.recovered_from is not None:
        yield ""
        before = shorten_sentence(content.recovered_from)
        yield from wrap_text(_with_full_stop(f"It has recovered. What was wrong before: {before}"))
    yield from _today_lines(content, today, max_named)
    yield from _heading_lines("Rows of all tables" if content.tables else "Rows")
    yield from _count_lines(content)
    yield from _deletion_lines(content)
    if content.long_expired:
        yield ""
        yield from wrap_text(long_expired_sentence(content.long_expired))
    for table in content.tables[:tables]:
        yield from _table_lines(table, max_named)
    if content.tables[tables:]:
        yield ""
        yield from wrap_text(f"{format_count(len(content.tables) - tables, 'more table')}: see the full report.")
    yield from _change_lines(content, max_named)
    yield from _locked_out_lines(content, max_named)
    yield from _crowded_day_lines(content.unusual_days, max_named)
    warnings = [shorten_sentence(each) for each in content.warnings if each not in content.reason_steps]
    yield from _list_section("Warnings", warnings, max_named)
    yield from _advice_lines(content, today, max_named)


def closing_lines(content: DigestContent, numbering: Numbering) -> Iterator[str]:
    """Render the lines behind the tokens: in parts after the first, where the full report is."""
    if numbering.part > 1 and content.full_report_location:
        yield ""
        yield from _path_lines("Read the full report", content.full_report_location)


def _today_lines(content: DigestContent, today: Today, max_named: int) -> Iterator[str]:
    """What failed, what expires within the day, and what else cannot wait."""
    yield from _heading_lines("To do today")
    failures = [_with_full_stop(sentence) for sentence in failure_sentences(content)]
    others = list(other_sentences(today))
    if max_named:
        yield from _item_lines(failures[:max_named], len(failures))
    elif failures:
        yield from _item_lines([f"{format_count(len(failures), 'thing')} went wrong, too long to be listed here."], 1)
    if today.expiring:
        yield from _item_lines([f"{expiring_sentence(today)}:"], 1)
        # On a line each: the list below has them in full.
        yield from (cut_to_line(f"      {_describe_urgent(notice)}") for notice in today.urgent)
        if len(today.urgent) < today.expiring:
            yield f"      and {today.expiring - len(today.urgent):,} more, in the list below"
    yield from _item_lines(others, len(others))
    if not failures and not today.expiring and not others:
        yield f"{_INDENT}Nothing has to be done today."


def _describe_urgent(notice: Notice) -> str:
    texts = [notice.crossing.fingerprint, notice.owner or _NO_OWNER, *([notice.label] if notice.name else [])]
    texts += [printable(shorten_text(notice.table))] if notice.table is not None else []
    return f"{notice.distance}: {', '.join(texts)}"


def _table_lines(table: DigestContent, max_named: int) -> Iterator[str]:
    """Render one table of several: how its turn ended, its rows, and what became of them."""
    yield from _heading_lines(printable(table.table))
    sentence = f"In {_place(table)}, the {table.command} {_OUTCOMES[table.outcome]}"
    yield from wrap_text(printable(sentence), first=_INDENT, rest=_INDENT)
    yield from _count_lines(table)
    for sentence in deletion_sentences(table):
        yield from wrap_text(sentence, first=_INDENT, rest=_INDENT)
    yield from _undo_lines(table)
    for kind, change in (table.changes or {}).items():
        if change.count:
            yield f"{_INDENT}{_CHANGE_NAMES[kind]:<27}  {change.count:>11,}"
            yield from _named_lines(change, max_named)
    if table.locked_out:
        yield from wrap_text(f"Locked out: {format_count(len(table.locked_out), 'owner')}", first=_INDENT, rest=_INDENT)


def _count_lines(content: DigestContent) -> Iterator[str]:
    width = max((len(state) for state in content.counts), default=0)
    yield from (f"{_INDENT}{state:<{width}}  {count:>11,}" for state, count in content.counts.items())


def section_title(notice: Notice) -> str:
    """The title of the section of a notice."""
    title = _DELETED if notice.event is Event.DELETED else _DUE
    return title if notice.table is None else f"{printable(notice.table)}: {title[0].lower()}{title[1:]}"


def section_lines(notice: Notice) -> list[str]:
    """The heading of the section of a notice."""
    return list(_heading_lines(section_title(notice)))


def owner_lines(notice: Notice) -> list[str]:
    """The owner's name, above that owner's tokens. Indented, so that no name can pass for a heading."""
    return ["", *wrap_text(notice.owner or _NO_OWNER, first=_INDENT, rest=" " * 8)]


def token_lines(notice: Notice) -> list[str]:
    """One token: its expiry, fingerprint and name; the name on the next line if it does not fit."""
    row = f"{_INDENT * 2}{notice.distance:<15}  {notice.date:<20}  {notice.crossing.fingerprint}"
    label = f"{notice.label} (system token)" if notice.system else notice.label
    if display_width(row) + 2 + display_width(label) <= WIDTH:
        return [f"{row}  {label}"]
    return [row, *wrap_text(label, first=" " * 8, rest=" " * 8)]


def due_lines(notices: Iterable[Notice]) -> Iterator[str]:
    """Render the notices below their sections and owners; owners in the order of their most urgent notice."""
    sections: dict[str, dict[str | None, list[Notice]]] = {}
    for notice in notices:
        sections.setdefault(section_title(notice), {}).setdefault(notice.username, []).append(notice)
    for title, owners in sections.items():
        yield from _heading_lines(title)
        for owner_notices in owners.values():
            yield from owner_lines(owner_notices[0])
            for notice in owner_notices:
                yield from token_lines(notice)


def shorten_sentence(text: str) -> str:
    """Return the sentence on one printable line, shortened with an ellipsis if it is too long for a digest."""
    return printable(text if len(text) <= MAX_SENTENCE_LENGTH else f"{text[: MAX_SENTENCE_LENGTH - 1]}…")


def run_sentence(content: DigestContent) -> str:
    """Say what ran, where, when, and how it ended."""
    account = f" of account {content.account}" if content.account else ""
    where = content.table if content.tables else f"{content.table} in {content.region}{account}"
    return printable(f"The {content.command} of {where}, started {content.started_at}, {_OUTCOMES[content.outcome]}")


def _place(content: DigestContent) -> str:
    return f"{content.region}, account {content.account}" if content.account else f"{content.region}"


def _part_sentence(numbering: Numbering) -> str:
    part, parts, notice_count, total = numbering
    return f"This is part {part} of {parts}: it names {format_count(notice_count, 'token')} of {total:,} in all."


def long_expired_sentence(count: int) -> str:
    """Say that so many tokens are only counted, and why."""
    are = "is" if count == 1 else "are"
    return (
        f"{format_count(count, 'token')} had expired for longer than the grace, and {are} not listed, because this is "
        "the first digest about this table that goes here."
    )


def failure_sentences(content: DigestContent) -> Iterator[str]:
    """Say what went wrong; empty if nothing did."""
    failed = content.deletion.failed
    if failed:
        yield f"{format_count(failed, 'row')} could not be deleted"
    yield from (shorten_sentence(error) for error in content.errors)


def deletion_sentences(content: DigestContent) -> Iterator[str]:
    """Say what became of the plan; empty if there is nothing to say."""
    deletion = content.deletion
    if deletion.enabled or deletion.planned or deletion.waiting or deletion.protected:
        yield from describe_deletion(deletion, content.outcome, content.refusing_guards, content.notice_age_seconds)


def _path_lines(what: str, where: str) -> Iterator[str]:
    """A path or an address, never wrapped, so that it can be copied. Only such lines may be wider than 72 columns."""
    yield f"{_INDENT}{what}:"
    yield f"{_INDENT}{printable(where)}"


def _deletion_lines(content: DigestContent) -> Iterator[str]:
    sentences = list(deletion_sentences(content))
    if sentences:
        yield from _heading_lines("Deletion")
    for sentence in sentences:
        yield from wrap_text(sentence, first=_INDENT, rest=_INDENT)
    yield from _sweep_fact_lines(content)


def _sweep_fact_lines(content: DigestContent) -> Iterator[str]:
    """Say in few lines which guards stand, what it costs, and how to undo it: of several tables, each says that."""
    cost = [f"Cost: {content.cost}"] if content.cost else []
    for sentence in (*content.guards, *cost):
        yield from wrap_text(f"{sentence}.", first=_INDENT, rest=_INDENT)
    if not content.tables:
        yield from _undo_lines(content)


def _undo_lines(content: DigestContent) -> Iterator[str]:
    """The command that puts deleted rows back."""
    for command in content.restore_commands:
        yield from _path_lines("To undo it", command)


def _change_lines(content: DigestContent, max_named: int) -> Iterator[str]:
    changes = {kind: change for kind, change in (content.changes or {}).items() if change.count}
    if not changes:
        return
    yield from _heading_lines("Changed since the last run")
    for kind, change in changes.items():
        yield f"{_INDENT}{_CHANGE_NAMES[kind]:<27}  {change.count:>11,}"
        yield from _named_lines(change, max_named)


def _named_lines(change: Change, max_named: int) -> Iterator[str]:
    named = change.tokens[:max_named]
    for token in named:
        yield from wrap_text(_describe_token(token), first=" " * 6, rest=" " * 8)
    if named and len(named) < change.count:
        yield f"      and {change.count - len(named):,} more"


def _describe_token(token: ChangedToken) -> str:
    texts = (token.fingerprint, token.username or _NO_OWNER, token.name)
    return ", ".join(printable(shorten_text(text)) for text in texts if text)


def _locked_out_lines(content: DigestContent, max_named: int) -> Iterator[str]:
    owners = content.locked_out
    if not owners:
        return
    yield from _heading_lines("Locked out")
    sentence = lockout_sentence(len(owners))
    yield from wrap_text(sentence + (":" if max_named else "."), first=_INDENT, rest=_INDENT)
    named = zip_longest(owners[:max_named], content.lockout_states[:max_named], fillvalue="")
    items = [f"{printable(shorten_text(owner))}{f' ({states})' if states else ''}" for owner, states in named]
    yield from _item_lines(items, len(owners))
    if content.ways_out and max_named:
        yield from wrap_text("To let them in again, remove:", first=_INDENT, rest=_INDENT)
        yield from _item_lines([f"{way_out}." for way_out in content.ways_out[:max_named]], len(content.ways_out))


def lockout_sentence(count: int) -> str:
    """Say that so many owners are locked out; without a full stop."""
    if count == 1:
        return "LISA does not let one owner create a token until the owner's rows are gone"
    return f"LISA does not let {format_count(count, 'owner')} create a token until their rows are gone"


def _crowded_day_lines(days: Sequence[tuple[str, int]], max_named: int) -> Iterator[str]:
    if not days:
        return
    yield from _heading_lines("Crowded days")
    if max_named:
        yield from _item_lines(
            [f"{describe_crowded_day(day, expiring)}." for day, expiring in days[:max_named]], len(days)
        )
    else:
        yield f"{_INDENT}- Unusually many tokens expire on {format_count(len(days), 'day')}."


def _list_section(title: str, sentences: Sequence[str], max_named: int) -> Iterator[str]:
    if not sentences:
        return
    yield from _heading_lines(title)
    if max_named:
        yield from _item_lines([_with_full_stop(sentence) for sentence in sentences[:max_named]], len(sentences))
    else:
        yield f"{_INDENT}- {len(sentences):,}, too long to be listed here"


def _item_lines(items: Sequence[str], total: int) -> Iterator[str]:
    for item in items:
        yield from wrap_text(item, first=f"{_INDENT}- ", rest=f"{_INDENT}  ")
    if items and len(items) < total:
        yield f"{_INDENT}- and {total - len(items):,} more"


def _advice_lines(content: DigestContent, today: Today, max_named: int) -> Iterator[str]:
    sentences = list(advice_sentences(content, today))
    steps = list(reason_sentences(content))
    if sentences or steps or content.full_report_location:
        yield from _heading_lines("What to do next")
    yield from _item_lines(sentences, len(sentences))
    yield from _item_lines(steps[:max_named], len(steps))
    if content.full_report_location:
        yield from _path_lines("Read the full report", content.full_report_location)


def advice_sentences(content: DigestContent, today: Today) -> Iterator[str]:
    """Say what to do next, besides what has to be done today; empty if there is nothing to do."""
    counts, deletion = content.counts, content.deletion
    if content.outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
        yield "Run janitor again once the cause is gone: a run can be repeated safely."
    if content.outcome is Outcome.REFUSED:
        yield "See what the guard says; `janitor scan` looks at the table without deleting."
    if counts.get("expiring", 0) > today.expiring:
        yield (
            "Tokens that are about to expire: have them renewed or replaced before they expire."
            " From that second on LISA rejects them."
        )
    if counts.get("expired", 0) > today.expired:
        yield "Tokens that have expired: LISA rejects them. Replace them wherever they are still used."
    if counts.get("stale", 0) > deletion.deleted:
        yield "Stale rows: `janitor sweep` shows which could be deleted, and deletes them with `--delete`."


def reason_sentences(content: DigestContent) -> Iterator[str]:
    """Say what is wrong with rows besides their dates, and what to do about it."""
    for step in map(shorten_sentence, content.reason_steps):
        # Of several tables it begins with a table's name.
        yield f"{step if content.tables else step[:1].upper() + step[1:]}."


def _heading_lines(title: str) -> Iterator[str]:
    yield ""
    yield title
    yield "-" * len(title)


def _with_full_stop(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."
