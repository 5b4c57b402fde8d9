"""Who is at work on which table: one run of a table at a time, and few at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """Somebody's wish for tables; two are never equal, whatever they are for."""

    tables: frozenset[str]


class Queue:
    """Who waits and who is at work, in the order in which they asked. For one thread."""

    def __init__(self, most: int) -> None:
        """Nobody is there.

        Args:
            most: how many may be at work at once, whatever their tables.
        """
        self._most = most
        self._waiting: list[Ticket] = []
        self._at_work: list[Ticket] = []

    def ask(self, tables: frozenset[str]) -> Ticket:
        """Stand at the end, for all of these tables at once: so no two can wait for each other."""
        ticket = Ticket(tables)
        self._waiting.append(ticket)
        return ticket

    def may_begin(self, ticket: Ticket) -> bool:
        """Whether nobody is at work on any of its tables, and nobody who asked before waits for one of them."""
        if len(self._at_work) >= self._most:
            return False
        before = self._waiting[: self._waiting.index(ticket)]
        return all(ticket.tables.isdisjoint(other.tables) for other in (*self._at_work, *before))

    def begin(self, ticket: Ticket) -> None:
        """Go from those who wait to those at work."""
        self._waiting.remove(ticket)
        self._at_work.append(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Leave, from wherever it stands."""
        for tickets in (self._waiting, self._at_work):
            if ticket in tickets:
                tickets.remove(ticket)


class Turns:
    """Turns at tables. Threads share it."""

    def __init__(self, most: int) -> None:
        """Nobody is at work.

        Args:
            most: how many may be at work at once, whatever their tables.
        """
        self._queue = Queue(most)
        self._changed = threading.Condition()
        self._is_closed = False

    @contextmanager
    def turn(self, tables: frozenset[str]) -> Iterator[bool]:
        """Wait for the turn at all of these tables; it ends with the block.

        Yields:
            whether it came; False once no turn comes any more.
        """
        with self._changed:
            ticket = self._queue.ask(tables)
        try:
            yield self._wait(ticket)
        finally:
            with self._changed:
                self._queue.leave(ticket)
                self._changed.notify_all()

    def close(self) -> None:
        """Let nobody begin any more: whoever waits is told so."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wait(self, ticket: Ticket) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._queue.may_begin(ticket))
            if self._is_closed:
                return False
            self._queue.begin(ticket)
            # Whoever stands behind may have waited for this one alone.
            self._changed.notify_all()
            return True
