"""One error tree: what happened in a user's sentence, the way out of it, and the exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What `janitor` ends with (docs/architecture.md, "Exit codes")."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    FAIL_ON_MATCHED = 3
    REFUSED = 4


def signal_exit_code(number: int) -> int:
    """What a process ends with that was stopped by the signal of this number, as shells have it."""
    return 128 + number


class JanitorError(Exception):
    """The root of every error a user can meet.

    Args:
        sentence: what went wrong, naming the option, file, call or table.
        way_out: what to do about it, or None where the sentence says it.
        code: a short name for scripts; it stands in the report's `errors`.
    """

    exit_code: int = ExitCode.FAILED
    default_code = "error"

    def __init__(self, sentence: str, way_out: str | None = None, code: str | None = None) -> None:
        self.sentence = sentence
        self.way_out = way_out
        self.code = code or self.default_code
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.sentence}; {self.way_out}" if self.way_out else self.sentence


class StopRequestedError(BaseException):
    """A signal came while the run was waiting for an answer. No Exception, so that nothing on the way catches it."""


class ConfigurationError(JanitorError):
    """An option, a variable or a file is wrong; nothing was read."""

    exit_code = ExitCode.USAGE
    default_code = "configuration"


class AwsError(JanitorError):
    """AWS, or the way there, refused or broke off."""

    default_code = "aws"


class CredentialsError(AwsError):
    """Who was configured to give credentials did not: nothing of this is wrong usage, and it may work the next time."""

    default_code = "credentials"


class CorruptPageError(AwsError):
    """An answer that is not a whole, undamaged page. Taking it for the end of the table would lose rows."""

    default_code = "corrupt-page"


class SourceError(JanitorError):
    """An export or a dump that is damaged, cut short, or of another kind. Taking what is there would lose rows."""

    default_code = "source"


class SinkError(JanitorError):
    """A report could not be written where it was asked for."""

    default_code = "sink"


class StoreError(JanitorError):
    """What runs remember could not be read or written."""

    default_code = "store"
