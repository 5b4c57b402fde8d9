"""What a monitor is told of a run, and that it can neither end nor hold up one."""

import base64
import contextlib
import http.client
import socket
import ssl
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from janitor.errors import SinkError
from janitor.settings.output import NoticeSettings, StateSettings
from janitor.settings.parsers import parse_heartbeat_url
from janitor.settings.table import TableSettings
from janitor.sinks.heartbeat import Heartbeat
from janitor.stopping import Stop
from janitor.wiring.monitoring import RunMonitor
from tests.command import janitor
from tests.fixtures import NewTable
from tests.servers import Server

SECRET = "0f5ad1a2-secret"
RUN = "5a1f0c2d9e8b7a66"
HASH = "ab" * 32


class Told(NamedTuple):
    method: str
    path: str
    query: str
    body: str


@dataclass
class Monitor:
    """What a monitor was told, and how it answers."""

    url: str
    told: list[Told] = field(default_factory=list)
    status: int = 200
    reply: bytes = b"OK"
    location: str | None = None
    answers: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running_monitor(certificate: Path | None = None) -> Iterator[Monitor]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            running.told.append(Told(self.command, path, query, body))
            running.answers.wait(30)
            self.send_response_only(running.status)
            if running.location:
                self.send_header("location", running.location)
            self.send_header("content-length", str(len(running.reply)))
            self.end_headers()
            self.wfile.write(running.reply)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # so that all are joined at the end
        request_queue_size = 16

        def handle_error(self, *_: object) -> None:
            """Say nothing: whoever asked waits no longer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        running = Monitor(f"http://127.0.0.1:{server.server_address[1]}")
        if certificate is not None:
            running.url = f"https://localhost:{server.server_address[1]}"
            server.socket = _server_context(certificate).wrap_socket(server.socket, server_side=True)
        running.answers.set()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.answers.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with running_monitor() as running:
        yield running


def heartbeat(monitor: Monitor, path: str = f"/{SECRET}", budget_seconds: float = 10) -> Heartbeat:
    return Heartbeat(parse_heartbeat_url(f"{monitor.url}{path}"), run_id=RUN, budget_seconds=budget_seconds)


def assert_says(error: SinkError | None, words: str) -> None:
    assert isinstance(error, SinkError)
    assert words in str(error)
    assert "http://127.0.0.1:" in str(error)
    assert SECRET not in str(error)
    assert error.code == "heartbeat"


def test_a_run_that_works_is_told_of_at_its_start_and_end_under_one_id(monitor: Monitor) -> None:
    beat = heartbeat(monitor)
    assert (beat.start(), beat.success()) == (None, None)
    start, end = monitor.told
    assert (start.path, end.path) == (f"/{SECRET}/start", f"/{SECRET}")
    assert start.query == end.query
    name, _, value = start.query.partition("=")
    assert (name, str(uuid.UUID(value))) == ("rid", value)


def test_two_runs_have_two_ids(monitor: Monitor) -> None:
    heartbeat(monitor).start()
    Heartbeat(f"{monitor.url}/{SECRET}", run_id="another").start()
    assert len({told.query for told in monitor.told}) == 2


def test_a_heartbeat_that_nobody_takes_is_said_of_the_start_and_of_the_end(server: Server, new_table: NewTable) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/ping"
        where = ("--table", new_table([]), "--endpoint-url", server.url)
        finished = janitor("scan", *where, "--heartbeat-url", url)
    said = [line for line in finished.err.splitlines() if line.startswith("janitor: ")]
    failed = f"the heartbeat to {url.removesuffix('/ping')} failed: Connection refused"
    assert (finished.code, [line.split(";")[0] for line in said]) == (
        1,
        [f"janitor: at the start, {failed}", f"janitor: {failed}"],
    )


def test_a_run_that_fails_sends_its_sentence_without_a_key(monitor: Monitor) -> None:
    assert heartbeat(monitor).failure(f"dynamodb:Scan was denied für {HASH}") is None
    [told] = monitor.told
    assert (told.method, told.path) == ("POST", f"/{SECRET}/fail")
    assert told.body.startswith("dynamodb:Scan was denied für ")
    assert HASH not in told.body


def test_a_very_long_sentence_is_cut(monitor: Monitor) -> None:
    assert heartbeat(monitor).failure("🔥" * 100_000) is None
    assert monitor.told[0].body == "🔥" * 2000


@pytest.mark.parametrize(
    ("path", "start", "end", "query"),
    [
        ("/ping/x/", "/ping/x/start", "/ping/x/", ""),
        ("/ping/x?create=1&a=%20", "/ping/x/start", "/ping/x", "create=1&a=%20&"),
        ("", "/start", "/", ""),
        ("?a=1", "/start", "/", "a=1&"),
        ("/x#part", "/x/start", "/x", ""),
    ],
)
def test_slashes_and_queries_of_the_url_are_kept(monitor: Monitor, path: str, start: str, end: str, query: str) -> None:
    beat = heartbeat(monitor, path)
    assert (beat.start(), beat.success()) == (None, None)
    assert [told.path for told in monitor.told] == [start, end]
    assert all(told.query.startswith(f"{query}rid=") for told in monitor.told)


@pytest.mark.parametrize("status", [404, 429, 500])
def test_a_monitor_that_refuses_is_an_error_that_does_not_name_the_url(monitor: Monitor, status: int) -> None:
    monitor.status, monitor.reply = status, f"no {SECRET}".encode()
    beat = heartbeat(monitor)
    for error in (beat.start(), beat.failure("x")):
        assert_says(error, f"was answered with {status}; check --heartbeat-url")


def test_a_redirect_is_not_followed(monitor: Monitor) -> None:
    with running_monitor() as other:
        monitor.status, monitor.location = 302, f"{other.url}/{SECRET}"
        assert_says(heartbeat(monitor).start(), "was answered with 302, a redirect; give the URL that it leads to")
        assert other.told == []


@pytest.mark.parametrize("reply", ["OK (not found)", "OK (rate limited)"])
def test_a_call_that_is_answered_well_but_not_recorded_is_an_error(monitor: Monitor, reply: str) -> None:
    monitor.reply = reply.encode()
    assert_says(heartbeat(monitor).start(), f"was not recorded: {reply}; ")


def test_a_monitor_that_hangs_at_the_start_is_left_alone_and_told_of_the_end(monitor: Monitor) -> None:
    monitor.answers.clear()
    beat = heartbeat(monitor, budget_seconds=2)
    assert_says(beat.start(), "got no answer in time")
    monitor.answers.set()
    assert beat.success() is None
    assert [told.path for told in monitor.told] == [f"/{SECRET}/start", f"/{SECRET}"]


def test_a_monitor_that_always_hangs_gets_the_budget_and_no_more(monitor: Monitor) -> None:
    monitor.answers.clear()
    beat = heartbeat(monitor, budget_seconds=0.4)
    for error in (beat.start(), beat.success()):
        assert_says(error, "got no answer in time")
    assert_says(beat.failure("x"), "was not sent")
    assert len(monitor.told) <= 2


def test_a_monitor_that_hangs_at_the_start_costs_a_small_part_of_a_short_deadline(monitor: Monitor) -> None:
    monitor.answers.clear()
    stop = Stop(deadline=5)
    settings = NoticeSettings(heartbeat_url=parse_heartbeat_url(f"{monitor.url}/{SECRET}"))
    with RunMonitor(settings, StateSettings(), TableSettings(), stop, command="scan", run_id=RUN):
        assert stop.seconds_left > 1
        monitor.answers.set()


def test_a_start_that_could_only_be_told_too_late_is_not_told(monitor: Monitor) -> None:
    # The look-up of a name can hang, and nothing cuts it short.
    released, threads = threading.Event(), set(threading.enumerate())

    def slow(*arguments: object) -> object:
        released.wait(30)
        return look_up(*arguments)  # type: ignore[arg-type]

    look_up = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", slow)
        assert_says(heartbeat(monitor, budget_seconds=0.2).start(), "got no answer in time")
        released.set()
        for thread in set(threading.enumerate()) - threads:
            thread.join(30)
    assert monitor.told == []


def test_what_cannot_be_reached_or_is_no_web_server_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert_says(Heartbeat(f"http://127.0.0.1:{port}/{SECRET}", run_id=RUN).start(), "Connection refused")
    with socket.create_server(("127.0.0.1", 0)) as odd:
        answering = threading.Thread(target=_answer_oddly, args=(odd,), daemon=True)
        answering.start()
        beat = Heartbeat(f"http://127.0.0.1:{odd.getsockname()[1]}/{SECRET}", run_id=RUN)
        assert_says(beat.success(), "failed: ")
        answering.join()


def test_tls_to_what_does_not_speak_it_is_an_error(monitor: Monitor) -> None:
    url = f"{monitor.url.replace('http://', 'https://')}/{SECRET}"
    error = Heartbeat(url, run_id=RUN).start()
    assert error is not None
    assert SECRET not in str(error)
    assert monitor.told == []


PROXY_PASSWORD = "proxy:p@ss-secret"
PROXY_USER = "proxy%3Ap%40ss-secret"


@dataclass
class Proxy:
    """A proxy as `HTTPS_PROXY` names it, what it was asked for, and how it answers a CONNECT."""

    port: int
    asked: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    status: int = 200

    def url(self, scheme: str = "http", user: str = "") -> str:
        return f"{scheme}://{user}localhost:{self.port}"


@contextmanager
def running_proxy(*, certificate: Path | None = None) -> Iterator[Proxy]:
    """Pass on what is asked; over TLS where there is a certificate for localhost (with its key)."""

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self._note()
            if running.status != 200:
                self.send_response_only(running.status, f"no {SECRET}")
                self.end_headers()
                return
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port))) as far:
                self.send_response_only(200)
                self.end_headers()
                _pass_on(self.connection, far)
            self.close_connection = True

        def do_GET(self) -> None:
            self._note()
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            connection = http.client.HTTPConnection(parts.netloc, timeout=30)
            connection.request(
                self.command, f"{parts.path}?{parts.query}", self.rfile.read(length), {"Host": parts.netloc}
            )
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response_only(answer.status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def _note(self) -> None:
            running.asked.append(f"{self.command} {self.path}")
            running.authorizations.append(self.headers.get("proxy-authorization"))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Proxy(server.server_address[1])
        if certificate is not None:
            server.socket = _server_context(certificate).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=copy, args=(far, near), daemon=True)
    back.start()
    copy(near, far)
    back.join(30)


def _server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody trusts, and its key, in one file."""
    folder = tmp_path_factory.mktemp("certificate")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "3650", "-nodes"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "certificate")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files], check=True, capture_output=True
    )
    both = folder / "both"
    both.write_text((folder / "key").read_text() + (folder / "certificate").read_text())
    return both


@pytest.fixture
def secure_monitor(certificate: Path) -> Iterator[Monitor]:
    with running_monitor(certificate) as running:
        yield running


def heartbeat_with(monitor: Monitor, **environment: str) -> Heartbeat:
    return Heartbeat(f"{monitor.url}/{SECRET}", run_id=RUN, environment=environment)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_a_call_without_tls_goes_through_the_proxy(monitor: Monitor, variable: str) -> None:
    with running_proxy() as proxy:
        beat = heartbeat_with(monitor, **{variable: proxy.url(), "HTTPS_PROXY": "http://127.0.0.1:9"})
        assert (beat.start(), beat.failure("why")) == (None, None)
        assert [asked.partition("?")[0] for asked in proxy.asked] == [
            f"GET {monitor.url}/{SECRET}/start",
            f"POST {monitor.url}/{SECRET}/fail",
        ]
        assert [told.body for told in monitor.told] == ["", "why"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_call_with_tls_goes_through_a_tunnel(secure_monitor: Monitor, certificate: Path, scheme: str) -> None:
    with running_proxy(certificate=certificate if scheme == "https" else None) as proxy:
        beat = heartbeat_with(secure_monitor, https_proxy=proxy.url(scheme), AWS_CA_BUNDLE=str(certificate))
        assert (beat.start(), beat.success()) == (None, None)
        place = secure_monitor.url.removeprefix("https://")
        assert proxy.asked == [f"CONNECT {place}"] * 2
        assert [told.path for told in secure_monitor.told] == [f"/{SECRET}/start", f"/{SECRET}"]


@pytest.mark.parametrize(
    "form", ["http://{user}localhost:{port}", "{user}localhost:{port}", "http://{user}localhost:{port}/"]
)
def test_the_proxy_is_told_who_asks(monitor: Monitor, form: str) -> None:
    with running_proxy() as proxy:
        url = form.format(user=f"me:{PROXY_USER}@", port=proxy.port)
        assert heartbeat_with(monitor, HTTP_PROXY=url).start() is None
        assert proxy.authorizations == [f"Basic {base64.b64encode(f'me:{PROXY_PASSWORD}'.encode()).decode()}"]
        assert monitor.told


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "other.example, 127.0.0.1"])
def test_a_host_of_no_proxy_is_called_without_one(monitor: Monitor, no_proxy: str) -> None:
    with running_proxy() as proxy:
        assert heartbeat_with(monitor, HTTP_PROXY=proxy.url(), NO_PROXY=no_proxy).start() is None
        assert (proxy.asked, len(monitor.told)) == ([], 1)


def test_a_host_beside_those_of_no_proxy_is_called_through_it(monitor: Monitor) -> None:
    with running_proxy() as proxy:
        assert heartbeat_with(monitor, HTTP_PROXY=proxy.url(), no_proxy="example.com").start() is None
        assert (len(proxy.asked), len(monitor.told)) == (1, 1)


def test_a_proxy_that_refuses_the_tunnel_is_said_by_its_status(secure_monitor: Monitor) -> None:
    with running_proxy() as proxy:
        proxy.status = 407
        error = heartbeat_with(secure_monitor, HTTPS_PROXY=proxy.url(user="me:hidden@")).start()
        assert_fails(error, f"at the proxy http://localhost:{proxy.port}: the proxy answered 407", "HTTPS_PROXY")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://me:hidden@127.0.0.1:{closed}", "Connection refused"),
        ("socks5://127.0.0.1:9", "begins with http:// or https://"),
        ("http://", "no host"),
        ("http://127.0.0.1:hidden", "no host"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_said_without_its_password(monitor: Monitor, url: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    error = heartbeat_with(monitor, HTTP_PROXY=url.format(closed=closed)).start()
    assert_fails(error, words, "HTTP_PROXY")
    assert monitor.told == []


def assert_fails(error: SinkError | None, *words: str) -> None:
    assert isinstance(error, SinkError)
    assert not [word for word in words if word not in str(error)], str(error)
    assert not [secret for secret in (SECRET, "hidden", PROXY_PASSWORD) if secret in str(error)], str(error)


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_authority_of_its_own_is_trusted_where_a_variable_names_it(
    secure_monitor: Monitor, certificate: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    assert heartbeat_with(secure_monitor, **{variable: str(certificate)}).start() is None
    assert len(secure_monitor.told) == 1


def test_an_authority_that_nobody_names_is_not_trusted(secure_monitor: Monitor) -> None:
    error = heartbeat_with(secure_monitor).start()
    assert_fails(error, "self-signed certificate", "AWS_CA_BUNDLE")
    assert secure_monitor.told == []


def test_a_file_of_authorities_that_is_not_there_is_named(secure_monitor: Monitor) -> None:
    error = heartbeat_with(secure_monitor, AWS_CA_BUNDLE="/no/such/file").start()
    assert_fails(error, "AWS_CA_BUNDLE: /no/such/file cannot be read: No such file or directory")


def test_a_run_calls_through_the_proxy_of_its_environment(monitor: Monitor) -> None:
    with running_proxy() as proxy:
        where = ("--table", "t", "--endpoint-url", "http://localhost:9", "--heartbeat-url", f"{monitor.url}/{SECRET}")
        finished = janitor("scan", *where, env={"HTTP_PROXY": proxy.url(), "NO_PROXY": "localhost"})
        assert finished.code == 1
        assert [SECRET in asked for asked in proxy.asked] == [True, True]
        assert [told.method for told in monitor.told] == ["GET", "POST"]


def _answer_oddly(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(f"{SECRET}\r\n\r\n".encode())


@pytest.mark.parametrize("url", ["https://hc-ping.com/x", "http://[::1]:8000/ping/x?a=1", "HTTPS://monitor/x"])
def test_a_web_address_is_taken(url: str) -> None:
    assert parse_heartbeat_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"ftp://host/{SECRET}",
        f"file:///{SECRET}",
        f"https:///{SECRET}",
        f"https://user:{SECRET}@host/",
        f"https://host:{SECRET}/",
        f"https://[{SECRET}/",
        f"https://host/{SECRET} ",
        f"https://host/\n{SECRET}",
        f"https://höst/{SECRET}",
    ],
)
def test_what_is_no_web_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="http or https, and a host") as refusal:
        parse_heartbeat_url(url)
    assert SECRET not in str(refusal.value)
    assert refusal.value.__context__ is None
