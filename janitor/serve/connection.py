"""Connections to the pages: one that asks nothing is closed, and none stands in the way of those that ask.

uvicorn by itself waits for ever for the head of a request, be it begun or not. So each of its connections stands behind
one of ours, which hands on what comes and watches the time; a wrapper of the application says which are being answered.
"""

from asyncio import Protocol, TimerHandle, Transport, get_running_loop
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

# A request's head has to come within this.
HEAD_SECONDS = 10.0
_MOST_CONNECTIONS = 64

_Peer = tuple[str, int]
"""Address and port of the other end, by which an ASGI scope and a transport name the same connection."""


class Connections:
    """The open connections of a server. All of it runs in the thread of the server's event loop."""

    def __init__(self, head_seconds: float = HEAD_SECONDS) -> None:
        """No connection is open yet.

        Args:
            head_seconds: how long the head of a request may take to come.
        """
        self.head_seconds = head_seconds
        self._open: dict[_Peer, _Connection] = {}

    def protocol(self) -> type[Protocol]:
        """The class of protocol that uvicorn is to make for each connection."""
        connections = self

        class Connection(_Connection):
            def __init__(self, **parts: Any) -> None:
                super().__init__(connections, H11Protocol(**parts))

        return Connection

    def watched(self, app: ASGIApp) -> ASGIApp:
        """The application, which tells each connection when a request of it is being answered."""

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
        """Count a connection. Where there are too many, the one is closed that has been idle longest."""
        self._open[connection.peer] = connection
        if len(self._open) > _MOST_CONNECTIONS:
            others = (each for each in self._open.values() if each is not connection)
            min(others, key=lambda each: (each.is_answered, each.idle_since)).close()

    def remove(self, connection: "_Connection") -> None:
        """Count it no more; it may have been closed before."""
        if self._open.get(connection.peer) is connection:
            del self._open[connection.peer]


class _Connection(Protocol):
    """A connection: hands everything on to uvicorn's, and closes it where a request's head takes too long.

    Attributes:
        peer: the other end.
        idle_since: when it began to be idle, on the event loop's clock.
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

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # of a socket it always is one
        """Begin to wait for a request."""
        self._transport = transport
        peer = cast("tuple[Any, ...] | None", transport.get_extra_info("peername"))
        if peer is not None:
            self.peer = (str(peer[0]), int(peer[1]))
        self._inner.connection_made(transport)
        self._wait()
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Go on; as long as no whole head has come, the time runs."""
        if not self.is_answered:
            self._wait()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand it on."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Hand it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand it on."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        self._connections.remove(self)
        self._inner.connection_lost(exc)

    def begin_answer(self) -> None:
        """A whole head has come."""
        self._answers += 1
        self._stop_waiting()

    def end_answer(self) -> None:
        """The answer is on its way; until the next request begins, uvicorn watches how long the connection is kept."""
        self._answers -= 1
        self.idle_since = self._loop.time()

    def close(self) -> None:
        """Close it, whatever is on its way."""
        self._stop_waiting()
        self._connections.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._connections.head_seconds, self.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
