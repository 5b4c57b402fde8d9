"""Processes that end with the tests, and runs of the program in a tenth of what a new interpreter costs.

The tests ask a process of their own (`python -m tests.forked DESCRIPTOR`) to fork. It has imported the program once,
and read botocore's models of AWS's services, so a forked child only has to run it. Nothing but the time it takes tells
such a child from `python -m janitor`: it has its own process id, session, environment, working directory, descriptors
and signals, and ends as an interpreter ends. Its pauses before it tries again are a tenth as long. A server is started
the same way, and replaces the child. When the tests are gone, killed or not, the process that forks ends whatever is
still there.

For each child, the tests send one end of a socket pair and the child's standard streams through the control socket. On
their own end they then write a line of JSON, the `Request`, and read two numbers: the process id, and at last the wait
status.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

from botocore.retries.standard import ExponentialBackoff
from botocore.utils import ContainerMetadataFetcher

import janitor
from janitor.backoff import Backoff
from tests.models import share_the_models

PROGRAM = "janitor"
ROOT = Path(__file__).resolve().parent.parent
PAUSES = 0.1  # of their length outside of the tests
END_SECONDS = 10.0  # for the children of killed tests: a run that is told to end may have a server to end
NUMBER = struct.Struct("i")
STANDARD_STREAMS = (("rb", "surrogateescape"), ("wb", "surrogateescape"), ("wb", "backslashreplace"))
# Whose clients the program makes.
SERVICES = ("dynamodb", "s3", "sns", "ssm", "sts")
# The variables of the process that forks: what an interpreter looks at when it starts, and what measures coverage.
MEASURES_COVERAGE = "COVERAGE_PROCESS_CONFIG"
KEPT = ("PATH", MEASURES_COVERAGE)
LANGUAGE = {"LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Request:
    """A process to start: the words of its command, its whole environment, and its working directory."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: str


class ForkedProcess:
    """A child of the process that forks, used as one would use a `subprocess.Popen` with `text=True`."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: Path | None = None,
        stdin: int | None = None,
        output: int | None = None,
        errors: int | None = None,
    ) -> None:
        """Start this command: the program, if its first word is `janitor`, else what is found on the PATH.

        Args:
            command: the words of it.
            environment: the whole of it.
            folder: the working directory; this process's own when None.
            stdin: a descriptor to read from; nothing when None.
            output: a descriptor to write to, stdout and stderr alike; pipes to read from when None.
            errors: a descriptor for stderr alone; that of `output` when None.
        """
        self.args = list(command)
        self.returncode: int | None = None
        self.stdout, out = _pipe()
        self.stderr, err = _pipe()
        self._read: dict[IO[str], list[str]] = {}
        self._readers: list[threading.Thread] = []
        self._channel, theirs = socket.socketpair()
        nothing = os.open(os.devnull, os.O_RDONLY)
        written = (out, err) if output is None else (output, output if errors is None else errors)
        try:
            passed = [theirs.fileno(), nothing if stdin is None else stdin, *written]
            socket.send_fds(_started().control, [b"\0"], passed)
        finally:
            theirs.close()
            for descriptor in (nothing, out, err):
                os.close(descriptor)
        request = Request(self.args, dict(environment), str(folder or Path.cwd()))
        self._channel.sendall(json.dumps(asdict(request)).encode() + b"\n")
        self.pid = self._receive()

    def poll(self) -> int | None:
        """Return the exit code, the negative number of the signal that killed it, or None while it runs."""
        if self.returncode is None and select.select([self._channel], [], [], 0)[0]:
            self.returncode = os.waitstatus_to_exitcode(self._receive())
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code as soon as there is one.

        Raises:
            subprocess.TimeoutExpired: It goes on after this many seconds.
        """
        if self.returncode is None and not select.select([self._channel], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return all that it writes from here on, to stdout and to stderr, once it has ended.

        Raises:
            subprocess.TimeoutExpired: It goes on after this many seconds. Nothing read so far is lost.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._readers:
            for stream in (self.stdout, self.stderr):
                self._read[stream] = []
                self._readers.append(threading.Thread(target=self._read_all, args=(stream,), daemon=True))
                self._readers[-1].start()
        for reader in self._readers:
            reader.join(_left(deadline))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(_left(deadline))
        return "".join(self._read[self.stdout]), "".join(self._read[self.stderr])

    def send_signal(self, number: int) -> None:
        """Send this signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # ended in between
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Kill what still runs, and close the pipes to it."""
        self.kill()
        self.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.stdout, self.stderr, self._channel):
            stream.close()

    def _read_all(self, stream: IO[str]) -> None:
        self._read[stream].append(stream.read())

    def _receive(self) -> int:
        content = self._channel.recv(NUMBER.size, socket.MSG_WAITALL)
        if len(content) < NUMBER.size:
            raise RuntimeError("the process that forks has ended")
        number: int = NUMBER.unpack(content)[0]
        return number


def _pipe() -> tuple[IO[str], int]:
    """Return what the tests read from, as text with its line ends as they are, and what the child writes to."""
    reading, writing = os.pipe()
    return os.fdopen(reading, encoding="utf-8", newline=""), writing


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def temporary_folder(prefix: str) -> tempfile.TemporaryDirectory[str]:
    """Make a folder that is gone when this is left, or with the tests, even if they are killed."""
    return tempfile.TemporaryDirectory(prefix=prefix, dir=_started().folder)


class _Started(NamedTuple):
    """The process that forks: the socket that it is asked through, and the folder that it removes at its end."""

    control: socket.socket
    folder: str


@functools.cache
def _started() -> _Started:
    """Start the process that forks, once for this process."""
    ours, theirs = socket.socketpair()
    folder = tempfile.mkdtemp(prefix="janitor-tests-")
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | LANGUAGE
    subprocess.Popen(
        [sys.executable, "-m", "tests.forked", str(theirs.fileno()), folder],
        cwd=ROOT,
        env=environment,
        pass_fds=[theirs.fileno()],
        start_new_session=True,  # a Ctrl-C is for the tests, whose end then ends it
        stdin=subprocess.DEVNULL,
    ).returncode = 0  # nobody waits for it: it ends when this process has
    theirs.close()
    return _Started(ours, folder)


def main(descriptor: int, folder: str) -> None:
    """Fork for whoever holds the other end of this control socket, until it is closed; in a child, do what it asked.

    At the end the folder goes, with what killed tests and killed servers have left in it.
    """
    _import_the_program()
    share_the_models(SERVICES)
    _shorten_pauses()
    gc.freeze()  # what all children share is neither looked through nor copied when one of them collects its garbage
    request = _Forks(socket.socket(fileno=descriptor)).serve()
    if request is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    if request.command[0] == PROGRAM:
        sys.argv = list(request.command)
        try:
            sys.modules["janitor.cli.app"].entry_point()
        except SystemExit as end:
            _exit(int(end.code or 0))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores, and what it replaces itself with would too
    os.execvp(request.command[0], list(request.command))  # noqa: S606 - no shell is wanted


def _exit(code: int) -> NoReturn:
    """End as an interpreter does, but do not take every object apart: that is most of what a short run costs."""
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - waits for threads, and ends those of executors
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _import_the_program() -> None:
    for module in pkgutil.walk_packages(janitor.__path__, f"{janitor.__name__}."):
        if module.name != "janitor.__main__":
            importlib.import_module(module.name)
    assert threading.active_count() == 1, "a module starts a thread when it is imported, which no child would have"


def _shorten_pauses() -> None:
    """Let whoever is to be tried again wait a tenth of the time: the tests' servers are not busy, they only say so."""
    delay_amount = ExponentialBackoff.delay_amount
    seconds = Backoff.seconds
    ExponentialBackoff.delay_amount = (  # type: ignore[method-assign]
        lambda self, context: delay_amount(self, context) * PAUSES
    )
    Backoff.seconds = lambda self, number: seconds(self, number) * PAUSES  # type: ignore[method-assign]
    ContainerMetadataFetcher.SLEEP_TIME *= PAUSES  # type: ignore[assignment]


class _Forks:
    """The children of the process that forks. It has one thread, so that no child finds a lock that nobody opens."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._channels: dict[int, socket.socket] = {}  # of the children that run, by process id
        self._child_ended, self._wakes = socket.socketpair()
        for end in (self._child_ended, self._wakes):
            end.settimeout(0)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a signal without a handler wakes nobody
        signal.set_wakeup_fd(self._wakes.fileno())

    def serve(self) -> Request | None:
        """Fork, and report ends, until the tests have ended; return None then, and in each child what it is to do."""
        while True:
            ready, _, _ = select.select([self._control, self._child_ended], [], [])
            if self._child_ended in ready:
                self._report_ends()
            if self._control in ready:
                start, descriptors, _, _ = socket.recv_fds(self._control, 1, 1 + len(STANDARD_STREAMS))
                if not start:
                    self._end_all()
                    return None
                request = self._fork(socket.socket(fileno=descriptors[0]), descriptors[1:])
                if request is not None:
                    return request

    def _fork(self, channel: socket.socket, streams: Sequence[int]) -> Request | None:
        with channel.makefile("rb") as lines:
            line = lines.readline()
        if not line:
            return None  # killed before they said what they wanted, which the control socket shows next
        request = Request(**json.loads(line))
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for end in (channel, self._control, self._child_ended, self._wakes, *self._channels.values()):
                end.close()
            _set_up_child(request, streams)
            return request
        for descriptor in streams:
            os.close(descriptor)
        self._channels[pid] = channel
        with contextlib.suppress(OSError):  # the tests have ended, which shows above
            channel.sendall(NUMBER.pack(pid))
        return None

    def _report_ends(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._child_ended.recv(4096)
        while self._channels:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._channels.pop(pid) as channel, contextlib.suppress(OSError):
                channel.sendall(NUMBER.pack(status))

    def _end_all(self) -> None:
        """End every child, first in a way that lets it end what it has started itself."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._channels:
                # With what it has started, where that is no session of its own.
                with contextlib.suppress(ProcessLookupError):  # forked, and not yet the head of its session
                    os.killpg(pid, number)
            deadline = time.monotonic() + END_SECONDS
            while self._channels and time.monotonic() < deadline:
                select.select([self._child_ended], [], [], max(0.0, deadline - time.monotonic()))
                self._report_ends()


def _set_up_child(request: Request, streams: Sequence[int]) -> None:
    """Make this child what a new process is that was started with this request and these standard streams."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    # As an interpreter opens them where the language is C.UTF-8.
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            open(number, mode, closefd=False),  # noqa: SIM115 - for as long as it runs
            encoding="utf-8",
            errors=errors,
            line_buffering=number == 2 or os.isatty(number),
        )
        for number, (mode, errors) in enumerate(STANDARD_STREAMS)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
