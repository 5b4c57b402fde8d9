"""`janitor demo`: an embedded DynamoDB with a LISA-like table, and the whole job on it, act by act."""

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from janitor.cli.options import takes
from janitor.errors import ExitCode, JanitorError
from janitor.settings.commands import DemoSettings
from janitor.settings.setting import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from janitor.demo.emulator import Emulator
    from janitor.demo.mailbox import Mailbox

_TABLE = ("--deployment", "demo")
_SCAN_LINES, _SWEEP_LINES, _SECTION_LINES = 20, 46, 9
_WIDTH, _MAIL_WIDTH = 80, 72
_MEMORY = "notices.sqlite"
_NEXT_STEPS = "What to do next"


@click.command("demo")
@takes(DemoSettings)
def command(demo: DemoSettings) -> int:
    """Try janitor on an embedded DynamoDB. Needs no AWS account.

    \b
    Examples:
      janitor demo
      janitor demo --classic --keep

    Starts ministack on a free loopback port and makes a LISA table with a few hundred believable tokens in every state.
    Then it scans the table, shows what a sweep would delete, sends the owners their notices, shows one of them, and
    writes a report as a page. Deletes nothing, and uses none of your AWS credentials.
    """
    from janitor.demo.emulator import EmulatorError, run_emulator
    from janitor.temporary import temporary_folder

    _ignore_closed_output()
    # Fail before the emulator is started, because its output goes there.
    temporary_folder()
    try:
        with run_emulator(keep=demo.keep) as emulator:
            _use_only(emulator.environment)
            folder = Path(tempfile.mkdtemp(prefix="janitor-demo-"))
            code = _play(emulator, "classic" if demo.classic else "hashed", folder, keep=demo.keep)
            if demo.keep:
                _print_how_to_go_on(emulator, folder)
            else:
                (folder / _MEMORY).unlink(missing_ok=True)
                _print_next_steps()
    except EmulatorError as error:
        raise JanitorError(str(error), code="emulator") from None
    return code


class _ForgivingOutput(io.FileIO):
    """A stream that drops what is written after its reader has gone."""

    def write(self, content: Any, /) -> int:
        """Write these bytes, and return how many were written or dropped."""
        try:
            return super().write(content)
        except BrokenPipeError:
            return memoryview(content).nbytes

    def fileno(self) -> NoReturn:
        """Raise: with a descriptor, others could bypass this stream."""
        raise io.UnsupportedOperation("fileno")


def _ignore_closed_output() -> None:
    # A demo may be cut short, as in `make run | head`; a report may not.
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_ForgivingOutput(sys.stdout.fileno(), "wb", closefd=False)),
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=sys.stdout.isatty(),
    )


def _use_only(environment: Mapping[str, str]) -> None:
    # The user's own configuration must not reach the emulator, nor lead away from it, nor change what the acts show.
    for name in [name for name in os.environ if name.startswith(("AWS_", ENVIRONMENT_PREFIX))]:
        del os.environ[name]
    os.environ.update(environment, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


def _play(emulator: "Emulator", dialect: str, folder: Path, *, keep: bool) -> int:
    """Make the table, then run and show the commands of an ordinary day; return the first exit code that is not 0."""
    from janitor.demo.screen import list_sections, shorten

    mailbox = _make_table_and_mailbox(emulator, dialect)
    page, memory = folder / "report.html", folder / _MEMORY
    scan = ("scan", *_TABLE)
    scanned = _act("What is in the table", scan)
    click.echo(shorten(scanned.output, most_lines=_SCAN_LINES, most_of_a_section=_SECTION_LINES))
    swept = _act("What a sweep would delete, as a dry run", ("sweep", *_TABLE))
    hidden = set(list_sections(scanned.output))
    if not keep:
        # Its commands are about a table that goes with the demo.
        hidden |= {section for section in list_sections(swept.output) if _NEXT_STEPS in section.partition("\n")[0]}
    click.echo(shorten(swept.output, hidden=hidden, most_lines=_SWEEP_LINES, most_of_a_section=_SECTION_LINES))
    announced = _act(
        "What an owner gets before a token ends, and a page for everybody else",
        (
            *scan, "--sns-topic-arn", mailbox.topic_arn, "--per-token", "--state-url", f"sqlite:///{memory}",
            "--report", f"html={page}", "--format", "none",
        ),
    )  # fmt: skip
    _print_mail(mailbox)
    click.echo(f"\nThe report as a page: {page}")
    return next((each.code for each in (scanned, swept, announced) if each.code), ExitCode.DONE)


def _make_table_and_mailbox(emulator: "Emulator", dialect: str) -> "Mailbox":
    from janitor.demo.lisa_table import TABLE_NAMES, create_lisa_table, find_next_owner
    from janitor.demo.mailbox import Mailbox
    from janitor.dynamodb.client import AwsAccess, AwsSession

    aws = AwsSession(AwsAccess(endpoint_url=emulator.endpoint_url, environment=emulator.environment))
    name, now = TABLE_NAMES[dialect], int(time.time())
    rows = create_lisa_table(aws.dynamodb, name, dialect, now)
    click.echo(f"An embedded DynamoDB at {emulator.endpoint_url} holds the table {name} with {rows} made-up tokens.")
    return Mailbox(find_next_owner(now, dialect))


class _Act(NamedTuple):
    """What came of a command: its exit code, and what it printed."""

    code: int
    output: str


def _act(title: str, words: Sequence[str]) -> _Act:
    """Print a heading and the command, then run it in this process."""
    from janitor.cli.app import PROGRAM, cli

    click.echo()
    click.secho(f"── {title} ".ljust(_WIDTH, "─"), bold=True)
    click.secho(f"$ {_format_command(words)}\n", dim=True)
    sys.stdout.flush()
    captured = _CapturedOutput(is_terminal=sys.stdout.isatty())
    with contextlib.redirect_stdout(io.TextIOWrapper(captured, encoding="utf-8", write_through=True)) as stream:
        # As on a terminal, wherever this goes.
        arguments = [*words, *([] if "--format" in words else ["--format", "table"]), "--log-level", "error"]
        code = cli.main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
        stream.flush()
        return _Act(code, _respell_commands(captured.getvalue().decode()))


class _CapturedOutput(io.BytesIO):
    """Keeps what is written, and says that it is a terminal if standard output is one: a report then fits it."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        """Whether standard output is a terminal."""
        return self._is_terminal


def _print_mail(mailbox: "Mailbox") -> None:
    """Print the message that one owner gets."""
    from janitor.tokens.printable import printable

    for message in mailbox.read()[:1]:
        click.echo(f"To: {printable(mailbox.owner)}\nSubject: {printable(message.subject)}\n")
        for line in message.text.splitlines():
            click.echo("\n".join(textwrap.wrap(printable(line), _MAIL_WIDTH)))


def _print_next_steps() -> None:
    program = _find_program()
    click.echo("\nTry next:")
    click.echo(f"  {program} demo --keep                  keep the table, and say what to do next")
    click.echo(f"  {program} scan --deployment NAME       scan the token table of your LISA deployment; reads only")


def _print_how_to_go_on(emulator: "Emulator", folder: Path) -> None:
    program, archive = _find_program(), f"{folder}/archive/"
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in emulator.environment.items())
    click.echo("\nIt keeps running. Paste this line to point your shell to it:\n")
    click.echo(f"  export {assignments}")
    click.echo("\nTry next:")
    for purpose, words in (
        (
            "Delete what is stale; it shows the list again, and asks",
            ("sweep", *_TABLE, "--delete", "--archive", archive),
        ),
        ("See what was archived, and how to put it back", ("archive", "list", archive)),
        ("List the tokens that have just expired", ("token", "list", *_TABLE, "--state", "expired")),
        ("Write the report as a page", ("scan", *_TABLE, "--report", f"html={folder / 'tokens.html'}")),
    ):
        click.echo(f"  {purpose}:\n    {program} {shlex.join(words)}")
    ending = f"kill {emulator.pid}; rm -r {shlex.quote(str(folder))}; unset {' '.join(emulator.environment)}"
    click.echo(f"\nTo end it: {ending}")


def _format_command(words: Sequence[str]) -> str:
    """Format a command for a shell, on several lines if it is long."""
    line = f"{_find_program()} {shlex.join(words)}"
    return line if len(line) <= _WIDTH else line.replace(" --", " \\\n    --")


def _respell_commands(output: str) -> str:
    """Spell the commands in a report as they work from here: a report calls janitor by its name."""
    from janitor.cli.app import COMMANDS, PROGRAM

    program = _find_program()
    return re.sub(rf"\b{PROGRAM} (?=(?:{'|'.join(COMMANDS)})\b)", lambda _: f"{program} ", output)


def _find_program() -> str:
    """How to call janitor from here, as this process was called: by a path or a module, or by name if that finds it."""
    python, *started = sys.orig_argv
    if started[:2] == ["-m", "janitor"]:
        return f"{shlex.quote(python)} -m janitor"
    script, found = Path(sys.argv[0]), shutil.which("janitor")
    is_found = found is not None and script.exists() and Path(found).samefile(script)
    return "janitor" if is_found or not script.exists() else shlex.quote(str(script))
