"""The pages over a real socket, with made-up jobs behind them."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from janitor.serve.access import Reach
from janitor.serve.board import Board, Readiness, Views
from janitor.serve.folder import Contents
from janitor.serve.http import Pages, application
from janitor.serve.kept import kept_in
from tests.html_reports import believable
from tests.unit.serve.boards import NIGHTLY, TABLE, board, job, keep, on_board


class Client:
    """Asks the pages, one connection a question."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read().decode()
        finally:
            connection.close()


@contextmanager
def serving(shown: Board, readiness: Readiness, *, is_alive: bool = True) -> Iterator[Client]:
    listener = socket.create_server(("127.0.0.1", 0))
    pages = Pages(application(Views(lambda: shown, lambda: is_alive, lambda: readiness)), listener)
    pages.start()
    try:
        yield Client(listener.getsockname()[1])
    finally:
        pages.stop()


def test_every_page_is_there_to_be_read_and_for_nothing_else(tmp_path: Path) -> None:
    for folder in ("kept", "kept/b"):
        keep(believable(), tmp_path / folder)
    (tmp_path / "secret.html").write_text("secret")
    one = job(tmp_path, f"{NIGHTLY}{TABLE}", "a job/../x".replace("/", " "))
    two = job(tmp_path, f"{NIGHTLY}{TABLE}", "two")
    kept = kept_in([tmp_path / "kept", tmp_path / "kept/b", tmp_path / "never"])
    shown = board(on_board(one, kept), on_board(two), broken={"typo": "wrong"})
    ready = Readiness(Contents({"a": one}), [Reach(one.tables[0], is_reached=True, why=None)])
    with serving(shown, ready) as client:
        runs = json.loads(client.ask("/api/runs")[2])
        assert (runs["schema"], [each["name"] for each in runs["jobs"]]) == ("janitor.runs/v1", [one.name, "two"])
        urls = [report["url"] for report in runs["jobs"][0]["reports"]]
        assert urls == ["/runs/a%20job%20..%20x/report", "/runs/a%20job%20..%20x/report/2"]
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
        for path in ("/runs/two/report", "/runs/typo/report", f"{urls[0]}/3", "/runs/..%2f..%2fsecret/report",
                     "/runs/../secret.html", "/runs/%00/report", "/runs/two/report/-1", "/static/x"):  # fmt: skip
            status, headers, body = client.ask(path)
            assert (status, "secret" in body) == (404, False)
            assert "content-security-policy" in headers
        (tmp_path / "kept" / "report.html").unlink()
        assert client.ask(urls[0])[0] == 404


def test_probes_say_what_is_the_matter(tmp_path: Path) -> None:
    one = job(tmp_path, f"{NIGHTLY}{TABLE}")
    unreached = Reach(one.tables[0], is_reached=False, why="no AWS credentials")
    for readiness, told in (
        (Readiness(Contents(), []), True),
        (Readiness(Contents({"a": one}), [unreached]), False),
        (Readiness(Contents({"a": one}, {"b": "wrong"}), []), False),
        (Readiness(Contents(fault="gone"), []), False),
    ):
        with serving(board(), readiness, is_alive=told) as client:
            status, _, body = client.ask("/readyz")
            said = json.loads(body)
            assert (status, said["ready"]) == (200 if told else 503, told)
            assert client.ask("/healthz")[0] == (200 if told else 503)
    assert said["folder_error"] == "gone"


def test_what_is_wrong_inside_is_an_error_without_a_word_of_it(tmp_path: Path) -> None:
    keep(believable(), tmp_path)
    ready = Readiness(Contents(), [])
    listener = socket.create_server(("127.0.0.1", 0))

    def fail() -> Board:
        raise RuntimeError("a secret")

    pages = Pages(application(Views(fail, lambda: True, lambda: ready)), listener)
    pages.start()
    try:
        status, headers, body = Client(listener.getsockname()[1]).ask("/")
    finally:
        pages.stop()
    assert (status, "secret" in body, "content-security-policy" in headers) == (500, False, True)
