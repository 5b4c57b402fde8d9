"""A digest for a mailbox: plain text, well set. What failed first, then what is due, then the rest."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from janitor.notify.content import Change, ChangeKind, DeletionCounts, DigestContent, Ending, NamedToken
from janitor.notify.lines import WIDTH, columns, set_in_lines
from janitor.notify.notice import Event, Notice
from janitor.tokens.plain import plain
from janitor.tokens.shown import cut

# A sentence longer than this, a server's message for example, is cut.
LONGEST_SENTENCE = 500

_OWNERLESS = "(no owner)"
_INDENT = "  "
_DUE = "Due, by owner, most urgent first"
_DELETED = "Deleted by this run, by owner, with when they had expired"
_RESTORE = "`janitor restore` puts deleted rows back, from the archive"
_ENDED = {
    Ending.COMPLETE: "is complete.",
    Ending.INTERRUPTED: "was INTERRUPTED: what is said here is as far as it came.",
    Ending.FAILED: "FAILED: what is said here is as far as it came.",
    Ending.REFUSED: "is complete, but a guard REFUSED to delete.",
    Ending.SKIPPED: "was SKIPPED: another run is at work on the table.",
}
_KINDS = {
    ChangeKind.NEWLY_EXPIRING: "newly expiring",
    ChangeKind.NEWLY_EXPIRED: "newly expired",
    ChangeKind.EXTENDED: "extended",
    ChangeKind.GONE: "gone by other hands",
    ChangeKind.VANISHED: "gone, or extended far ahead",
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
    yield from _listed("What went wrong", list(_failures(content)), few)
    yield from _heading("Rows of all tables" if content.tables else "Rows")
    yield from _count_lines(content)
    yield from _deletion_lines(content)
    for table in content.tables[:tables]:
        yield from _table_lines(table, few)
    if content.tables[tables:]:
        yield ""
        yield from set_in_lines(f"{_counted(len(content.tables) - tables, 'more table')}: see the full report.")


def _table_lines(table: DigestContent, few: int) -> Iterator[str]:
    """One table of several: how its turn ended, its rows, and what became of them."""
    yield from _heading(plain(table.table))
    yield from set_in_lines(f"{_where(table)} {_ENDED[table.outcome]}", first=_INDENT, rest=_INDENT)
    yield from _count_lines(table)
    for sentence in _deletion_sentences(table):
        yield from set_in_lines(sentence, first=_INDENT, rest=_INDENT)
    if table.deletion.archive:
        yield from _place(_RESTORE, table.deletion.archive)
    for kind, change in (table.changes or {}).items():
        if change.count:
            yield f"{_INDENT}{_KINDS[kind]:<27}  {change.count:>11,}"
            yield from _named_lines(change, few)
    if table.locked_out:
        yield from set_in_lines(f"Locked out: {_counted(len(table.locked_out), 'owner')}", first=_INDENT, rest=_INDENT)


def _count_lines(content: DigestContent) -> Iterator[str]:
    width = max((len(state) for state in content.counts), default=0)
    yield from (f"{_INDENT}{state:<{width}}  {count:>11,}" for state, count in content.counts.items())


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
    return title if notice.table is None else f"{plain(notice.table)}: {title[0].lower()}{title[1:]}"


def section_lines(notice: Notice) -> list[str]:
    """The heading of the section that a notice stands in."""
    return list(_heading(section_of(notice)))


def owner_lines(notice: Notice) -> list[str]:
    """The owner's name, above the own tokens. Indented, so that no name can pass for a heading."""
    return ["", *set_in_lines(notice.owner or _OWNERLESS, first=_INDENT, rest=" " * 8)]


def notice_lines(notice: Notice) -> list[str]:
    """One token: when, its fingerprint, its name; the name below, where the line is full."""
    row = f"{_INDENT * 2}{notice.distance:<15}  {notice.date:<20}  {notice.crossing.fingerprint}"
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
    return plain(text if len(text) <= LONGEST_SENTENCE else f"{text[: LONGEST_SENTENCE - 1]}…")


def _headline(content: DigestContent) -> str:
    account = f" of account {content.account}" if content.account else ""
    where = content.table if content.tables else f"{content.table} in {content.region}{account}"
    return plain(f"The {content.command} of {where}, started {content.started_at}, {_ENDED[content.outcome]}")


def _where(content: DigestContent) -> str:
    return f"{content.region}, account {content.account}" if content.account else f"{content.region}"


def _part_sentence(numbering: Numbering) -> str:
    part, parts, held, total = numbering
    return f"This is part {part} of {parts}: it names {_counted(held, 'token')} of {total:,} in all."


def _failures(content: DigestContent) -> Iterator[str]:
    failed = content.deletion.failed
    if failed:
        yield f"{_counted(failed, 'row')} could not be deleted"
    yield from (cut_sentence(error) for error in content.errors)


def _deletion_lines(content: DigestContent) -> Iterator[str]:
    deletion = content.deletion
    sentences = list(_deletion_sentences(content))
    if sentences:
        yield from _heading("Deletion")
    for sentence in sentences:
        yield from set_in_lines(sentence, first=_INDENT, rest=_INDENT)
    if deletion.archive:
        yield from _place(_RESTORE, deletion.archive)


def _deletion_sentences(content: DigestContent) -> Iterator[str]:
    deletion = content.deletion
    planned = _counted(deletion.planned, "row")
    if not deletion.enabled:
        if deletion.planned:
            yield f"A dry run: nothing was deleted, {planned} would be."
    elif content.outcome is Ending.REFUSED:
        yield f"Nothing was deleted, of {planned} planned."
    else:
        others = {
            "changed meanwhile and stayed": deletion.changed,
            "gone already": deletion.already_gone,
            "failed": deletion.failed,
            "not touched": _untouched(deletion),
        }
        said = "".join(f", {count:,} {what}" for what, count in others.items() if count)
        yield f"{deletion.deleted:,} deleted, of {planned} planned{said}."
    if deletion.waiting:
        yield f"{_counted(deletion.waiting, 'more row')} must wait, until the notice of their expiry is old enough."
    if deletion.protected:
        yield f"{_counted(deletion.protected, 'more row')} would go, but for their protection."


def _untouched(deletion: DeletionCounts) -> int:
    """Rows of the plan that nothing was sent for, because the run ended before."""
    return deletion.planned - deletion.deleted - deletion.changed - deletion.already_gone - deletion.failed


def _change_lines(content: DigestContent, few: int) -> Iterator[str]:
    changes = {kind: change for kind, change in (content.changes or {}).items() if change.count}
    if not changes:
        return
    yield from _heading("Changed since the last run")
    for kind, change in changes.items():
        yield f"{_INDENT}{_KINDS[kind]:<27}  {change.count:>11,}"
        yield from _named_lines(change, few)


def _named_lines(change: Change, few: int) -> Iterator[str]:
    named = change.named[:few]
    for token in named:
        yield from set_in_lines(_described(token), first=" " * 6, rest=" " * 8)
    if named and len(named) < change.count:
        yield f"      and {change.count - len(named):,} more"


def _described(token: NamedToken) -> str:
    texts = (token.fingerprint, token.username or _OWNERLESS, token.name)
    return ", ".join(plain(cut(text)) for text in texts if text)


def _locked_out_lines(owners: Sequence[str], few: int) -> Iterator[str]:
    if not owners:
        return
    yield from _heading("Locked out")
    said = (
        f"LISA lets {_counted(len(owners), 'owner')} create no token until their expired rows are gone"
        if len(owners) > 1
        else "LISA lets one owner create no token until the expired row is gone"
    )
    yield from set_in_lines(said + (":" if few else "."), first=_INDENT, rest=_INDENT)
    yield from _items([plain(cut(owner)) for owner in owners[:few]], len(owners))


def _crowded_lines(days: Sequence[tuple[str, int]], few: int) -> Iterator[str]:
    if not days:
        return
    yield from _heading("Crowded days")
    said = f"An unusual share of the tokens expires on {_counted(len(days), 'day')}"
    yield from set_in_lines(said + (":" if few else "."), first=_INDENT, rest=_INDENT)
    yield from _items([f"{plain(day)}  {count:>7,}" for day, count in days[:few]], len(days))


def _listed(title: str, sentences: Sequence[str], few: int) -> Iterator[str]:
    if not sentences:
        return
    yield from _heading(title)
    if few:
        yield from _items([_ended(sentence) for sentence in sentences[:few]], len(sentences))
    else:
        yield f"{_INDENT}- {len(sentences):,}, too long to be listed here"


def _items(items: Sequence[str], total: int) -> Iterator[str]:
    for item in items:
        yield from set_in_lines(item, first=f"{_INDENT}- ", rest=f"{_INDENT}  ")
    if items and len(items) < total:
        yield f"{_INDENT}- and {total - len(items):,} more"


def _what_to_do(content: DigestContent, numbering: Numbering) -> Iterator[str]:
    sentences = list(_advice(content)) if numbering.part == 1 else []
    if sentences or content.pointer:
        yield from _heading("What to do next")
    for sentence in sentences:
        yield from set_in_lines(sentence, first=f"{_INDENT}- ", rest=f"{_INDENT}  ")
    if content.pointer:
        yield from _place("Read the full report", content.pointer)


def _advice(content: DigestContent) -> Iterator[str]:
    counts, deletion = content.counts, content.deletion
    if content.outcome in (Ending.FAILED, Ending.INTERRUPTED):
        yield "Run janitor again once the cause is gone: a run can be repeated safely."
    if content.outcome is Ending.REFUSED:
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


def _place(what: str, place: str) -> Iterator[str]:
    """A file or an address, never broken, so that it can be copied whole: the one line that may be wider than 78."""
    yield f"{_INDENT}{what}:"
    yield f"{_INDENT}{plain(place)}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
