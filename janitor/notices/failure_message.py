"""The message of a run that failed before it had a report."""

from dataclasses import dataclass

from janitor.notices.fifo_ids import deduplication_id, group_id
from janitor.notices.notice import ascii_json
from janitor.notices.subject_line import MAX_SUBJECT_LENGTH, to_ascii
from janitor.tokens.printable import printable

SCHEMA = "janitor.failure/v1"


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """What is published, with `MessageStructure: json`."""

    subject: str
    body: str
    group_id: str
    deduplication_id: str


def build_failure_message(command: str, table: str, run_id: str, code: str, sentence: str) -> FailureMessage:
    """Build the message of a run that failed before it had read anything.

    Args:
        command: the command that was run.
        table: the table as the user names it.
        run_id: the run's id.
        code: the error's code.
        sentence: the error's sentence and way out.
    """
    for_programs = {
        "schema": SCHEMA,
        "command": command,
        "table": table,
        "run_id": run_id,
        "error": {"code": code, "message": sentence},
    }
    email = (
        f"janitor {command} of {printable(table)} failed before it had read anything:\n\n    {printable(sentence)}\n"
    )
    return FailureMessage(
        subject=to_ascii(f"[janitor] FAILED: {command} of {table}")[:MAX_SUBJECT_LENGTH],
        body=ascii_json({"default": ascii_json(for_programs), "email": email}),
        group_id=group_id(table),
        deduplication_id=deduplication_id(run_id, code),
    )
