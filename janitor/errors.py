"""All errors that a user can meet: each says what happened and what to do, and has an exit code."""

import signal
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `janitor`.

    Attributes:
        DONE: done.
        FAILED: the run failed: AWS, network, a damaged `--source`, the deadline, rows that could not be deleted, or a
            report that could not be written; the report says how far it came. An import too in which a line fits no
            row, or a row could not be written.
        USAGE: wrong usage or configuration; nothing was read.
        FAIL_ON_MATCHED: done, and `--fail-on` matched.
        REFUSED: a guard refused to delete, or nobody confirmed it; the report and the plan are complete. Or a restore
            left rows out whose owner has another row by now.
    """

    DONE = 0
    FAILED = 1
    USAGE = 2
    FAIL_ON_MATCHED = 3
    REFUSED = 4


def signal_exit_code(number: int) -> int:
    """The exit code of a process that was stopped by this signal, as shells report it."""
    return 128 + number


def describe_exit_code(exit_code: int) -> str:
    """Describe an exit code (docs/reference/exit-codes.md); empty if the outcome says it all."""
    if exit_code < 0:
        return f"killed by {_name_signal(-exit_code)}" + ("; out of memory?" if -exit_code == signal.SIGKILL else "")
    descriptions: dict[int, str] = {
        ExitCode.FAILED: "the run failed",
        ExitCode.USAGE: "wrong configuration, nothing was read",
        ExitCode.FAIL_ON_MATCHED: "a state of fail_on was found",
        ExitCode.REFUSED: "a guard refused to delete",
    }
    return descriptions.get(exit_code, "")


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class JanitorError(Exception):
    """The root of every error a user can meet.

    Args:
        sentence: what went wrong, naming the option, file, call or table.
        way_out: what to do about it; None if the sentence says it.
        code: a short name for scripts, also in the `errors` of the report.
    """

    exit_code: int = ExitCode.FAILED
    default_code = "error"

    def __init__(self, sentence: str, way_out: str | None = None, code: str | None = None) -> None:
        self.sentence = sentence
        self.way_out = way_out
        self.code = code or self.default_code
        super().__init__(str(self))

    def __str__(self) -> str:
        if not self.way_out:
            return self.sentence
        # After "did you mean …?".
        separator = " " if self.sentence.endswith("?") else "; "
        return f"{self.sentence}{separator}{self.way_out}"


class StopRequestedError(BaseException):
    """A signal came while the run was waiting for an answer. Not an Exception, so that nothing else catches it."""


class ConfigurationError(JanitorError):
    """An option, a variable or a file is wrong; nothing was read."""

    exit_code = ExitCode.USAGE
    default_code = "configuration"


class AwsError(JanitorError):
    """A call to AWS failed: it was refused, or the connection broke."""

    default_code = "aws"


class CredentialsError(AwsError):
    """The configured source of credentials gave none. That is no wrong usage, and may work the next time."""

    default_code = "credentials"


class CorruptPageError(AwsError):
    """A response that is not a complete, undamaged page. To take it for the end of the table would lose rows."""

    default_code = "corrupt-page"


class SourceError(JanitorError):
    """An export or a dump is damaged, cut short, or of another kind. To use what is there would lose rows."""

    default_code = "source"


class SinkError(JanitorError):
    """A report, a notice or a metric could not be written or sent."""

    default_code = "sink"


class StoreError(JanitorError):
    """What runs remember could not be read or written."""

    default_code = "store"
