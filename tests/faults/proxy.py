"""A proxy before a DynamoDB that can meddle with single calls: what a fault injector for whole requests cannot do."""

import contextlib
import datetime as dt
import http.client
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Damaged:
    """An answer that was damaged on its way: what arrives, under the checksum of what was sent, or without one."""

    arrives: bytes
    sent: bytes | None


Request = dict[str, Any]
Forward = Callable[[Request], tuple[int, Any]]
Meddle = Callable[[Request, Forward], tuple[int, Any]]
"""Gets a call's decoded body and a way to pass one on, and returns the answer's status and body, or a `Damaged` one."""

_BEGIN = {"token": {"S": "begin"}}


def row_by_row(request: Request, forward: Forward) -> tuple[int, Any]:
    """Ask for one row a page: where the server's filter keeps it back, the page is empty, and not the last."""
    return forward(request | {"Limit": 1})


def nothing_at_first(request: Request, forward: Forward) -> tuple[int, Any]:
    """Answer with an empty page that is not the last, and then with what was asked for."""
    if "ExclusiveStartKey" not in request:
        return 200, {"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": _BEGIN}
    begins = request["ExclusiveStartKey"] == _BEGIN
    return forward({name: value for name, value in request.items() if not begins or name != "ExclusiveStartKey"})


_PASSED_ON = ("content-type", "x-amzn-requestid", "date")


@dataclass
class Meddling:
    """What is meddled with; change it at any time.

    Attributes:
        by_operation: which operations, and how: `{"BatchExecuteStatement": meddle}`.
        seconds_off: how far the clock of the server is off this machine's, as the answers to an operation have it.
    """

    by_operation: dict[str, Meddle] = field(default_factory=dict)
    seconds_off: Callable[[str], int] = lambda _: 0


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, upstream: int, meddling: Meddling) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.meddling = meddling

    def handle_error(self, *_: object) -> None:
        """Say nothing: whoever asked was killed, or waits no longer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        operation = self.headers["x-amz-target"].partition(".")[2]
        meddle = self.server.meddling.by_operation.get(operation)
        seen: dict[str, str] = {}

        def forward(request: Request) -> tuple[int, Any]:
            # What is passed on as it came keeps its signature.
            content = body if request == json.loads(body) else json.dumps(request).encode()
            status, headers, answer = self._ask(content)
            seen.update(headers)
            return status, json.loads(answer)

        answer: bytes | Damaged
        if meddle is None:
            status, seen, answer = self._ask(body)
        else:
            status, content = meddle(json.loads(body), forward)
            answer = content if isinstance(content, Damaged) else json.dumps(content).encode()
        if "date" in seen:
            date = parsedate_to_datetime(seen["date"]) + dt.timedelta(
                seconds=self.server.meddling.seconds_off(operation)
            )
            seen["date"] = format_datetime(date, usegmt=True)
        with contextlib.suppress(OSError):
            self._answer(status, seen, answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            kept = {name.lower(): value for name, value in response.getheaders() if name.lower() in _PASSED_ON}
            return response.status, kept, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], answer: bytes | Damaged) -> None:
        body, sent = (answer.arrives, answer.sent) if isinstance(answer, Damaged) else (answer, answer)
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if sent is not None:
            self.send_header("x-amz-crc32", str(zlib.crc32(sent)))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def meddling_proxy(upstream: str) -> Iterator[tuple[str, Meddling]]:
    """Run a proxy before the server at this URL; give its own URL, and what decides how it meddles."""
    meddling = Meddling()
    with _Proxy(int(upstream.rpartition(":")[2]), meddling) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{proxy.server_address[1]}", meddling
        finally:
            proxy.shutdown()
            thread.join()
