"""Connections to the pages: who asks nothing is sent away, and never stands in the way of those who ask."""

from asyncio import TimerHandle, Transport
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

# A request's head has to come within this.
HEAD_SECONDS = 10.0
_MOST_CONNECTIONS = 64


def protocol(head_seconds: float) -> type[H11Protocol]:
    """Uvicorn's protocol for HTTP/1.1, less patient.

    Args:
        head_seconds: how long a request's head may take to come.
    """
    return type("Connection", (_Connection,), {"head_seconds": head_seconds})


class _Connection(H11Protocol):
    """One connection. Uvicorn by itself waits for ever for a head that has begun, and for one that never does."""

    head_seconds: ClassVar[float]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: TimerHandle | None = None
        self.since = self.loop.time()

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request. Where there are too many, the one goes that asks nothing for the longest."""
        super().connection_made(transport)
        self._wait()
        others = [each for each in self.connections if isinstance(each, _Connection) and each is not self]
        if len(others) >= _MOST_CONNECTIONS:
            min(others, key=lambda each: (not each.is_idle(), each.since)).send_away()

    def data_received(self, data: bytes) -> None:
        """Read on, and wait for as long as no whole head has come."""
        super().data_received(data)
        if self.is_idle():
            self._wait()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def is_idle(self) -> bool:
        """Whether no request of it is being answered."""
        # uvicorn declares it as if it were never None.
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self.send_away)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def send_away(self) -> None:
        """Close it, whatever is on its way."""
        self.connections.discard(self)
        self.transport.abort()
