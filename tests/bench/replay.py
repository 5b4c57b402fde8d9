"""A server that replays Scan pages and confirms deletes, so that what is measured waits for nothing but itself.

python -m tests.bench.replay --port 0 --pages 500

prints its port as the first line and serves on loopback until SIGTERM. It speaks as much HTTP/1.1 as botocore needs.
"""

import argparse
import email.utils
import re
import signal
import socketserver
import sys
import time
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from io import BufferedIOBase
from pathlib import Path
from typing import NoReturn, TextIO

import msgspec

from tests.bench.pages import Pages
from tests.bench.replayed_table import ReplayedTable, Reply, Request
from tests.bench.sized_table import SizedTable

_LOOPBACK = "127.0.0.1"
_MAX_HEADERS = 100
_LAST_BYTES = 400
_UNITS = re.compile(rb'"CapacityUnits":([0-9.]+)')


class ReplayServer(socketserver.ThreadingTCPServer):
    """A thread a connection; connections stay open as long as the client likes."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, table: ReplayedTable, *, delay_seconds: float, log: TextIO | None = None) -> None:
        self.table = table
        self.delay_seconds = delay_seconds
        self.log = log
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
                if self.server.log:
                    _note(self.server.log, call[0], reply)
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


def _note(log: TextIO, operation: str, reply: Reply) -> None:
    """Write down when a request came, and what it cost if it asked for that."""
    units = _UNITS.search(reply.body.parts[-1][-_LAST_BYTES:])
    if units:
        log.write(f"{time.monotonic():.6f} {operation} {float(units[1])}\n")


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
    parser.add_argument("--row-bytes", type=int, nargs=2, metavar=("LEAST", "MOST"), help="rows that are only sizes")
    parser.add_argument("--rows", type=int, default=10_000_000, help="how many of those (default 10,000,000)")
    parser.add_argument("--log", type=Path, help="a line for each request that says what it cost")
    options = parser.parse_args(arguments)
    if options.row_bytes:
        least, most = options.row_bytes
        table: ReplayedTable = SizedTable(rows=options.rows, least=least, most=most)
    else:
        pages = Pages(now=int(time.time()), unique=options.unique, stale=options.stale)
        table = ReplayedTable(pages, count=options.pages, filtering=options.filtered)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    # A line at a time: whoever reads it does so while the server runs.
    log = options.log.open("w", buffering=1) if options.log else None
    with ReplayServer(options.port, table, delay_seconds=options.delay_ms / 1_000, log=log) as server:
        print(server.port, flush=True)
        server.serve_forever()


def _leave(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
