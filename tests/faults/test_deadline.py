"""Whatever a run waits for never comes: the deadline ends the run all the same, and it says so."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import started
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import living_rows
from tests.tables import Item, modern

# Long enough for a busy machine to begin, and to read a few rows.
DEADLINE = ("--deadline", "4s")
# Five seconds after the deadline, and what a busy machine may add to that.
END_SECONDS = 45
DRIP_SECONDS = 0.2
TOPIC = "arn:aws:sns:us-east-1:000000000000:told"
# More than a pipe holds, as a report.
MANY = 400


class DrippingServer:
    """Answers every request with one byte after the other, and never comes to the end: no read of it times out."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._is_over = threading.Event()
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 100000\r\n\r\n"
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(head)
            while not self._is_over.wait(DRIP_SECONDS):
                connection.sendall(b" ")

    def stop(self) -> None:
        self._is_over.set()
        # A thread that waits for a connection is woken by this, and not by closing.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def dripping() -> Iterator[DrippingServer]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        server = DrippingServer(listening)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield server
        server.stop()
        thread.join()


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


@pytest.fixture
def unread(fifo: Path) -> Iterator[Path]:
    """A FIFO that somebody has open, and does not read."""
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    yield fifo
    os.close(reader)


def many_rows() -> list[Item]:
    return [modern(f"due-{number:06}", 1_700_000_000 + number) for number in range(MANY)]


def ended(*arguments: str, env: dict[str, str | None] | None = None) -> tuple[int, str, str]:
    """What a run came to: its exit code, and what it wrote."""
    with started(*arguments, *DEADLINE, env=env) as process:
        out, err = process.communicate(timeout=END_SECONDS)
        return process.wait(), out, err


@pytest.mark.parametrize("option", ["--report=json={}", "--metrics=prometheus={}", "--source={}"])
def test_a_fifo_that_nobody_else_has_open(server: Server, new_table: NewTable, fifo: Path, option: str) -> None:
    table = new_table(living_rows(6))
    way = ("--dialect", "hashed") if "source" in option else ("--table", table, "--endpoint-url", server.url)
    code, _, err = ended("scan", *way, option.format(fifo))
    assert code == 1
    assert "deadline" in err


def test_a_schedule_and_a_key_and_a_plan_from_a_fifo(server: Server, new_table: NewTable, fifo: Path) -> None:
    table = new_table(living_rows(6))
    way = ("--table", table, "--endpoint-url", server.url)
    for arguments in (
        ("scan", *way, "--fingerprint-key-file", str(fifo)),
        ("apply", str(fifo), *way),
        ("restore", str(fifo), "--all", *way),
    ):
        code, _, err = ended(*arguments)
        assert code in (1, 2), (arguments, err)
        assert err.startswith("janitor: "), (arguments, err)


def test_a_report_to_a_fifo_that_is_not_read(server: Server, new_table: NewTable, unread: Path) -> None:
    table = new_table(many_rows())
    arguments = ("scan", "--table", table, "--endpoint-url", server.url, "--report", f"json={unread}")
    code, out, err = ended(*arguments)
    assert code == 1
    assert str(unread) in err
    # The other report is written all the same.
    assert '"janitor.report/v1"' in out


def test_standard_output_that_is_not_read(server: Server, new_table: NewTable, tmp_path: Path) -> None:
    table = new_table(many_rows())
    report = tmp_path / "report.json"
    arguments = ("scan", "--table", table, "--endpoint-url", server.url, "--report", f"json={report}")
    for form in ("json", "ndjson"):
        with started(*arguments, "--format", form, *DEADLINE) as process:
            assert process.wait(timeout=END_SECONDS) == 1
        assert report.exists()


@pytest.mark.parametrize("what", ["table", "topic", "report", "heartbeat"])
def test_a_server_that_drips(
    server: Server, new_table: NewTable, dripping: DrippingServer, tmp_path: Path, what: str
) -> None:
    table = new_table([modern("due", 4_000_000_000), *living_rows(6)])
    state = f"--state-url=sqlite:///{tmp_path}/state.sqlite"
    options: dict[str, tuple[list[str], dict[str, str | None]]] = {
        "table": ([], {"AWS_ENDPOINT_URL_DYNAMODB": dripping.url}),
        "topic": (["--sns-topic-arn", TOPIC, "--per-token", state], {"AWS_ENDPOINT_URL_SNS": dripping.url}),
        "report": (["--report", "json=s3://reports/a.json"], {"AWS_ENDPOINT_URL_S3": dripping.url}),
        "heartbeat": (["--heartbeat-url", f"{dripping.url}/check"], {}),
    }
    arguments, environment = options[what]
    code, _, err = ended("scan", "--table", table, "--endpoint-url", server.url, *arguments, env=environment)
    # The heartbeat has a budget of its own, and a run does not fail by it at the start.
    assert code in ((0, 1) if what == "heartbeat" else (1,)), err
