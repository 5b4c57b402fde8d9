"""Who is at work on which table: one run of a table at a time, and few at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class _Ticket:
    """Somebody's wish for tables; two are never equal, whatever they are for."""

    tables: frozenset[str]


class Turns:
    """Turns at tables, in the order in which they were asked for. Threads share it."""

    def __init__(self, most: int) -> None:
        """Nobody is at work.

        Args:
            most: how many may be at work at once, whatever their tables.
        """
        self._most = most
        self._changed = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._at_work: list[_Ticket] = []
        self._is_closed = False

    @contextmanager
    def turn(self, tables: frozenset[str]) -> Iterator[bool]:
        """Wait until nobody is at work on any of these tables, and nobody who asked before waits for one of them.

        All of them are taken at once, so no two can wait for each other.

        Yields:
            whether the turn came; False once no turn comes any more.
        """
        ticket = _Ticket(tables)
        has_come = self._wait(ticket)
        try:
            yield has_come
        finally:
            if has_come:
                with self._changed:
                    self._at_work.remove(ticket)
                    self._changed.notify_all()

    def close(self) -> None:
        """Let nobody begin any more: whoever waits is told so."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wait(self, ticket: _Ticket) -> bool:
        with self._changed:
            self._waiting.append(ticket)
            self._changed.wait_for(lambda: self._is_closed or self._may_begin(ticket))
            self._waiting.remove(ticket)
            if not self._is_closed:
                self._at_work.append(ticket)
            # Whoever stands behind may have waited for this one alone.
            self._changed.notify_all()
            return not self._is_closed

    def _may_begin(self, ticket: _Ticket) -> bool:
        if len(self._at_work) >= self._most:
            return False
        before = self._waiting[: self._waiting.index(ticket)]
        return all(ticket.tables.isdisjoint(other.tables) for other in (*self._at_work, *before))
