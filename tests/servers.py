"""Servers to test against: each on a free loopback port, and ended by its own process id, or with the tests."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.dynamodb_local import Installation
from tests.forked import ForkedProcess, temporary_folder

START_SECONDS = 60.0
END_SECONDS = 10.0
POLL_SECONDS = 0.05
LOG_CHARACTERS = 2000  # of a server's output in the message when it does not start

# What DynamoDB Local's own main does (in memory, one shared database, no delays), but listening on loopback alone:
# its command line knows a port and no host. Jetty, which it is built on, brings this way of saying it.
LOOPBACK_DYNAMODB = """
<Configure class="org.eclipse.jetty.server.Server">
  <Arg>
    <New class="java.net.InetSocketAddress">
      <Arg>127.0.0.1</Arg>
      <Arg type="int"><Property name="port"/></Arg>
    </New>
  </Arg>
  <Set name="handler">
    <New class="com.amazonaws.services.dynamodbv2.local.server.LocalDynamoDBServerHandler">
      <Arg>
        <New class="com.amazonaws.services.dynamodbv2.local.server.LocalDynamoDBRequestHandler">
          <Arg type="int">0</Arg>
          <Arg type="boolean">true</Arg>
          <Arg/>
          <Arg type="boolean">true</Arg>
          <Arg type="boolean">false</Arg>
        </New>
      </Arg>
      <Arg/>
    </New>
  </Set>
</Configure>
"""


@dataclass(frozen=True)
class Server:
    """A server to point the program at: what it is, and its endpoint URL."""

    name: str
    url: str


@dataclass(frozen=True)
class Microburst:
    """A proxy that injects faults: its URL stands for its upstream's."""

    url: str

    def rules(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace all rules by these, and forget what has fired.

        Raises:
            ValueError: A key of a rule means nothing to the proxy, which would ignore it without a word.
        """
        accepted = self._ask("POST", "rules", rules)
        for wanted, understood in zip(rules, accepted, strict=True):
            # A probability of 1 is what a rule without one has, and is not said again.
            if ignored := wanted.keys() - understood.keys() - {"probability"}:
                raise ValueError(f"microburst does not know {', '.join(sorted(ignored))}")
        self._ask("DELETE", "fired")

    def fired(self) -> list[dict[str, Any]]:
        """Return what fired since the rules were set, oldest first; each with `operation`, `action` and more."""
        events: list[dict[str, Any]] = self._ask("GET", "fired?limit=1000000")
        return events

    def _ask(self, method: str, path: str, content: object = None) -> Any:
        body = None if content is None else json.dumps(content)
        status, answer = _ask(_port(self.url), method, f"/_microburst/{path}", body)
        if status != http.HTTPStatus.OK:
            raise ValueError(f"microburst answered {status} to {method} {path}: {answer!r}")
        return json.loads(answer)


@contextmanager
def dynamodb_local(installation: Installation) -> Iterator[str]:
    """Run Amazon's DynamoDB Local in memory, and give its endpoint URL."""
    with temporary_folder("dynamodb-local-") as temporary:
        folder, port = Path(temporary), free_port()
        configuration = folder / "server.xml"
        configuration.write_text(LOOPBACK_DYNAMODB)
        libraries = installation.folder / "DynamoDBLocal_lib"
        command = [
            installation.java,
            "-Xmx512m",
            # It lives for minutes: what the second compiler and more collectors would gain costs more than it saves.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            f"-Djava.io.tmpdir={folder}",
            f"-Djava.library.path={libraries}",
            "-Dorg.eclipse.jetty.xml.XmlParser.Validating=false",
            "-cp",
            os.pathsep.join([str(installation.folder / "DynamoDBLocal.jar"), f"{libraries}/*"]),
            "org.eclipse.jetty.xml.XmlConfiguration",
            f"port={port}",
            str(configuration),
        ]
        with _running(command, port, folder, health="/", environment={"DDB_LOCAL_TELEMETRY": "0"}) as url:
            yield url


@contextmanager
def ministack(**environment: str) -> Iterator[str]:
    """Run ministack with these environment variables besides (`AUTH="true"`), and give its endpoint URL."""
    with temporary_folder("ministack-") as folder:
        port = free_port()
        settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR", **environment}
        command = [sys.executable, "-m", "ministack"]
        with _running(command, port, Path(folder), health="/_ministack/health", environment=settings) as url:
            yield url


@contextmanager
def microburst(upstream: str) -> Iterator[Microburst]:
    """Run a fault-injecting proxy before this endpoint URL, without any rule.

    The upstream's host is to be written `localhost`: with an IP address the first call takes seconds.
    """
    with temporary_folder("microburst-") as folder:
        port = free_port()
        command = [sys.executable, "-m", "microburst", "--upstream", upstream, "--port", str(port), "--no-resign"]
        with _running(command, port, Path(folder), health="/_microburst/health", environment={}) as url:
            yield Microburst(url)


@contextmanager
def _running(
    command: list[str], port: int, folder: Path, *, health: str, environment: Mapping[str, str]
) -> Iterator[str]:
    """Run a server in this folder until the block is left; give its URL once its health path answers."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    log = folder / "log"
    with log.open("wb") as output:
        process = ForkedProcess(
            command,
            {**kept, "HOME": str(folder), "TMPDIR": str(folder), **environment},
            folder=folder,
            output=output.fileno(),
        )
    try:
        _wait_until_it_answers(process, port, health, log)
        yield f"http://localhost:{port}"
    finally:
        _end(process)


def _wait_until_it_answers(process: ForkedProcess, port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(port, path):
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
    state = "did not answer in time" if process.poll() is None else f"ended with code {process.returncode}"
    said = log.read_text(errors="replace")[-LOG_CHARACTERS:]
    raise RuntimeError(f"{log.parent.name} on port {port} {state}; it said:\n{said}")


def _answers(port: int, path: str) -> bool:
    try:
        status, _ = _ask(port, "GET", path)
    except (OSError, http.client.HTTPException):
        return False
    return status < http.HTTPStatus.INTERNAL_SERVER_ERROR


def _ask(port: int, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _end(process: ForkedProcess) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    process.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
