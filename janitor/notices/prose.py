"""A digest for a mailbox: plain text, well set. What failed first, then what is due, then the rest."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from janitor.notices.content import DigestContent
from janitor.notices.deletion_words import INDENT, RESTORE, deletion_sentences, place
from janitor.notices.lines import WIDTH, columns, set_in_lines
from janitor.notices.notice import Event, Notice
from janitor.report.changed import Change, ChangedToken
from janitor.report.model import Outcome
from janitor.tokens.printable import printable
from janitor.tokens.redact import cut
from janitor.tokens.words import counted

# A sentence longer than this, a server's message for example, is cut.
LONGEST_SENTENCE = 500

_OWNERLESS = "(no owner)"
_DUE = "Due, by owner, most urgent first"
_DELETED = "Deleted by this run, by owner, with when they had expired"
_ENDED = {
    Outcome.COMPLETE: "is complete.",
    Outcome.INTERRUPTED: "was INTERRUPTED: what is said here is as far as it came.",
    Outcome.FAILED: "FAILED: what is said here is as far as it came.",
    Outcome.REFUSED: "is complete, but a guard REFUSED to delete.",
    Outcome.SKIPPED: "was SKIPPED: another run is at work on the table.",
}
_KINDS = {
    "newly_expiring": "newly expiring",
    "newly_expired": "newly expired",
    "extended": "extended",
    "gone": "gone by other hands",
    "vanished": "gone, or extended far ahead",
}


class Numbering(NamedTuple):
    """Which part of how many this is, and how many of the digest's notices are in it."""

    part: int
    parts: int
    held: int
    total: int


def opening(content: DigestContent, numbering: Numbering, few: int, tables: int) -> Iterator[str]:
    """The lines before the notices. Later parts say only what they are.

    Args:
        content: the digest.
        numbering: which part this is.
        few: how many of each list are named at most.
        tables: how many tables are told of at most, where there are several.
    """
    yield from set_in_lines(_headline(content))
    if numbering.parts > 1:
        yield ""
        yield from set_in_lines(_part_sentence(numbering))
    if numbering.part > 1:
        return
    if content.recovered_from is not None:
        yield ""
        before = cut_sentence(content.recovered_from)
        yield from set_in_lines(_ended(f"It is well again. What was wrong before: {before}"))
    yield from _listed("What went wrong", list(_failures(content)), few)
    yield from _heading("Rows of all tables" if content.tables else "Rows")
    yield from _count_lines(content)
    yield from _deletion_lines(content)
    if content.long_expired:
        yield ""
        yield from set_in_lines(_long_expired_sentence(content.long_expired))
    for table in content.tables[:tables]:
        yield from _table_lines(table, few)
    if content.tables[tables:]:
        yield ""
        yield from set_in_lines(f"{counted(len(content.tables) - tables, 'more table')}: see the full report.")


def _table_lines(table: DigestContent, few: int) -> Iterator[str]:
    """One table of several: how its turn ended, its rows, and what became of them."""
    yield from _heading(printable(table.table))
    yield from set_in_lines(f"{_where(table)} {_ENDED[table.outcome]}", first=INDENT, rest=INDENT)
    yield from _count_lines(table)
    for sentence in deletion_sentences(table):
        yield from set_in_lines(sentence, first=INDENT, rest=INDENT)
    if table.deletion.archive:
        yield from place(RESTORE, table.deletion.archive)
    for kind, change in (table.changes or {}).items():
        if change.count:
            yield f"{INDENT}{_KINDS[kind]:<27}  {change.count:>11,}"
            yield from _named_lines(change, few)
    if table.locked_out:
        yield from set_in_lines(f"Locked out: {counted(len(table.locked_out), 'owner')}", first=INDENT, rest=INDENT)


def _count_lines(content: DigestContent) -> Iterator[str]:
    width = max((len(state) for state in content.counts), default=0)
    yield from (f"{INDENT}{state:<{width}}  {count:>11,}" for state, count in content.counts.items())


def closing(content: DigestContent, numbering: Numbering, few: int) -> Iterator[str]:
    """The lines after the notices."""
    if numbering.part == 1:
        yield from _change_lines(content, few)
        yield from _locked_out_lines(content.locked_out, few)
        yield from _crowded_lines(content.unusual_days, few)
        yield from _listed("Warnings", [cut_sentence(warning) for warning in content.warnings], few)
    yield from _what_to_do(content, numbering)


def section_of(notice: Notice) -> str:
    """The title of the section that a notice stands in."""
    title = _DELETED if notice.event is Event.DELETED else _DUE
    return title if notice.table is None else f"{printable(notice.table)}: {title[0].lower()}{title[1:]}"


def section_lines(notice: Notice) -> list[str]:
    """The heading of the section that a notice stands in."""
    return list(_heading(section_of(notice)))


def owner_lines(notice: Notice) -> list[str]:
    """The owner's name, above the own tokens. Indented, so that no name can pass for a heading."""
    return ["", *set_in_lines(notice.owner or _OWNERLESS, first=INDENT, rest=" " * 8)]


def notice_lines(notice: Notice) -> list[str]:
    """One token: when, its fingerprint, its name; the name below, where the line is full."""
    row = f"{INDENT * 2}{notice.distance:<15}  {notice.date:<20}  {notice.crossing.fingerprint}"
    label = f"{notice.label} (system token)" if notice.system else notice.label
    if columns(row) + 2 + columns(label) <= WIDTH:
        return [f"{row}  {label}"]
    return [row, *set_in_lines(label, first=" " * 8, rest=" " * 8)]


def due_lines(notices: Iterable[Notice]) -> Iterator[str]:
    """The notices below their sections and owners; owners in the order of their first one, the most urgent."""
    sections: dict[str, dict[str | None, list[Notice]]] = {}
    for notice in notices:
        sections.setdefault(section_of(notice), {}).setdefault(notice.username, []).append(notice)
    for title, owners in sections.items():
        yield from _heading(title)
        for owned in owners.values():
            yield from owner_lines(owned[0])
            for notice in owned:
                yield from notice_lines(notice)


def cut_sentence(text: str) -> str:
    """The sentence in one visible line, with an ellipsis where it is too long for a digest."""
    return printable(text if len(text) <= LONGEST_SENTENCE else f"{text[: LONGEST_SENTENCE - 1]}…")


def _headline(content: DigestContent) -> str:
    account = f" of account {content.account}" if content.account else ""
    where = content.table if content.tables else f"{content.table} in {content.region}{account}"
    return printable(f"The {content.command} of {where}, started {content.started_at}, {_ENDED[content.outcome]}")


def _where(content: DigestContent) -> str:
    return f"{content.region}, account {content.account}" if content.account else f"{content.region}"


def _part_sentence(numbering: Numbering) -> str:
    part, parts, held, total = numbering
    return f"This is part {part} of {parts}: it names {counted(held, 'token')} of {total:,} in all."


def _long_expired_sentence(count: int) -> str:
    are = "is" if count == 1 else "are"
    return (
        f"{counted(count, 'token')} had expired for longer than the grace, and {are} not listed: this is the first "
        "time that this topic hears of the table."
    )


def _failures(content: DigestContent) -> Iterator[str]:
    failed = content.deletion.failed
    if failed:
        yield f"{counted(failed, 'row')} could not be deleted"
    yield from (cut_sentence(error) for error in content.errors)


def _deletion_lines(content: DigestContent) -> Iterator[str]:
    deletion = content.deletion
    sentences = list(deletion_sentences(content))
    if sentences:
        yield from _heading("Deletion")
    for sentence in sentences:
        yield from set_in_lines(sentence, first=INDENT, rest=INDENT)
    if deletion.archive:
        yield from place(RESTORE, deletion.archive)


def _change_lines(content: DigestContent, few: int) -> Iterator[str]:
    changes = {kind: change for kind, change in (content.changes or {}).items() if change.count}
    if not changes:
        return
    yield from _heading("Changed since the last run")
    for kind, change in changes.items():
        yield f"{INDENT}{_KINDS[kind]:<27}  {change.count:>11,}"
        yield from _named_lines(change, few)


def _named_lines(change: Change, few: int) -> Iterator[str]:
    named = change.tokens[:few]
    for token in named:
        yield from set_in_lines(_described(token), first=" " * 6, rest=" " * 8)
    if named and len(named) < change.count:
        yield f"      and {change.count - len(named):,} more"


def _described(token: ChangedToken) -> str:
    texts = (token.fingerprint, token.username or _OWNERLESS, token.name)
    return ", ".join(printable(cut(text)) for text in texts if text)


def _locked_out_lines(owners: Sequence[str], few: int) -> Iterator[str]:
    if not owners:
        return
    yield from _heading("Locked out")
    said = (
        f"LISA lets {counted(len(owners), 'owner')} create no token until their expired rows are gone"
        if len(owners) > 1
        else "LISA lets one owner create no token until the expired row is gone"
    )
    yield from set_in_lines(said + (":" if few else "."), first=INDENT, rest=INDENT)
    yield from _items([printable(cut(owner)) for owner in owners[:few]], len(owners))


def _crowded_lines(days: Sequence[tuple[str, int]], few: int) -> Iterator[str]:
    if not days:
        return
    yield from _heading("Crowded days")
    said = f"An unusual share of the tokens expires on {counted(len(days), 'day')}"
    yield from set_in_lines(said + (":" if few else "."), first=INDENT, rest=INDENT)
    yield from _items([f"{printable(day)}  {count:>7,}" for day, count in days[:few]], len(days))


def _listed(title: str, sentences: Sequence[str], few: int) -> Iterator[str]:
    if not sentences:
        return
    yield from _heading(title)
    if few:
        yield from _items([_ended(sentence) for sentence in sentences[:few]], len(sentences))
    else:
        yield f"{INDENT}- {len(sentences):,}, too long to be listed here"


def _items(items: Sequence[str], total: int) -> Iterator[str]:
    for item in items:
        yield from set_in_lines(item, first=f"{INDENT}- ", rest=f"{INDENT}  ")
    if items and len(items) < total:
        yield f"{INDENT}- and {total - len(items):,} more"


def _what_to_do(content: DigestContent, numbering: Numbering) -> Iterator[str]:
    sentences = list(_advice(content)) if numbering.part == 1 else []
    if sentences or content.pointer:
        yield from _heading("What to do next")
    for sentence in sentences:
        yield from set_in_lines(sentence, first=f"{INDENT}- ", rest=f"{INDENT}  ")
    if content.pointer:
        yield from place("Read the full report", content.pointer)


def _advice(content: DigestContent) -> Iterator[str]:
    counts, deletion = content.counts, content.deletion
    if content.outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
        yield "Run janitor again once the cause is gone: a run can be repeated safely."
    if content.outcome is Outcome.REFUSED:
        yield "See what the guard says; `janitor scan` looks at the table without deleting."
    if counts.get("expiring"):
        yield (
            "Tokens that are about to expire: have them renewed, or new ones put in their place, before their time."
            " From that second on LISA refuses them."
        )
    if counts.get("expired"):
        yield "Tokens that have expired: LISA refuses them. Put new ones in their place wherever they are still used."
    if counts.get("stale", 0) > deletion.deleted:
        yield "Stale rows: `janitor sweep` shows which could be deleted, and deletes them with `--delete`."
    if counts.get("malformed"):
        yield "Malformed dates: nobody but you can say what was meant; `janitor scan` lists them, with a guess."


def _heading(title: str) -> Iterator[str]:
    yield ""
    yield title
    yield "-" * len(title)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."
