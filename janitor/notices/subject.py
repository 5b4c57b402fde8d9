"""Subject lines: printable ASCII, one line, at most 100 characters, beginning with a letter, digit or mark.

Those are the rules of Amazon SNS (Publish, `Subject`), which refuses a message that breaks one.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from janitor.notices.content import DigestContent
from janitor.notices.notice import Event, Notice
from janitor.report.model import Outcome
from janitor.tokens.duration import spoken_duration
from janitor.tokens.words import counted

LONGEST = 100

# A shortened name keeps this much, so that it can still be told from others.
_SHORTEST_NAME = 14
_LONGEST_OWNER = 40
_ELLIPSIS = "..."

# Letters and marks of Latin scripts that Unicode does not take apart into an ASCII one and its accents.
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
     "ð": "d", "þ": "th", "ı": "i", "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-"}  # noqa: RUF001
)  # fmt: skip

_SHOUTED = {
    Outcome.COMPLETE: "",
    Outcome.INTERRUPTED: "INTERRUPTED: ",
    Outcome.FAILED: "FAILED: ",
    Outcome.REFUSED: "REFUSED to delete: ",
    Outcome.SKIPPED: "SKIPPED: ",
}
_UNEVENTFUL = {
    Outcome.COMPLETE: "nothing new is due",
    Outcome.INTERRUPTED: "nothing new is due so far",
    Outcome.FAILED: "the message says what was done",
    Outcome.REFUSED: "the message says why",
    Outcome.SKIPPED: "another run is at work",
}
_HAPPENED = {Event.EXPIRING: "expires", Event.EXPIRED: "expired", Event.DELETED: "was deleted; it expired"}


@dataclass(slots=True)
class DueCounts:
    """How many notices a digest has of each event, and how far ahead the first ones look, in seconds."""

    expiring: int = 0
    expired: int = 0
    within: int = 0

    def add(self, notice: Notice) -> None:
        """Count one more notice."""
        if notice.event is Event.EXPIRING:
            self.expiring += 1
            self.within = max(self.within, notice.crossing.threshold)
        elif notice.event is Event.EXPIRED:
            self.expired += 1


def token_subject(notice: Notice) -> str:
    """The subject of one token's message: what happens when, then its name as far as there is room."""
    owner = f" of {_shortened(in_ascii(notice.username), _LONGEST_OWNER)}" if notice.username else ""
    said = f"Token {in_ascii(notice.crossing.fingerprint)}{owner} {_HAPPENED[notice.event]} {notice.distance}"
    name = in_ascii(notice.name or "")
    # A name of which no letter is left in ASCII says nothing.
    is_telling = any(character.isalnum() for character in name)
    return _cut(f"{said}: {name}" if is_telling else said, LONGEST)


def digest_subject(content: DigestContent, due: DueCounts, *, part: int, parts: int) -> str:
    """The subject of a part of a digest: the table, shortened in the middle where it must be, and what is new there."""
    start = f"[janitor] {_SHOUTED[content.outcome]}{'' if content.recovered_from is None else 'WELL AGAIN: '}"
    end = f" (part {part} of {parts})" if parts > 1 else ""
    table = in_ascii(content.table) or "?"
    room = LONGEST - len(start) - len(end) - len(": ")
    phrases = list(_phrases(content, due)) or [_reason(content)]
    said = _listed(phrases, room - min(len(table), _SHORTEST_NAME))
    return f"{start}{_shortened(table, room - len(said))}: {said}{end}"


def in_ascii(text: str) -> str:
    """The text in printable ASCII: accents dropped, some letters spelled out, a question mark for whatever is left."""
    if text.isascii() and text.isprintable():
        return text
    apart = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    return "".join(
        character if " " <= character <= "~" else " " if character.isspace() else "?"
        for character in apart
        if not unicodedata.combining(character)
    )


def _phrases(content: DigestContent, due: DueCounts) -> Iterator[str]:
    """What the digest says, in a few words each, what matters most first."""
    deletion = content.deletion
    if deletion.failed:
        yield f"{deletion.failed:,} not deleted"
    if due.expiring:
        expire = "expires" if due.expiring == 1 else "expire"
        yield f"{counted(due.expiring, 'token')} {expire} within {_spoken_threshold(due.within)}"
    if due.expired:
        tokens = "" if due.expiring else " token" if due.expired == 1 else " tokens"
        yield f"{due.expired:,}{tokens} expired"
    if deletion.deleted:
        yield f"{deletion.deleted:,} deleted"
    if content.long_expired:
        yield f"{content.long_expired:,} expired long ago"
    if content.dry_run and deletion.planned:
        yield f"{deletion.planned:,} would be deleted"


def _reason(content: DigestContent) -> str:
    """Why there is nothing else to say."""
    return in_ascii(content.errors[0]) if content.errors else _UNEVENTFUL[content.outcome]


def _spoken_threshold(seconds: int) -> str:
    # A threshold of a day is "1 day" to whoever set it, not "24 hours".
    return "1 day" if seconds == 24 * 3_600 else spoken_duration(seconds)


def _listed(phrases: Sequence[str], room: int) -> str:
    """As many of the phrases as there is room for, and dots where some are left out."""
    whole = ", ".join(phrases)
    if len(whole) <= room:
        return whole
    for kept in range(len(phrases) - 1, 0, -1):
        said = f"{', '.join(phrases[:kept])}, {_ELLIPSIS}"
        if len(said) <= room:
            return said
    return _cut(whole, room)


def _shortened(text: str, room: int) -> str:
    """The text with its middle left out where it is longer than the room."""
    if len(text) <= room:
        return text
    kept = room - len(_ELLIPSIS)
    return f"{text[: kept - kept // 2]}{_ELLIPSIS}{text[len(text) - kept // 2 :]}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - len(_ELLIPSIS)]}{_ELLIPSIS}"
