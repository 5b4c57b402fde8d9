"""The message of a run that failed before it had a report, and when it is published."""

from janitor.notices.channel import PublishingTopic
from janitor.notices.chat_text import encode_for_chat, neutralize_markup, summarize_failure
from janitor.notices.digest_parts import encode_message
from janitor.notices.fifo_ids import deduplication_id, group_id
from janitor.notices.notice import ascii_json
from janitor.notices.run_problem import ProblemMemory, RunProblem
from janitor.notices.subject_line import MAX_SUBJECT_LENGTH, to_ascii
from janitor.notices.text_wrapping import wrap_text
from janitor.sinks.sns import Message, Severity
from janitor.tokens.printable import printable

SCHEMA = "janitor.failure/v1"


def build_failure_message(
    command: str, table: str, run_id: str, code: str, sentence: str, *, has_chat_text: bool = False
) -> Message:
    """Build the message of a run that failed before it had read anything.

    Args:
        command: the command that was run.
        table: the table as the user names it.
        run_id: the run's id.
        code: the error's code.
        sentence: the error's sentence and way out.
        has_chat_text: whether a chat app is to show it too.
    """
    for_programs = {
        "schema": SCHEMA,
        "command": command,
        "table": table,
        "run_id": run_id,
        "error": {"code": code, "message": sentence},
    }
    lines = [
        *wrap_text(f"janitor {command} of {printable(table)} failed before it had read anything:"),
        "",
        *wrap_text(printable(sentence), first=" " * 4, rest=" " * 4, splits_words=False),
    ]
    email = "".join(f"{line}\n" for line in lines)
    subject = _subject(command, table)
    chat = encode_for_chat(summarize_failure(subject, sentence), "failure") if has_chat_text else None
    return Message(
        subject=subject,
        body=encode_message(email=email, json_text=ascii_json(for_programs), chat=chat),
        group_id=group_id(table),
        deduplication_id=deduplication_id(run_id, code),
        is_structured=True,
    )


def build_service_failure(command: str, table: str, run_id: str, code: str, sentence: str) -> Message:
    """Build the same message for a service of `--notify`: a line of text that no chat app finds markup in."""
    return Message(
        subject=neutralize_markup(_subject(command, table)),
        body=neutralize_markup(f"It failed before it had read anything: {sentence}"),
        group_id=group_id(table),
        deduplication_id=deduplication_id(run_id, code),
        severity=Severity.FAILURE,
    )


def _subject(command: str, table: str) -> str:
    return to_ascii(f"[janitor] FAILED: {command} of {table}")[:MAX_SUBJECT_LENGTH]


def publish_unless_recent(
    topic: PublishingTopic, message: Message, problem: RunProblem, memory: ProblemMemory | None
) -> None:
    """Publish a failure, unless the last run failed in the same way and that was published less than a day ago.

    Args:
        topic: where the message goes.
        message: the message.
        problem: why the run failed.
        memory: how the last run ended; None if that is not known.

    Raises:
        SinkError: it could not be published.
    """
    last = None if memory is None else memory.last()
    if memory is not None and memory.was_published_recently(problem, last):
        return
    topic.publish(message)
    if memory is not None:
        memory.remember(problem, last, was_published=True)
