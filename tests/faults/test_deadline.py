"""Whatever a run waits for never comes: the deadline ends the run all the same, and it says so."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

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


def fifo_in(folder: Path, name: str) -> Path:
    path = folder / name
    os.mkfifo(path)
    return path


@pytest.fixture
def unread(tmp_path: Path) -> Iterator[Path]:
    """A FIFO that somebody has open, and does not read."""
    fifo = fifo_in(tmp_path, "fifo")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    yield fifo
    os.close(reader)


def many_rows() -> list[Item]:
    return [modern(f"due-{number:06}", 1_700_000_000 + number) for number in range(MANY)]


class Run(NamedTuple):
    """The words of a command, and the variables that it needs besides."""

    arguments: Sequence[str]
    env: dict[str, str | None] = {}  # noqa: RUF012  # nobody changes it


class Ended(NamedTuple):
    """What a run came to: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


def ended(*runs: Run) -> list[Ended]:
    """Start all of these at once, for most of their time is the deadline's, and wait for the end of each."""
    with ExitStack() as stack:
        processes = [stack.enter_context(started(*run.arguments, *DEADLINE, env=run.env)) for run in runs]
        written = [process.communicate(timeout=END_SECONDS) for process in processes]
        return [Ended(process.wait(), *texts) for process, texts in zip(processes, written, strict=True)]


def scan_of(server: Server, table: str) -> tuple[str, ...]:
    return ("scan", "--table", table, "--endpoint-url", server.url)


def test_a_fifo_that_nobody_else_has_open(table_server: Server, make_table: NewTable, tmp_path: Path) -> None:
    scan = scan_of(table_server, make_table(living_rows(6)))
    runs = [
        Run((*scan, f"--report=json={fifo_in(tmp_path, 'report')}")),
        Run((*scan, f"--metrics=prometheus={fifo_in(tmp_path, 'metrics')}")),
        Run(("scan", "--dialect", "hashed", f"--source={fifo_in(tmp_path, 'source')}")),
    ]
    for run, (code, _, err) in zip(runs, ended(*runs), strict=True):
        assert code == 1, (run, err)
        assert "deadline" in err, run


def test_a_schedule_and_a_key_and_a_plan_from_a_fifo(
    table_server: Server, make_table: NewTable, tmp_path: Path
) -> None:
    _, *way = scan_of(table_server, make_table(living_rows(6)))
    fifo = str(fifo_in(tmp_path, "fifo"))
    runs = [
        Run(("scan", *way, "--fingerprint-key-file", fifo)),
        Run(("apply", fifo, *way)),
        Run(("restore", fifo, "--all", *way)),
    ]
    for run, (code, _, err) in zip(runs, ended(*runs), strict=True):
        assert code in (1, 2), (run, err)
        assert err.startswith("janitor: "), (run, err)


def test_a_report_to_a_fifo_that_is_not_read(table_server: Server, make_table: NewTable, unread: Path) -> None:
    scan = scan_of(table_server, make_table(many_rows()))
    [(code, out, err)] = ended(Run((*scan, "--report", f"json={unread}")))
    assert code == 1
    assert str(unread) in err
    # The other report is written all the same.
    assert '"janitor.report/v1"' in out


def test_standard_output_that_is_not_read(table_server: Server, make_table: NewTable, tmp_path: Path) -> None:
    scan = scan_of(table_server, make_table(many_rows()))
    with ExitStack() as stack:
        processes = []
        for form in ("json", "ndjson"):
            report = ("--report", f"json={tmp_path}/{form}.json", "--format", form)
            processes.append(stack.enter_context(started(*scan, *report, *DEADLINE)))
        assert [process.wait(timeout=END_SECONDS) for process in processes] == [1, 1]
    assert (tmp_path / "json.json").exists()
    assert (tmp_path / "ndjson.json").exists()


def test_a_server_that_drips(
    table_server: Server, make_table: NewTable, dripping: DrippingServer, tmp_path: Path
) -> None:
    scan = scan_of(table_server, make_table([modern("due", 4_000_000_000), *living_rows(6)]))
    state = f"--state-url=sqlite:///{tmp_path}/state.sqlite"
    table, topic, report, heartbeat = ended(
        Run(scan, {"AWS_ENDPOINT_URL_DYNAMODB": dripping.url}),
        Run((*scan, "--sns-topic-arn", TOPIC, "--per-token", state), {"AWS_ENDPOINT_URL_SNS": dripping.url}),
        Run((*scan, "--report", "json=s3://reports/a.json"), {"AWS_ENDPOINT_URL_S3": dripping.url}),
        Run((*scan, "--heartbeat-url", f"{dripping.url}/check")),
    )
    for run in (table, topic, report):
        assert run.code == 1, run.err
    # The heartbeat has a budget of its own, and a run does not fail by it at the start.
    assert heartbeat.code in (0, 1), heartbeat.err
