"""What a digest for a mailbox says of deletions, of the whole run and of each table, and the words for it."""

from collections.abc import Iterator

from janitor.notices.content import DigestContent
from janitor.report.model import Deletion, Outcome
from janitor.tokens.printable import printable
from janitor.tokens.words import counted

INDENT = "  "
RESTORE = "`janitor restore` puts deleted rows back, from the archive"


def deletion_sentences(content: DigestContent) -> Iterator[str]:
    """What became of the plan; nothing where there is nothing to say."""
    deletion = content.deletion
    planned = counted(deletion.planned, "row")
    if not deletion.enabled:
        if deletion.planned:
            yield f"A dry run: nothing was deleted, {planned} would be."
    elif content.outcome is Outcome.REFUSED:
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
        yield f"{counted(deletion.waiting, 'more row')} must wait, until the notice of their expiry is old enough."
    if deletion.protected:
        yield f"{counted(deletion.protected, 'more row')} would go, but for their protection."


def _untouched(deletion: Deletion) -> int:
    """Rows of the plan that nothing was sent for, because the run ended before."""
    return deletion.planned - deletion.deleted - deletion.changed - deletion.already_gone - deletion.failed


def place(what: str, where: str) -> Iterator[str]:
    """A file or an address, never broken, so that it can be copied whole: the one line that may be wider than 78."""
    yield f"{INDENT}{what}:"
    yield f"{INDENT}{printable(where)}"
