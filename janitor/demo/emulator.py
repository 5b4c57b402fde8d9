"""The embedded DynamoDB of the demo: ministack, as a process of its own that listens on loopback alone."""

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
_LONGEST_LINE = 200

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What a Python process may need to start. No more than that, for ministack takes its settings from dozens of
# variables (AUTH, USE_SSL, PERSIST_STATE, …), and the user's AWS credentials are none of its business.
_KEPT = (
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
    # Those that janitor talks to. Others, such as Lambda, would run the code of any user of this machine.
    "SERVICES": "dynamodb,s3,sns,ssm,sts",
    # Listeners beside the gateway; the first is on every address unless told otherwise.
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    # When it starts and ends, ministack removes the containers of others of its kind. A socket that cannot exist
    # keeps it from Docker.
    "DOCKER_HOST": f"unix://{os.devnull}/docker.sock",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class EmulatorError(Exception):
    """The embedded DynamoDB cannot be used: one sentence for the user, with the way out."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """An embedded DynamoDB that answers.

    Attributes:
        endpoint_url: where, for every AWS service that janitor talks to.
        pid: its process.
        environment: the variables that lead an AWS client there, with credentials that are valid nowhere else.
    """

    endpoint_url: str
    pid: int
    environment: Mapping[str, str]


@contextmanager
def running(*, keep: bool = False) -> Iterator[Emulator]:
    """An emulator for as long as the block runs.

    Args:
        keep: leave it running when the block ends well. When it does not, nobody is told the process id, and so the
            emulator ends all the same.

    Raises:
        EmulatorError: it could not be started.
    """
    emulator = start()
    is_kept = False
    try:
        yield emulator
        is_kept = keep
    finally:
        if not is_kept:
            stop(emulator)


def start() -> Emulator:
    """Start an emulator in a session of its own, and wait until it answers: at most 20 seconds, mostly half a second.

    Ctrl-C in the terminal does not reach it, and it outlives this process: whoever starts it is to stop it.

    Raises:
        EmulatorError: it is not installed, or does not start.
    """
    if importlib.util.find_spec("ministack") is None:
        raise EmulatorError("the embedded DynamoDB is not installed: pip install 'token-janitor[demo]'")
    try:
        return _first_that_answers()
    except OSError as error:
        raise EmulatorError(
            f"the embedded DynamoDB cannot be started: {error}; it needs a loopback port and a writable TMPDIR"
        ) from None


def stop(emulator: Emulator) -> None:
    """End an emulator of this process: politely, and after five seconds by force. One that is gone already is fine."""
    _end(emulator.pid)


def client_environment(endpoint_url: str) -> dict[str, str]:
    """The variables that lead an AWS client to this endpoint, past a proxy where the user has one."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
        **_no_proxy(),
    }


def _first_that_answers() -> Emulator:
    said = ""
    # Another program may take a free port before ministack listens there; it then ends by itself.
    for _ in range(_ATTEMPTS):
        port, mark = _free_port(), secrets.token_hex(8)
        with tempfile.TemporaryFile() as output:
            pid, is_up = None, False
            try:
                # An exception of a signal, raised within Popen, would take the process id along.
                with _signals_held_back():
                    pid = _spawn(port, mark, output)
                is_up = _comes_up(pid, port, mark)
            finally:
                if pid is not None and not is_up:
                    _end(pid)
            if is_up:
                url = f"http://{_HOST}:{port}"
                return Emulator(url, pid, client_environment(url))
            said = _last_line(output)
    raise EmulatorError(
        f"the embedded DynamoDB does not start ({said}); reinstall it: pip install --force-reinstall"
        " 'token-janitor[demo]'"
    )


def _spawn(port: int, mark: str, output: BinaryIO) -> int:
    """Start ministack on this port under a name of its own, the mark, and return its process id."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        cwd="/",  # Python imports from the folder that it starts in, and a kept one would hold on to the user's
        env={**kept, **_SETTINGS, "GATEWAY_PORT": str(port), "MINISTACK_EDITION": mark},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    # From here on only its id counts: a Popen warns when it is let go of while its process runs, as a kept one does.
    process.returncode = 0
    return process.pid


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Hold back the signals that a person or a scheduler ends this program with, until the block has ended."""
    held_back: list[int] = []
    previous = {number: signal.getsignal(number) for number in _ENDING_SIGNALS}
    for number in _ENDING_SIGNALS:
        signal.signal(number, lambda held, _: held_back.append(held))
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for held in held_back:
            signal.raise_signal(held)


def _comes_up(pid: int, port: int, mark: str) -> bool:
    """Wait until it answers; false when it ended by itself.

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
    """Whether the server on this port is the one with this mark, and not one that took the port before it."""
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
    """Whether no such child of this process runs any more. What is no child may be anybody's: it counts as gone."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _no_proxy() -> dict[str, str]:
    """The variable that takes loopback past the user's proxy; nothing where no proxy would come between.

    botocore, unlike browsers, sends even loopback addresses to a proxy. In lower case, for that one beats NO_PROXY.
    """
    proxies = urllib.request.getproxies()
    if "http" not in proxies or urllib.request.proxy_bypass(_HOST):
        return {}
    return {"no_proxy": ",".join(filter(None, (proxies.get("no"), _HOST)))}


def _last_line(output: BinaryIO) -> str:
    output.seek(0)
    lines = output.read().decode(errors="replace").split("\n")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return "".join(character if character.isprintable() else " " for character in said[:_LONGEST_LINE])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        port: int = listener.getsockname()[1]
        return port
