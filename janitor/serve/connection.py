"""Limits for the connections to the pages: a time for the head of a request, and a number of open connections.

uvicorn waits for ever for the head of a request. So each of its connections is wrapped in one of ours, which passes on
what comes and watches the time; a wrapper around the application says which connections are being answered.
"""

from asyncio import Protocol, TimerHandle, Transport, get_running_loop
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

# A request's head has to come within this.
HEAD_SECONDS = 10.0
_MAX_CONNECTIONS = 64

_Peer = tuple[str, int]
"""Address and port of the client: names the same connection in an ASGI scope and in a transport."""


class Connections:
    """The open connections of a server. Used only in the thread of the server's event loop."""

    def __init__(self, head_seconds: float = HEAD_SECONDS) -> None:
        """Start without connections.

        Args:
            head_seconds: how long the head of a request may take to come.
        """
        self.head_seconds = head_seconds
        self._open: dict[_Peer, _Connection] = {}

    def make_protocol(self) -> type[Protocol]:
        """Make the protocol class that uvicorn instantiates for each connection."""
        connections = self

        class Connection(_Connection):
            def __init__(self, **parts: Any) -> None:
                super().__init__(connections, H11Protocol(**parts))

        return Connection

    def wrap_app(self, app: ASGIApp) -> ASGIApp:
        """Wrap the application, so that each connection knows when a request of it is being answered."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            connection = self._open.get(scope["client"])
            if connection is None:
                await app(scope, receive, send)
                return
            connection.begin_answer()
            try:
                await app(scope, receive, send)
            finally:
                connection.end_answer()

        return answer

    def add(self, connection: "_Connection") -> None:
        """Count a connection. If there are too many, close the one that has been idle longest."""
        self._open[connection.peer] = connection
        if len(self._open) > _MAX_CONNECTIONS:
            others = (each for each in self._open.values() if each is not connection)
            min(others, key=lambda each: (each.is_answered, each.idle_since)).close()

    def remove(self, connection: "_Connection") -> None:
        """Stop counting a connection; it may have been removed before."""
        if self._open.get(connection.peer) is connection:
            del self._open[connection.peer]


class _Connection(Protocol):
    """Passes everything on to uvicorn's connection, and closes it if a request's head takes too long.

    Attributes:
        peer: the client.
        idle_since: since when it is idle, by the event loop's clock.
    """

    def __init__(self, connections: Connections, inner: Protocol) -> None:
        self._connections = connections
        self._inner = inner
        self._loop = get_running_loop()
        self._transport: Transport | None = None
        self._timer: TimerHandle | None = None
        self._answers = 0
        self.peer: _Peer = ("", 0)
        self.idle_since = self._loop.time()

    @property
    def is_answered(self) -> bool:
        """Whether a request of it is being answered."""
        return self._answers > 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # a socket has no other
        """Start to wait for a request."""
        self._transport = transport
        peer = cast("tuple[Any, ...] | None", transport.get_extra_info("peername"))
        if peer is not None:
            self.peer = (str(peer[0]), int(peer[1]))
        self._inner.connection_made(transport)
        self._start_waiting()
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Pass the data on. Until a whole head has come, the time runs."""
        if not self.is_answered:
            self._start_waiting()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, and pass it on."""
        self._stop_waiting()
        self._connections.remove(self)
        self._inner.connection_lost(exc)

    def begin_answer(self) -> None:
        """Stop waiting: a whole head has come."""
        self._answers += 1
        self._stop_waiting()

    def end_answer(self) -> None:
        """Mark the request as answered. Until the next one begins, uvicorn limits how long the connection is kept."""
        self._answers -= 1
        self.idle_since = self._loop.time()

    def close(self) -> None:
        """Close it at once, whatever is being sent."""
        self._stop_waiting()
        self._connections.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def _start_waiting(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._connections.head_seconds, self.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
