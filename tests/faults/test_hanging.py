"""Whoever is to be told hangs, and the run is asked to stop: it ends all the same."""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.command import started
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import living_rows
from tests.tables import modern

TOPIC = "arn:aws:sns:us-east-1:000000000000:told"
REQUEST_SECONDS = 60
# Five seconds, and what a busy machine may add to that; botocore would wait for a minute.
END_SECONDS = 40


class SilentServer:
    """A server that takes connections, and never answers."""

    def __init__(self, listening: socket.socket, connections: ExitStack) -> None:
        self._listening, self._connections = listening, connections
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def wait_for_request(self) -> None:
        """Return once somebody has connected, and waits for an answer."""
        self._connections.enter_context(self._listening.accept()[0])


@pytest.fixture
def silent_server() -> Iterator[SilentServer]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening, ExitStack() as connections:
        listening.settimeout(REQUEST_SECONDS)
        yield SilentServer(listening, connections)


def options_of(hanging: str, url: str, folder: Path) -> tuple[list[str], dict[str, str | None]]:
    state = ["--state-url", f"sqlite:///{folder}/state.sqlite"]
    match hanging:
        case "heartbeat":
            return ["--heartbeat-url", f"{url}/check"], {}
        case "topic":
            return ["--sns-topic-arn", TOPIC, "--per-token", *state], {"AWS_ENDPOINT_URL_SNS": url}
        case _:
            return ["--report", "json=s3://reports/a.json"], {"AWS_ENDPOINT_URL_S3": url}


@pytest.mark.parametrize("hanging", ["heartbeat", "topic", "report"])
def test_a_run_that_waits_for_somebody_outside_ends_when_it_is_told_to(
    table_server: Server, make_table: NewTable, silent_server: SilentServer, tmp_path: Path, hanging: str
) -> None:
    table = make_table([modern("due", 4_000_000_000), *living_rows(6)])
    options, environment = options_of(hanging, silent_server.url, tmp_path)
    arguments = ("scan", "--table", table, "--endpoint-url", table_server.url, *options)
    with started(*arguments, env=environment) as process:
        silent_server.wait_for_request()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=END_SECONDS)
    assert process.returncode in (143, 1)


def test_a_table_and_a_topic_that_hang_hold_nothing_up(silent_server: SilentServer, tmp_path: Path) -> None:
    options, _ = options_of("topic", silent_server.url, tmp_path)
    with started("scan", "--table", "any", "--endpoint-url", silent_server.url, *options) as process:
        silent_server.wait_for_request()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=END_SECONDS)
    assert process.returncode == 143
