"""A server that replays Scan pages and confirms deletes, so that what is measured waits for nothing but itself.

python -m tests.bench.replay --port 0 --pages 500

prints its port as the first line and serves on loopback until SIGTERM. It speaks as much HTTP/1.1 as botocore needs.
"""

import argparse
import email.utils
import signal
import socketserver
import sys
import time
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from io import BufferedIOBase
from typing import NoReturn

import msgspec

from tests.bench.pages import Pages
from tests.bench.replayed_table import ReplayedTable, Reply, Request

_LOOPBACK = "127.0.0.1"
_MAX_HEADERS = 100


class ReplayServer(socketserver.ThreadingTCPServer):
    """A thread a connection; connections stay open as long as the client likes."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, table: ReplayedTable, *, delay_seconds: float) -> None:
        self.table = table
        self.delay_seconds = delay_seconds
        super().__init__((_LOOPBACK, port), _Connection)

    @property
    def port(self) -> int:
        """The port listened on, also when 0 was asked for."""
        return int(self.server_address[1])


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: ReplayServer

    def handle(self) -> None:
        try:
            while (call := read_call(self.rfile)) is not None:
                reply = self.server.table.answer(*call)
                if self.server.delay_seconds:
                    time.sleep(self.server.delay_seconds)
                self._send(reply)
        except ConnectionError:
            return  # a client that is ended in the middle of a page is no fault of the server

    def _send(self, reply: Reply) -> None:
        length = sum(map(len, reply.body.parts))
        self.wfile.write(
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
            "Content-Type: application/x-amz-json-1.0\r\n"
            f"Content-Length: {length}\r\n"
            f"Date: {email.utils.formatdate(usegmt=True)}\r\n"
            f"x-amz-crc32: {reply.body.crc}\r\n"
            f"x-amzn-RequestId: {uuid.uuid4().hex.upper()}\r\n\r\n".encode()
        )
        for part in reply.body.parts:
            self.wfile.write(part)


def read_call(stream: BufferedIOBase) -> tuple[str, Request] | None:
    """Read one call off a connection: the operation's name and its decoded body, or None when the client is gone."""
    if not stream.readline():
        return None
    headers = {}
    for _ in range(_MAX_HEADERS):
        name, separator, value = stream.readline().decode("latin-1").partition(":")
        if not separator:
            break
        headers[name.lower()] = value.strip()
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    return operation, msgspec.json.decode(stream.read(int(headers.get("content-length", "0"))) or b"{}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then leave with exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replay", description="replay DynamoDB Scan pages")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--pages", type=int, default=100, help="pages of 4,009 rows (default 100)")
    parser.add_argument("--filtered", action="store_true", help="a Scan with a FilterExpression gets the findings only")
    parser.add_argument("--unique", action="store_true", help="no row comes twice")
    parser.add_argument("--stale", action="store_true", help="every row is stale")
    parser.add_argument("--delay-ms", type=float, default=0, help="how long every answer waits (default 0)")
    options = parser.parse_args(arguments)
    pages = Pages(now=int(time.time()), unique=options.unique, stale=options.stale)
    table = ReplayedTable(pages, count=options.pages, filtering=options.filtered)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with ReplayServer(options.port, table, delay_seconds=options.delay_ms / 1_000) as server:
        print(server.port, flush=True)
        server.serve_forever()


def _leave(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
