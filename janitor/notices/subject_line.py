"""Subject lines: printable ASCII, one line, at most 100 characters, beginning with a letter, digit or punctuation.

Amazon SNS refuses a message that breaks one of these rules (Publish, `Subject`).
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from janitor.notices.digest_content import DigestContent
from janitor.notices.notice import Event, Notice
from janitor.notices.today import describe_within
from janitor.report.model import Outcome
from janitor.tokens.words import format_count

MAX_SUBJECT_LENGTH = 100

# A shortened name keeps this much, so that it still differs from others.
_SHORTEST_NAME = 14
_LONGEST_OWNER = 40
_ELLIPSIS = "..."

# Letters and punctuation of Latin scripts that Unicode does not decompose into ASCII and accents.
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
     "ð": "d", "þ": "th", "ı": "i", "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-"}  # noqa: RUF001
)  # fmt: skip

_OUTCOME_PREFIXES = {
    Outcome.COMPLETE: "",
    Outcome.INTERRUPTED: "INTERRUPTED: ",
    Outcome.FAILED: "FAILED: ",
    Outcome.REFUSED: "REFUSED to delete: ",
    Outcome.SKIPPED: "SKIPPED: ",
}
_NO_NEWS = {
    Outcome.COMPLETE: "nothing new is due",
    Outcome.INTERRUPTED: "nothing new is due so far",
    Outcome.FAILED: "the message says what was done",
    Outcome.REFUSED: "the message says why",
    Outcome.SKIPPED: "another run is at work",
}
_EVENT_WORDS = {Event.EXPIRING: "expires", Event.EXPIRED: "expired", Event.DELETED: "was deleted; it expired"}


@dataclass(slots=True)
class DueCounts:
    """How many notices a digest has of each event.

    Attributes:
        expiring: how many tokens are about to expire.
        expired: how many have expired.
        within: the largest threshold of the expiring ones, in seconds.
        urgent_within: in seconds; how soon a token expires that is for today.
        urgent: how many tokens are for today.
    """

    expiring: int = 0
    expired: int = 0
    within: int = 0
    urgent_within: int = 0
    urgent: int = 0

    def add(self, notice: Notice) -> None:
        """Count one more notice."""
        if notice.event is Event.EXPIRING:
            self.expiring += 1
            self.within = max(self.within, notice.crossing.threshold)
            self.urgent += notice.seconds_to_expiry <= self.urgent_within
        elif notice.event is Event.EXPIRED:
            self.expired += 1


def token_subject(notice: Notice) -> str:
    """Build the subject of one token's message: what happens when, then its name as far as there is room."""
    owner = f" of {_shorten_middle(to_ascii(notice.username), _LONGEST_OWNER)}" if notice.username else ""
    text = f"Token {to_ascii(notice.crossing.fingerprint)}{owner} {_EVENT_WORDS[notice.event]} {notice.distance}"
    name = to_ascii(notice.name or "")
    # A name without any ASCII letter or digit would be all question marks.
    has_letters = any(character.isalnum() for character in name)
    return _shorten_end(f"{text}: {name}" if has_letters else text, MAX_SUBJECT_LENGTH)


def digest_subject(content: DigestContent, due: DueCounts, *, part: int, parts: int) -> str:
    """Build the subject of a part of a digest: the table, shortened in the middle if need be, and what is new there."""
    start = f"[janitor] {_OUTCOME_PREFIXES[content.outcome]}{'' if content.recovered_from is None else 'RECOVERED: '}"
    end = f" (part {part} of {parts})" if parts > 1 else ""
    table = to_ascii(content.table) or "?"
    room = MAX_SUBJECT_LENGTH - len(start) - len(end) - len(": ")
    phrases = list(_phrases(content, due)) or [_describe_no_news(content)]
    text = _join_phrases(phrases, room - min(len(table), _SHORTEST_NAME))
    return f"{start}{_shorten_middle(table, room - len(text))}: {text}{end}"


def to_ascii(text: str) -> str:
    """Return the text in printable ASCII: accents dropped, some letters spelled out, a question mark for any other."""
    if text.isascii() and text.isprintable():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    return "".join(
        character if " " <= character <= "~" else " " if character.isspace() else "?"
        for character in decomposed
        if not unicodedata.combining(character)
    )


def _phrases(content: DigestContent, due: DueCounts) -> Iterator[str]:
    """What the digest says, a few words each, the most important first."""
    deletion = content.deletion
    if deletion.failed:
        yield f"{deletion.failed:,} not deleted"
    if due.expiring:
        soon, within = (due.urgent, due.urgent_within) if due.urgent else (due.expiring, due.within)
        expire = "expires" if soon == 1 else "expire"
        yield f"{format_count(soon, 'token')} {expire} within {describe_within(within)}"
        if soon < due.expiring:
            yield f"{due.expiring - soon:,} within {describe_within(due.within)}"
    if due.expired:
        tokens = "" if due.expiring else " token" if due.expired == 1 else " tokens"
        yield f"{due.expired:,}{tokens} expired"
    if deletion.deleted:
        yield f"{deletion.deleted:,} deleted"
    if content.long_expired:
        yield f"{content.long_expired:,} expired long ago"
    if content.dry_run and deletion.planned:
        yield f"{deletion.planned:,} would be deleted"


def _describe_no_news(content: DigestContent) -> str:
    """Say why nothing is due; the subject begins with what a refusal begins with."""
    if not content.errors:
        return _NO_NEWS[content.outcome]
    return to_ascii(content.errors[0]).removeprefix(_OUTCOME_PREFIXES[Outcome.REFUSED].lower())


def _join_phrases(phrases: Sequence[str], room: int) -> str:
    """Join as many of the phrases as there is room for, with dots if some are left out."""
    whole = ", ".join(phrases)
    if len(whole) <= room:
        return whole
    for kept in range(len(phrases) - 1, 0, -1):
        text = f"{', '.join(phrases[:kept])}, {_ELLIPSIS}"
        if len(text) <= room:
            return text
    return _shorten_end(whole, room)


def _shorten_middle(text: str, room: int) -> str:
    """Leave out the middle of the text if it is longer than the room."""
    if len(text) <= room:
        return text
    kept = room - len(_ELLIPSIS)
    return f"{text[: kept - kept // 2]}{_ELLIPSIS}{text[len(text) - kept // 2 :]}"


def _shorten_end(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - len(_ELLIPSIS)]}{_ELLIPSIS}"
