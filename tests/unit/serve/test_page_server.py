"""The pages over a real socket, with made-up jobs behind them."""

import http.client
import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from janitor.serve.last_report import load_last_reports
from janitor.serve.page_server import PageServer, make_application
from janitor.serve.schedule_folder import FolderContents
from janitor.serve.status import DaemonStatus, PageSource, Readiness
from janitor.serve.table_probes import TableStatus
from tests.html_reports import believable
from tests.reports import named, of_several
from tests.unit.serve.statuses import NIGHTLY, TABLE, daemon_status, job, job_status, keep

SECONDS = 10.0


class Client:
    """Asks the pages, one connection a question."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, method: str = "GET", **headers_to_send: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers_to_send)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read().decode()
        finally:
            connection.close()


@contextmanager
def serving(
    shown: DaemonStatus,
    readiness: Readiness,
    *,
    is_alive: bool = True,
    hosts: tuple[str, ...] = (),
    head_seconds: float = 10.0,
) -> Iterator[Client]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = make_application(PageSource(lambda: shown, lambda: is_alive, lambda: readiness), hosts)
    pages = PageServer(app, listener, head_seconds)
    pages.start()
    try:
        yield Client(listener.getsockname()[1])
    finally:
        pages.stop()


def test_every_page_is_there_to_be_read_and_for_nothing_else(tmp_path: Path) -> None:
    keep(of_several(believable(), named(believable(), "other")), tmp_path / "kept")
    (tmp_path / "secret.html").write_text("secret")
    one = job(tmp_path, f"{NIGHTLY}{TABLE}", "a job/../x".replace("/", " "))
    two = job(tmp_path, f"{NIGHTLY}{TABLE}", "two")
    kept = load_last_reports(tmp_path / "kept")
    shown = daemon_status(job_status(one, kept), job_status(two), broken={"typo": "wrong"})
    ready = Readiness(FolderContents({"a": one}), [TableStatus(one.tables[0], is_reachable=True, why=None)])
    with serving(shown, ready) as client:
        runs = json.loads(client.ask("/api/runs")[2])
        assert (runs["schema"], [each["name"] for each in runs["jobs"]]) == ("janitor.runs/v1", [one.name, "two"])
        reports = runs["jobs"][0]["reports"]
        assert len({report["table"] for report in reports}) == 2
        urls = [report["url"] for report in reports]
        assert urls == ["/runs/a%20job%20..%20x/report"] * 2
        for path in ("/", "/api/runs", "/metrics", "/healthz", "/readyz", *urls):
            status, headers, body = client.ask(path)
            assert (status, "server" in headers) == (200, False), path
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["content-security-policy"].startswith("default-src 'none'; ")
            head = client.ask(path, "HEAD")
            assert (head[0], head[2], head[1]["content-type"]) == (200, "", headers["content-type"])
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                assert client.ask(path, method)[0] == 405
            if path in urls:
                assert body == (tmp_path / "kept" / "report.html").read_text()
        links = client.ask("/")[2]
        assert all(f'href="{url[1:]}"' in links or f"href={url[1:]}" in links for url in urls)
        for path in ("/runs/two/report", "/runs/typo/report", f"{urls[0]}/2", "/runs/..%2f..%2fsecret/report",
                     "/runs/../secret.html", "/runs/%00/report", "/runs/two/report/-1",
                     f"{urls[0]}/{'9' * 5_000}", "/static/x"):  # fmt: skip
            status, headers, body = client.ask(path)
            assert (status, "secret" in body) == (404, False)
            assert "content-security-policy" in headers
        (tmp_path / "kept" / "report.html").unlink()
        assert client.ask(urls[0])[0] == 404


def test_probes_say_what_is_the_matter(tmp_path: Path) -> None:
    one = job(tmp_path, f"{NIGHTLY}{TABLE}")
    unreached = TableStatus(one.tables[0], is_reachable=False, why="no AWS credentials")
    for readiness, told in (
        (Readiness(FolderContents({"a": one}), []), True),
        (Readiness(FolderContents(), []), False),
        (Readiness(FolderContents({"a": one}), [unreached]), False),
        (Readiness(FolderContents({"a": one}, {"b": "wrong"}), []), False),
        (Readiness(FolderContents(error="gone"), []), False),
    ):
        with serving(daemon_status(), readiness, is_alive=told) as client:
            status, _, body = client.ask("/readyz")
            said = json.loads(body)
            assert (status, said["ready"], said["why"] is None) == (200 if told else 503, told, told)
            assert client.ask("/healthz")[0] == (200 if told else 503)
    assert said["folder_error"] == "gone"


def test_who_asks_nothing_is_sent_away_and_in_nobodys_way() -> None:
    with serving(daemon_status(), Readiness(FolderContents(), []), head_seconds=0.2) as client, ExitStack() as idle:
        address = ("127.0.0.1", client.port)
        waiting = [idle.enter_context(socket.create_connection(address, SECONDS)) for _ in range(100)]
        waiting[-1].sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert client.ask("/healthz")[0] == 200
        for one in waiting:
            with suppress(ConnectionResetError):
                assert one.recv(1) == b""
        # A second request that is never asked, on a connection that was answered.
        again = idle.enter_context(socket.create_connection(address, SECONDS))
        again.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert again.recv(4_096).startswith(b"HTTP/1.1 200 OK")
        again.sendall(b"GET")
        with suppress(ConnectionResetError):
            assert again.recv(1) == b""


def test_an_answer_may_take_longer_than_a_question_and_is_not_in_the_way_of_others() -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def slow_board() -> DaemonStatus:
        has_begun.set()
        assert may_end.wait(SECONDS)
        return daemon_status()

    listener = socket.create_server(("127.0.0.1", 0))
    client = Client(listener.getsockname()[1])
    pages = PageServer(
        make_application(PageSource(slow_board, lambda: True, lambda: Readiness(FolderContents(), []))), listener, 0.2
    )
    pages.start()
    with ThreadPoolExecutor() as threads, ExitStack() as idle:
        try:
            answer = threads.submit(client.ask, "/")
            assert has_begun.wait(SECONDS)
            # More than there may be, and each is closed once its time is over.
            address = ("127.0.0.1", client.port)
            for one in [idle.enter_context(socket.create_connection(address, SECONDS)) for _ in range(100)]:
                with suppress(ConnectionResetError):
                    assert one.recv(1) == b""
            may_end.set()
            assert answer.result()[0] == 200
        finally:
            may_end.set()
            pages.stop()


def test_a_request_that_is_none_is_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with serving(daemon_status(), Readiness(FolderContents(), [])) as client, caplog.at_level(logging.WARNING):
        with socket.create_connection(("127.0.0.1", client.port), SECONDS) as connection:
            connection.sendall(b"\x16\x03\x01 garbage\r\n\r\n")
            assert connection.recv(4_096).startswith(b"HTTP/1.1 400 ")
        assert not caplog.records


def test_a_file_whose_name_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff")
    broken = {name: f"/x/{name}.toml: wrong"}
    shown = replace(daemon_status(broken=broken, folder_error=f"/{name} cannot be read"), folder=f"/{name}")
    ready = Readiness(FolderContents({"a": job(tmp_path, TABLE)}, broken, f"/{name}"), [])
    with serving(shown, ready) as client:
        for path, code in (("/", 200), ("/api/runs", 200), ("/metrics", 200), ("/readyz", 503)):
            status, _, body = client.ask(path)
            assert (status, "a\\udcff" in body.replace("\\\\", "\\")) == (code, True), path


@pytest.mark.parametrize(
    ("header", "is_own"),
    [
        ("localhost", True),
        ("LocalHost:8080", True),
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("janitor.internal:80", True),
        ("127.0.1.1:80", True),
        ("[::2]:80", True),
        ("10.0.0.1", False),
        ("evil.example", False),
        ("localhost.evil.example:8080", False),
        ("127.0.0.1.evil.example", False),
        ("[evil.example]", False),
        ("", False),
    ],
)
def test_a_page_of_elsewhere_cannot_read_what_is_served_on_loopback(header: str, *, is_own: bool) -> None:
    with serving(
        daemon_status(), Readiness(FolderContents(), []), hosts=("janitor.internal", "127.0.1.1", "::2")
    ) as client:
        status, headers, body = client.ask("/", Host=header)
    assert "content-security-policy" in headers
    assert (status, "table" in body) == ((200, True) if is_own else (400, False))


def test_a_page_that_is_served_to_other_machines_goes_by_any_name() -> None:
    with serving(daemon_status(), Readiness(FolderContents(), [])) as client:
        assert client.ask("/", Host="janitor.example")[0] == 200


def test_what_is_wrong_inside_is_an_error_without_a_word_of_it(tmp_path: Path) -> None:
    keep(believable(), tmp_path)
    ready = Readiness(FolderContents(), [])
    listener = socket.create_server(("127.0.0.1", 0))

    def fail() -> DaemonStatus:
        raise RuntimeError("a secret")

    pages = PageServer(make_application(PageSource(fail, lambda: True, lambda: ready)), listener)
    pages.start()
    try:
        status, headers, body = Client(listener.getsockname()[1]).ask("/")
    finally:
        pages.stop()
    assert (status, "secret" in body, "content-security-policy" in headers) == (500, False, True)
