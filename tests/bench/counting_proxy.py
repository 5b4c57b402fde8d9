"""A TCP proxy on loopback that counts the bytes coming back from the server."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

_CHUNK_BYTES = 65_536


class CountingProxy(socketserver.ThreadingTCPServer):
    """Passes every connection on to `upstream`, a port on loopback; a thread a direction."""

    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self._received = 0
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Connection)

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, size: int) -> None:
        """Add bytes that came from the server."""
        with self._lock:
            self._received += size

    def take(self) -> int:
        """Give the bytes counted so far, headers included, and start over."""
        with self._lock:
            received, self._received = self._received, 0
        return received


class _Connection(socketserver.BaseRequestHandler):
    server: CountingProxy
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream:
            asking = threading.Thread(target=self._ask, args=(upstream,), daemon=True)
            asking.start()
            with contextlib.suppress(OSError):
                while chunk := upstream.recv(_CHUNK_BYTES):
                    self.server.count(len(chunk))
                    self.request.sendall(chunk)
            asking.join()

    def _ask(self, upstream: socket.socket) -> None:
        """Pass the client's bytes on; when it has no more to say, the server is told so and hangs up."""
        with contextlib.suppress(OSError):
            while chunk := self.request.recv(_CHUNK_BYTES):
                upstream.sendall(chunk)
            upstream.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def counting_proxy(upstream: int) -> Iterator[CountingProxy]:
    """Run a proxy before the server on port `upstream` for as long as the block lasts."""
    with CountingProxy(upstream) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
