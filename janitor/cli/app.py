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
from janitor.error_lines import print_error
from janitor.errors import ExitCode, JanitorError, signal_exit_code

PROGRAM = "janitor"

# By what people want to do; the help lists them under these headings.
SECTIONS = {
    "Look": ("scan",),
    "Clean up": ("sweep", "plan", "apply"),
    "Undo": ("archive", "restore"),
    "Single tokens": ("token",),
    "Run by itself": ("run", "serve"),
    "Set up and learn": ("demo", "doctor", "schema"),
}
COMMANDS = tuple(name for names in SECTIONS.values() for name in names)

# The formatter wraps short helps; they are not to be cut.
_ANY_LENGTH = 200

# By default Python searches for cycles hundreds of times while a command is imported. Imports leave none, and rows have
# none either.
_ALLOCATIONS_BEFORE_A_COLLECTION = 100_000


class Terminated(BaseException):
    """A signal outside a run: SIGTERM, or SIGHUP because the terminal closed.

    It is raised, so that what is open is closed on the way out: a half-written report, the demo's server.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Commands(LazyGroup):
    package = "janitor.cli"
    names = COMMANDS

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under the headings of `SECTIONS`."""
        width = max(map(len, COMMANDS))
        for heading, names in SECTIONS.items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name.ljust(width), command.get_short_help_str(_ANY_LENGTH))
                        for name, command in commands
                        if command
                    ]
                )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """Scheduled housekeeping for the API tokens that LISA keeps in DynamoDB.

    \b
    Begin with:
      janitor demo                         try it on made-up tokens
      janitor doctor --deployment prod     check what it needs
      janitor scan --deployment prod       report; reads only

    Every option is also an environment variable, JANITOR_ and its name in capitals. A flag beats the variable. With
    --dry-run no command changes anything.

    \b
    Exit codes:
      0         done
      1         the run failed; the report says how far it came
      2         wrong usage or configuration
      3         done, and --fail-on matched
      4         a guard refused to delete
      130, 143  stopped by SIGINT, SIGTERM
    """


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments after the program's name; the process's own when None.

    Returns:
        the exit code (docs/reference/exit-codes.md). Nothing is raised.
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
        sentence, code = _explain_error(error)
        if sentence:
            with contextlib.suppress(OSError):
                print_error(sentence)
        return code


def entry_point() -> NoReturn:
    """The function that the console script calls."""
    _replace_closed_streams()
    threading.excepthook = print_thread_bug
    code = main()
    # The interpreter flushes both at its end. Where one takes nothing, as its reader has gone or the disk is full, that
    # must neither print a traceback nor replace the exit code of the run.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def _replace_closed_streams() -> None:
    # A stream that the caller closed (`>&-`) is None in Python; writes to it go nowhere, as asked.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _run(argv: list[str] | None) -> int:
    result = cli.main(args=argv, prog_name=PROGRAM, standalone_mode=False)
    return result if isinstance(result, int) else ExitCode.DONE


def _explain_error(error: BaseException) -> tuple[str, int]:
    """The sentence for stderr, empty for none, and the exit code."""
    match error:
        case click.ClickException():
            return _explain_usage_error(error), ExitCode.USAGE
        case JanitorError():
            return str(error), error.exit_code
        case SystemExit() | OSError():
            # click exits with 0 after it has printed completions for a shell.
            is_done = isinstance(error, SystemExit) and error.code == 0
            return _explain_output_error(error), ExitCode.DONE if is_done else ExitCode.FAILED
        case KeyboardInterrupt() | click.Abort():
            return "interrupted", signal_exit_code(signal.SIGINT)
        case Terminated():
            return "terminated", signal_exit_code(error.number)
        case _:
            return _describe_bug(error), ExitCode.FAILED


def _explain_output_error(error: SystemExit | OSError) -> str:
    # click exits by itself if the reader of standard output has gone, as with `| head`; that is no error.
    if isinstance(error, SystemExit | BrokenPipeError):
        return ""
    return f"{error.filename or 'the output could not be written'}: {error.strerror}"


def _explain_usage_error(error: click.ClickException) -> str:
    from janitor.cli.usage_errors import explain_usage_error

    return explain_usage_error(error)


def _describe_bug(error: BaseException) -> str:
    from janitor.logs import describe_bug

    return describe_bug(error)


def print_thread_bug(ended: threading.ExceptHookArgs) -> None:
    """Print that a bug ended a thread; Python itself would print a traceback, with the error's message."""
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        with contextlib.suppress(OSError):
            print_error(_describe_bug(ended.exc_value))


def _raise_terminated(number: int, _: FrameType | None) -> NoReturn:
    raise Terminated(number)
