"""The text of a digest for a chat app: one short message about the whole run, however many parts the digest has.

`encode_for_chat` makes a custom notification of Amazon Q Developer in chat applications (once AWS Chatbot), which shows
no other message of ours. Its administrator guide ("Custom notifications") names the keys and no lengths, so the text
keeps to what one block of Slack holds: 3,000 characters (Block Kit reference, section).
"""

import heapq
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from janitor.notices.digest_content import DigestContent
from janitor.notices.digest_text import (
    advice_sentences,
    deletion_sentences,
    failure_sentences,
    lockout_sentence,
    long_expired_sentence,
    reason_sentences,
    run_sentence,
)
from janitor.notices.notice import Event, Notice, ascii_json, notice_urgency
from janitor.notices.subject_line import DueCounts, digest_subject
from janitor.notices.today import Today, expiring_sentence, find_today, other_sentences
from janitor.tokens.printable import printable
from janitor.tokens.words import format_count

_NOTICES_TITLE = "Tokens, most urgent first:"
# In characters: what Slack shows in one block.
MAX_TEXT_LENGTH = 3_000
# Kept free for the number of the other tokens, and where a service shows them in the text for the next steps.
_ROOM_AFTER_LINES = 500
_SHORTEST_LINE = 30  # of a notice
_MAX_ERRORS = 3
_MAX_SENTENCE_LENGTH = 200
_MAX_NAME_LENGTH = 60

_EVENT_WORDS = {Event.EXPIRING: "expires", Event.EXPIRED: "expired", Event.DELETED: "deleted, had expired"}

# What Slack, Teams, Discord and their like obey in a text: `<!channel>`, `<@U12>`, `<at>`, entities, emphasis and code,
# `@here`, `[text](address)`, and addresses, which they make links of. An e-mail address may stay, and so may a place in
# S3, which nobody makes a link of.
_SPECIAL = re.compile(
    r"(?P<address>(?<![^\s(,])[a-z0-9._+-]*[a-z0-9_]@(?!everyone|here|channel|all\b)[a-z0-9-]+(?:\.[a-z0-9-]+)+(?=[\s,;:)]|$))"
    r"|(?P<place>(?<!\w)s3://)|(?P<sign>[<>`*])|(?P<gap>@|&(?=#?\w)|\](?=\()|:(?=//)|(?<=www)\.)",
    re.IGNORECASE | re.ASCII,
)
_LOOKALIKES = {"<": "‹", ">": "›", "`": "'", "*": "∗"}  # noqa: RUF001  # that they look alike is the point
_GAP = "\u200b"  # a space without width


class ChatSummary(NamedTuple):
    """What a chat app shows.

    Attributes:
        title: one line.
        lines: the text.
        next_steps: what to do.
    """

    title: str
    lines: list[str]
    next_steps: list[str]


def neutralize_markup(text: str) -> str:
    """Return the text so that no chat app mentions, links or formats anything because of it."""
    return _SPECIAL.sub(_neutralize, printable(text))


def _neutralize(match: re.Match[str]) -> str:
    if match["sign"]:
        return _LOOKALIKES[match["sign"]]
    return f"{match['gap']}{_GAP}" if match["gap"] else match[0]


def summarize_digest(content: DigestContent, room: int = MAX_TEXT_LENGTH) -> ChatSummary:
    """Summarize the digest: what has to be done today, the most urgent tokens that `room` characters hold, the rest."""
    today = find_today(content)
    lines, rest = list(_lines_before_notices(content, today)), list(_lines_after_notices(content))
    room -= sum(len(line) + 1 for line in (*lines, *rest)) + _ROOM_AFTER_LINES
    if len(content.notices):
        lines.append(_NOTICES_TITLE)
    due, named = DueCounts(urgent_within=content.urgent_within), 0
    for notice in content.notices:
        due.add(notice)
    # Of several tables, one table's notices follow the other's.
    most = max(0, room) // _SHORTEST_LINE
    for notice in heapq.nsmallest(most, content.notices, key=notice_urgency):
        line = _notice_line(notice)
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
        named += 1
    unnamed = len(content.notices) - named
    if unnamed:
        lines.append(f"… and {format_count(unnamed, 'more token')}.")
    lines += rest
    steps = [*advice_sentences(content, today), *reason_sentences(content)]
    if content.ways_out:
        ways_out = "".join(f"\n• {way_out}." for way_out in content.ways_out)
        steps.append(f"To let locked-out owners in again, remove:{ways_out}")
    if content.full_report_location:
        steps.append(f"Read the full report: {neutralize_markup(content.full_report_location)}")
    title = neutralize_markup(digest_subject(content, due, part=1, parts=1))
    return ChatSummary(title, lines, steps)


def summarize_failure(subject: str, sentence: str) -> ChatSummary:
    """Summarize that a run failed before it had read anything."""
    return ChatSummary(neutralize_markup(subject), [_shorten(sentence)], ["Correct the cause, and run it again."])


def encode_for_chat(summary: ChatSummary, kind: str) -> str:
    """Encode a summary as a custom notification.

    Args:
        summary: what it shows.
        kind: `digest` or `failure`, by which custom actions can tell them apart.
    """
    return ascii_json(
        {
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": summary.title,
                "description": "\n".join(_take_fitting(summary.lines)),
                "nextSteps": summary.next_steps,
                "keywords": ["janitor", kind],
            },
            "metadata": {"summary": summary.title, "eventType": f"janitor.{kind}"},
        }
    )


def _take_fitting(lines: Iterable[str]) -> Iterator[str]:
    """Take the first lines, as many as one block of Slack holds; only names at their longest leave any out."""
    room = MAX_TEXT_LENGTH
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return
        yield line


def _lines_before_notices(content: DigestContent, today: Today) -> Iterator[str]:
    yield _shorten(run_sentence(content))
    if content.recovered_from is not None:
        yield f"It has recovered. What was wrong before: {_shorten(content.recovered_from)}"
    errors = list(failure_sentences(content))
    others = [*([f"{expiring_sentence(today)}."] if today.expiring else []), *other_sentences(today)]
    if errors or others:
        yield "To do today:"
    yield from (f"• {_shorten(error)}" for error in errors[:_MAX_ERRORS])
    if errors[_MAX_ERRORS:]:
        yield f"• and {len(errors) - _MAX_ERRORS:,} more that went wrong"
    yield from (f"• {sentence}" for sentence in others)


def _lines_after_notices(content: DigestContent) -> Iterator[str]:
    yield f"Rows: {', '.join(_counts(content.counts.items()))}."
    yield from deletion_sentences(content)
    if content.long_expired:
        yield long_expired_sentence(content.long_expired)
    if content.locked_out:
        yield f"{lockout_sentence(len(content.locked_out))}."


def _counts(counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    return (f"{count:,} {state}" for state, count in counts if count or state == "scanned")


def _notice_line(notice: Notice) -> str:
    table = f" in {_shorten(notice.table, _MAX_NAME_LENGTH)}" if notice.table is not None else ""
    owner = f" of {_shorten(notice.owner, _MAX_NAME_LENGTH)}" if notice.owner else ""
    name = f" ({_shorten(notice.label, _MAX_NAME_LENGTH)})" if notice.name else ""
    when = f"{notice.distance}, {notice.date}" if notice.has_date else notice.distance
    return f"• `{notice.crossing.fingerprint}`{owner}{name}{table}: {_EVENT_WORDS[notice.event]} {when}"


def _shorten(text: str, most: int = _MAX_SENTENCE_LENGTH) -> str:
    """Return the text on one line, shortened with an ellipsis, and neutralized."""
    line = printable(text)
    return neutralize_markup(line if len(line) <= most else f"{line[: most - 1]}…")
