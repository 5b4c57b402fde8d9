"""`main(argv) -> int`: the program's one entry, and its one error boundary."""

import contextlib
import gc
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

import click

from janitor import __version__
from janitor.cli.groups import LazyGroup
from janitor.errors import ExitCode, JanitorError, signal_exit_code
from janitor.tokens.printable import printable

PROGRAM = "janitor"

COMMANDS = ("scan", "sweep", "apply", "restore", "run", "serve", "token", "doctor", "demo", "schema")

# By default Python looks for cycles hundreds of times while a command is imported, which leaves none, and rows hold
# none either.
_ALLOCATIONS_BEFORE_A_COLLECTION = 100_000


class Terminated(BaseException):
    """A signal came that nothing was prepared for: SIGTERM before a run, or the terminal closed (SIGHUP).

    Raised, so that whatever is open is closed on the way out: a report half-written, the demo's server.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Commands(LazyGroup):
    package = "janitor.cli"
    names = COMMANDS


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """Scheduled housekeeping for the API tokens that LISA keeps in DynamoDB.

    Every option is also an environment variable, JANITOR_ and its name in capitals. A flag beats the variable.

    \b
    Exit codes: 0 done; 1 the run failed, the report says how far it came; 2 wrong usage or configuration;
    3 done, and --fail-on matched; 4 a guard refused to delete; 130, 143 stopped by SIGINT, SIGTERM.
    """


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments after the program's name; the process's own when None.

    Returns:
        The exit code (docs/architecture.md, "Exit codes"). Nothing is raised.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_terminated)
    gc.set_threshold(_ALLOCATIONS_BEFORE_A_COLLECTION)
    try:
        return _run(argv)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    except BaseException as error:  # noqa: BLE001  # the boundary: nothing may print a traceback, which could hold a row
        sentence, code = _ending(error)
        if sentence:
            with contextlib.suppress(OSError):
                # It may repeat what a table, a file or the user named so.
                click.echo("\n".join(map(printable, f"{PROGRAM}: {sentence}".split("\n"))), err=True)
        return code


def entry_point() -> NoReturn:
    """What the console script calls."""
    _replace_closed_streams()
    threading.excepthook = say_bug_of_thread
    code = main()
    # The interpreter flushes standard output as it ends; a reader that has gone must not make that a traceback.
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)


def _replace_closed_streams() -> None:
    # A stream that the caller closed (`>&-`) is None in Python; what is written there goes nowhere, as asked.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _run(argv: list[str] | None) -> int:
    result = cli.main(args=argv, prog_name=PROGRAM, standalone_mode=False)
    return result if isinstance(result, int) else ExitCode.DONE


def _ending(error: BaseException) -> tuple[str, int]:
    """What to say on stderr, empty for nothing, and the exit code."""
    match error:
        case click.ClickException():
            return _usage(error), ExitCode.USAGE
        case JanitorError():
            return str(error), error.exit_code
        case SystemExit() | OSError():
            # click ends with 0 after it has printed what a shell completes with.
            is_done = isinstance(error, SystemExit) and error.code == 0
            return _unwritten(error), ExitCode.DONE if is_done else ExitCode.FAILED
        case KeyboardInterrupt() | click.Abort():
            return "interrupted", signal_exit_code(signal.SIGINT)
        case Terminated():
            return "terminated", signal_exit_code(error.number)
        case _:
            return _bug(error), ExitCode.FAILED


def _unwritten(error: SystemExit | OSError) -> str:
    # click ends by itself where the reader of standard output has gone, as with `| head`: nothing to speak of.
    if isinstance(error, SystemExit | BrokenPipeError):
        return ""
    return f"{error.filename or 'the output could not be written'}: {error.strerror}"


def _usage(error: click.ClickException) -> str:
    sentence = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return sentence
    if context.command_path.split()[1:2] == ["token"]:
        sentence = _without_words(sentence)
    return f"{sentence}; see `{context.command_path} --help`"


def _without_words(sentence: str) -> str:
    """Of what click says about words that it does not know, nothing of the words: one may be a token."""
    known = ("Got unexpected extra argument", "No such option", "No such command")
    return next(
        (f"{start} (it is not repeated: it may be a token)" for start in known if sentence.startswith(start)), sentence
    )


def _bug(error: BaseException) -> str:
    from janitor.logs import bug_sentence

    return bug_sentence(error)


def say_bug_of_thread(ended: threading.ExceptHookArgs) -> None:
    """Say that a thread has ended by a bug, where Python itself would print a traceback with the message."""
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        with contextlib.suppress(OSError):
            click.echo(f"{PROGRAM}: {_bug(ended.exc_value)}", err=True)


def _raise_terminated(number: int, _: FrameType | None) -> NoReturn:
    raise Terminated(number)
