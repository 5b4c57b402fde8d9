"""A run that came to no report: the one message that still goes out."""

from dataclasses import dataclass

from janitor.notices.fifo import deduplication_id, group_id
from janitor.notices.notice import ascii_json
from janitor.notices.subject import LONGEST, in_ascii
from janitor.tokens.printable import printable

SCHEMA = "janitor.failure/v1"


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """What is published, with `MessageStructure: json`."""

    subject: str
    body: str
    group_id: str
    deduplication_id: str


def failure_message(command: str, table: str, run_id: str, code: str, sentence: str) -> FailureMessage:
    """The message of a run that broke off before it had read anything.

    Args:
        command: what was run.
        table: as the user names it.
        run_id: the run's.
        code: of the error.
        sentence: of the error, with its way out.
    """
    machine = {
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
        subject=in_ascii(f"[janitor] FAILED: {command} of {table}")[:LONGEST],
        body=ascii_json({"default": ascii_json(machine), "email": email}),
        group_id=group_id(table),
        deduplication_id=deduplication_id(run_id, code),
    )
