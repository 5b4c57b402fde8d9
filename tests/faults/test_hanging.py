"""Whoever is to be told hangs, and the run is asked to stop: it ends all the same."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import started
from tests.fixtures import NewTable
from tests.servers import Server
from tests.sweeping import living_rows
from tests.tables import modern

TOPIC = "arn:aws:sns:us-east-1:000000000000:told"
# Five seconds, and what a busy machine may add to that.
END_SECONDS = 15


@pytest.fixture
def silence() -> Iterator[str]:
    """The URL of somebody who takes connections, and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


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
    server: Server, new_table: NewTable, silence: str, tmp_path: Path, hanging: str
) -> None:
    table = new_table([modern("due", 4_000_000_000), *living_rows(6)])
    options, environment = options_of(hanging, silence, tmp_path)
    arguments = ("scan", "--table", table, "--endpoint-url", server.url, *options)
    with started(*arguments, env=environment) as process:
        # Long enough to be waiting; what it does before that is none of this test's.
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=3)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=END_SECONDS)
    assert process.returncode in (143, 1)


def test_a_table_and_a_topic_that_hang_hold_nothing_up(silence: str, tmp_path: Path) -> None:
    options, _ = options_of("topic", silence, tmp_path)
    with started("scan", "--table", "any", "--endpoint-url", silence, *options) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=3)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=END_SECONDS)
    assert process.returncode == 143
