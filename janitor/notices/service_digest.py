"""A digest for a service of `--notify`: one message, as long as the service takes.

Where the whole digest is longer, the message names the most urgent tokens and counts the others.
"""

from janitor.notices.chat_text import ChatSummary, neutralize_markup, summarize_digest
from janitor.notices.digest_content import DigestContent
from janitor.notices.digest_text import Numbering, due_lines, limit_opening, opening_lines
from janitor.notices.fifo_ids import deduplication_id, group_id
from janitor.notices.subject_line import DueCounts, digest_subject
from janitor.notices.today import find_today
from janitor.report.model import Outcome
from janitor.sinks.sns import Message, Severity

_MAX_NAMED = 10
_SEVERITIES = {
    Outcome.FAILED: Severity.FAILURE,
    Outcome.REFUSED: Severity.WARNING,
    Outcome.INTERRUPTED: Severity.WARNING,
}
# No token takes fewer characters in the whole digest.
_SHORTEST_NOTICE = 60


def build_service_digest(content: DigestContent, max_length: int, *, is_mail: bool) -> Message:
    """Build the message of a digest.

    Args:
        content: the digest.
        max_length: how many characters the service takes.
        is_mail: whether it sends mail, in which no markup has a meaning.
    """
    due = DueCounts(urgent_within=content.urgent_within)
    for notice in content.notices:
        due.add(notice)
    subject, text = digest_subject(content, due, part=1, parts=1), _render_whole(content, max_length)
    if text is not None and not is_mail:
        subject, text = neutralize_markup(subject), "\n".join(map(neutralize_markup, text.split("\n")))
    if text is None or len(text) > max_length:
        subject, text = _render_summary(summarize_digest(content, max_length), max_length)
    return Message(
        subject=subject,
        body=text,
        group_id=group_id(content.table),
        deduplication_id=deduplication_id(content.table, content.started_at),
        severity=_choose_severity(content),
    )


def _choose_severity(content: DigestContent) -> Severity:
    """Choose how bad the news is: a run that came to its end can have failed in a part."""
    has_errors = bool(content.errors or content.deletion.failed)
    return _SEVERITIES.get(content.outcome, Severity.WARNING if has_errors else Severity.INFO)


def _render_whole(content: DigestContent, max_length: int) -> str | None:
    """The digest as a mailbox gets it from a topic; None if it is too long."""
    count = len(content.notices)
    if count * _SHORTEST_NOTICE > max_length:
        return None
    numbering, today = Numbering(1, 1, count, count), find_today(content)
    limits = limit_opening(content, today, _MAX_NAMED, len(content.tables))
    lines = [*opening_lines(content, today, numbering, limits), *due_lines(content.notices)]
    return "\n".join(lines)


def _render_summary(summary: ChatSummary, max_length: int) -> tuple[str, str]:
    """Return the subject and the text; next steps only where they leave room."""
    text = "\n".join(summary.lines)
    steps = "".join(f"\n- {step}" for step in summary.next_steps)
    if len(text) + len(steps) <= max_length:
        return summary.title, text + steps
    return summary.title, text if len(text) <= max_length else f"{text[: max_length - 1]}…"
