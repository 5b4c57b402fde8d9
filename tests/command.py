"""The program as a process, as a person or a scheduler would start it, with nothing of this machine's AWS settings."""

import contextlib
import errno
import fcntl
import os
import pty
import re
import selectors
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.forked import KEPT, MEASURES_COVERAGE, PROGRAM, ROOT, ForkedProcess, temporary_folder

COLUMNS = 110
LINES = 40
WITH_LARGEST_FILE = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.argv[2], sys.argv[2:])
"""
END_OF_INPUT = b"\x04"  # Ctrl-D at the start of a line


@dataclass(frozen=True)
class Finished:
    """What a run left: its exit code, and what it wrote to stdout and stderr, escape sequences and all."""

    code: int
    out: str
    err: str


def janitor(
    *arguments: str,
    env: Mapping[str, str | None] | None = None,
    input: str | None = None,  # noqa: A002 - named as subprocess.run names it
    timeout: float = 60,
    tty: bool = False,
    columns: int = COLUMNS,
    largest_file: int | None = None,
    anew: bool = False,
) -> Finished:
    """Run `janitor ARGUMENTS` and return what came of it.

    The run is a child forked from a process that has imported the program already (`tests.forked`), unless a new
    interpreter is asked for (`anew`) or needed by a limit. A forked run starts in the test's present folder; where that
    is the repository, in a folder of its own.

    `env` adds variables, or with None takes one of the fake ones away. `timeout` is in seconds. With `tty`, all three
    streams are terminals of this many `columns`: stdin and stdout the same one, stderr another, so that what goes
    where can still be told. What is typed is echoed to the first, as it is for a person. A file that grows beyond
    `largest_file` bytes is like a full disk.

    Raises:
        subprocess.TimeoutExpired: It was still running, and was killed.
    """
    with temporary_folder("janitor-home-") as home:
        environment = _environment(Path(home), env or {}, tty=tty)
        is_forked = not anew and largest_file is None
        if is_forked and not tty:
            return _run_forked(arguments, environment, _present_folder(home), input or "", timeout)
        command = [PROGRAM, *arguments] if is_forked else [sys.executable, "-m", "janitor", *arguments]
        if largest_file is not None:
            command = [sys.executable, "-c", WITH_LARGEST_FILE, str(largest_file), *command]
            # A module compiled to a file that must not be as long would be cut, for whoever imports it next; and what
            # measures coverage could not write either.
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
            environment.pop(MEASURES_COVERAGE, None)
        if tty:
            folder = _present_folder(home) if is_forked else Path.cwd()
            return _run_on_a_terminal(command, environment, folder, (input or "").encode(), timeout, columns=columns)
        run = subprocess.run(
            command,
            env=environment,
            input=(input or "").encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Finished(run.returncode, run.stdout.decode(), run.stderr.decode())


@contextmanager
def started(*arguments: str, env: Mapping[str, str | None] | None = None) -> Iterator[ForkedProcess]:
    """Start `janitor ARGUMENTS`, forked, with pipes to read from; what still runs at the end of the block is killed."""
    with temporary_folder("janitor-home-") as home:
        environment = _environment(Path(home), env or {}, tty=False)
        process = ForkedProcess([PROGRAM, *arguments], environment, folder=_present_folder(home))
        with contextlib.closing(process):
            yield process


def fake_aws(home: Path) -> dict[str, str]:
    """The variables that keep a test from a real account: a home without AWS files, and made-up credentials."""
    return {
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(home / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "no-aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }


def on_screen(text: str) -> str:
    """Return what is left to see of a terminal's output: colours gone, lines that were drawn again only as they ended.

    It knows the sequences that progress bars use: carriage return, cursor up and down, erase line, erase below.
    """
    lines, row, column = [""], 0, 0
    for escape, count, action, character in re.findall(r"(\x1b\[([\d;?]*)([A-Za-z]))|([^\x1b])", text):
        steps = int(count) if count.isdigit() else 1
        if escape and action in "AB":
            row = max(0, row + (steps if action == "B" else -steps))
        elif escape and action == "K":
            lines[row] = "" if count == "2" else lines[row][:column]
        elif escape and action == "J":
            lines[row:] = [lines[row][:column]]
        elif character == "\n":
            row, column = row + 1, 0
        elif character == "\r":
            column = 0
        elif character:
            lines[row] = f"{lines[row]:{column}}"[:column] + character + lines[row][column + 1 :]
            column += 1
        lines.extend([""] * (row + 1 - len(lines)))
    return "\n".join(line.rstrip() for line in lines)


def is_running(pid: int) -> bool:
    """Whether there is a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _environment(home: Path, changes: Mapping[str, str | None], *, tty: bool) -> dict[str, str]:
    """Return the whole environment of a run: a short list of what is kept, and fakes for the rest."""
    chosen: dict[str, str | None] = {
        **{name: os.environ.get(name) for name in KEPT},
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color" if tty else None,
        **fake_aws(home),
        "AWS_MAX_ATTEMPTS": "2",
        **changes,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _present_folder(home: str) -> Path:
    """Return where a run starts: where the test is, or in its own home if that would leave files in the repository."""
    return Path(home) if Path.cwd() == ROOT else Path.cwd()


def _run_forked(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    input: str,  # noqa: A002
    timeout: float,
) -> Finished:
    # A file, and not a pipe: it takes any amount without a thread that writes.
    with tempfile.TemporaryFile() as stdin:
        stdin.write(input.encode())
        stdin.seek(0)
        process = ForkedProcess([PROGRAM, *arguments], environment, folder=folder, stdin=stdin.fileno())
        with contextlib.closing(process):
            out, err = process.communicate(timeout)
            return Finished(process.wait(), out, err)


def _run_on_a_terminal(
    command: list[str], environment: dict[str, str], folder: Path, typed: bytes, timeout: float, *, columns: int
) -> Finished:
    screen, screen_of_it = _terminal(columns)
    errors, errors_of_it = _terminal(columns)
    process: ForkedProcess | subprocess.Popen[bytes]
    if command[0] == PROGRAM:
        process = ForkedProcess(
            command, environment, folder=folder, stdin=screen_of_it, output=screen_of_it, errors=errors_of_it
        )
    else:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=screen_of_it,
            stdout=screen_of_it,
            stderr=errors_of_it,
            start_new_session=True,
        )
    for descriptor in (screen_of_it, errors_of_it):
        os.close(descriptor)  # so that reading ends when the process does
    try:
        os.write(screen, typed + END_OF_INPUT)
        read = _read_until_closed([screen, errors], time.monotonic() + timeout)
        code = process.wait(timeout)
    except TimeoutError:
        raise subprocess.TimeoutExpired(command, timeout) from None
    finally:
        process.kill()  # does nothing to one that has ended
        process.wait()
        if isinstance(process, ForkedProcess):
            process.close()
        for descriptor in (screen, errors):
            os.close(descriptor)
    return Finished(code, read[screen], read[errors])


def _terminal(columns: int) -> tuple[int, int]:
    """Open a terminal, and return the descriptors of the person's side and of the program's."""
    person, program = pty.openpty()
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    return person, program


def _read_until_closed(terminals: list[int], deadline: float) -> dict[int, str]:
    """Return what each terminal showed, with plain line ends; the deadline is a time of the monotonic clock."""
    read = dict.fromkeys(terminals, b"")
    with selectors.DefaultSelector() as selector:
        for terminal in terminals:
            selector.register(terminal, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                content = _read(key.fd)
                read[key.fd] += content
                if not content:
                    selector.unregister(key.fd)
    return {terminal: content.decode().replace("\r\n", "\n") for terminal, content in read.items()}


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError as error:
        if error.errno == errno.EIO:  # how Linux says that the program's side is closed
            return b""
        raise
