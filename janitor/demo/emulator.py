"""The embedded DynamoDB of the demo: ministack, in a process of its own that listens on loopback only."""

import http.client
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

_HOST = "127.0.0.1"
_REGION = "us-east-1"
_HEALTH_PATH = "/_ministack/health"
_HEALTH_BYTES = 65_536

_ATTEMPTS = 3
_START_SECONDS = 20.0
_ANSWER_SECONDS = 2.0
_END_SECONDS = 5.0
_POLL_SECONDS = 0.02
_MAX_LINE = 200

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What a Python process may need to start. No more: ministack reads its settings from dozens of variables (AUTH,
# USE_SSL, PERSIST_STATE, …), and must not see the user's AWS credentials.
_INHERITED_VARIABLES = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONUSERBASE",
)

# ministack 1.5.33 (ministack/app.py) reads each of these.
_SETTINGS = {
    "BIND_HOST": _HOST,
    "LOG_LEVEL": "ERROR",
    # Those that janitor uses, and queues for the demo's notices. Others, such as Lambda, would run the code of any user
    # of this machine.
    "SERVICES": "dynamodb,s3,sns,sqs,ssm,sts",
    # Further listeners; by default the first one listens on every address.
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    # At its start and end ministack removes the containers of other instances. A socket that cannot exist keeps it
    # away from Docker.
    "DOCKER_HOST": f"unix://{os.devnull}/docker.sock",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class EmulatorError(Exception):
    """The embedded DynamoDB cannot be used; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """An embedded DynamoDB that answers.

    Attributes:
        endpoint_url: its endpoint, for every AWS service that janitor uses.
        pid: its process id.
        environment: the variables that point an AWS client to it, with credentials that are valid nowhere else.
    """

    endpoint_url: str
    pid: int
    environment: Mapping[str, str]


@contextmanager
def run_emulator(*, keep: bool = False) -> Iterator[Emulator]:
    """Run an emulator while the block runs.

    Args:
        keep: leave it running after the block, unless the block raises: then nobody learns the process id.

    Raises:
        EmulatorError: it could not be started.
    """
    emulator = start_emulator()
    is_kept = False
    try:
        yield emulator
        is_kept = keep
    finally:
        if not is_kept:
            stop_emulator(emulator)


def start_emulator() -> Emulator:
    """Start an emulator in a session of its own, and wait until it answers: usually half a second, at most 20.

    Ctrl-C in the terminal does not reach it, and it outlives this process: the caller has to stop it.

    Raises:
        EmulatorError: it is not installed, or does not start.
    """
    if importlib.util.find_spec("ministack") is None:
        raise EmulatorError("the embedded DynamoDB is not installed: pip install 'token-janitor[demo]'")
    try:
        return _start_with_retries()
    except OSError as error:
        raise EmulatorError(
            f"the embedded DynamoDB cannot be started: {error}; it needs a loopback port and a writable TMPDIR"
        ) from None


def stop_emulator(emulator: Emulator) -> None:
    """Stop an emulator that this process started: SIGTERM, after five seconds SIGKILL. It may be gone already."""
    _end(emulator.pid)


def make_client_environment(endpoint_url: str) -> dict[str, str]:
    """Return the variables that point an AWS client to this endpoint, past the user's proxy."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
        **_make_no_proxy(),
    }


def _start_with_retries() -> Emulator:
    last_output = ""
    # Another program may take the free port before ministack listens there; ministack then ends.
    for _ in range(_ATTEMPTS):
        port, mark = _find_free_port(), secrets.token_hex(8)
        with tempfile.TemporaryFile() as output:
            pid, is_up = None, False
            try:
                # An exception from a signal handler inside Popen would lose the process id.
                with _delay_signals():
                    pid = _spawn(port, mark, output)
                is_up = _wait_until_up(pid, port, mark)
            finally:
                if pid is not None and not is_up:
                    _end(pid)
            if is_up:
                url = f"http://{_HOST}:{port}"
                return Emulator(url, pid, make_client_environment(url))
            last_output = _read_last_line(output)
    raise EmulatorError(
        f"the embedded DynamoDB does not start ({last_output}); reinstall it: pip install --force-reinstall"
        " 'token-janitor[demo]'"
    )


def _spawn(port: int, mark: str, output: BinaryIO) -> int:
    """Start ministack on this port, with the mark as its edition, and return its process id."""
    inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        cwd="/",  # Python imports from its working folder; and a kept emulator would keep the user's folder in use
        env={**inherited, **_SETTINGS, "GATEWAY_PORT": str(port), "MINISTACK_EDITION": mark},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    # Only its id is needed from here on. A Popen warns if it is garbage collected while its process runs.
    process.returncode = 0
    return process.pid


@contextmanager
def _delay_signals() -> Iterator[None]:
    """Delay the signals that end this program until the block has ended."""
    delayed: list[int] = []
    previous = {number: signal.getsignal(number) for number in _ENDING_SIGNALS}
    for number in _ENDING_SIGNALS:
        signal.signal(number, lambda received, _: delayed.append(received))
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for received in delayed:
            signal.raise_signal(received)


def _wait_until_up(pid: int, port: int, mark: str) -> bool:
    """Wait until it answers, and return True; False if it ended.

    Raises:
        EmulatorError: it did neither in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if _has_ended(pid):
            return False
        if _answers(port, mark):
            return True
        time.sleep(_POLL_SECONDS)
    raise EmulatorError(
        f"the embedded DynamoDB did not answer within {_START_SECONDS:.0f} seconds; try again when this machine is"
        " less busy"
    )


def _answers(port: int, mark: str) -> bool:
    """Whether the server on this port has this mark, and is not another one that took the port first."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=_ANSWER_SECONDS)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", _HEALTH_PATH)
        return mark.encode() in connection.getresponse().read(_HEALTH_BYTES)
    return False


def _end(pid: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if _has_ended(pid):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + _END_SECONDS
        while not _has_ended(pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _has_ended(pid: int) -> bool:
    """Whether this child process has ended. A process that is not a child counts as ended: it may be anybody's."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _make_no_proxy() -> dict[str, str]:
    """Return the variable that takes loopback past the user's proxy; nothing if no proxy would be used.

    botocore, unlike browsers, sends even loopback requests to a proxy. In lower case, because that beats NO_PROXY.
    """
    proxies = urllib.request.getproxies()
    if "http" not in proxies or urllib.request.proxy_bypass(_HOST):
        return {}
    return {"no_proxy": ",".join(filter(None, (proxies.get("no"), _HOST)))}


def _read_last_line(output: BinaryIO) -> str:
    output.seek(0)
    lines = output.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
    return "".join(character if character.isprintable() else " " for character in last[:_MAX_LINE])


def _find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        port: int = listener.getsockname()[1]
        return port
